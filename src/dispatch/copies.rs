//! Copies of one event in one process: of those that could create it, one does.
//!
//! A crash between the confirm of a delayed copy and the acknowledgement of the original leaves two. Each looks before it
//! creates, and cannot see what the other created a moment ago; the process that created it can.
//!
//! Not here: copies in two processes.

use std::sync::Arc;
use std::time::Duration;

use super::dispatcher::Dispatcher;
use super::ending::Ending;
use super::hand::Slot;
use super::held_event::Stage;
use crate::core::gate::Moment;
use crate::core::progress::Progress;
use crate::core::recent::Known;

/// How long one copy waits for the request of another before it asks again.
const WAY: Duration = Duration::from_millis(500);

impl Dispatcher {
    /// Whether this copy, about to create, is not to: since it is a process already, since the other's request is under
    /// way, or since the other sent a create that may have been applied and is looked up.
    pub(super) fn gives_way(&mut self, slot: Slot, now: Moment) -> bool {
        let key = self.hand.get(slot).and_then(|event| event.context.key.as_ref());
        let remembered = match key.and_then(|key| self.recent.recall(key)) {
            Some(Known::Created(process)) => {
                let process = process.clone();
                self.end(slot, Ending::AlreadyCreated(process));
                return true;
            }
            Some(Known::Underway(progress, sent)) => (Progress::clone(progress), sent.clone().map(Arc::from)),
            Some(Known::Dead(_, progress)) => (Progress::clone(progress), None),
            None => (Progress::default(), None),
        };
        let is_running = self.hand.copies(slot).any(|copy| matches!(copy.stage, Stage::Running { .. }));
        let (others, sent) = self.hand.copies(slot).fold(remembered, |(known, sent), copy| {
            let sent = if copy.progress.unsure_creates > known.unsure_creates { copy.lookup.clone() } else { sent };
            (known.joined(&copy.progress), sent)
        });
        if is_running {
            self.hand.stage(slot, Stage::Delayed(now.saturating_add(WAY)));
            return true;
        }
        self.hand.learn(slot, &others, sent)
    }
}
