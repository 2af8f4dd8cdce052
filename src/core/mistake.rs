//! A mistake somebody wrote into the configuration, and where.
//!
//! Not here: reading files or printing carets; that is `config`.

use std::ops::Range;

/// A piece of the configuration file, in bytes.
pub type Span = Range<usize>;

/// One mistake. Reads as `file:line: key: what, expected what`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where in the file; none for what came from the environment or is missing altogether.
    pub span: Option<Span>,
    /// The key, such as `retry.initial` or `rule "lead".data.email`.
    pub key: String,
    /// What is wrong, in words.
    pub what: String,
    /// What was expected instead, in words, with the nearest known name where there is one.
    pub expected: String,
}
