//! The walk of one event, from arrival to settlement, to be read from top to bottom:
//! arrive → open (decode, map) → take → begin → replied (judge, decide) → end (settle).
//!
//! Not here: what begins when (`begin`), and what happens to events that wait (`delay`), that may have copies (`copies`), or
//! that are given back (`release`).

use std::sync::Arc;
use std::time::Duration;

use super::compares::Compares;
use super::context::Context;
use super::event::HeldEvent;
use super::open::{Opened, What, open};
use super::report::{Ended, Report, Settled};
use super::sources::Said;
use super::ticket::Ticket;
use super::{Effect, EventId, Machine, ReceiptId};
use crate::core::gate::{Moment, Probe, Seen, is_refusal};
use crate::core::judge::{Judgement, judge, without_doubt};
use crate::core::lookup::{Lookup, judge_lookup};
use crate::core::message::Message;
use crate::core::process::CreateProcess;
use crate::core::progress::{Next, Progress, Refusal, Step, StepContext};
use crate::core::reason::Cause;
use crate::core::reply::Reply;
use crate::core::settlement::Settlement;

impl Machine {
    /// A message arrives: it is opened (decoded and mapped), and either ends at once or is held.
    pub(super) fn arrived(&mut self, receipt: ReceiptId, mut message: Message, is_live: bool) {
        self.tell(Report::Received);
        self.arrivals.came(self.now.moment);
        let suspicious = |returns| self.survived.suspicious(&message.body, returns, self.now.moment);
        message.deliveries = message.deliveries.map(suspicious);
        self.opened(receipt, message, is_live, None);
    }

    /// A message is opened: when it arrives, or after it has waited here since then.
    pub(super) fn opened(&mut self, receipt: ReceiptId, mut message: Message, is_live: bool, since: Option<Moment>) {
        let was_dead_letter = message.put_back.is_some();
        let (redelivered, is_new) = (message.redelivered, !message.redelivered && message.delayed_state.is_none());
        let (body, received) = (Arc::clone(&message.body), since.unwrap_or(self.now.moment));
        let (kind, message_id, made_ms) = (message.kind.clone(), message.message_id.clone(), message.made_ms);
        let Opened { key, identity, delayed_state, is_outcome, trace, what } =
            open(&mut message, self.connection.can_delay, &self.setup.limits, &self.setup.rules, &self.recent);
        if let Some(key) = key.as_ref().filter(|_| since.is_none()) {
            self.mind_company(key, identity, is_live, is_new, redelivered);
        }
        let state = delayed_state.seen_first(self.now.epoch_ms);
        let trace = self.traced(receipt, &message, &state, trace, &what);
        let mut context = Context {
            receipt,
            is_live,
            key,
            identity,
            is_new,
            is_retry: was_dead_letter || state.is_retry,
            compares: Compares::default(),
            rule: None,
            procedure: None,
            request: None,
            state,
            body,
            received,
            kind,
            message_id,
            claim: Ticket::new(self.setup.ledger.is_some() && identity.is_some()),
            made_ms,
            is_outcome,
            waits_for_source: false,
            trace,
        };
        match what {
            What::Create { rule, request, lookup, progress } => {
                context.rule = Some(rule);
                context.procedure = Some(request.procedure.clone());
                context.compares = self.compares(&context);
                self.take(context, request, lookup, progress, redelivered);
            }
            What::Skip { rule } => {
                self.settle(Context { rule: Some(rule), ..context }, Ended::Skipped, &Progress::default());
            }
            What::AlreadyCreated { process, rule } => {
                let ended = context.done_before(process);
                self.settle(Context { rule, ..context }, ended, &Progress::default());
            }
            What::Dead { rule, fault, progress } => {
                self.reject_unmapped(Context { rule, ..context }, message, fault, &progress);
            }
            What::Verdict { letter, progress, kept } => {
                let is_kept = !was_dead_letter && self.may_be_unacknowledged(kept, context.key.as_ref());
                self.judged_before(context, *letter, &progress, is_kept);
            }
            What::Tell { outcome } => self.tell_late(context, outcome),
            What::Crashed => self.crashed_before(context, message),
            What::Newer => self.pass_on(context),
        }
    }

