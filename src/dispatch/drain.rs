//! Stopping: finish what is under way within the deadline, hand the rest back.
//!
//! Not here: signals, and the broker side of it.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use super::ending::Ending;
use super::hand::Slot;
use super::held_event::Stage;
use super::tell::Doubt;
use crate::core::progress::Progress;
use crate::handover::inbound::Inbound;

/// How the dispatcher ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Requests that were still under way at the deadline and were cut off; their events were handed back.
    pub cut_off: usize,
}

impl Dispatcher {
    /// Hands back what waits, finishes what is under way, and cuts off what is not finished at `deadline`.
    pub(super) async fn drain(mut self, intake: &mut mpsc::Receiver<Inbound>, deadline: Instant) -> Drained {
        self.is_draining = true;
        self.hand_back_idle();
        // Past the deadline what counts is what is still unacknowledged, not how the waiting ended.
        drop(tokio::time::timeout_at(deadline, self.finish(intake)).await);
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.ended(ended);
        }
        let cut_off = self.hand.len();
        self.running.abort_all();
        for slot in self.hand.slots() {
            self.hand_back(slot);
        }
        while let Ok(inbound) = intake.try_recv() {
            self.arrived(inbound);
            self.hand_back_idle();
        }
        Drained { cut_off }
    }

    async fn finish(&mut self, intake: &mut mpsc::Receiver<Inbound>) {
        while self.hand.len() > 0 {
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => self.ended(ended),
                Some(inbound) = intake.recv() => {
                    self.arrived(inbound);
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

    /// Hands an event back: delayed, if it has a progress to take along, and otherwise released. If it may be a process
    /// already and is not looked for, that is said first.
    pub(super) fn hand_back(&mut self, slot: Slot) {
        let can_delay = self.can_delay;
        let Some(event) = self.hand.get_mut(slot) else { return };
        if matches!(event.stage, Stage::Running { .. }) {
            event.progress.cut_off();
        }
        if event.progress.unsure_creates > 0 && event.lookup.is_none() {
            self.reporter.doubt(Doubt::HandedBack, &event.context);
        }
        // A release would forget the progress, and older brokers count it.
        if can_delay && event.progress != Progress::default() && event.context.receipt.is_live() {
            self.delay(slot, Duration::ZERO, Duration::ZERO);
        } else {
            self.end(slot, Ending::Released);
        }
    }
}
