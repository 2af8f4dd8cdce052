//! The keys that the daemon knows, and which sections are lists.
//!
//! Not here: what each key means (`sections`, `rules` and the other lists), and finding all of them (`load`).

/// The sections that are lists of tables, each of which has its place and no variables.
pub(super) const LISTS: [&str; 3] = ["rule", "case", "schema"];

/// A key that the daemon knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The section, without brackets; `rule` for the keys of a rule, and so with the other lists.
    pub section: &'static str,
    /// The key in that section.
    pub name: &'static str,
    /// What a missing key means, as it would be written; none if it must be there or may be absent.
    pub default: Option<&'static str>,
    /// What is written for it.
    pub kind: Kind,
}

/// What is written for a key, as far as an editor can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text: a name, a path, a URL, an expression.
    Text,
    /// A duration with its unit.
    Duration,
    /// A size with its unit.
    Size,
    /// A number, within these bounds as they would be written.
    Number {
        /// The least.
        least: String,
        /// The most.
        most: String,
        /// Whether it is a whole one.
        is_whole: bool,
    },
    /// One of these words.
    Word(Vec<&'static str>),
    /// True or false.
    Flag,
    /// A list of texts or whole numbers.
    List,
    /// Whatever a rule, a case or a schema takes there.
    Any,
}

/// Whether a section is a list of tables.
pub(super) fn is_list(section: &str) -> bool {
    LISTS.contains(&section)
}
