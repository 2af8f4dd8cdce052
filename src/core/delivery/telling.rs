//! The last stage of an event: its producer is told how it ended, and only then it is acknowledged.
//! created → recorded → told → acknowledged; and a dead letter is kept → told → acknowledged.
//!
//! Not here: which of those that wait goes when (`outcomes`), and what is told (`core::outcome`).
//!
//! A dead letter is kept first: told before, its producer would hear of a letter that may be refused for hours, and that another
//! try may never come to. A daemon that is killed between the two publishes a second letter of the same message id, as it does
//! when it is killed before the acknowledgement; and the same outcome again.

use super::context::Context;
use super::outcome::ended;
use super::outcomes::Telling;
use super::publishes::{Publish, PublishStage};
use super::release::KEPT;
use super::report::{Ended, Report};
use super::told::OutcomeTold;
use super::{Effect, Machine, ReceiptId};
use crate::core::dead_letter::DeadLetter;
use crate::core::delay_queue::{DELAY_QUEUES, DelayQueue};
use crate::core::delayed_state::DelayedState;
use crate::core::gate::Moment;
use crate::core::outcome::{EventOutcome, OutcomeKind};
use crate::core::progress::Progress;
use crate::core::settlement::Settlement;

impl Machine {
    /// How many outcomes wait here for a queue that takes them.
    #[must_use]
    pub fn outcomes_waiting(&self) -> usize {
        self.outcomes.waiting()
    }

    /// An event has ended: its producer is told first, if it is to be.
    pub(super) fn conclude(&mut self, context: Context, ended: Ended, progress: &Progress) {
        let kind = match &ended {
            Ended::Created(_) | Ended::Found(_) | Ended::AlreadyCreated(_) => OutcomeKind::Created,
            Ended::Duplicate(_) => OutcomeKind::Duplicate,
            Ended::Skipped => OutcomeKind::Skipped,
            _ => return self.settle_at_once(context, &ended, progress),
        };
        if !context.is_live || !self.tells(&context, kind) {
            return self.settle_at_once(context, &ended, progress);
        }
        let process = ended.process().map(str::to_owned);
        let key = context.key.as_ref().map(ToString::to_string);
        let outcome = context.outcome(kind, key, process, (progress.attempts, self.now.epoch_ms));
        self.tell_back(Telling { context, outcome, ended: Some(ended), asked: (progress.attempts, progress.status) });
    }

    /// Whether this outcome of an event is told: never of what is an outcome itself.
    fn tells(&self, context: &Context, kind: OutcomeKind) -> bool {
        let Some(policy) = self.setup.outcomes.filter(|_| !context.is_outcome) else { return false };
        let rule = context.rule.as_deref().and_then(|rule| self.setup.rules.named(rule));
        rule.and_then(|rule| rule.outcomes()).unwrap_or(policy.tells).has(kind)
    }

    /// A letter names its outcome, if that is told: then its message is acknowledged with that.
    pub(super) fn named(&self, context: &Context, letter: DeadLetter) -> DeadLetter {
        let tells = self.tells(context, OutcomeKind::DeadLettered);
        let id = tells.then(|| context.id_of_outcome(OutcomeKind::DeadLettered, letter.key.as_deref(), None));
        DeadLetter { outcome: id, retries: context.state.retries, ..letter }
    }

    /// The broker keeps the letter of an event, whose message is unacknowledged.
    pub(super) fn tell_of_letter(&mut self, publish: Publish) {
        let Publish { context, verdict, attempts, status, why, .. } = publish;
        match verdict {
            Some(verdict) if context.is_live => {
                let outcome = context.outcome_of_letter(&verdict.0, why.unwrap_or_default());
                self.tell_back(Telling { context, outcome, ended: None, asked: (attempts, status) });
            }
            _ => self.push(Effect::Settle { receipt: context.receipt, settlement: Settlement::Release }),
        }
    }

