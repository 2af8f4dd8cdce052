//! Copies of one event in one process: of those that could create it, one does.
//!
//! A crash between the confirm of a delayed copy and the acknowledgement of the original leaves two. Each looks before it
//! creates, and cannot see what the other created a moment ago; the machine that created it can.
//!
//! Copies in two processes see each other only through the lookup. What it said holds for a moment: it is made again where more than
//! a moment passed before the create.
//!
//! Not here: what is promised of copies in two processes (`docs/delivery.md`).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::event::{HeldEvent, Stage};
use super::{EventId, Machine, Now};
use crate::core::event::{Digest, Key};
use crate::core::gate::Moment;
use crate::core::lookup::Lookup;
use crate::core::progress::Progress;

/// How long one copy waits for the request of another before it asks again.
const ASIDE: Duration = Duration::from_millis(500);

/// What a lookup said is acted on for this long.
const SEEN_FOR: Duration = Duration::from_secs(1);

/// Keys whose last create is remembered: more than can have copies about.
const REMEMBERED_MAX: usize = 16_384;

/// A create that was sent.
#[derive(Clone, Debug)]
pub(super) struct Create {
    pub(super) event: EventId,
    pub(super) at: Moment,
    pub(super) lookup: Arc<Lookup>,
    /// When it lost its answer: until then it may have been applied.
    pub(super) lost: Option<Moment>,
}

/// The last creates of events that can be looked up, by key: a copy that was looked up before one of them knows nothing of it.
#[derive(Debug, Default)]
pub(super) struct Creates {
    last: HashMap<Digest, Create>,
    order: VecDeque<(Moment, Digest)>,
}

impl Creates {
    pub(super) fn note(&mut self, key: &Key, create: Create) {
        let key = key.digest();
        self.order.push_back((create.at, key));
        self.last.insert(key, create);
        while self.order.len() > REMEMBERED_MAX
            && let Some((at, oldest)) = self.order.pop_front()
        {
            if self.last.get(&oldest).is_some_and(|create| create.at == at) {
                self.last.remove(&oldest);
            }
        }
    }

    /// The create of an event was not sent.
    pub(super) fn forget(&mut self, event: &HeldEvent) {
        let key = event.context.key.as_ref().map(Key::digest);
        let last = key.and_then(|key| self.last.get(&key)).filter(|create| create.event == event.id);
        if let Some(key) = key.filter(|_| last.is_some()) {
            self.last.remove(&key);
        }
    }

    /// Takes in what the request of an event came to. If that was a create that lost its answer, it may have been applied until
    /// now: this is the one place that notes it, for the event and for copies of it.
    pub(super) fn follow<T>(&mut self, event: &mut HeldEvent, now: Now, ends: impl FnOnce(&mut Progress) -> T) -> T {
        if event.seeks().is_none() {
            event.pass_time(now.moment);
        }
        let before = event.progress.unsure_creates;
        let end = ends(&mut event.progress);
        if event.progress.unsure_creates > before {
            event.progress.unsure_ms = now.epoch_ms;
            let last = event.context.key.as_ref().and_then(|key| self.last.get_mut(&key.digest()));
            if let Some(create) = last.filter(|create| create.event == event.id) {
                create.lost = Some(now.moment);
            }
        }
        end
    }

    /// Where another event of this key was sent whose answer was lost, and how long ago.
    fn lost_by_another(&self, key: &Key, event: EventId, now: Moment) -> Option<(Arc<Lookup>, Duration)> {
        let last = self.last.get(&key.digest()).filter(|create| create.event != event)?;
        last.lost.map(|lost| (Arc::clone(&last.lookup), now.saturating_sub(lost)))
    }

    /// The create of this key that was sent by another event since this one was looked up.
    pub(super) fn since(&self, key: &Key, event: EventId, looked_up: Option<Moment>) -> Option<&Create> {
        let last = self.last.get(&key.digest()).filter(|create| create.event != event)?;
        looked_up.is_none_or(|looked_up| looked_up <= last.at).then_some(last)
    }
}

impl HeldEvent {
    /// Whether a copy of it elsewhere may have been created since it was looked up: a photo was brought up meanwhile, or it waited for
    /// the gate or a limit. Answered with yes once, so that a limit that lets a request through now and then is not spent on lookups.
    pub(super) fn was_looked_up_too_long_ago(&mut self, now: Moment) -> bool {
        let has_passed = self.looked_up.is_some_and(|at| self.has_begun_photo || now.saturating_sub(at) >= SEEN_FOR);
        let is_due = has_passed && self.may_have_copies() && !self.is_looked_up_anew;
        self.is_looked_up_anew |= is_due;
        is_due
    }
}

impl Machine {
    /// Whether this copy, about to create, is not to: since the other's request is under way, or since the other sent a create that
    /// may have been applied and is looked up.
    pub(super) fn gives_way(&mut self, id: EventId) -> bool {
        if self.held.copies(id).any(HeldEvent::is_creating) {
            let until = self.now.moment.saturating_add(ASIDE);
            self.held.stage(id, Stage::Waiting(until));
            return true;
        }
        let event = self.held.get(id);
        let unseen = event.and_then(|event| self.creates.since(event.context.key.as_ref()?, id, event.looked_up));
        if let Some(create) = unseen {
            let lookup = Arc::clone(&create.lookup);
            self.held.look_up_again(id, lookup, Duration::ZERO);
            return true;
        }
        if let Some((lookup, since)) = self.lost_by_a_copy(id) {
            self.held.look_up_again(id, lookup, since);
            return true;
        }
        let (others, sent) = self.of_copies(id);
        self.held.learn(id, &others, sent)
    }

    /// Where another copy of it was sent whose answer was lost, and how long ago, if that is less than this one counts: the window
    /// of its lookups began too early.
    fn lost_by_a_copy(&self, id: EventId) -> Option<(Arc<Lookup>, Duration)> {
        let event = self.held.get(id)?;
        let lost = self.creates.lost_by_another(event.context.key.as_ref()?, id, self.now.moment)?;
        event.progress.since_create.is_none_or(|counted| counted > lost.1).then_some(lost)
    }

    /// What is known of all copies together, and where the most doubtful of them was sent.
    fn of_copies(&self, id: EventId) -> (Progress, Option<Arc<Lookup>>) {
        self.held.copies(id).fold((Progress::default(), None), |(known, sent), copy| {
            let sent = if copy.progress.unsure_creates > known.unsure_creates { copy.lookup.clone() } else { sent };
            (known.joined(&copy.progress), sent)
        })
    }
}
