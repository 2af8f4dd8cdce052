//! How many events are wanted unacknowledged: as many as there are places, or one while everything has been shut for long.
//!
//! Not here: the subscription (`amqp`), and why the gate is shut.
//!
//! A broker takes back what is unacknowledged for longer than its consumer timeout, and counts that as a failed delivery. So
//! before that comes near, events go to a delay queue and from there back to the work queue, and one stays as the probe.

use std::time::Duration;

use super::dispatcher::Dispatcher;
use super::held_event::Stage;
use crate::core::delay_queue::DELAY_QUEUES;
use crate::core::gate::Moment;
use crate::handover::prefetch::WantedPrefetch;

/// An event that is kept as the probe, or that waits for one procedure or its turn, goes after so many times that.
const KEPT: u32 = 5;

impl Dispatcher {
    /// Tells how many events are wanted, and delays those that are too many. Without delay queues nothing changes.
    pub(super) fn update_wanted_prefetch(&mut self, now: Moment) {
        let release_after = self.bridge.gate.release_after;
        let is_long = self.gate.everything_shut_for(now).is_some_and(|shut_for| shut_for >= release_after);
        let wanted = if is_long && self.can_delay { WantedPrefetch::One } else { WantedPrefetch::Full };
        let is_news = self
            .bridge
            .wanted_prefetch
            .send_if_modified(|wanted_prefetch| std::mem::replace(wanted_prefetch, wanted) != wanted);
        if is_news {
            let after_s = release_after.as_secs_f32();
            match wanted {
                WantedPrefetch::One => {
                    tracing::warn!(after_s, "shut for long: one event is kept in memory, the others wait in the broker")
                }
                WantedPrefetch::Full => tracing::info!("events are taken again as there are places"),
            }
        }
        if is_news && wanted == WantedPrefetch::One {
            self.delay_idle(Duration::ZERO, now);
        }
    }

    /// Delays what has been unacknowledged for long and may not go even now: the probe of a gate that is shut, what waits for one
    /// procedure, or for its turn.
    pub(super) fn delay_the_old(&mut self, now: Moment) {
        if self.can_delay {
            self.delay_idle(self.bridge.gate.release_after.saturating_mul(KEPT), now);
        }
    }

    fn delay_idle(&mut self, longest: Duration, now: Moment) {
        for slot in self.hand.idle_for(longest, now) {
            let Some(event) = self.hand.get(slot) else { continue };
            let rest = if let Stage::Delayed(until) = event.stage { until.saturating_sub(now) } else { Duration::ZERO };
            self.delay(slot, rest.max(DELAY_QUEUES[0].wait), Duration::ZERO);
        }
    }
}
