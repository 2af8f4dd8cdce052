//! Stopping: finish what is under way within the deadline, hand the rest back.
//!
//! Not here: signals, and the broker side of it.

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::arrival::Arrival;
use super::dispatch::Dispatcher;
use super::ending::Ending;
use super::hand::{Slot, Stage};
use super::tell::Doubt;

/// How the corridor ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Requests that were still under way at the deadline and were cut off; their events were handed back.
    pub cut_off: usize,
}

impl Dispatcher {
    /// Hands back what waits, finishes what is under way, and cuts off what is not finished at `deadline`.
    pub(super) async fn drain(mut self, intake: &mut mpsc::Receiver<Arrival>, deadline: Instant) -> Drained {
        self.is_draining = true;
        self.hand_back_idle();
        // Past the deadline what counts is what is still in hand, not how the waiting ended.
        drop(tokio::time::timeout_at(deadline, self.finish(intake)).await);
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.ended(ended);
        }
        let cut_off = self.hand.len();
        self.running.abort_all();
        for slot in self.hand.slots() {
            self.hand_back(slot);
        }
        while let Ok(arrival) = intake.try_recv() {
            self.arrived(arrival);
            self.hand_back_idle();
        }
        Drained { cut_off }
    }

    async fn finish(&mut self, intake: &mut mpsc::Receiver<Arrival>) {
        while self.hand.len() > 0 {
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => self.ended(ended),
                Some(arrival) = intake.recv() => {
                    self.arrived(arrival);
                    self.hand_back_idle();
                }
                else => return,
            }
        }
    }

    fn hand_back_idle(&mut self) {
        for slot in self.hand.idle() {
            self.hand_back(slot);
        }
    }

    /// Hands an event back; if it may be a process already, that is said first.
    pub(super) fn hand_back(&mut self, slot: Slot) {
        let Some(event) = self.hand.get(slot) else { return };
        if event.journey.may_double() || matches!(event.stage, Stage::Running { .. }) {
            self.teller.doubt(Doubt::HandedBack, &event.papers);
        }
        self.end(slot, Ending::Released);
    }
}
