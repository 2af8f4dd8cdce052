//! Dead letters and delayed events until the broker keeps them: what is refused waits, is delayed with its verdict, or makes more
//! places wanted. A verdict that stands is never asked about again.
//!
//! Not here: which events are dead letters (`walk`, `brake`), and publishing (`amqp`).

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::publishes::{Publish, PublishStage};
use super::report::{Ended, Report};
use super::{Effect, Machine, ReceiptId, WantedPrefetch};
use crate::core::dead_letter::{DeadLetter, Verdict};
use crate::core::delay_queue::{DELAY_QUEUES, DelayQueue};
use crate::core::delayed_state::DelayedState;
use crate::core::event::Key;
use crate::core::gate::Moment;
use crate::core::progress::Progress;
use crate::core::reason::Reason;
use crate::core::recent::{Dead, Known};
use crate::core::settlement::Settlement;

/// A letter that was confirmed so long before a connection was lost was acknowledged before it: a copy that comes later is
/// another message.
const UNACKNOWLEDGED_FOR: Duration = Duration::from_secs(300);

impl Machine {
    /// Whether an event may be delayed now where it need not be: there are delay queues, and they take what comes.
    pub(super) fn can_delay(&self) -> bool {
        self.connection.can_delay && self.publishes.delays.is_open(self.now.moment)
    }

    /// The verdict on an event came to stand, here or before it came here.
    pub(super) fn judged_before(&mut self, context: Context, letter: DeadLetter, progress: &Progress, kept: bool) {
        let rule =
            letter.rule.as_deref().and_then(|rule| self.setup.rules.named(rule)).map(|rule| Arc::clone(rule.name()));
        let context = Context { rule, ..context };
        if kept {
            return self.kept_before(context, &letter, progress);
        }
        self.bury(context, letter, progress);
    }

    /// Whether the letter of an event that comes again was confirmed then, and lost its acknowledgement with a connection. Where
    /// several messages have its key it may be another's.
    pub(super) fn may_be_unacknowledged(&self, kept: Option<Moment>, key: Option<&Key>) -> bool {
        let Some((kept, lost)) = kept.zip(self.connection.lost_at) else { return false };
        let is_alone = key.is_some_and(|key| !self.company.has(key));
        is_alone && lost >= kept && lost.saturating_sub(kept) <= UNACKNOWLEDGED_FOR
    }

    /// An event is a dead letter. While letters are refused, those beyond a quarter of the places are delayed with their verdict.
    pub(super) fn bury(&mut self, context: Context, letter: DeadLetter, progress: &Progress) {
        let letter = self.named(&context, letter);
        self.remember_letter(&context, &letter, progress, None);
        if !context.is_live {
            return self.settle(context, Ended::ConnectionLost, progress);
        }
        // Nothing more is sent for it here, however long nobody takes its letter.
        self.give_row_back(&context, progress);
        let (attempts, status, settlement) =
            (letter.attempts, letter.status, Settlement::DeadLetter(Box::new(letter.clone())));
        let why = Some(context.words_of(&letter.fault));
        let verdict = Some(Box::new((letter, progress.clone())));
        // The words of the log were the last that its request was needed for.
        let context = Context { request: None, ..context };
        let stage = PublishStage::Waiting(self.now.moment);
        let publish =
            Publish { context, settlement, verdict, attempts, status, refusals: 0, delayed: None, why, stage };
        if self.publishes.letters.refused_for(self.now.moment).is_some() && self.has_too_many_letters() {
            self.set_letter_aside(publish);
        } else {
            self.publish(publish);
        }
    }

    /// An event goes to a delay queue.
    pub(super) fn publish_delayed(
        &mut self,
        context: Context,
        queue: DelayQueue,
        state: Box<DelayedState>,
        progress: &Progress,
    ) {
        self.redeliveries.note_delay(queue.wait.saturating_add(state.remaining), &state.progress);
        let (settlement, stage) = (Settlement::Delay(queue, state), PublishStage::Waiting(self.now.moment));
        let (attempts, status, why) = (progress.attempts, progress.status, None);
        let context = Context { request: None, ..context };
        let (verdict, delayed) = (None, None);
        self.publish(Publish { context, settlement, verdict, attempts, status, refusals: 0, delayed, why, stage });
    }

