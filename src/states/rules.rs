//! Which rules are in force, for whoever asks from outside.
//!
//! Not here: who asks (`admin::health`).

use std::fmt;

use jiff::Timestamp;

/// Which rules are in force, and how the file on the disk differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RulesState {
    /// When the rules in force were read, in seconds since the Unix epoch.
    pub loaded_s: u64,
    /// Mistakes in the file on the disk; with any, it is not in force.
    pub mistakes: usize,
    /// Keys of the file that differ from what runs and are taken in by a restart only.
    pub needs_restart: Vec<String>,
}

impl RulesState {
    /// Rules read at this time, from a file that says nothing else.
    #[must_use]
    pub fn loaded(at_s: u64) -> Self {
        Self { loaded_s: at_s, ..Self::default() }
    }

    /// The time in the form of RFC 3339.
    pub(crate) fn when(&self) -> String {
        let at = i64::try_from(self.loaded_s).ok().and_then(|at| Timestamp::from_second(at).ok());
        at.unwrap_or_default().to_string()
    }
}

impl fmt::Display for RulesState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = self.when();
        match self.mistakes {
            0 => write!(out, "in force since {when}"),
            1 => write!(out, "the file on disk has 1 mistake; running with the rules of {when}"),
            count => write!(out, "the file on disk has {count} mistakes; running with the rules of {when}"),
        }
    }
}
