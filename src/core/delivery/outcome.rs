//! What is told of one event: made of what goes with it, and of its dead letter.
//!
//! Not here: when it is told (`telling`), and its parts (`core::outcome`).

use super::context::Context;
use super::report::Ended;
use crate::core::dead_letter::DeadLetter;
use crate::core::event::{KeyOrigin, digest_of_body};
use crate::core::outcome::{EventOutcome, Identified, OfLetter, OutcomeKind};

impl Context {
    /// Its outcome, of a process or of none.
    pub(super) fn outcome(
        &self,
        kind: OutcomeKind,
        key: Option<String>,
        process: Option<String>,
        (attempts, at_ms): (u32, u64),
    ) -> Box<EventOutcome> {
        Box::new(EventOutcome {
            kind,
            id: self.id_of_outcome(kind, key.as_deref(), process.as_deref()),
            key,
            rule: self.rule.as_deref().map(str::to_owned),
            procedure: self.procedure.as_ref().map(ToString::to_string),
            process,
            letter: None,
            attempts,
            first_seen_ms: self.state.first_seen_ms,
            at_ms,
            retries: self.state.retries,
            earlier: self.state.earlier.clone(),
            trace: self.trace.as_ref().map(|trace| trace.traceparent()),
        })
    }

    /// That of its dead letter, in words without what the API was sent.
    pub(super) fn outcome_of_letter(&self, letter: &DeadLetter, text: String) -> Box<EventOutcome> {
        let at = (letter.attempts, letter.last_seen_ms);
        let outcome = self.outcome(OutcomeKind::DeadLettered, letter.key.clone(), None, at);
        let (may_exist, status, reason) = (letter.may_exist, letter.status, letter.fault.reason.as_str().to_owned());
        Box::new(EventOutcome {
            procedure: letter.procedure.clone(),
            letter: Some(OfLetter { reason, text, may_exist, status }),
            first_seen_ms: letter.first_seen_ms,
            ..*outcome
        })
    }

    /// What its outcome is known by. Two equal messages without an id of their own are two events; their processes tell them apart.
    pub(super) fn id_of_outcome(&self, kind: OutcomeKind, key: Option<&str>, process: Option<&str>) -> String {
        let is_known = self.key.as_ref().is_some_and(|key| key.origin != KeyOrigin::Body);
        let unnamed = if key.is_some() { None } else { self.message_id.as_deref() };
        let beside = if is_known { None } else { process.or(unnamed) };
        let body = self.identity.map_or_else(|| digest_of_body(&self.body), |identity| identity.body);
        Identified {
            kind,
            key: key.unwrap_or_default(),
            rule: self.rule(),
            body,
            retries: self.state.retries,
            beside: beside.unwrap_or_default(),
        }
        .id()
    }
}

/// How an event ended of which this is told; that of a dead letter is told by then.
pub(super) fn ended(outcome: &EventOutcome) -> Ended {
    match outcome.kind {
        OutcomeKind::Created => Ended::Created(outcome.process.clone()),
        OutcomeKind::Duplicate => Ended::Duplicate(outcome.process.clone()),
        OutcomeKind::Skipped => Ended::Skipped,
        OutcomeKind::DeadLettered => Ended::AlreadyDeadLettered,
    }
}