    /// The broker keeps the letter of an event since before: a copy of it is acknowledged, once its outcome is told again.
    pub(super) fn kept_before(&mut self, context: Context, letter: &DeadLetter, progress: &Progress) {
        let ended = Ended::AlreadyDeadLettered;
        if !context.is_live || !self.tells(&context, OutcomeKind::DeadLettered) {
            return self.settle(context, ended, progress);
        }
        let outcome = context.outcome_of_letter(letter, context.words_of(&letter.fault));
        self.tell_back(Telling { context, outcome, ended: Some(ended), asked: (letter.attempts, letter.status) });
    }

    /// An event ended before, and comes back for its outcome alone.
    pub(super) fn tell_late(&mut self, context: Context, mut outcome: Box<EventOutcome>) {
        let rule = outcome.rule.as_deref().and_then(|rule| self.setup.rules.named(rule));
        let context = Context { rule: rule.map(|rule| std::sync::Arc::clone(rule.name())), ..context };
        let (ended, attempts) = (ended(&outcome), outcome.attempts);
        if !context.is_live || self.setup.outcomes.is_none() {
            let ended = if context.is_live { ended } else { Ended::ConnectionLost };
            return self.settle_at_once(context, &ended, &Progress { attempts, ..Progress::default() });
        }
        outcome.key = outcome.key.or_else(|| context.key.as_ref().map(ToString::to_string));
        self.tell_back(Telling { context, outcome, ended: Some(ended), asked: (attempts, None) });
    }

    fn tell_back(&mut self, telling: Telling) {
        let (receipt, outcome) = (telling.context.receipt, telling.outcome.clone());
        if self.outcomes.add(telling) {
            self.push(Effect::Settle { receipt, settlement: Settlement::Tell(outcome) });
        }
    }

    /// The broker keeps the outcome, and its message is acknowledged: now, and not before, the event is settled.
    pub(super) fn told_back(&mut self, receipt: ReceiptId) {
        let Some((telling, waited)) = self.outcomes.kept(receipt) else { return };
        let Telling { context, outcome, ended, asked } = telling;
        self.tell(Report::Outcome(outcome.kind, OutcomeTold::Told));
        if let Some(ended) = ended {
            self.tell_settled(context, &ended, asked);
        }
        self.send_again(&waited);
    }

    /// The broker does not take the outcome: that is our trouble. The event waits, or is settled without.
    pub(super) fn not_told(&mut self, receipt: ReceiptId) {
        let is_required = self.setup.outcomes.is_none_or(|policy| policy.required);
        let Some(telling) = self.outcomes.refused(receipt, self.now.moment, is_required) else { return };
        if !telling.context.is_live {
            return self.end_untold(telling, &Ended::ConnectionLost);
        }
        let told = if is_required { OutcomeTold::Refused } else { OutcomeTold::PassedOver };
        self.tell(Report::Outcome(telling.outcome.kind, told));
        if !is_required {
            let ended = telling.ended.clone().unwrap_or(Ended::AlreadyDeadLettered);
            return self.end_untold(telling, &ended);
        }
        if self.is_draining { self.give_outcome_back(telling) } else { self.tell_back(telling) }
    }

    /// It is settled, or given back, without being told. What was told of a dead letter is not told twice.
    fn end_untold(&mut self, telling: Telling, ended: &Ended) {
        let Telling { context, ended: untold, asked, .. } = telling;
        let receipt = context.receipt;
        let settlement = if ended.is_done() { Settlement::Ack } else { Settlement::Release };
        if untold.is_some() || !ended.is_done() {
            self.tell_settled(context, ended, asked);
        }
        self.push(Effect::Settle { receipt, settlement });
    }

    fn send_again(&mut self, receipts: &[ReceiptId]) {
        for receipt in receipts {
            if let Some(telling) = self.outcomes.get(*receipt) {
                let settlement = Settlement::Tell(telling.outcome.clone());
                self.effects.push(Effect::Settle { receipt: *receipt, settlement });
            }
        }
    }

