//! The next step of an event, and what it is taken under.
//!
//! Not here: which step it is (`progress`).

use std::time::Duration;

use crate::core::reason::Fault;

/// What comes next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Ask [`Progress::next`](super::Progress::next) after this wait.
    Wait(Duration),
    /// Ask it as soon as the gate lets it: nothing was spent.
    Hold,
    /// The same, but not before this wait.
    SetAside(Duration),
    /// It is a process.
    Done {
        /// Its id, if the API told it.
        process: Option<String>,
    },
    /// It is a dead letter.
    Dead(Fault),
}

/// What a step is taken under.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepContext {
    /// Whether the request asked a shut gate.
    pub is_probe: bool,
    /// Whether the rule has a lookup.
    pub can_look_up: bool,
    /// How old the event is, counted while the gate was open.
    pub age: Duration,
    /// In 0..1.
    pub dice: f64,
    /// If what is not the API's word refused a create.
    pub refusal: Option<Refusal>,
}

/// A create that was refused by what is not the API's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Now, in epoch milliseconds.
    pub at_ms: u64,
    /// When another event of its procedure was created last, in epoch milliseconds; 0 for never.
    pub others_ms: u64,
}
