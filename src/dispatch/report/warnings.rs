//! The warnings that are about one event.
//!
//! Not here: what they count (`report`), and the lines of its end, its waits and its tries (`events`).

use super::text;
use crate::core::delivery::Doubt;
use crate::core::event::Key;
use crate::core::trace_context::TraceId;

/// The event that a warning is about.
pub(super) struct Of<'e> {
    key: &'e str,
    rule: &'e str,
    trace: Option<TraceId>,
}

impl<'e> Of<'e> {
    pub(super) fn event(key: Option<&'e Key>, rule: Option<&'e str>, trace: Option<TraceId>) -> Self {
        Self { key: text(key), rule: rule.unwrap_or_default(), trace }
    }
}

/// It may become a second process; said before it can.
pub(super) fn possible_duplicate(doubt: Doubt, Of { key, rule, trace }: &Of<'_>) {
    let (cause, trace_id) = (doubt.as_str(), trace.map(tracing::field::display));
    tracing::warn!(key, rule, cause, trace_id, "possible duplicate: this event may become a second process");
}

pub(super) fn duplicates(copies: usize, Of { key, rule, trace }: &Of<'_>) {
    let trace_id = trace.map(tracing::field::display);
    tracing::warn!(key, rule, copies, trace_id, "duplicate: a lookup found more than one process of this event");
}

/// Told once of each rule.
pub(super) fn key_reused(process: Option<&str>, Of { key, rule, trace }: &Of<'_>) {
    let trace_id = trace.map(tracing::field::display);
    tracing::warn!(
        key,
        rule,
        process,
        trace_id,
        "key used again: another event had it, with another body, and is a process; this one becomes a process too. Further ones of \
         this rule are counted (keys_reused_total) and not told"
    );
}

pub(super) fn lookup_refused(status: u16, Of { key, rule, trace }: &Of<'_>) {
    let trace_id = trace.map(tracing::field::display);
    tracing::warn!(
        key,
        rule,
        status,
        trace_id,
        "the API refuses the lookup: grant the token `process/list` and choose an attribute that it can search, or unsure events follow retry.on_unknown"
    );
}

/// The end of the daemon came before the ledger took a process.
pub(super) fn unrecorded(Of { key, rule, trace }: &Of<'_>) {
    let trace_id = trace.map(tracing::field::display);
    tracing::warn!(
        key,
        rule,
        trace_id,
        "acknowledged, and not in the ledger: this event is a process, and the ledger will not recognise a later repeat of it"
    );
}