    /// The event is held: ready, waiting for what is left of its wait, or in the place of an earlier copy whose connection was
    /// lost under its request.
    fn take(
        &mut self,
        context: Context,
        request: Arc<CreateProcess>,
        lookup: Option<Arc<Lookup>>,
        mut progress: Progress,
        redelivered: bool,
    ) {
        if !context.is_live {
            return self.settle(context, Ended::ConnectionLost, &progress);
        }
        self.arrivals.note(&request.procedure, self.now.moment);
        self.note_source(&request);
        let orphan = self.held.orphan(context.key.as_ref(), &context.body).filter(|_| redelivered);
        if let Some(orphan) = orphan.and_then(|id| self.held.get_mut(id)) {
            let void = orphan.context.receipt;
            orphan.adopted(context.receipt, self.now.moment);
            return self.push(Effect::Settle { receipt: void, settlement: Settlement::Release });
        }
        let (rest, open_time) = (context.state.remaining, self.gate.open_time(&request.procedure, self.now.moment));
        let claims = context.claim.is_used;
        if claims {
            let rule = self.setup.rules.named(context.rule());
            let looks = context.key.as_ref().zip(rule).is_some_and(|(key, rule)| rule.looks_first(key.origin));
            progress.claims_first(looks && lookup.is_some());
        }
        let mut event = HeldEvent::new(context, request, lookup, progress, redelivered && !claims);
        // What is left of its wait was counted when it was delayed.
        event.open_time = open_time.saturating_add(rest);
        event.heard = self.recent.heard();
        event.leave_photos_out();
        self.redeliveries.note(&event);
        let id = self.held.add(event);
        if !rest.is_zero() {
            self.wait(id, rest, Duration::ZERO);
        }
    }

    /// Its request has ended: judge, decide, and settle or wait.
    pub(super) fn replied(&mut self, id: EventId, reply: &Reply, took: Duration) {
        if reply.is_for_want_of_descriptors() {
            return self.short_of_descriptors(id, reply, took);
        }
        let Some(event) = self.held.get(id) else { return };
        let (probe, procedure) = (event.probe(), event.procedure().clone());
        let outcome = self.judged(event, reply);
        let refusal = self.refusal(event, &outcome);
        let is_alone = refusal.is_some_and(|refusal| event.progress.is_refused_alone(refusal));
        let has_others = self.may_have_others(&procedure);
        let seen = Seen { procedure: &procedure, event: id, outcome: &outcome, probe, is_alone, has_others };
        let changes = self.gate.observe(&seen, self.now.moment, self.dice);
        if is_refusal(&outcome) && probe.asks() {
            self.refused_probe = Some(procedure.clone());
        }
        self.tell_answer(id, &outcome, reply, took);
        self.tell_gate(changes, Some(reply));
        self.worked.note(&procedure, &outcome, self.now, took);
        if matches!(outcome, Judgement::Created { .. }) {
            self.clear_doubts(&procedure);
        }
        let tried = self.tried(id, &outcome, reply);
        let Some(step) = self.decide(id, &outcome, probe, refusal, reply.status()) else { return };
        self.note_window(id, &outcome);
        match step {
            Step::Wait(delay) => self.wait(id, delay, delay),
            Step::Hold => self.wait(id, Duration::ZERO, Duration::ZERO),
            Step::SetAside(delay) => self.wait(id, delay, delay),
            Step::Done { process } => return self.end(id, Ended::done(process, &outcome)),
            Step::Dead(fault) if !self.is_dead(id, &fault) => {}
            Step::Dead(fault) => self.end(id, Ended::DeadLettered(fault)),
        }
        self.tell_try(id, tried);
    }

    /// What a reply means. A lookup that was allowed before and is refused now is waited for.
    fn judged(&self, event: &HeldEvent, reply: &Reply) -> Judgement {
        let Some(lookup) = event.seeks() else {
            let outcome = judge(reply, event.request.procedure_is_literal);
            return without_doubt(outcome, reply, self.setup.policy.not_processed);
        };
        match judge_lookup(reply, lookup) {
            Judgement::Unavailable { .. } if self.lookup_checks.is_verified(event.context.rule()) => {
                Judgement::Retry { cause: Cause::LookupRefused, after: None }
            }
            outcome => outcome,
        }
    }

