//! What goes with an event from its arrival to its settlement, held or not.
//!
//! Not here: what it asks next (`event`).

use std::sync::Arc;
use std::time::Duration;

use super::ReceiptId;
use super::compares::Compares;
use super::report::{Doubt, Report};
use super::settled::CameIn;
use super::ticket::Ticket;
use crate::core::delayed_state::DelayedState;
use crate::core::event::{Identity, Key};
use crate::core::gate::Moment;
use crate::core::lookup::Lookup;
use crate::core::process::{CreateProcess, Procedure};
use crate::core::progress::Progress;
use crate::core::reason::{Fault, Reason};
use crate::core::redaction::without_values;
use crate::core::settlement::DeadLetter;
use crate::core::trace_context::{TraceContext, TraceId};

/// What the log says where the API's words cannot be told without what it was sent.
const REFUSED: &str = "the API refused it; its words are in the header chakra-bridge-text of the dead letter";

/// What goes with an event from its arrival to its settlement.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) receipt: ReceiptId,
    /// Whether the connection that the receipt belongs to stands.
    pub(super) is_live: bool,
    /// None where the event could not be decoded.
    pub(super) key: Option<Key>,
    /// What it is known by; none where its key does not identify it.
    pub(super) identity: Option<Identity>,
    /// Whether its producer sent it, as far as the broker says: it did not come back, and not out of a delay queue.
    pub(super) is_new: bool,
    /// Whether somebody put it back, and so asks for it again.
    pub(super) is_retry: bool,
    /// What it is compared by with others of its key.
    pub(super) compares: Compares,
    /// None where no rule matched.
    pub(super) rule: Option<Arc<str>>,
    pub(super) procedure: Option<Procedure>,
    /// What it was mapped to; none before it ends.
    pub(super) request: Option<Arc<CreateProcess>>,
    /// What it brought from a delay queue, or takes into one.
    pub(super) state: DelayedState,
    /// To tell a copy of it from another event of its key.
    pub(super) body: Arc<Vec<u8>>,
    pub(super) received: Moment,
    /// What may be told of its message.
    pub(super) kind: Option<String>,
    pub(super) message_id: Option<String>,
    /// What it has of its row in the ledger.
    pub(super) claim: Ticket,
    pub(super) made_ms: u64,
    /// Whether it is an outcome that was told, of which none is told.
    pub(super) is_outcome: bool,
    /// Whether it leaves its place since the host of its picture is shut or slow.
    pub(super) waits_for_source: bool,
    /// The trace that it belongs to.
    pub(super) trace: Option<Arc<TraceContext>>,
}

impl Context {
    /// How long it has been held.
    pub(super) fn held_for(&self, now: Moment) -> Duration {
        now.saturating_sub(self.received)
    }

    /// The number of its trace.
    pub(super) fn trace_id(&self) -> Option<TraceId> {
        self.trace.as_ref().map(|trace| trace.trace())
    }

    /// The rule's name; empty where none matched.
    pub(super) fn rule(&self) -> &str {
        self.rule.as_deref().unwrap_or_default()
    }

    /// It may become a second process.
    pub(super) fn possible_duplicate(&self, doubt: Doubt) -> Report {
        Report::PossibleDuplicate { doubt, key: self.key.clone(), rule: self.rule.clone(), trace: self.trace_id() }
    }

    /// What a log may say of its message.
    pub(super) fn came_in(&self) -> CameIn {
        let (exchange, routing_key) = (self.state.exchange.clone(), self.state.routing_key.clone());
        // The time that it lay in the dead-letter queue is nobody's wait.
        let first_seen_ms = if self.is_retry { 0 } else { self.state.first_seen_ms };
        let made_ms = self.made_ms;
        CameIn {
            message_id: self.message_id.clone(),
            kind: self.kind.clone(),
            exchange,
            routing_key,
            made_ms,
            first_seen_ms,
            trace: self.trace_id(),
            receipt: self.receipt,
        }
    }

    /// The text of a dead letter for the log: the API's words without what it was sent.
    pub(super) fn words_of(&self, fault: &Fault) -> String {
        if fault.reason != Reason::Refused {
            return fault.text.clone();
        }
        let told = self.request.as_ref().and_then(|request| without_values(&fault.text, request));
        told.unwrap_or_else(|| REFUSED.to_owned())
    }

    /// What the dead letter of this event says.
    pub(super) fn dead_letter(&self, fault: Fault, progress: &Progress, epoch_ms: u64) -> DeadLetter {
        let may_exist = fault.reason.leaves_doubt() || progress.unsure_creates > 0;
        DeadLetter {
            may_exist,
            sent: self.state.sent.clone().filter(|_| may_exist),
            fault,
            status: progress.status,
            attempts: progress.attempts,
            first_seen_ms: self.state.first_seen_ms,
            last_seen_ms: epoch_ms,
            rule: self.rule.as_deref().map(str::to_owned),
            procedure: self.procedure.as_ref().map(ToString::to_string),
            key: self.key.as_ref().map(ToString::to_string),
            origin: self.origin(),
            unread: self.state.newer.clone(),
            retries: self.state.retries,
            outcome: None,
            trace: self.state.trace.clone(),
        }
    }

    /// Where it was first published to; none where a newer daemon wrote its header and the route does not stand in it.
    pub(super) fn origin(&self) -> Option<(String, String)> {
        let DelayedState { exchange, routing_key, newer, .. } = &self.state;
        let is_unread = newer.is_some() && exchange.is_empty() && routing_key.is_empty();
        (!is_unread).then(|| (exchange.clone(), routing_key.clone()))
    }

    /// What it takes into a delay queue, but for what is left to wait.
    pub(super) fn state_of(&self, progress: Progress, sent: Option<&Lookup>) -> DelayedState {
        DelayedState { progress, sent: sent.cloned(), ..self.state.clone() }
    }
}
