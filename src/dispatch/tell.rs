//! What is told of each event and of the gate: one log line per result, and the counters beside it.
//!
//! Not here: deciding anything. Keys, rules and ids are told; payloads, API texts and secrets never.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::ending::EventContext;
use crate::clock::epoch_ms;
use crate::core::gate::{Change, Gate};
use crate::core::judge::Outcome;
use crate::core::lookup_check::CheckResult;
use crate::core::reason::Reason;
use crate::core::settlement::{DeadLetter, Settlement};
use crate::metrics::Metrics;

/// What became of an event. The same word stands in the log and in the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SettledAs {
    Created,
    /// A lookup found it.
    Found,
    /// It waits in a delay queue of the broker.
    Delayed,
    AlreadyCreated,
    Skipped,
    DeadLetter,
    Released,
    /// Its connection died first: the broker delivers it again.
    Redelivery,
}

impl SettledAs {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Found => "found",
            Self::Delayed => "delayed",
            Self::AlreadyCreated => "already_created",
            Self::Skipped => "skipped",
            Self::DeadLetter => "dead_lettered",
            Self::Released => "requeued",
            Self::Redelivery => "connection_lost",
        }
    }
}

/// Why an event may become a second process. Each is announced before it can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It is sent again after a create whose answer was lost.
    Resent,
    /// It is created again after looks did not see it for the whole window.
    Absent,
    /// The broker delivers it again, and this process does not know it.
    Redelivered,
    /// It is handed back while its create is under way, or after one whose answer was lost.
    HandedBack,
}

impl Doubt {
    const ALL: [Self; 4] = [Self::Resent, Self::Absent, Self::Redelivered, Self::HandedBack];

    fn as_str(self) -> &'static str {
        match self {
            Self::Resent => "resent",
            Self::Absent => "absent",
            Self::Redelivered => "redelivered",
            Self::HandedBack => "handed_back",
        }
    }
}

/// One event at its end.
pub(super) struct Report<'a> {
    pub(super) result: SettledAs,
    pub(super) context: &'a EventContext,
    pub(super) process: Option<&'a str>,
    pub(super) attempts: u32,
    pub(super) took: Duration,
    pub(super) settlement: &'a Settlement,
}

/// Tells.
pub(super) struct Reporter {
    pub(super) metrics: Arc<Metrics>,
    pub(super) shut: watch::Sender<Vec<String>>,
}

impl Reporter {
    /// One that shows from the start what it may come to tell, so that an alert on a rate sees the first increase.
    pub(super) fn new(metrics: &Arc<Metrics>, shut: &watch::Sender<Vec<String>>) -> Self {
        Doubt::ALL.iter().for_each(|doubt| metrics.foresee_possible_duplicate(doubt.as_str()));
        Self { metrics: Arc::clone(metrics), shut: shut.clone() }
    }

    /// The one line of an event's result.
    pub(super) fn result(&self, told: &Report<'_>) {
        let dead_letter = dead_letter(told.settlement);
        let (result, key, rule) = (told.result.as_str(), told.context.key(), told.context.rule());
        let reason = dead_letter.map_or("", |dead_letter| dead_letter.fault.reason.as_str());
        self.metrics.settled(result, rule, reason);
        if told.result == SettledAs::AlreadyCreated {
            self.metrics.already_created();
        }
        self.metrics.event_took(told.took);
        self.metrics.last_settled(epoch_ms() / 1000);
        let ms = u64::try_from(told.took.as_millis()).unwrap_or(u64::MAX);
        let (process, attempts) = (told.process, told.attempts);
        match dead_letter {
            // Once and again for each event of a procedure that is shut, which is said once.
            None if told.result == SettledAs::Delayed && attempts == 0 => {
                tracing::debug!(key, rule, result, attempts, ms, "event settled");
            }
            None => tracing::info!(key, rule, result, process, attempts, ms, "event settled"),
            Some(dead_letter) => {
                let (status, why) = (dead_letter.status, why(dead_letter));
                tracing::warn!(key, rule, result, reason, why, status, attempts, ms, "event settled");
            }
        }
    }

