//! The claim of an event: what the ledger is asked before a create, and what follows where the create was not sent.
//!
//! Not here: what follows from a row (`core::ledger`), what is told after a create (`records`), and a ledger that is away (`away`).
//!
//! What the broker delivers again, or a delay queue gives back, is not in doubt where there is a ledger: its row says whether a create
//! of it may have been applied.

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::event::HeldEvent;
use super::report::{Ended, Report};
use super::sources::Said;
use super::{EventId, Machine};
use crate::core::backoff::jittered;
use crate::core::delay_queue::DELAY_QUEUES;
use crate::core::event::{DIGEST_VERSION, Identity};
use crate::core::ledger::{Claim, Claimed, Left, Opens, Row, RowEnd, RowId, Sends};
use crate::core::process::Procedure;
use crate::core::progress::Progress;
use crate::core::reason::{Fault, Reason};
use crate::core::recent::Known;

/// What another replica has is asked for again here after this; from then on it waits in a delay queue.
const ASIDE: Duration = Duration::from_millis(500);

/// Without delay queues it waits here for this.
const ASIDE_LONG: Duration = Duration::from_secs(5);

impl Context {
    /// What names its row.
    pub(super) fn row_id(&self, identity: Identity) -> RowId {
        let is_shared = self.compares.by_key() && !self.claim.has_own_row;
        RowId { key: identity.key, slot: if is_shared { 0 } else { identity.body } }
    }

    /// What names its row, and describes it.
    pub(super) fn claim(&self, identity: Identity, progress: &Progress, request: u64) -> Claim {
        Claim {
            id: self.row_id(identity),
            key: self.key.as_ref().map(|key| Arc::from(key.text.as_str())).unwrap_or_default(),
            body: identity.body,
            request,
            rule: self.rule.clone().unwrap_or_default(),
            procedure: self.procedure.as_ref().map(Procedure::shared).unwrap_or_default(),
            ticket: self.claim.number,
            epoch: self.claim.epoch,
            unsure_creates: progress.unsure_creates,
            attempts: progress.attempts,
            sends: None,
            opens: self.claim.opens,
        }
    }
}

impl HeldEvent {
    /// What the ledger is asked before its create, if there is one.
    pub(super) fn claims(&mut self, last_ticket: &mut u64) -> Option<Box<Claim>> {
        let mut claim = self.claims_without_sending(last_ticket)?;
        claim.sends = Some(Sends { lookup: self.lookup.clone() });
        Some(claim)
    }

    /// The same before what is no create.
    pub(super) fn claims_without_sending(&mut self, last_ticket: &mut u64) -> Option<Box<Claim>> {
        let identity = self.context.identity.filter(|_| self.context.claim.is_used)?;
        let request = self.request.digest();
        (self.context.claim.has_row, self.context.claim.request) = (true, request);
        if self.context.claim.number == 0 {
            *last_ticket += 1;
            self.context.claim.number = *last_ticket;
        }
        Some(Box::new(self.context.claim(identity, &self.progress, request)))
    }

    /// Whether this row ended by the same event as it is.
    fn is_same(&self, row: &Row) -> bool {
        let has_body = self.context.identity.is_some_and(|identity| identity.body == row.body);
        let has_request = self.context.compares.same_request && row.request == self.request.digest();
        row.digest_version != DIGEST_VERSION || has_body || has_request
    }
}

impl Machine {
    /// The create of an event may go by this claim.
    pub(super) fn granted(&mut self, id: EventId, epoch: Option<i64>) {
        let Some(epoch) = epoch else { return };
        self.ledger_answered();
        if let Some(event) = self.held.get_mut(id) {
            event.context.claim.epoch = Some(epoch);
            (event.context.claim.opens, event.context.claim.met) = (Opens::Nothing, 0);
        }
    }

    /// The create of an event was not sent: as if it had never begun.
    pub(super) fn withheld(&mut self, id: EventId, claimed: Claimed) {
        let Some(event) = self.held.get_mut(id) else { return };
        self.gate.lost(event.procedure(), event.probe());
        self.creates.forget(event);
        self.source_said(id, Said::Nothing);
        match claimed {
            Claimed::Away => self.waits_unanswered(id),
            // There was no time left in the lease: it cannot be renewed.
            Claimed::Mine { epoch, may_send: true, .. } => {
                self.granted(id, Some(epoch));
                self.waits_unanswered(id);
            }
            Claimed::Mine { epoch, left, .. } => {
                self.granted(id, Some(epoch));
                self.goes_on_from_row(id, left);
            }
            Claimed::Held { rest } => {
                self.ledger_answered();
                self.waits_for_another_replica(id, rest);
            }
            Claimed::Ended(row) => {
                self.ledger_answered();
                self.ended_before(id, *row);
            }
        }
    }

    /// The ledger is away. Nothing of the event's is spent: about to begin again, it waits for the ledger.
    fn waits_unanswered(&mut self, id: EventId) {
        self.ledger_failed();
        self.wait(id, Duration::ZERO, Duration::ZERO);
    }

