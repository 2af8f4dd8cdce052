//! The events that the machine holds: which may begin, which wait, which are under way, and which share a key.
//!
//! Not here: deciding any of it. What one event costs here does not depend on how many there are.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::EventId;
use super::event::{HeldEvent, Stage};
use super::lanes::{Lanes, Standing};
use crate::core::event::Key;
use crate::core::gate::Moment;
use crate::core::lookup::Lookup;
use crate::core::process::Procedure;
use crate::core::progress::Progress;

/// All events that are held.
#[derive(Debug, Default)]
pub(super) struct Held {
    events: HashMap<EventId, HeldEvent>,
    standing: HashMap<EventId, Standing>,
    pub(super) lanes: Lanes,
    /// Those whose key identifies an event.
    by_key: HashMap<Key, Vec<EventId>>,
    /// May name events that are gone or have moved on; `Stage` decides.
    due: BinaryHeap<Reverse<(Moment, EventId)>>,
    waiting: usize,
    running: usize,
    /// By the procedure of their create.
    loads: HashMap<Procedure, Load>,
}

/// The events of one procedure.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// How many are held.
    pub(super) held: usize,
    /// Those with a request under way, by when it began.
    running: BTreeSet<(Moment, EventId)>,
}

impl Load {
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// When the oldest request under way began.
    pub(super) fn oldest(&self) -> Option<Moment> {
        self.running.first().map(|(began, _)| *began)
    }
}

impl Held {
    /// Takes an event in; it is ready.
    pub(super) fn add(&mut self, event: HeldEvent) -> EventId {
        let id = event.id;
        if let Some(key) = event.context.key.as_ref().filter(|key| key.origin.identifies()) {
            self.by_key.entry(key.clone()).or_default().push(id);
        }
        self.loads.entry(event.request.procedure.clone()).or_default().held += 1;
        self.events.insert(id, event);
        self.queue(id);
        id
    }

    pub(super) fn get(&self, id: EventId) -> Option<&HeldEvent> {
        self.events.get(&id)
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &HeldEvent> {
        self.events.values()
    }

    /// For changes that leave the order of ready events as it is.
    pub(super) fn get_mut(&mut self, id: EventId) -> Option<&mut HeldEvent> {
        self.events.get_mut(&id)
    }

    pub(super) fn take(&mut self, id: EventId) -> Option<HeldEvent> {
        self.unqueue(id);
        let event = self.events.remove(&id)?;
        self.leave(event.stage);
        self.unload(&event);
        if let Some(key) = event.context.key.as_ref().filter(|key| key.origin.identifies())
            && let Some(others) = self.by_key.get_mut(key)
        {
            others.retain(|other| *other != id);
            if others.is_empty() {
                self.by_key.remove(key);
            } else {
                self.wake_followers(key);
            }
        }
        Some(event)
    }

    /// One of this key leaves: those that waited for it ask who goes first now.
    fn wake_followers(&mut self, key: &Key) {
        let followers = self.by_key.get(key).into_iter().flatten().copied();
        let followers: Vec<EventId> =
            followers.filter(|id| self.events.get(id).is_some_and(HeldEvent::waits_for_another)).collect();
        followers.into_iter().for_each(|id| self.stage(id, Stage::Ready));
    }

    /// An event goes on from where another message of it stood, which is known up to the news of this number, unless that one sent
    /// nothing that it does not know of. Answers whether it does.
    pub(super) fn goes_on(&mut self, id: EventId, heard: u64, other: &Progress, sent: Option<&Lookup>) -> bool {
        let Some(event) = self.events.get_mut(&id) else { return true };
        event.heard = heard;
        let is_news = event.is_behind(other);
        if is_news {
            self.unqueue(id);
            if let Some(event) = self.events.get_mut(&id) {
                event.goes_on_from(other, sent);
            }
            self.queue(id);
        }
        is_news
    }

    /// Puts an event into this stage.
    pub(super) fn stage(&mut self, id: EventId, stage: Stage) {
        self.unqueue(id);
        let Some(event) = self.events.get_mut(&id) else { return };
        let before = std::mem::replace(&mut event.stage, stage);
        (event.is_following, event.awaits_ledger) = (false, false);
        let load = self.loads.entry(event.request.procedure.clone()).or_default();
        match (before, stage) {
            // What a photo waits for says nothing of its procedure.
            (_, Stage::Running { .. }) if event.photo().is_some() => {}
            (_, Stage::Running { began, .. }) => drop(load.running.insert((began, id))),
            (Stage::Running { began, .. }, _) => drop(load.running.remove(&(began, id))),
            _ => {}
        }
        self.leave(before);
        match stage {
            Stage::Ready => self.queue(id),
            Stage::Running { .. } => self.running += 1,
            Stage::Waiting(until) => {
                self.waiting += 1;
                self.due.push(Reverse((until, id)));
            }
        }
    }

    fn unload(&mut self, event: &HeldEvent) {
        let procedure = &event.request.procedure;
        let Some(load) = self.loads.get_mut(procedure) else { return };
        load.held -= 1;
        if let Stage::Running { began, .. } = event.stage {
            load.running.remove(&(began, event.id));
        }
        if load.held == 0 {
            self.loads.remove(procedure);
        }
    }

    /// The events of this procedure.
    pub(super) fn load(&self, procedure: &Procedure) -> Option<&Load> {
        self.loads.get(procedure)
    }

    fn leave(&mut self, stage: Stage) {
        match stage {
            Stage::Ready => {}
            Stage::Waiting(_) => self.waiting -= 1,
            Stage::Running { .. } => self.running -= 1,
        }
    }

    fn queue(&mut self, id: EventId) {
        let Some(event) = self.events.get(&id) else { return };
        let standing = Standing::of(event);
        self.lanes.add(id, &standing);
        self.standing.insert(id, standing);
    }

    fn unqueue(&mut self, id: EventId) {
        if let Some(standing) = self.standing.remove(&id) {
            self.lanes.remove(id, &standing);
        }
    }

    /// Those that have waited long enough become ready.
    pub(super) fn wake(&mut self, now: Moment) {
        while let Some(Reverse((due, id))) = self.due.peek().copied().filter(|Reverse((due, _))| *due <= now) {
            self.due.pop();
            if self.events.get(&id).is_some_and(|event| event.stage == Stage::Waiting(due)) {
                self.stage(id, Stage::Ready);
            }
        }
    }

    /// When the next of those that wait has waited long enough.
    pub(super) fn next_due(&self) -> Option<Moment> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }

