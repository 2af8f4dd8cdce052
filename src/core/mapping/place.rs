//! Where a piece of written text stands in the file, so that a mistake can point at the very word.
//!
//! Not here: what is wrong with it, or how it is shown.

use std::ops::Range;

use crate::core::mistake::{Mistake, Span};

/// A written text, its place in the file and the key it was written for.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The text as the file's reader gave it, escapes resolved.
    pub(super) text: &'a str,
    /// Its place in the file, with its quotes.
    pub(super) span: &'a Span,
    /// The key, such as `rule "lead".data.email`.
    pub(super) key: &'a str,
}

impl Place<'_> {
    /// A mistake about one range of the text, in bytes.
    pub(super) fn mistake(self, range: Range<usize>, what: impl Into<String>, expected: impl Into<String>) -> Mistake {
        Mistake { span: Some(self.spot(range)), key: self.key.to_owned(), what: what.into(), expected: expected.into() }
    }

    /// A mistake about the whole text.
    pub(super) fn whole(self, what: impl Into<String>, expected: impl Into<String>) -> Mistake {
        let span = Some(self.span.clone());
        Mistake { span, key: self.key.to_owned(), what: what.into(), expected: expected.into() }
    }

    fn spot(self, range: Range<usize>) -> Span {
        let Some(lead) = self.lead() else { return self.span.clone() };
        let from = self.span.start + lead + range.start.min(self.text.len());
        let to = self.span.start + lead + range.end.min(self.text.len());
        from..to.max(from)
    }

    /// How many bytes of quotes stand before the text. None where escapes have shifted it: every escape of
    /// TOML is longer than what it stands for, so that the lengths tell.
    fn lead(self) -> Option<usize> {
        let around = self.span.len().checked_sub(self.text.len())?;
        let plain = self.text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte));
        let unescaped = plain && !self.text.contains(['"', '\\']);
        match around {
            2 => Some(1),
            6 if unescaped => Some(3),
            7 if unescaped => Some(4),
            _ => None,
        }
    }
}
