//! How many crashes of its handling an event may have.
//!
//! Not here: what a crash is, and where the event waits after it (`delivery`).

use super::Progress;

/// How often the handling of an event may crash before it is dead-lettered.
pub const CRASHES_MAX: u32 = 3;

/// Each so many returns by the broker count as one crash: of a process that dies of it, nothing else tells.
const RETURNS_OF_A_CRASH: u32 = 5;

impl Progress {
    /// Whether the broker gave it back so often that it may be what the process dies of. Delayed, it begins to be
    /// counted anew; where it cannot be delayed, the returns of all crashes are waited for.
    #[must_use]
    pub fn is_suspect(returns: Option<u32>, can_delay: bool) -> bool {
        let enough = if can_delay { RETURNS_OF_A_CRASH } else { RETURNS_OF_A_CRASH * CRASHES_MAX };
        returns.is_some_and(|returns| returns >= enough)
    }

    /// Whether one more crash is not yet enough.
    #[must_use]
    pub fn may_crash_again(&self) -> bool {
        self.crashes.saturating_add(1) < CRASHES_MAX
    }

    /// Its handling crashed: whether that is enough to give it up.
    #[must_use]
    pub fn crashed(&mut self) -> bool {
        self.crashes = self.crashes.saturating_add(1);
        self.crashes >= CRASHES_MAX
    }
}
