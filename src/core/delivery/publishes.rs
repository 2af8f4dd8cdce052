//! What the broker was asked to keep and has not confirmed: dead letters and delayed events, each kind on a road of its own.
//!
//! Not here: what becomes of those that are refused (`letters`).

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::ReceiptId;
use super::context::Context;
use super::report::Settled;
use super::told::Delayed;
use crate::core::backoff::{ceiling, jittered};
use crate::core::dead_letter::DeadLetter;
use crate::core::event::Key;
use crate::core::gate::Moment;
use crate::core::progress::Progress;
use crate::core::settlement::Settlement;

/// A publish that is not confirmed for so long is taken for one that hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// The ceilings of the waits before what was refused is published again.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// One message that is to be kept by the broker in place of its event.
#[derive(Debug)]
pub(super) struct Publish {
    pub(super) context: Context,
    pub(super) settlement: Settlement,
    /// What is decided, where the event is a dead letter; it may be delayed all the same.
    pub(super) verdict: Option<Box<(DeadLetter, Progress)>>,
    /// Requests, and the status of the last answer, for what is told.
    pub(super) attempts: u32,
    pub(super) status: Option<u16>,
    pub(super) refusals: u32,
    /// Where it waits, if it is to be delayed.
    pub(super) delayed: Option<Delayed>,
    /// The text of a dead letter for the log, without what the API was sent.
    pub(super) why: Option<String>,
    pub(super) stage: PublishStage,
}

/// Where a publish stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PublishStage {
    /// On its way since then.
    UnderWay(Moment),
    /// Refused; to be published again then at the earliest.
    Waiting(Moment),
}

impl Publish {
    pub(super) fn is_letter(&self) -> bool {
        matches!(self.settlement, Settlement::DeadLetter(_))
    }

    /// Whether it is delayed only since its producer could not be told how it ended.
    pub(super) fn is_outcome(&self) -> bool {
        matches!(&self.settlement, Settlement::Delay(_, state) if state.outcome.is_some())
    }

    /// What is told of it.
    pub(super) fn told(&self, result: &'static str, now: Moment) -> Settled {
        let is_dead = result == "dead_lettered";
        let fault = self.verdict.as_ref().filter(|_| is_dead).map(|verdict| verdict.0.fault.clone());
        Settled {
            result,
            key: self.context.key.clone(),
            rule: self.context.rule.clone(),
            process: None,
            fault,
            status: self.status,
            attempts: self.attempts,
            took: self.context.held_for(now),
            delayed: self.delayed.filter(|_| result == "delayed"),
            came_in: self.context.came_in(),
            why: self.why.clone().filter(|_| is_dead),
        }
    }
}

/// The way to the dead-letter queue, or to the delay queues.
#[derive(Debug, Default)]
pub(super) struct Road {
    refused_since: Option<Moment>,
    /// Tries that were refused in a row, those at once counted as one.
    refusals: u32,
    /// When the next may be tried while it refuses.
    next: Moment,
    under_way: BTreeSet<(Moment, ReceiptId)>,
    /// Those of them that were refused before.
    tried_again: BTreeSet<(Moment, ReceiptId)>,
    waiting: BTreeSet<(Moment, ReceiptId)>,
}

impl Road {
    /// For how long it has refused.
    pub(super) fn refused_for(&self, now: Moment) -> Option<Duration> {
        self.refused_since.map(|since| now.saturating_sub(since))
    }

    /// Whether one more may be published: it takes what comes, or it is time to try, and no other tries.
    pub(super) fn is_open(&self, now: Moment) -> bool {
        match self.refused_since {
            None => !self.hangs(now),
            Some(_) => self.under_way.is_empty() && now >= self.next,
        }
    }

    fn hangs(&self, now: Moment) -> bool {
        self.under_way.first().is_some_and(|(since, _)| now.saturating_sub(*since) >= PATIENCE)
    }

    /// How many hold places without an end in sight.
    pub(super) fn stuck(&self, now: Moment) -> usize {
        let hanging = self.under_way.iter().take_while(|(since, _)| now.saturating_sub(*since) >= PATIENCE).count();
        self.waiting.len() + hanging
    }

