//! Waiting: unacknowledged, or delayed in a delay queue of the broker with all that travels along.
//!
//! Not here: how long (`core::progress`), which delay queue (`core::delay_queue`), and publishing (`amqp`).

use std::collections::BTreeSet;
use std::time::Duration;

use super::dispatcher::Dispatcher;
use super::ending::{Ending, EventContext};
use super::hand::Slot;
use super::held_event::Stage;
use crate::core::delay_queue::{DELAY_QUEUES, LocalDelay, delay_queue_for};
use crate::core::delayed_state::DelayedState;
use crate::core::gate::{Moment, Pass};
use crate::core::lookup::Lookup;
use crate::core::progress::Progress;
use crate::core::reason::{Fault, Reason};

/// The text of a dead letter whose handling crashed.
pub(super) const CRASHED: &str = "its handling crashed too often, and it may be a process or not: look for it in \
     ChakraHQ before sending it again, and please report it";

/// The text of a dead letter that is kept for a newer daemon.
const TOO_NEW: &str =
    "a newer chakra-bridge delayed it, and there is no delay queue to keep it in: let that version retry it";

/// Within this they come back that may be what a process died of.
const APART: Duration = Duration::from_secs(60);

/// How long an event that a newer daemon delayed waits for one.
const FOR_A_NEWER: usize = 1;

impl Dispatcher {
    /// An event is to wait, of which `aged` counts towards its age: unacknowledged while its budget lasts and there is room, otherwise
    /// delayed.
    pub(super) fn wait(&mut self, slot: Slot, delay: Duration, aged: Duration, now: Moment) {
        if self.is_draining {
            // Its request has ended: nothing of it is cut off.
            self.hand.stage(slot, Stage::Ready);
            return self.hand_back(slot);
        }
        let waiting = self.hand.waiting();
        let Some(event) = self.hand.get(slot) else { return };
        if !event.context.receipt.is_live() {
            return self.end(slot, Ending::Released);
        }
        if self.can_delay && self.timeout().is_exceeded(event.context.held(now), delay, waiting) {
            return self.delay(slot, delay, aged);
        }
        let stage = if delay.is_zero() { Stage::Ready } else { Stage::Delayed(now.saturating_add(delay)) };
        self.hand.stage(slot, stage);
    }

    fn timeout(&self) -> LocalDelay {
        LocalDelay { max_local_delay: self.bridge.policy.max_local_delay, places: self.bridge.places }
    }

    /// Events of a procedure that is shut must not stand in the way of others: beyond a quarter of the places they are
    /// delayed, the oldest of each aside, which makes the probe. That spends nothing of theirs.
    pub(super) fn make_room(&mut self, now: Moment) {
        if !self.can_delay || self.gate.everything_shut_for(now).is_some() {
            return;
        }
        let mut probes = BTreeSet::new();
        let mut held_up = Vec::new();
        for slot in self.hand.ready() {
            let Some(event) = self.hand.get(slot) else { continue };
            let Some(shut_for) = self.gate.shut_for(event.procedure(), now) else { continue };
            let is_known = probes.contains(event.procedure());
            // Each has its probe, as long as the probes themselves leave room; where there is none, one that may go now.
            let leaves_room = !self.timeout().is_crowded(probes.len()) && probes.len() + 1 < self.bridge.places;
            let may_go = matches!(self.gate.pass(event.procedure(), now), Pass::Probe);
            if is_known || !(leaves_room || may_go) || !probes.insert(event.procedure().clone()) {
                held_up.push((slot, shut_for));
            }
        }
        if self.timeout().is_crowded(held_up.len()) {
            for (slot, shut_for) in held_up {
                let wait = shut_for.clamp(DELAY_QUEUES[0].wait, self.bridge.gate.probe_max.max(DELAY_QUEUES[0].wait));
                // A whole delay queue: what were left of the wait would be waited for in a place.
                self.delay(slot, delay_queue_for(wait).0.wait, Duration::ZERO);
            }
        }
    }

    /// Delays an event for `delay`, of which `aged` counts towards its age.
    pub(super) fn delay(&mut self, slot: Slot, delay: Duration, aged: Duration) {
        let now = self.clock.now();
        let Some(event) = self.hand.get_mut(slot) else { return };
        event.pass_time(now);
        let (delay_queue, rest) = delay_queue_for(delay);
        let mut progress = event.progress.clone();
        progress.passed(delay_queue.wait);
        let open_time = self.gate.open_time(&event.request.procedure, now).saturating_sub(event.open_time);
        let lookup = event.lookup.as_deref();
        let delayed_state = delayed_state(&event.context, progress, lookup);
        let age = delayed_state.age.saturating_add(open_time).saturating_add(aged);
        self.end(slot, Ending::Delayed(delay_queue, Box::new(DelayedState { age, remaining: rest, ..delayed_state })));
    }

    /// The handling of an event crashed: it is delayed, so that its neighbours go on without it, and counted. Where the whole
    /// process died, nobody knows of which of those unacknowledged: they come back apart from each other.
    pub(super) fn crashed(&mut self, context: EventContext, mut progress: Progress, lookup: Option<&Lookup>) {
        let is_enough = progress.crashed();
        let ending = if self.can_delay && !is_enough {
            progress.passed(DELAY_QUEUES[0].wait);
            let delayed_state = delayed_state(&context, progress.clone(), lookup);
            let rest = APART.mul_f64(fastrand::f64());
            Ending::Delayed(DELAY_QUEUES[0], Box::new(DelayedState { remaining: rest, ..delayed_state }))
        } else {
            Ending::Dead(Fault::new(Reason::Crashing, CRASHED))
        };
        self.settle(context, ending, &progress);
    }

    /// A newer daemon delayed it, and this one must not guess what was written: it travels on as it came.
    pub(super) fn pass_on(&mut self, context: EventContext) {
        tracing::warn!("an event was delayed by a newer chakra-bridge: it is kept for one; update this replica");
        let ending = if self.can_delay {
            Ending::Delayed(DELAY_QUEUES[FOR_A_NEWER], Box::new(context.delayed_state.clone()))
        } else {
            Ending::Dead(Fault::new(Reason::Undecodable, TOO_NEW))
        };
        self.settle(context, ending, &Progress::default());
    }
}

fn delayed_state(context: &EventContext, progress: Progress, lookup: Option<&Lookup>) -> DelayedState {
    DelayedState { progress, sent: lookup.cloned(), remaining: Duration::ZERO, ..context.delayed_state.clone() }
}