    pub(super) fn publish(&mut self, publish: Publish) {
        let (receipt, settlement) = (publish.context.receipt, publish.settlement.clone());
        let delayed = match &publish.settlement {
            Settlement::Delay(queue, state) => Some(self.delayed(&publish.context, *queue, state)),
            _ => None,
        };
        self.publishes.add(Publish { stage: PublishStage::UnderWay(self.now.moment), delayed, ..publish });
        self.push(Effect::Settle { receipt, settlement });
    }

    /// The broker keeps it: now, and not before, it is settled.
    pub(super) fn kept(&mut self, receipt: ReceiptId) {
        if let Some(publish) = self.publishes.kept(receipt) {
            self.is_kept(&publish);
        } else {
            self.told_back(receipt);
        }
    }

    /// The broker keeps a letter, and its producer is to be told before its event is acknowledged.
    pub(super) fn kept_first(&mut self, receipt: ReceiptId) {
        let Some(publish) = self.publishes.kept(receipt) else {
            return self.push(Effect::Settle { receipt, settlement: Settlement::Release });
        };
        self.is_kept(&publish);
        self.tell_of_letter(publish);
    }

    fn is_kept(&mut self, publish: &Publish) {
        let now = self.now.moment;
        if let (true, Some(verdict)) = (publish.is_letter(), &publish.verdict)
            && self.is_remembered(&publish.context, &verdict.0)
        {
            self.remember_letter(&publish.context, &verdict.0, &verdict.1, Some(now));
        }
        if let (true, Some(verdict)) = (publish.is_letter(), &publish.verdict) {
            self.record_letter(&publish.context, verdict.0.fault.reason, &verdict.1);
        }
        let result = if publish.is_letter() { "dead_lettered" } else { "delayed" };
        self.tell(Report::Settled(Box::new(publish.told(result, now))));
    }

    /// Whether the letter is what is remembered of its event: no other message of its key came to an end since.
    fn is_remembered(&self, context: &Context, letter: &DeadLetter) -> bool {
        let known = context.identity.and_then(|identity| self.recent.recall(identity)).map(|slot| &slot.known);
        matches!(known, Some(Known::Dead(known)) if known.letter == *letter)
    }

    /// The broker does not take it.
    pub(super) fn refused(&mut self, receipt: ReceiptId) {
        if self.outcomes.has(receipt) {
            return self.not_told(receipt);
        }
        let refused = self.publishes.refused(receipt, self.now.moment, self.dice);
        let Some(publish) = refused else {
            return self.push(Effect::Settle { receipt, settlement: Settlement::Release });
        };
        if !publish.context.is_live || self.is_draining {
            return self.give_publish_back(publish);
        }
        if publish.is_outcome() {
            return self.wait_to_tell(publish);
        }
        match (publish.is_letter(), &publish.verdict) {
            (true, _) if self.has_too_many_letters() => self.set_letter_aside(publish),
            (false, Some(_)) => self.publishes.add(as_letter(publish)),
            _ => self.publishes.add(publish),
        }
    }

    /// Whether letters that wait hold as many places as they may.
    fn has_too_many_letters(&self) -> bool {
        self.publishes.letters.waiting() >= self.quarter()
    }

    /// A letter goes to a delay queue with its verdict; where none takes it, it waits here.
    fn set_letter_aside(&mut self, publish: Publish) {
        if !self.can_delay() {
            return self.publishes.add(as_letter(publish));
        }
        let refused_for = self.publishes.letters.refused_for(self.now.moment).unwrap_or_default();
        let queue = self.queue_of_shut(refused_for);
        self.publish(as_delay(publish, queue));
    }

    /// Publishes what may go again; answers when to look next.
    pub(super) fn publish_again(&mut self) -> Option<Moment> {
        let now = self.now.moment;
        while let Some(receipt) = self.publishes.letters.due(now).or_else(|| self.publishes.delays.due(now)) {
            let Some(publish) = self.publishes.take(receipt) else { break };
            self.publish(publish);
        }
        while self.publishes.letters.waiting() > self.quarter()
            && self.can_delay()
            && let Some(publish) = self.publishes.letters.last().and_then(|receipt| self.publishes.take(receipt))
        {
            self.set_letter_aside(publish);
        }
        let (letters, delays) = (self.publishes.letters.next_look(now), self.publishes.delays.next_look(now));
        [letters, delays, self.next_set_aside()].into_iter().flatten().min()
    }

