//! What producers are being told of events that ended, by the route that each goes: what one route refuses holds up no other.
//!
//! Not here: what is told, and what follows where it is refused (`telling`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::ReceiptId;
use super::context::Context;
use super::report::Ended;
use crate::core::backoff::ceiling;
use crate::core::event::{Identity, Key};
use crate::core::gate::Moment;
use crate::core::outcome::EventOutcome;

/// The ceilings of the waits before a route that refuses is tried again, by one of those that wait for it.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// A route that refused is forgotten so long after its last wait, if nothing waits for it.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// An event that ended, unacknowledged until its producer is told.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) context: Context,
    pub(super) outcome: Box<EventOutcome>,
    /// How it ended, if that is told once its producer is; of a dead letter it was told before.
    pub(super) ended: Option<Ended>,
    /// Requests, and the status of the last answer.
    pub(super) asked: (u32, Option<u16>),
}

/// A route that refuses.
#[derive(Debug)]
struct Refusing {
    since: Moment,
    refusals: u32,
    /// When one may be tried.
    next: Moment,
    tried: Option<ReceiptId>,
    waiting: BTreeSet<ReceiptId>,
}

impl Refusing {
    fn from(now: Moment) -> Self {
        Self { since: now, refusals: 0, next: now, tried: None, waiting: BTreeSet::new() }
    }
}

/// The route of an outcome, if it refuses. While none does, no routing key is written out.
fn refusing<'r>(routes: &'r mut BTreeMap<String, Refusing>, outcome: &EventOutcome) -> Option<&'r mut Refusing> {
    if routes.is_empty() { None } else { routes.get_mut(&outcome.routing_key()) }
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    all: BTreeMap<ReceiptId, Telling>,
    refusing: BTreeMap<String, Refusing>,
    waiting: usize,
    /// How many have a connection.
    live: usize,
    keys: HashMap<Key, usize>,
    /// Whether it was told that some wait.
    pub(super) is_trouble_told: bool,
}

impl Outcomes {
    /// How many messages are unacknowledged for one of them.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// How many wait for a route that takes them.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether a route refuses.
    pub(super) fn is_refused(&self) -> bool {
        !self.refusing.is_empty()
    }

    pub(super) fn has(&self, receipt: ReceiptId) -> bool {
        self.all.contains_key(&receipt)
    }

    /// Whether one of this key is among them.
    pub(super) fn has_key(&self, key: &Key) -> bool {
        self.keys.contains_key(key)
    }

    pub(super) fn live_bodies(&self) -> impl Iterator<Item = &[u8]> {
        let live = self.all.values().filter(|telling| telling.context.is_live);
        live.map(|telling| telling.context.body.as_slice())
    }

    /// One is to be told; answers whether it goes out at once, or waits since its route refuses.
    pub(super) fn add(&mut self, telling: Telling) -> bool {
        let receipt = telling.context.receipt;
        let waits = refusing(&mut self.refusing, &telling.outcome);
        let goes = waits.map(|refusing| refusing.waiting.insert(receipt)).is_none();
        self.waiting += usize::from(!goes);
        self.live += usize::from(telling.context.is_live);
        if let Some(key) = &telling.context.key {
            *self.keys.entry(key.clone()).or_default() += 1;
        }
        self.all.insert(receipt, telling);
        goes
    }

    /// It is told no more, or otherwise.
    pub(super) fn take(&mut self, receipt: ReceiptId) -> Option<Telling> {
        let telling = self.all.remove(&receipt)?;
        self.live -= usize::from(telling.context.is_live);
        if let Some(key) = &telling.context.key
            && let Some(count) = self.keys.get_mut(key)
        {
            *count -= 1;
            if *count == 0 {
                self.keys.remove(key);
            }
        }
        if let Some(refusing) = refusing(&mut self.refusing, &telling.outcome) {
            self.waiting -= usize::from(refusing.waiting.remove(&receipt));
            refusing.tried = refusing.tried.filter(|tried| *tried != receipt);
        }
        Some(telling)
    }

