//! The unacknowledged events: which may begin, which wait, which are under way.
//!
//! Not here: deciding any of it. There are never many more than the broker's prefetch.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::held_event::{HeldEvent, Stage};
use crate::core::event::Key;
use crate::core::gate::Moment;
use crate::core::lookup::Lookup;
use crate::core::progress::Progress;

/// The number of an unacknowledged event.
pub(super) type Slot = u64;

/// Which of those about to create goes first to a gate that is shut: the fewest creates of unknown outcome, then the fewest
/// attempts, then the oldest. The first makes the probe: the least doubtful, and none that keeps failing by itself.
type Order = (u32, u32, Slot);

fn order(slot: Slot, event: &HeldEvent) -> Order {
    (event.progress.unsure_creates, event.progress.attempts.saturating_add(event.halts), slot)
}

/// All unacknowledged events.
#[derive(Default)]
pub(super) struct Hand {
    next: Slot,
    events: HashMap<Slot, HeldEvent>,
    by_key: HashMap<Key, Slot>,
    ready: BTreeSet<Order>,
    /// May name events that are gone or have moved on; `Stage` decides.
    delayed: BinaryHeap<Reverse<(Moment, Slot)>>,
}

impl Hand {
    pub(super) fn add(&mut self, event: HeldEvent) -> Slot {
        let slot = self.next;
        self.next += 1;
        if let Some(key) = event.context.key.as_ref().filter(|key| key.origin.identifies()) {
            self.by_key.entry(key.clone()).or_insert(slot);
        }
        self.ready.insert(order(slot, &event));
        self.events.insert(slot, event);
        slot
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut HeldEvent> {
        self.events.get_mut(&slot)
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&HeldEvent> {
        self.events.get(&slot)
    }

    /// The unacknowledged event with this key, if the connection that it came by is gone.
    pub(super) fn orphan(&mut self, key: Option<&Key>) -> Option<&mut HeldEvent> {
        let slot = self.by_key.get(key?)?;
        self.events.get_mut(slot).filter(|event| !event.context.receipt.is_live())
    }

    /// Other unacknowledged events of the same key.
    pub(super) fn copies(&self, slot: Slot) -> impl Iterator<Item = &HeldEvent> {
        let key = self.events.get(&slot).and_then(|event| event.context.key.as_ref());
        let others = self.events.iter().filter(move |(other, _)| **other != slot).map(|(_, event)| event);
        others.filter(move |event| key.is_some() && event.context.key.as_ref() == key)
    }

    /// An event learns what another copy of it sent, and where; answers whether that was news.
    pub(super) fn learn(&mut self, slot: Slot, other: &Progress, sent: Option<Arc<Lookup>>) -> bool {
        let Some(event) = self.events.get_mut(&slot) else { return false };
        let before = order(slot, event);
        let is_news = event.progress.learn(other);
        if is_news && sent.is_some() {
            event.lookup = sent;
        }
        if self.ready.remove(&before) {
            self.ready.insert(order(slot, event));
        }
        is_news
    }

    pub(super) fn take(&mut self, slot: Slot) -> Option<HeldEvent> {
        let event = self.events.remove(&slot)?;
        self.ready.remove(&order(slot, &event));
        if let Some(key) = event.context.key.as_ref().filter(|key| self.by_key.get(key) == Some(&slot)) {
            self.by_key.remove(key);
        }
        Some(event)
    }

    /// Puts an event where `stage` says.
    pub(super) fn stage(&mut self, slot: Slot, stage: Stage) {
        let Some(event) = self.events.get_mut(&slot) else { return };
        event.stage = stage;
        let order = order(slot, event);
        match stage {
            Stage::Ready => drop(self.ready.insert(order)),
            Stage::Delayed(until) => {
                self.ready.remove(&order);
                self.delayed.push(Reverse((until, slot)));
            }
            Stage::Running { .. } => drop(self.ready.remove(&order)),
        }
    }

    /// Those that have waited long enough become ready; answers when the next will be.
    pub(super) fn wake(&mut self, now: Moment) -> Option<Moment> {
        while let Some(Reverse((due, slot))) = self.delayed.peek().copied() {
            if due > now {
                return Some(due);
            }
            self.delayed.pop();
            if self.events.get(&slot).is_some_and(|event| event.stage == Stage::Delayed(due)) {
                self.stage(slot, Stage::Ready);
            }
        }
        None
    }

    /// The ready ones, the least doubtful first.
    pub(super) fn ready(&self) -> Vec<Slot> {
        self.ready.iter().map(|(.., slot)| *slot).collect()
    }

    /// The same, those that lookup before all others: to a gate that is shut, since a lookup as a probe can double nothing.
    pub(super) fn ready_to_probe(&self) -> Vec<Slot> {
        let mut slots = self.ready();
        slots.sort_by_key(|slot| !self.get(*slot).is_some_and(HeldEvent::is_looking_up));
        slots
    }

    /// The ready ones, the oldest first: through an open gate, so that under a limit a backlog does not starve the repeats.
    pub(super) fn ready_in_turn(&self) -> Vec<Slot> {
        let mut slots = self.ready();
        slots.sort_unstable();
        slots
    }

    /// How many wait for a moment of their own.
    pub(super) fn waiting(&self) -> usize {
        self.events.values().filter(|event| matches!(event.stage, Stage::Delayed(_))).count()
    }

    /// Every unacknowledged event that no request is under way for.
    pub(super) fn idle(&self) -> Vec<Slot> {
        self.resting().map(|(slot, _)| *slot).collect()
    }

    /// The same, those that have been unacknowledged for so long.
    pub(super) fn idle_for(&self, longest: Duration, now: Moment) -> Vec<Slot> {
        self.resting().filter(|(_, event)| event.context.held(now) >= longest).map(|(slot, _)| *slot).collect()
    }

    fn resting(&self) -> impl Iterator<Item = (&Slot, &HeldEvent)> {
        self.events.iter().filter(|(_, event)| !matches!(event.stage, Stage::Running { .. }))
    }

    /// Every unacknowledged event.
    pub(super) fn slots(&self) -> Vec<Slot> {
        self.events.keys().copied().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }
}
