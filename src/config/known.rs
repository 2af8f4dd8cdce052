//! The keys that the daemon knows, and which sections are lists.
//!
//! Not here: what each key means (`sections`, `rules` and the other lists), and finding all of them (`load`).

/// The sections that are lists of tables, each of which has its place and no variables.
pub(super) const LISTS: [&str; 3] = ["rule", "case", "schema"];

/// A key that the daemon knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The section, without brackets; `rule` for the keys of a rule, and so with the other lists.
    pub section: &'static str,
    /// The key in that section.
    pub name: &'static str,
    /// What a missing key means, as it would be written; none if it must be there or may be absent.
    pub default: Option<&'static str>,
}

/// Whether a section is a list of tables.
pub(super) fn is_list(section: &str) -> bool {
    LISTS.contains(&section)
}
