//! How much the machine holds, for who watches it and who waits for its end.
//!
//! Not here: what is done about it.

use super::Machine;
use crate::core::gate::Moment;

impl Machine {
    /// How many events are unacknowledged: held, published in another place and not confirmed there,
    /// or done and not recorded or not told to their producers.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len() + self.waiting.len() + self.publishes.len() + self.records.holding() + self.outcomes.len()
    }

    /// How many of them have a request under way.
    #[must_use]
    pub fn running(&self) -> usize {
        self.held.running()
    }

    /// Whether nothing is held, and nothing is to be told to the ledger.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.held() == 0 && self.is_recorded()
    }

    /// Whether the ledger was told all that is to be told so far.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.records.is_empty()
    }

    /// Requests a second that the ramp after an opening allows now; none while nothing is held back.
    #[must_use]
    pub fn ramp(&self, moment: Moment) -> Option<u32> {
        self.gate.ramp(moment)
    }
}