    /// The broker keeps one: its route takes what waits for it, which goes out at once.
    pub(super) fn kept(&mut self, receipt: ReceiptId) -> Option<(Telling, Vec<ReceiptId>)> {
        let telling = self.take(receipt)?;
        let has_route = telling.context.is_live && !self.refusing.is_empty();
        let taken = if has_route { self.refusing.remove(&telling.outcome.routing_key()) } else { None };
        let waited: Vec<ReceiptId> = taken.into_iter().flat_map(|refusing| refusing.waiting).collect();
        self.waiting -= waited.len();
        Some((telling, waited))
    }

    /// The broker does not take one: its route refuses from now on, or still. Where none waits for it, others are not held up.
    pub(super) fn refused(&mut self, receipt: ReceiptId, now: Moment, waits: bool) -> Option<Telling> {
        let telling = self.take(receipt)?;
        if telling.context.is_live && waits {
            let refusing = self.refusing.entry(telling.outcome.routing_key()).or_insert_with(|| Refusing::from(now));
            // Those that were on their way together are one refusal.
            if now >= refusing.next {
                refusing.next = now.saturating_add(ceiling(AGAIN.0, 2.0, AGAIN.1, refusing.refusals));
                refusing.refusals = refusing.refusals.saturating_add(1);
            }
        }
        Some(telling)
    }

    /// What may be tried now: one for each route that refuses.
    pub(super) fn due(&mut self, now: Moment) -> Vec<ReceiptId> {
        let mut due = Vec::new();
        for refusing in self.refusing.values_mut().filter(|refusing| refusing.tried.is_none() && refusing.next <= now) {
            if let Some(receipt) = refusing.waiting.pop_first() {
                refusing.tried = Some(receipt);
                due.push(receipt);
            }
        }
        self.waiting -= due.len();
        due
    }

    /// When to look again.
    pub(super) fn next_look(&self) -> Option<Moment> {
        let ready = self.refusing.values().filter(|refusing| refusing.tried.is_none() && !refusing.waiting.is_empty());
        ready.map(|refusing| refusing.next).min()
    }

    /// The one that came last of those that wait, and for how long its route has refused.
    pub(super) fn last(&self, now: Moment) -> Option<(ReceiptId, Duration)> {
        let lasts = self.refusing.values().filter_map(|refusing| Some((*refusing.waiting.last()?, refusing.since)));
        lasts.max().map(|(receipt, since)| (receipt, now.saturating_sub(since)))
    }

    /// Those that wait, the oldest first.
    pub(super) fn all_waiting(&self) -> Vec<ReceiptId> {
        let mut all: Vec<ReceiptId> =
            self.refusing.values().flat_map(|refusing| refusing.waiting.iter().copied()).collect();
        all.sort_unstable();
        all
    }

    pub(super) fn get(&self, receipt: ReceiptId) -> Option<&Telling> {
        self.all.get(&receipt)
    }

    /// Routes that nothing waits for any more, as far as is known here.
    pub(super) fn forget_routes(&mut self, now: Moment) {
        self.refusing.retain(|_, refusing| {
            let is_old = now.saturating_sub(refusing.next) >= FORGOTTEN_AFTER && now >= refusing.next;
            !(is_old && refusing.tried.is_none() && refusing.waiting.is_empty())
        });
    }

    /// The letters whose messages are unacknowledged on the connection that stands.
    pub(super) fn letters(&self) -> Vec<Identity> {
        let letters = self.all.values().filter(|telling| telling.outcome.letter.is_some() && telling.context.is_live);
        letters.filter_map(|telling| telling.context.identity).collect()
    }

    /// The connection is gone, and what was said by it counts no more. What is on its way may still be confirmed.
    pub(super) fn disconnected(&mut self) {
        self.all.values_mut().for_each(|telling| telling.context.is_live = false);
        (self.live, self.waiting) = (0, 0);
        self.refusing.clear();
    }

    /// Every one, to be forgotten.
    pub(super) fn drain(&mut self) -> Vec<Telling> {
        let all = std::mem::take(&mut self.all).into_values().collect();
        *self = Self { is_trouble_told: self.is_trouble_told, ..Self::default() };
        all
    }
}
