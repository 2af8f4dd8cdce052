//! What is told of tries that failed, of waits, of dead letters that wait, and of outcomes: values for the log.
//!
//! Not here: when it is told (`tries`, `letters`), and all other reports (`report`).

use std::sync::Arc;
use std::time::Duration;

use super::ReceiptId;
use crate::core::event::Key;
use crate::core::progress::Next;
use crate::core::trace_context::{TraceContext, TraceId};

/// Where an event waits whose try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Unacknowledged, for a time of its own.
    Memory,
    /// Unacknowledged, until the gate opens.
    Gate,
    /// Unacknowledged, until its rule goes on.
    Rule,
    /// Unacknowledged, until something shows that a create of its procedure works.
    Doubt,
    /// In the delay queue of this label.
    DelayQueue(&'static str),
    /// In the work queue: it was handed back.
    WorkQueue,
}

impl Place {
    /// Every word, as [`Place::as_str`] gives them.
    pub const WORDS: [&str; 6] = ["memory", "gate", "rule", "doubt", "delay_queue", "work_queue"];

    /// The word of the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Gate => "gate",
            Self::Rule => "rule",
            Self::Doubt => "doubt",
            Self::DelayQueue(_) => "delay_queue",
            Self::WorkQueue => "work_queue",
        }
    }

    /// The label of its delay queue, if it waits in one.
    #[must_use]
    pub fn delay_queue(self) -> Option<&'static str> {
        if let Self::DelayQueue(label) = self { Some(label) } else { None }
    }
}

/// The trace that a message belongs to.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The number of its receipt.
    pub receipt: ReceiptId,
    /// The trace, and the span that went before.
    pub trace: Arc<TraceContext>,
    /// Where it stood before it waited in the broker, in a delay queue or as a dead letter.
    pub waited: Option<TraceContext>,
    /// Its rule, if one matched.
    pub rule: Option<Arc<str>>,
}

/// A try that failed and is no end.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedTry {
    /// The event's key, if it could be decoded.
    pub key: Option<Key>,
    /// Its rule.
    pub rule: Option<Arc<str>>,
    /// The trace that it belongs to.
    pub trace: Option<TraceId>,
    /// What was asked.
    pub asked: Next,
    /// The photo that it was asked for, if it was for one, and not for the process.
    pub photo: Option<Arc<str>>,
    /// Which try of this it was.
    pub attempt: u32,
    /// What came of it, as a fixed word.
    pub reason: &'static str,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// Why no answer came, or why it could not be read.
    pub detail: Option<String>,
    /// What is asked next.
    pub next: Next,
    /// Where it waits for that.
    pub place: Place,
    /// After what wait it is asked, at the earliest.
    pub wait: Duration,
}

/// A wait in a delay queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delayed {
    /// The label of the queue.
    pub queue: &'static str,
    /// Why, as a fixed word.
    pub why: &'static str,
    /// How long it waits altogether.
    pub wait: Duration,
    /// Until when, in epoch milliseconds.
    pub until_ms: u64,
}

/// Events that the broker delivered again after a connection, and that are looked up before anything is sent for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CameBack {
    /// How many came.
    pub events: u32,
    /// How many of them still wait for what their lookups bring.
    pub waiting: u32,
    /// The longest that may take.
    pub longest: Duration,
    /// Until when that is, in epoch milliseconds.
    pub until_ms: u64,
}

/// How it stands with dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LettersState {
    /// They are kept as they come.
    #[default]
    Kept,
    /// Some are refused, or not confirmed for long: they wait.
    Waiting,
    /// So many wait that no place is left for other events.
    StandStill,
}

/// What became of an outcome that was to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeTold {
    /// The broker keeps it.
    Told,
    /// The broker did not take it: its event waits, and it is told again.
    Refused,
    /// The broker did not take it, and its event is settled all the same, as the configuration says.
    PassedOver,
}

impl OutcomeTold {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Told, Self::Refused, Self::PassedOver];

    /// The label of metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Refused => "refused",
            Self::PassedOver => "passed_over",
        }
    }
}