    /// The same with what is tried again just now: that it is on its way says nothing yet.
    pub(super) fn held_up(&self, now: Moment) -> usize {
        let is_tried = |(since, _): &&(Moment, ReceiptId)| now.saturating_sub(*since) < PATIENCE;
        self.stuck(now) + self.tried_again.iter().rev().take_while(is_tried).count()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The next that waits and may be published now.
    pub(super) fn due(&self, now: Moment) -> Option<ReceiptId> {
        let first = self.waiting.first().filter(|(due, _)| *due <= now);
        first.filter(|_| self.is_open(now)).map(|(_, receipt)| *receipt)
    }

    /// The one that would wait longest.
    pub(super) fn last(&self) -> Option<ReceiptId> {
        self.waiting.last().map(|(_, receipt)| *receipt)
    }

    /// When to look again.
    pub(super) fn next_look(&self, now: Moment) -> Option<Moment> {
        let hangs_at = self.under_way.first().map(|(since, _)| since.saturating_add(PATIENCE));
        let due = self
            .waiting
            .first()
            .map(|(due, _)| (*due).max(if self.refused_since.is_some() { self.next } else { *due }));
        let due = due.filter(|_| self.refused_since.is_none() || self.under_way.is_empty());
        let is_later = |at: &Moment| *at > now;
        [hangs_at.filter(is_later), due.filter(is_later)].into_iter().flatten().min()
    }

    /// When one may be tried, while it refuses.
    pub(super) fn next_try(&self) -> Option<Moment> {
        self.refused_since.filter(|_| self.under_way.is_empty()).map(|_| self.next)
    }

    fn refused(&mut self, now: Moment) {
        self.refused_since.get_or_insert(now);
        if now >= self.next {
            self.next = now.saturating_add(ceiling(AGAIN.0, 2.0, AGAIN.1, self.refusals));
            self.refusals = self.refusals.saturating_add(1);
        }
    }

    fn kept(&mut self) {
        (self.refused_since, self.refusals, self.next) = (None, 0, Moment::ZERO);
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Publishes {
    all: HashMap<ReceiptId, Publish>,
    pub(super) letters: Road,
    pub(super) delays: Road,
    /// How many of them have a connection.
    live: usize,
    /// How many have this key.
    keys: HashMap<Key, usize>,
}

impl Publishes {
    /// How many messages are unacknowledged for one of them.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// Whether one of this key is among them.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.keys.contains_key(key)
    }

    /// One goes out, or waits.
    pub(super) fn add(&mut self, publish: Publish) {
        self.live += usize::from(publish.context.is_live);
        if let Some(key) = &publish.context.key {
            *self.keys.entry(key.clone()).or_default() += 1;
        }
        let receipt = publish.context.receipt;
        let road = self.road(publish.is_letter());
        match publish.stage {
            PublishStage::UnderWay(since) => {
                if publish.refusals > 0 {
                    road.tried_again.insert((since, receipt));
                }
                road.under_way.insert((since, receipt))
            }
            PublishStage::Waiting(until) => road.waiting.insert((until, receipt)),
        };
        self.all.insert(receipt, publish);
    }

    /// It is published no more, or as something else.
    pub(super) fn take(&mut self, receipt: ReceiptId) -> Option<Publish> {
        let publish = self.all.remove(&receipt)?;
        if let Some(key) = &publish.context.key
            && let Some(count) = self.keys.get_mut(key)
        {
            *count -= 1;
            if *count == 0 {
                self.keys.remove(key);
            }
        }
        self.live -= usize::from(publish.context.is_live);
        let road = self.road(publish.is_letter());
        match publish.stage {
            PublishStage::UnderWay(since) => {
                road.tried_again.remove(&(since, receipt));
                road.under_way.remove(&(since, receipt))
            }
            PublishStage::Waiting(until) => road.waiting.remove(&(until, receipt)),
        };
        Some(publish)
    }

    /// The broker keeps it.
    pub(super) fn kept(&mut self, receipt: ReceiptId) -> Option<Publish> {
        let publish = self.take(receipt)?;
        if publish.context.is_live {
            self.road(publish.is_letter()).kept();
        }
        Some(publish)
    }

    /// The broker does not take it: answers it with the time at which it may be tried again.
    pub(super) fn refused(&mut self, receipt: ReceiptId, now: Moment, dice: f64) -> Option<Publish> {
        let mut publish = self.take(receipt)?;
        if publish.context.is_live {
            self.road(publish.is_letter()).refused(now);
        }
        let wait = jittered(ceiling(AGAIN.0, 2.0, AGAIN.1, publish.refusals), dice);
        publish.refusals = publish.refusals.saturating_add(1);
        publish.stage = PublishStage::Waiting(now.saturating_add(wait));
        Some(publish)
    }

    fn road(&mut self, is_letter: bool) -> &mut Road {
        if is_letter { &mut self.letters } else { &mut self.delays }
    }

    /// Those that wait, the first due first.
    pub(super) fn waiting(&self) -> Vec<ReceiptId> {
        let waiting = self.letters.waiting.iter().chain(&self.delays.waiting);
        waiting.map(|(_, receipt)| *receipt).collect()
    }

    /// The connection is gone, and what was said by it counts no more. What is on its way may still be confirmed.
    pub(super) fn disconnected(&mut self) {
        self.all.values_mut().for_each(|publish| publish.context.is_live = false);
        self.live = 0;
        (self.letters, self.delays) = (Road::default(), Road::default());
    }

    /// The bodies of those whose connection stands.
    pub(super) fn live_bodies(&self) -> impl Iterator<Item = &[u8]> {
        let live = self.all.values().filter(|publish| publish.context.is_live);
        live.map(|publish| publish.context.body.as_slice())
    }

    /// Every one, to be forgotten.
    pub(super) fn drain(&mut self) -> Vec<Publish> {
        self.live = 0;
        self.keys.clear();
        (self.letters, self.delays) = (Road::default(), Road::default());
        std::mem::take(&mut self.all).into_values().collect()
    }

    /// The bytes of the bodies of those that wait.
    pub(super) fn bytes(&self) -> usize {
        self.all.values().map(|publish| publish.context.body.len()).sum()
    }
}
