//! What is told of outcomes: how many wait, and that some do.
//!
//! Not here: which route refuses them and why (`amqp::publisher` says that).

use super::Reporter;
use crate::states::dead_letters::DeadLetters;

impl Reporter {
    /// So many events wait for a queue that takes their outcome.
    pub(in crate::dispatch) fn outcomes(&self, waiting: usize) {
        self.metrics.outcomes_waiting(waiting);
    }

    /// Says that outcomes wait, or that none does any more.
    pub(super) fn outcomes_wait(&self, wait: bool) {
        self.letters.send_modify(|told| told.set_outcomes(wait));
        let told: DeadLetters = *self.letters.borrow();
        match told.untold() {
            Some(what) => tracing::warn!("{what}"),
            None => tracing::info!("no outcome waits any more"),
        }
    }
}