    /// A living replica has it, or one whose lease is not over: it waits uncounted.
    fn waits_for_another_replica(&mut self, id: EventId, rest: Duration) {
        let dice = self.dice;
        let Some(event) = self.held.get_mut(id) else { return };
        event.context.claim.is_refused();
        event.context.claim.met = event.context.claim.met.saturating_add(1);
        let is_first = event.context.claim.met == 1;
        let wait = if is_first { ASIDE / 2 + jittered(ASIDE / 2, dice) } else { rest.min(ASIDE_LONG).max(ASIDE) };
        event.open_time = event.open_time.saturating_add(wait);
        let is_live = event.context.is_live;
        if !is_first && is_live && !self.is_draining && self.can_delay() {
            return self.delay(id, DELAY_QUEUES[0].wait, Duration::ZERO);
        }
        self.wait(id, wait, Duration::ZERO);
    }

    /// Earlier owners of its row sent what may have been applied: it goes on from where they stood.
    fn goes_on_from_row(&mut self, id: EventId, left: Left) {
        let (now_ms, policy) = (self.now.epoch_ms, self.setup.policy);
        let timeout = self.setup.ledger.map_or(Duration::ZERO, |ledger| ledger.timeout);
        let Some(event) = self.held.get_mut(id) else { return };
        // It may have been under way for as long as a request takes: lookups count from then.
        let since = left.since_sent.unwrap_or_default().saturating_sub(timeout);
        let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let before = Progress {
            unsure_creates: left.unsure_creates,
            since_create: Some(since),
            unsure_ms: now_ms.saturating_sub(ms),
            ..Progress::default()
        };
        event.goes_on_from(&before, left.sent.as_deref());
        match event.progress.resumed(event.lookup.is_some(), &policy) {
            Some(fault) => self.end(id, Ended::DeadLettered(fault)),
            None => self.wait(id, Duration::ZERO, Duration::ZERO),
        }
    }

    /// Whether an event about to be sent has sent as many creates that may have been applied as it may, over all its replicas: then it
    /// is dead.
    pub(super) fn has_spent_its_creates(&mut self, id: EventId) -> bool {
        let Some(event) = self.held.get(id).filter(|event| event.context.claim.is_used) else { return false };
        let Some(fault) = event.progress.spent() else { return false };
        self.end(id, Ended::DeadLettered(fault));
        true
    }

    /// Its row has ended: it is the same event, or another of its key.
    fn ended_before(&mut self, id: EventId, row: Row) {
        let Some(event) = self.held.get_mut(id) else { return };
        event.context.claim.is_refused();
        let is_same = event.is_same(&row);
        let Context { is_new, is_retry, compares, .. } = event.context;
        // Another message of it became the process since this one was told of a dead letter: it is not wanted once more.
        let is_again = is_retry && is_new && event.context.claim.opens != Opens::Dead;
        match row.end {
            Some(RowEnd::Created(process)) if is_same && !is_again => self.is_process(id, process),
            Some(RowEnd::Created(process)) if !is_same && compares.refuses => {
                self.end(id, Ended::DeadLettered(super::others::reused(process.as_deref())));
            }
            Some(RowEnd::Created(process)) if !is_same => {
                event.context.claim.has_own_row = true;
                self.tell_reused(id, process);
                self.wait(id, Duration::ZERO, Duration::ZERO);
            }
            // A copy of what is a dead letter is one too: nothing is sent for it again.
            Some(RowEnd::Dead(word)) if is_same && !is_retry && !is_new => {
                event.progress.unsure_creates = event.progress.unsure_creates.max(row.unsure_creates);
                self.end(id, Ended::DeadLettered(dead_before(&word)));
            }
            // Somebody asks for it again; or a producer publishes it anew.
            Some(RowEnd::Created(_)) => {
                event.context.claim.opens = Opens::Created;
                self.wait(id, Duration::ZERO, Duration::ZERO);
            }
            Some(RowEnd::Dead(_)) | None => {
                event.context.claim.opens = Opens::Dead;
                self.wait(id, Duration::ZERO, Duration::ZERO);
            }
        }
    }

    fn is_process(&mut self, id: EventId, process: Option<String>) {
        let Some(event) = self.held.get(id) else { return };
        let context = &event.context;
        if let Some(identity) = context.identity {
            let request = context.compares.same_request.then(|| event.request.digest());
            self.recent.remember(identity, Known::created(process.as_deref()), context.rule.as_ref(), request);
        }
        let ended = context.done_before(process);
        self.end(id, ended);
    }

    /// Another event had its key, and is a process; this one is created all the same.
    pub(super) fn tell_reused(&mut self, id: EventId, process: Option<String>) {
        let Some(event) = self.held.get(id) else { return };
        let (key, rule) = (event.context.key.clone(), event.context.rule.clone());
        let is_first = rule.as_ref().is_some_and(|rule| self.reused.is_first(rule));
        let trace = event.context.trace_id();
        self.tell(Report::KeyReused { key, rule, trace, process, is_first });
    }
}

/// What a copy of a dead letter says, of which the ledger keeps a word.
fn dead_before(word: &str) -> Fault {
    let reason = Reason::ALL.into_iter().find(|reason| reason.as_str() == word).unwrap_or(Reason::Unknown);
    let text = format!("another copy of this event is a dead letter already ({word}): see what that one says");
    Fault::new(reason, text)
}