    /// Says that an event may become a second process, before it can.
    pub(super) fn doubt(&self, doubt: Doubt, context: &EventContext) {
        self.metrics.possible_duplicate(doubt.as_str());
        let (key, rule, cause) = (context.key(), context.rule(), doubt.as_str());
        tracing::warn!(key, rule, cause, "possible duplicate: this event may become a second process");
    }

    /// Says what a lookup showed beside its outcome: that an event is more than one process, or that it may not look.
    pub(super) fn seen(&self, outcome: &Outcome, context: &EventContext) {
        let (key, rule) = (context.key(), context.rule());
        match outcome {
            Outcome::Found { copies, .. } if *copies > 1 => {
                self.metrics.duplicate_seen();
                tracing::warn!(key, rule, copies, "duplicate: a lookup found more than one process of this event");
            }
            Outcome::Unavailable { status } => tracing::warn!(
                key,
                rule,
                status,
                "the API refuses the lookup: grant the token `process/list` and choose an attribute that it can search, or unsure events follow retry.on_unknown"
            ),
            _ => {}
        }
    }

    /// Says what the proof of a rule's lookup came to.
    pub(super) fn check_result(&self, rule: &str, check_result: CheckResult) {
        match check_result {
            CheckResult::Found { lag } => {
                self.metrics.lookup_verified(rule, Some(lag));
                let lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(rule, lag_ms, "look verified: it finds what was just created");
            }
            CheckResult::NotFound => tracing::warn!(
                rule,
                "look unverified: it does not find what was just created; check `reconcile_by`, the role of the token, and lookup.lag"
            ),
            CheckResult::Unavailable => tracing::warn!(
                rule,
                "look unverified: the API does not allow it; grant the token `process/list`, or lost answers follow retry.on_unknown"
            ),
        }
    }

    pub(super) fn answered(&self, outcome: &Outcome, status: Option<u16>, took: Duration) {
        self.metrics.answered(outcome.as_str(), status.unwrap_or(0), took);
    }

    /// Says what became of the gate. `detail` is why no answer came, if that is what it heeded.
    pub(super) fn gate<'c>(&self, gate: &Gate, changes: impl IntoIterator<Item = &'c Change>, detail: Option<&str>) {
        let mut has_changed = false;
        for change in changes {
            has_changed = true;
            change_told(change, detail);
            // A pause and a shut breaker may hold at once: the end of one is not yet an open gate.
            let scope = change.scope();
            self.metrics.gate(scope, gate.shut().any(|(shut, _)| shut == scope));
        }
        if has_changed {
            self.shut.send_replace(gate.shut().map(|(scope, why)| format!("{scope}: {why}")).collect());
        }
    }
}

fn change_told(change: &Change, detail: Option<&str>) {
    match change {
        Change::Shut { why, scope, probes, wait, .. } => {
            let (probe_in_s, probes) = (wait.as_secs_f32(), *probes);
            tracing::warn!(scope, why, detail, probes, probe_in_s, "gate shut: events wait, nothing is spent");
        }
        Change::Opened { scope, after } => {
            tracing::info!(scope, after_s = after.as_secs(), "gate open: what passes grows step by step");
        }
        Change::Paused => tracing::warn!("paused: events wait until an operator resumes, nothing is spent"),
        Change::Resumed { after } => tracing::info!(after_s = after.as_secs(), "resumed"),
    }
}

fn dead_letter(settlement: &Settlement) -> Option<&DeadLetter> {
    match settlement {
        Settlement::DeadLetter(dead_letter) => Some(dead_letter),
        Settlement::Ack | Settlement::Delay(..) | Settlement::Release => None,
    }
}

/// The text of a dead letter, for the log. What the API said may quote the event: it stays in the letter.
fn why(dead_letter: &DeadLetter) -> Option<&str> {
    (dead_letter.fault.reason != Reason::Refused).then_some(dead_letter.fault.text.as_str())
}