    /// When a delay queue that refused may be tried with the letters that are too many.
    fn next_set_aside(&self) -> Option<Moment> {
        let has_excess = self.connection.can_delay && self.publishes.letters.waiting() > self.quarter();
        self.publishes.delays.next_try().filter(|at| has_excess && *at > self.now.moment)
    }

    /// Whether more events are wanted than there are places: what nobody takes holds more than a quarter of them, and its bodies
    /// less than a quarter of what as many of the largest would.
    pub(super) fn wants_double(&self) -> bool {
        let (stuck, is_double) = (self.stuck(), self.wanted == WantedPrefetch::Double);
        let is_much = if is_double { 2 * stuck > self.quarter() } else { stuck > self.quarter() };
        is_much && self.publishes.bytes() <= self.setup.limits.bounds.max_bytes.saturating_mul(self.quarter())
    }

    /// The connection is lost: what waits goes with it, and comes again. What is on its way may be confirmed yet.
    pub(super) fn publishes_disconnected(&mut self) {
        for receipt in self.publishes.waiting() {
            if let Some(publish) = self.publishes.take(receipt) {
                self.forget_publish(publish, Ended::ConnectionLost);
            }
        }
        self.publishes.disconnected();
    }

    /// Another connection stands: no word of those before will come any more.
    pub(super) fn publishes_connected(&mut self) {
        for publish in self.publishes.drain() {
            let told = publish.told(Ended::ConnectionLost.result(), self.now.moment);
            self.tell(Report::Settled(Box::new(told)));
        }
    }

    /// At the end nothing waits: a verdict is delayed, if it can be; all else goes back.
    pub(super) fn give_publishes_back(&mut self) {
        for receipt in self.publishes.waiting() {
            if let Some(publish) = self.publishes.take(receipt) {
                self.give_publish_back(publish);
            }
        }
    }

    /// Nobody waits for a confirm any more.
    pub(super) fn cut_publishes_off(&mut self) {
        self.give_publishes_back();
        drop(self.publishes.drain());
    }

    fn give_publish_back(&mut self, publish: Publish) {
        if publish.context.is_live && publish.is_letter() && self.can_delay() {
            return self.publish(as_delay(publish, DELAY_QUEUES[0]));
        }
        let ended = if publish.context.is_live { Ended::Requeued } else { Ended::ConnectionLost };
        self.forget_publish(publish, ended);
    }

    fn forget_publish(&mut self, publish: Publish, ended: Ended) {
        let told = publish.told(ended.result(), self.now.moment);
        self.tell(Report::Settled(Box::new(told)));
        self.push(Effect::Settle { receipt: publish.context.receipt, settlement: Settlement::Release });
    }

    fn remember_letter(&mut self, context: &Context, letter: &DeadLetter, progress: &Progress, kept: Option<Moment>) {
        // That its key is another's is seen again each time.
        let identity = context.identity.filter(|_| letter.fault.reason != Reason::KeyReused);
        if let Some(identity) = identity {
            let sent = letter.sent.clone().map(Box::new);
            let dead = Dead { letter: letter.clone(), progress: progress.clone(), kept, sent };
            self.recent.remember(identity, Known::Dead(Box::new(dead)), context.rule.as_ref(), None);
        }
    }
}

fn as_letter(publish: Publish) -> Publish {
    let letter = publish.verdict.as_ref().map(|verdict| Settlement::DeadLetter(Box::new(verdict.0.clone())));
    match letter {
        Some(settlement) => Publish { settlement, ..publish },
        None => publish,
    }
}

/// What a newer daemon wrote goes on as it came; all else takes its verdict along, and nothing that it would be asked by.
fn as_delay(publish: Publish, queue: DelayQueue) -> Publish {
    let state = &publish.context.state;
    let verdict = publish.verdict.as_ref().filter(|_| state.newer.is_none());
    let state = match verdict {
        Some(verdict) => DelayedState {
            verdict: Some(Box::new(Verdict::of(&verdict.0))),
            sent: verdict.0.sent.clone(),
            exchange: state.exchange.clone(),
            routing_key: state.routing_key.clone(),
            first_seen_ms: state.first_seen_ms,
            retries: state.retries,
            earlier: state.earlier.clone(),
            trace: state.trace.clone(),
            unknown: state.unknown.clone(),
            ..DelayedState::default()
        },
        None => state.clone(),
    };
    Publish { settlement: Settlement::Delay(queue, Box::new(state)), ..publish }
}