    /// What comes next for the event.
    fn decide(
        &mut self,
        id: EventId,
        outcome: &Judgement,
        probe: Probe,
        refusal: Option<Refusal>,
        status: Option<u16>,
    ) -> Option<Step> {
        let now = self.now.moment;
        let event = self.held.get_mut(id)?;
        let was_create = event.seeks().is_none();
        if was_create {
            event.progress.status = status.or(event.progress.status);
        }
        if let (Judgement::Created { .. }, Some(lookup)) = (outcome, &event.lookup) {
            self.lookup_checks.created(event.context.rule(), lookup, now);
        }
        let open = self.gate.open_time(&event.request.procedure, now).saturating_sub(event.open_time);
        let age = event.context.state.age.saturating_add(open);
        let (is_probe, can_look_up, dice) = (probe.asks(), event.lookup.is_some(), self.dice);
        let at = StepContext { is_probe, can_look_up, age, dice, refusal };
        let step = self.creates.follow(event, self.now, |progress| progress.step(outcome, at, &self.setup.policy));
        match outcome {
            Judgement::Absent if event.progress.next == Next::Create => {
                event.is_not_found();
                self.probed.not_found(event.procedure(), id);
            }
            Judgement::Unavailable { .. } => event.provenance.doubted(),
            _ => {}
        }
        if was_create && event.provenance.is_doubtful() && event.lookup.is_some() {
            // Adopted while its create was under way.
            event.progress.next = Next::Lookup;
        }
        Some(step)
    }

    /// Whether a create was refused by what may be about it alone, and when others of its procedure were created.
    fn refusal(&self, event: &HeldEvent, outcome: &Judgement) -> Option<Refusal> {
        let is_create = event.seeks().is_none() && is_refusal(outcome);
        let others_ms = self.worked.created_ms(&event.request.procedure);
        is_create.then_some(Refusal { at_ms: self.now.epoch_ms, others_ms })
    }

    /// A request that panicked is the end of its event, for now, and touches no other.
    pub(super) fn panicked(&mut self, id: EventId) {
        let Some(event) = self.held.get_mut(id) else { return };
        self.gate.lost(event.procedure(), event.probe());
        if event.photo().is_none() {
            self.creates.follow(event, self.now, Progress::cut_off);
        }
        self.source_said(id, Said::Nothing);
        if self.waits_after_crash(id) {
            return;
        }
        let Some(event) = self.held.take(id) else { return };
        self.brakes.gave_up(event.context.rule(), id);
        self.crashed(event.context, event.progress, event.lookup.as_deref());
    }

    /// The event ends here: it is held no longer, and settled.
    pub(super) fn end(&mut self, id: EventId, ended: Ended) {
        let Some(event) = self.held.take(id) else { return };
        self.brakes.gave_up(event.context.rule(), id);
        let mut context = event.context;
        context.state.sent = event.lookup.as_deref().cloned();
        context.request = Some(event.request);
        self.settle(context, ended, &event.progress);
    }

    /// Settles. What is published first is told once the broker keeps it (`letters`).
    pub(super) fn settle(&mut self, context: Context, ended: Ended, progress: &Progress) {
        let ended = match ended {
            Ended::DeadLettered(fault) => {
                let letter = context.dead_letter(fault, progress, self.now.epoch_ms);
                return self.bury(context, letter, progress);
            }
            ended => ended,
        };
        if let (Some(rule), Ended::Created(_) | Ended::Found(_)) = (&context.rule, &ended) {
            self.release_rule(&Arc::clone(rule));
        }
        if let (Some(identity), Some(known)) = (context.identity, ended.known(progress, context.state.sent.as_ref())) {
            self.recent.remember(identity, known, context.rule.as_ref(), context.digest_of_request());
        }
        let Some((context, ended)) = self.record_process(context, ended, progress) else { return };
        // Without its connection nothing can be settled: the broker delivers the event again, and `recent` knows it.
        match if context.is_live { ended } else { Ended::ConnectionLost } {
            Ended::Delayed(queue, state) => self.publish_delayed(context, queue, state, progress),
            ended => self.conclude(context, ended, progress),
        }
    }

    pub(super) fn settle_at_once(&mut self, context: Context, ended: &Ended, progress: &Progress) {
        let receipt = context.receipt;
        let settlement = if ended.is_done() { Settlement::Ack } else { Settlement::Release };
        self.tell_settled(context, ended, (progress.attempts, progress.status));
        self.push(Effect::Settle { receipt, settlement });
    }

    /// Tells how an event ended, by its requests and the status of the last answer.
    pub(super) fn tell_settled(&mut self, context: Context, ended: &Ended, (attempts, status): (u32, Option<u16>)) {
        let (result, process) = (ended.result(), ended.process().map(str::to_owned));
        let took = context.held_for(self.now.moment);
        let came_in = context.came_in();
        let (key, rule, fault, delayed, why) = (context.key, context.rule, None, None, None);
        let settled = Settled { result, key, rule, process, fault, status, attempts, took, delayed, came_in, why };
        self.tell(Report::Settled(Box::new(settled)));
    }
}