    /// Tells what may be told again; what holds more than a quarter of the places goes through a delay queue. Answers when to look
    /// next.
    pub(super) fn tell_again(&mut self) -> Option<Moment> {
        let is_trouble = self.outcomes.is_refused();
        if std::mem::replace(&mut self.outcomes.is_trouble_told, is_trouble) != is_trouble {
            self.tell(Report::OutcomesWait(is_trouble));
        }
        if self.outcomes.waiting() == 0 {
            return None;
        }
        let due = self.outcomes.due(self.now.moment);
        self.send_again(&due);
        while self.outcomes.waiting() > self.quarter()
            && self.can_delay()
            && let Some((receipt, refused_for)) = self.outcomes.last(self.now.moment)
            && let Some(telling) = self.outcomes.take(receipt)
        {
            let queue = self.queue_of_shut(refused_for);
            self.set_outcome_aside(telling, queue);
        }
        self.outcomes.next_look()
    }

    /// What has waited for long goes through a delay queue, before the broker takes it back as unacknowledged for too long.
    pub(super) fn release_old_outcomes(&mut self) {
        self.outcomes.forget_routes(self.now.moment);
        let longest = self.setup.gate.release_after.saturating_mul(KEPT);
        for receipt in self.outcomes.all_waiting() {
            let held_for = self.outcomes.get(receipt).map(|telling| telling.context.held_for(self.now.moment));
            if held_for.is_some_and(|held_for| held_for >= longest)
                && self.can_delay()
                && let Some(telling) = self.outcomes.take(receipt)
            {
                let queue = self.queue_of_shut(longest);
                self.set_outcome_aside(telling, queue);
            }
        }
    }

    /// It goes to a delay queue with its outcome, and comes back for that alone.
    fn set_outcome_aside(&mut self, telling: Telling, queue: DelayQueue) {
        let Telling { context, outcome, asked: (attempts, status), .. } = telling;
        let state = DelayedState {
            outcome: Some(Box::new(outcome.bounded())),
            exchange: context.state.exchange.clone(),
            routing_key: context.state.routing_key.clone(),
            first_seen_ms: context.state.first_seen_ms,
            unknown: context.state.unknown.clone(),
            ..DelayedState::default()
        };
        let (settlement, stage) = (Settlement::Delay(queue, Box::new(state)), PublishStage::Waiting(self.now.moment));
        let (verdict, delayed, why, refusals) = (None, None, None, 0);
        self.publish(Publish { context, settlement, verdict, attempts, status, refusals, delayed, why, stage });
    }

    /// The broker does not delay it either: it waits here.
    pub(super) fn wait_to_tell(&mut self, publish: Publish) {
        let Publish { context, settlement, attempts, status, .. } = publish;
        if let Settlement::Delay(_, state) = settlement
            && let Some(outcome) = state.outcome
        {
            let ended = Some(ended(&outcome));
            self.tell_back(Telling { context, outcome, ended, asked: (attempts, status) });
        }
    }

    /// At the end nothing waits: each is delayed with its outcome, if it can be, or goes back.
    pub(super) fn give_outcomes_back(&mut self) {
        for receipt in self.outcomes.all_waiting() {
            if let Some(telling) = self.outcomes.take(receipt) {
                self.give_outcome_back(telling);
            }
        }
    }

    fn give_outcome_back(&mut self, telling: Telling) {
        if telling.context.is_live && self.can_delay() {
            return self.set_outcome_aside(telling, DELAY_QUEUES[0]);
        }
        let ended = if telling.context.is_live { Ended::Requeued } else { Ended::ConnectionLost };
        self.end_untold(telling, &ended);
    }

    /// Nobody waits for a confirm any more.
    pub(super) fn cut_outcomes_off(&mut self) {
        self.give_outcomes_back();
        drop(self.outcomes.drain());
    }

    /// The connection is lost: what waits goes with it, and comes again. A letter that is kept was unacknowledged until now.
    pub(super) fn outcomes_disconnected(&mut self) {
        for identity in self.outcomes.letters() {
            self.recent.is_unacknowledged(identity, self.now.moment);
        }
        for receipt in self.outcomes.all_waiting() {
            if let Some(telling) = self.outcomes.take(receipt) {
                self.end_untold(telling, &Ended::ConnectionLost);
            }
        }
        self.outcomes.disconnected();
    }

    /// Another connection stands: no word of those before will come any more.
    pub(super) fn outcomes_connected(&mut self) {
        for Telling { context, asked, .. } in self.outcomes.drain() {
            self.tell_settled(context, &Ended::ConnectionLost, asked);
        }
    }
}
