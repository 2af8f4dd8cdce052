//! Numbers that a rule writes out: 64 bits hold them as they are written, or they are a mistake.
//!
//! Not here: numbers of events (`core::json`).

use minijinja::machinery::Span;
use minijinja::value::Value;

use super::Reader;
use crate::core::json;

impl Reader<'_> {
    pub(super) fn integer(&mut self, value: &Value, span: Span) -> String {
        if !json::is_exact(&value.to_string()) {
            self.mistake(span, "the number is out of range", "a number of 64 bits");
        }
        value.to_string()
    }

    pub(super) fn fraction(&mut self, value: &Value, span: Span) -> String {
        let number = f64::try_from(value.clone()).unwrap_or(f64::NAN);
        let at = self.offset + span.start_offset as usize..self.offset + span.end_offset as usize;
        let written = self.place.text.get(at).unwrap_or_default().replace('_', "");
        if !number.is_finite() {
            self.mistake(span, "the number is out of range", "a number of 64 bits");
        } else if !json::is_exactly(&written, number) {
            self.mistake(span, "64 bits cannot hold this number", "one with fewer digits, or a text");
        }
        format!("{number:?}")
    }
}
