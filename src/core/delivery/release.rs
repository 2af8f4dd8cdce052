//! Giving events back: while everything is shut for long, when they are old, and at the end.
//!
//! Not here: the subscription (`amqp`), and why the gate is shut.
//!
//! A broker takes back what is held for longer than its consumer timeout, and counts that as a failed delivery. So before that
//! comes near, events go to a delay queue and from there back to the work queue, and one stays to probe with.

use std::time::Duration;

use super::event::Stage;
use super::report::{Doubt, Ended, Report};
use super::{Effect, EventId, Machine, WantedPrefetch};
use crate::core::delay_queue::DELAY_QUEUES;
use crate::core::progress::Progress;

/// An event that is kept to probe with, or that waits for one procedure or its turn, goes after so many times
/// `gate.release_after`.
pub(super) const KEPT: u32 = 5;

impl Machine {
    /// Says how many events are wanted, and delays those that are too many. Without delay queues nothing changes.
    pub(super) fn mind_prefetch(&mut self) {
        let release_after = self.setup.gate.release_after;
        let shut_for = self.gate.everything_shut_for(self.now.moment);
        let is_long = shut_for.is_some_and(|shut_for| shut_for >= release_after);
        let wanted = match () {
            () if is_long && self.connection.can_delay => WantedPrefetch::One,
            () if self.wants_double() => WantedPrefetch::Double,
            () => WantedPrefetch::Full,
        };
        if std::mem::replace(&mut self.wanted, wanted) == wanted {
            return;
        }
        self.push(Effect::Want(wanted));
        self.tell(Report::Wanted(wanted, release_after));
        if wanted == WantedPrefetch::One {
            self.release(Duration::ZERO);
        }
    }

    /// Delays what has been held for long and may not go even now: the probe of a gate that is shut, what waits for one
    /// procedure, or for its turn.
    pub(super) fn release_old(&mut self) {
        if self.can_delay() {
            self.release(self.setup.gate.release_after.saturating_mul(KEPT));
        }
    }

    fn release(&mut self, longest: Duration) {
        for id in self.held.idle_for(longest, self.now.moment) {
            let Some(event) = self.held.get(id).filter(|_| self.can_delay()) else { continue };
            let rest = match event.stage {
                Stage::Waiting(until) => until.saturating_sub(self.now.moment),
                Stage::Ready | Stage::Running { .. } => Duration::ZERO,
            };
            self.delay(id, rest.max(DELAY_QUEUES[0].wait), Duration::ZERO);
        }
    }

    /// Gives back everything that no request is under way for.
    pub(super) fn give_back_idle(&mut self) {
        for id in self.held.idle() {
            self.give_back(id);
        }
    }

    /// Gives everything back; what is under way is cut off.
    pub(super) fn cut_off(&mut self) {
        for id in self.held.all() {
            self.give_back(id);
        }
        self.cut_records_off();
        self.cut_outcomes_off();
        // Last: what those give back is published.
        self.cut_publishes_off();
    }

    /// Gives an event back: delayed, if it has something to take along, and otherwise requeued. If it may be a process
    /// already and is not looked up, that is announced first.
    pub(super) fn give_back(&mut self, id: EventId) {
        let Some(event) = self.held.get_mut(id) else { return };
        if event.is_running() && event.photo().is_none() {
            self.creates.follow(event, self.now, Progress::cut_off);
        }
        if event.progress.unsure_creates > 0 && event.lookup.is_none() {
            let report = event.context.possible_duplicate(Doubt::HandedBack);
            self.effects.push(Effect::Tell(report));
        }
        let has_state = event.progress != Progress::default() && event.context.is_live;
        // A requeue would forget the state, and older brokers count it.
        if has_state && self.can_delay() {
            self.delay(id, Duration::ZERO, Duration::ZERO);
        } else {
            self.end(id, Ended::Requeued);
        }
    }
}