    /// The event of this key and body whose connection is gone, if there is one.
    pub(super) fn orphan(&self, key: Option<&Key>, body: &[u8]) -> Option<EventId> {
        let same_key = self.by_key.get(key?)?.iter();
        let mut orphans = same_key.filter_map(|id| self.events.get(id)).filter(|event| !event.context.is_live);
        orphans.find(|event| event.context.body.as_slice() == body).map(|event| event.id)
    }

    /// Whether an event of this key is held whose connection stands.
    pub(super) fn has_live(&self, key: &Key) -> bool {
        let mut same_key = self.by_key.get(key).into_iter().flatten().filter_map(|id| self.events.get(id));
        same_key.any(|event| event.context.is_live)
    }

    /// Other events of the same key.
    pub(super) fn copies(&self, id: EventId) -> impl Iterator<Item = &HeldEvent> {
        let key = self.events.get(&id).and_then(|event| event.context.key.as_ref());
        let same_key = key.and_then(|key| self.by_key.get(key)).into_iter().flatten();
        same_key.filter(move |other| **other != id).filter_map(|other| self.events.get(other))
    }

    /// An event about to begin learns what another copy of it sent, and where; answers whether that was news: then it does not begin.
    pub(super) fn learn(&mut self, id: EventId, other: &Progress, sent: Option<Arc<Lookup>>) -> bool {
        let Some(event) = self.events.get_mut(&id) else { return false };
        let is_news = event.progress.learn(other);
        if is_news {
            event.lookup = sent.or_else(|| event.lookup.take());
            event.leave_photos_out();
        }
        is_news
    }

    /// Another copy of it sent a create that it does not know: it is looked up once more, there, in a window that began `since` ago.
    pub(super) fn look_up_again(&mut self, id: EventId, lookup: Arc<Lookup>, since: Duration) {
        self.unqueue(id);
        if let Some(event) = self.events.get_mut(&id) {
            event.lookup = Some(lookup);
            event.progress.look_up_anew(since);
            self.queue(id);
        }
    }

    /// The connection is lost: answers the events that no request is under way for.
    pub(super) fn disconnected(&mut self) -> Vec<EventId> {
        self.events.values_mut().for_each(|event| event.context.is_live = false);
        self.idle()
    }

    /// Every event that no request is under way for, the oldest first.
    pub(super) fn idle(&self) -> Vec<EventId> {
        self.idle_for(Duration::ZERO, Moment::MAX)
    }

    /// The same, those that have been held for so long.
    pub(super) fn idle_for(&self, longest: Duration, now: Moment) -> Vec<EventId> {
        let idle = self.events.values().filter(|event| !event.is_running());
        let mut ids: Vec<EventId> =
            idle.filter(|event| event.context.held_for(now) >= longest).map(|event| event.id).collect();
        ids.sort_unstable();
        ids
    }

    /// The bodies of those whose connection stands.
    pub(super) fn live_bodies(&self) -> impl Iterator<Item = &[u8]> {
        let live = self.events.values().filter(|event| event.context.is_live);
        live.map(|event| event.context.body.as_slice())
    }

    /// Every event, the oldest first.
    pub(super) fn all(&self) -> Vec<EventId> {
        let mut ids: Vec<EventId> = self.events.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// How many wait for a moment of their own.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many have a request under way.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}
