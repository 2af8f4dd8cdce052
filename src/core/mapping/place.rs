//! Where a piece of written text stands in the file, so that a mistake can point at the very word.
//!
//! Not here: what is wrong with it, or how it is shown.

use std::fmt;
use std::ops::Range;

use super::path::Variable;
use crate::core::mistake::{Mistake, Span};

/// What a fault of an event names: the field of the rule, and the line of its expression.
#[derive(Clone, Debug)]
pub(super) struct Label {
    field: String,
    /// Where the expression begins, in bytes of the file.
    at: usize,
    /// The line there, once the file was asked.
    line: Option<usize>,
}

impl Label {
    /// Learns the line, from what tells that of a byte.
    pub(super) fn locate(&mut self, line: &impl Fn(usize) -> usize) {
        self.line = Some(line(self.at));
    }
}

impl Label {
    /// A mistake about its expression, where it begins; `rule` says in which rule.
    pub(super) fn mistake(&self, rule: &str, what: impl Into<String>, expected: impl Into<String>) -> Mistake {
        let (span, key) = (Some(self.at..self.at), format!("{rule}.{}", self.field));
        Mistake { span, key, what: what.into(), expected: expected.into() }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.field)?;
        self.line.map_or(Ok(()), |line| write!(out, " (line {line})"))
    }
}

/// A written text, its place in the file and the key it was written for.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The text as the file's reader gave it, escapes resolved.
    pub(super) text: &'a str,
    /// Its place in the file, with its quotes.
    pub(super) span: &'a Span,
    /// The key, such as `rule "lead".data.email`.
    pub(super) key: &'a str,
    /// Which lists it stands in.
    pub(super) inside: Inside,
}

/// The tables with `each` that a text stands in: what it can read beside the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Inside {
    /// How many there are around it.
    pub(super) items: usize,
    /// Whether it is the `then` of one, which reads the list that was made.
    pub(super) list: bool,
    /// Whether it is sent, and may so name a photo.
    pub(super) photos: bool,
}

impl Inside {
    /// Within one more.
    pub(super) fn one_more(self) -> Self {
        Self { items: self.items + 1, list: false, ..self }
    }

    /// The `then` of a table that stands here.
    pub(super) fn then(self) -> Self {
        Self { list: true, ..self }
    }

    /// What is sent.
    pub(super) const SENT: Self = Self { items: 0, list: false, photos: true };

    /// The same where it only decides what is sent.
    pub(super) fn unsent(self) -> Self {
        Self { photos: false, ..self }
    }

    /// Why a variable stands for nothing here, if so, and what was expected.
    pub(super) fn lacks(self, variable: Variable) -> Option<(String, String)> {
        let name = variable.name();
        let (is_known, where_known) = match variable {
            Variable::Item | Variable::Index => (self.items > 0, "in a table with `each`, and in its `where`"),
            Variable::Outer => (self.items > 1, "where a table with `each` stands in another one"),
            Variable::List => (self.list, "in the `then` of a table with `each`"),
            Variable::Photo => (self.photos, "in `data` and `record`"),
            _ => (true, ""),
        };
        let field = format!("`event.{name}`, if it is a field of the event");
        (!is_known).then(|| (format!("`{name}` is known only {where_known}"), field))
    }
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

    /// The label of the expression at one range of the text.
    pub(super) fn label(self, field: &str, range: Range<usize>) -> Label {
        Label { field: field.to_owned(), at: self.spot(range).start, line: None }
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
