//! What the machine has to tell, as values: how an event was settled, what may be doubled, what the gate does.
//!
//! Not here: log lines and metrics; the dispatcher makes them. Keys, rules and ids are told; payloads and secrets never.

use std::sync::Arc;
use std::time::Duration;

pub use super::settled::Settled;

use super::WantedPrefetch;
use super::photo_report::PhotoReport;
use super::told::{CameBack, FailedTry, LettersState, OutcomeTold, Traced};
use crate::core::delay_queue::DelayQueue;
use crate::core::delayed_state::DelayedState;
use crate::core::event::Key;
use crate::core::gate::{Change, Why};
use crate::core::judge::Judgement;
use crate::core::lookup::Lookup;
use crate::core::lookup_check::{CheckResult, Replaced};
use crate::core::mapping::rules::Rules;
use crate::core::progress::Progress;
use crate::core::reason::Fault;
use crate::core::recent::Known;
use crate::core::trace_context::TraceId;

/// How an event ended here.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// The API created it, with this id if it told one.
    Created(Option<String>),
    /// A lookup found it, with this id if the API told one.
    Found(Option<String>),
    /// It is a copy of one that this process created before.
    AlreadyCreated(Option<String>),
    /// It was published again after this process had created it.
    Duplicate(Option<String>),
    /// A rule says to skip it.
    Skipped,
    /// It can never be a process.
    DeadLettered(Fault),
    /// It is a copy of one whose dead letter the broker keeps already.
    AlreadyDeadLettered,
    /// It waits in a delay queue.
    Delayed(DelayQueue, Box<DelayedState>),
    /// It goes back to the work queue.
    Requeued,
    /// Its connection was lost first: the broker delivers it again.
    ConnectionLost,
}

impl Ended {
    /// Every result, as [`Ended::result`] gives it.
    pub const RESULTS: [&'static str; 10] = [
        "created",
        "found",
        "already_created",
        "duplicate",
        "skipped",
        "dead_lettered",
        "already_dead_lettered",
        "delayed",
        "requeued",
        "connection_lost",
    ];

    /// The label of logs and metrics.
    #[must_use]
    pub fn result(&self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Found(_) => "found",
            Self::AlreadyCreated(_) => "already_created",
            Self::Duplicate(_) => "duplicate",
            Self::Skipped => "skipped",
            Self::DeadLettered(_) => "dead_lettered",
            Self::AlreadyDeadLettered => "already_dead_lettered",
            Self::Delayed(..) => "delayed",
            Self::Requeued => "requeued",
            Self::ConnectionLost => "connection_lost",
        }
    }

    /// It is a process, as this outcome says.
    pub(super) fn done(process: Option<String>, outcome: &Judgement) -> Self {
        if matches!(outcome, Judgement::Found { .. }) { Self::Found(process) } else { Self::Created(process) }
    }

    /// The id of the process, if it is one and the API told it.
    #[must_use]
    pub fn process(&self) -> Option<&str> {
        match self {
            Self::Created(process)
            | Self::Found(process)
            | Self::AlreadyCreated(process)
            | Self::Duplicate(process) => process.as_deref(),
            _ => None,
        }
    }

    /// What a copy of the event, if the broker delivers one again, is to be told by. Of a dead letter see `letters`.
    pub(super) fn known(&self, progress: &Progress, sent: Option<&Lookup>) -> Option<Known> {
        match self {
            Self::Created(process) | Self::Found(process) => Some(Known::created(process.as_deref())),
            Self::Delayed(..) | Self::Requeued | Self::ConnectionLost => {
                Some(Known::Underway(Box::new(progress.clone()), sent.cloned().map(Box::new)))
            }
            Self::AlreadyCreated(_)
            | Self::Duplicate(_)
            | Self::Skipped
            | Self::DeadLettered(_)
            | Self::AlreadyDeadLettered => None,
        }
    }

    /// Whether the broker may forget its message.
    pub(super) fn is_done(&self) -> bool {
        !matches!(self, Self::DeadLettered(_) | Self::Delayed(..) | Self::Requeued | Self::ConnectionLost)
    }
}

/// Why an event may become a second process. Each is announced before it can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is sent again after a create whose answer was lost.
    Resent,
    /// It is created again after lookups did not find it for the whole window.
    Absent,
    /// The broker delivers it again, and this process does not know it.
    Redelivered,
    /// It is handed back while its create is under way, or after one whose answer was lost.
    HandedBack,
}

impl Doubt {
    /// Every cause of a possible duplicate.
    pub const ALL: [Self; 4] = [Self::Resent, Self::Absent, Self::Redelivered, Self::HandedBack];

