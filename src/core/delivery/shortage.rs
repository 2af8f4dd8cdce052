//! No descriptor is left for a connection to the API: our own trouble, and nobody else's. The event waits and is tried again after
//! growing waits; it does not age, nothing of its tries is spent, and the gate hears nothing of it.
//!
//! Not here: how that is noticed (`chakra`), and what the configuration may need (`cli`).

use std::time::Duration;

use super::report::Report;
use super::{EventId, Machine};
use crate::core::backoff::{ceiling, jittered};
use crate::core::judge::Judgement;
use crate::core::reason::Cause;
use crate::core::reply::Reply;

/// The first wait, and the longest. The first is short: descriptors come back with each request that ends.
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

impl Machine {
    /// The request of an event could not be sent for want of descriptors.
    pub(super) fn short_of_descriptors(&mut self, id: EventId, reply: &Reply, took: Duration) {
        let outcome = Judgement::Retry { cause: Cause::NoDescriptors, after: None };
        let tried = self.tried(id, &outcome, reply);
        let Some(event) = self.held.get_mut(id) else { return };
        let whole = ceiling(FIRST, 2.0, LONGEST, event.shortages);
        let wait = whole / 2 + jittered(whole / 2, self.dice);
        event.shortages = event.shortages.saturating_add(1);
        event.open_time = event.open_time.saturating_add(wait);
        self.gate.lost(event.procedure(), event.probe());
        self.tell(Report::Answered { outcome: outcome.as_str(), status: None, took });
        self.tell(Report::NoDescriptors);
        self.wait(id, wait, Duration::ZERO);
        self.tell_try(id, tried);
    }
}
