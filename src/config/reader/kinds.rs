//! Keys of one kind: durations, sizes, numbers, words and lists. What kind a key is of is remembered beside it.
//!
//! Not here: what a value means (`values`), and keys of text (`reader`).

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::Reader;
use crate::config::known::Kind;
use crate::config::values::{self, Given, Wrong};

/// What a whole number is called.
pub(in crate::config) const WHOLE: &str = "a whole number";

impl Reader<'_> {
    /// Tells of the key that was asked for last what is written for it.
    fn last_is(&mut self, kind: Kind) {
        if let Some(last) = self.known.last_mut() {
            last.kind = kind;
        }
    }

    /// A number within its range; `of` says in words which.
    pub(in crate::config) fn number<T: PartialOrd + Display + FromStr>(
        &mut self,
        key: &'static str,
        default: Option<&'static str>,
        range: &RangeInclusive<T>,
        of: &str,
    ) -> Option<T> {
        let value = self.optional(key, default, |given| values::number(given, range, of));
        let (least, most) = (range.start().to_string(), range.end().to_string());
        self.last_is(Kind::Number { least, most, is_whole: of == WHOLE });
        value
    }

    /// A list.
    pub(in crate::config) fn list<T>(
        &mut self,
        key: &'static str,
        meaning: impl FnOnce(&Given) -> Result<T, Wrong>,
    ) -> Option<T> {
        let value = self.optional(key, None, meaning);
        self.last_is(Kind::List);
        value
    }

    /// A duration.
    pub(in crate::config) fn duration(
        &mut self,
        key: &'static str,
        default: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        self.duration_or(key, Some(default), &range).unwrap_or_default()
    }

    /// A duration that may be missing.
    pub(in crate::config) fn duration_or(
        &mut self,
        key: &'static str,
        default: Option<&'static str>,
        range: &RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let value = self.optional(key, default, |given| values::duration(given, range));
        self.last_is(Kind::Duration);
        value
    }

    /// A size in bytes.
    pub(in crate::config) fn size(
        &mut self,
        key: &'static str,
        default: &'static str,
        range: RangeInclusive<u64>,
    ) -> usize {
        let value = self.optional(key, Some(default), |given| values::size(given, &range));
        self.last_is(Kind::Size);
        value.unwrap_or_default()
    }

    /// True or false; written as its default is.
    pub(in crate::config) fn flag(&mut self, key: &'static str, default: &'static str) -> bool {
        let value = self.optional(key, Some(default), values::flag);
        self.last_is(Kind::Flag);
        value.unwrap_or_default()
    }

    /// One of these words; the first of them is the default.
    pub(in crate::config) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> T {
        let (default, value) = words[0];
        let written = self.optional(key, Some(default), |given| values::word(given, words));
        self.last_is(Kind::Word(words.iter().map(|(word, _)| *word).collect()));
        written.unwrap_or(value)
    }
}
