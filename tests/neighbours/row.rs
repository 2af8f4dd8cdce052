//! One figure with its bar, printed as soon as it is known.
//!
//! Not here: how it is measured.
#![allow(dead_code, reason = "the test asks for rows, the bench prints them")]

use std::time::Duration;

/// What was measured, and whether it keeps its bar.
#[derive(Clone, Debug)]
pub struct Row {
    pub what: String,
    pub seen: String,
    /// Empty for a figure without a bar.
    pub bar: String,
    pub holds: bool,
}

impl Row {
    /// A figure with a bar.
    pub fn new(what: impl Into<String>, seen: impl Into<String>, bar: impl Into<String>, holds: bool) -> Self {
        Self { what: what.into(), seen: seen.into(), bar: bar.into(), holds }
    }

    /// A figure that others are read against.
    pub fn plain(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(what, seen, "", true)
    }

    /// A time that must not be longer than `bar`; none where it did not end, and then `else_seen` says how far it came.
    pub fn time(what: impl Into<String>, took: Option<Duration>, bar: Duration, else_seen: String) -> Self {
        let seen = took.map_or(else_seen, seconds);
        Self::new(what, seen, format!("at most {}", seconds(bar)), took.is_some_and(|took| took <= bar))
    }

    /// Prints it, and answers it.
    pub fn printed(self) -> Self {
        let Self { what, seen, bar, holds } = &self;
        let verdict = if *holds { "" } else { "falls short" };
        println!("| {what} | {seen} | {bar} | {verdict} |");
        self
    }
}

/// As seconds.
pub fn seconds(time: Duration) -> String {
    if time == Duration::MAX { "never".to_owned() } else { format!("{:.1} s", time.as_secs_f64()) }
}

/// As milliseconds.
pub fn milliseconds(time: Duration) -> String {
    if time == Duration::MAX { "never".to_owned() } else { format!("{:.1} ms", time.as_secs_f64() * 1000.0) }
}