    /// The label of logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resent => "resent",
            Self::Absent => "absent",
            Self::Redelivered => "redelivered",
            Self::HandedBack => "handed_back",
        }
    }
}

/// How the gate changed, and by which reply, if by one.
#[derive(Clone, Debug, PartialEq)]
pub struct GateReport {
    /// How.
    pub changes: Vec<Change>,
    /// What is shut now, and why: the scope and the reason.
    pub shut: Vec<(String, Why)>,
    /// Why no answer came.
    pub detail: Option<String>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// What its body was, in a word.
    pub body: Option<&'static str>,
    /// The host that a redirect points to.
    pub redirects_to: Option<String>,
}

/// What the machine has to tell.
#[derive(Debug)]
pub enum Report {
    /// A message came in.
    Received,
    /// What is known of the trace of a message, where spans are kept.
    Traced(Box<Traced>),
    /// An event was settled, or leaves this process for now.
    Settled(Box<Settled>),
    /// A try failed, and the event waits for the next.
    TryFailed(Box<FailedTry>),
    /// No descriptor was left for a connection to the API.
    NoDescriptors,
    /// Events came back with a connection and are looked up.
    CameBack(CameBack),
    /// A newer daemon delayed this event: it is kept for one.
    FromNewer,
    /// An event may become a second process.
    PossibleDuplicate {
        /// Why.
        doubt: Doubt,
        /// The event's key, if it could be decoded.
        key: Option<Key>,
        /// Its rule.
        rule: Option<Arc<str>>,
        /// The trace that it belongs to.
        trace: Option<TraceId>,
    },
    /// Another event had the key of this one, and is a process; this one is created all the same.
    KeyReused {
        /// The event's key.
        key: Option<Key>,
        /// Its rule.
        rule: Option<Arc<str>>,
        /// The trace that it belongs to.
        trace: Option<TraceId>,
        /// The id of the other process, if the API told it.
        process: Option<String>,
        /// Whether it is the first of its rule.
        is_first: bool,
    },
    /// The producer of an event was told how it ended, or could not be told.
    Outcome(crate::core::outcome::OutcomeKind, OutcomeTold),
    /// Outcomes wait that no queue takes, or none does any more.
    OutcomesWait(bool),
    /// An event is a process and is acknowledged, and the ledger could not be told of it until the end: a later repeat of it is not
    /// recognised.
    Unrecorded {
        /// The event's key, if it could be decoded.
        key: Option<Key>,
        /// Its rule.
        rule: Option<Arc<str>>,
        /// The trace that it belongs to.
        trace: Option<TraceId>,
    },
    /// A request was answered, or not.
    Answered {
        /// How it was judged.
        outcome: &'static str,
        /// The HTTP status, if an answer came.
        status: Option<u16>,
        /// How long the request took.
        took: Duration,
    },
    /// A lookup found more than one process of an event.
    Duplicates {
        /// The event's key.
        key: Option<Key>,
        /// Its rule.
        rule: Option<Arc<str>>,
        /// The trace that it belongs to.
        trace: Option<TraceId>,
        /// How many.
        copies: usize,
    },
    /// The API refused a lookup.
    LookupRefused {
        /// The event's key.
        key: Option<Key>,
        /// Its rule.
        rule: Option<Arc<str>>,
        /// The trace that it belongs to.
        trace: Option<TraceId>,
        /// The HTTP status.
        status: u16,
    },
    /// Something of photos.
    Photos(PhotoReport),
    /// A single request probes a shut gate.
    Probe,
    /// The gate changed.
    Gate(Box<GateReport>),
    /// A run of rejections holds a rule.
    RuleHeld {
        /// The rule.
        rule: Arc<str>,
        /// The run.
        rejections: u32,
    },
    /// A rule that was held goes on.
    RuleReleased {
        /// The rule.
        rule: Arc<str>,
        /// How long it was held.
        after: Duration,
    },
    /// The check of a rule's lookup came to an end.
    Checked {
        /// The rule.
        rule: Arc<str>,
        /// What it came to.
        result: CheckResult,
    },
    /// The dead-letter queue takes letters again, or does not, and how far that has come.
    Letters(LettersState),
    /// Other rules are in force.
    Rules(Arc<Rules>, Replaced),
    /// Other events than before wait for the window of their lookup, those in delay queues among them.
    Windows {
        /// How many at most.
        events: usize,
        /// Until the last of them is through.
        left: Duration,
        /// Whether it is worth a line.
        is_news: bool,
    },
    /// Fewer, or again as many events are wanted from the broker; everything has been shut for so long at least.
    Wanted(WantedPrefetch, Duration),
}
