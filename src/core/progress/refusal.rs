//! An event that what is not the API's word refuses, while others pass: it waits by itself, and is given up in the end.
//!
//! Not here: what such an answer says of everything and of the procedure (`gate`).

use super::{Progress, REFUSALS_MAX, Refusal, Step, StepContext, limits};
use crate::core::backoff::{ceiling, jittered};
use crate::core::policy::Policy;

impl Progress {
    /// Whether it is refused for its own words: it was refused before, and others were created since.
    #[must_use]
    pub fn is_refused_alone(&self, refusal: Refusal) -> bool {
        self.refusals > 0 || (self.refused_ms > 0 && refusal.others_ms > self.refused_ms)
    }

    /// What refuses it may concern everything, its procedure or its own words alone. The gate minds the first two. In the last
    /// case it waits by itself, longer each time, and is given up in the end.
    pub(super) fn set_aside(&mut self, refusal: Refusal, at: StepContext, policy: &Policy) -> Step {
        let others_passed = self.refused_ms > 0 && refusal.others_ms > self.refused_ms;
        self.refusals = self.refusals.saturating_add(others_passed.into());
        self.refused_ms = refusal.at_ms;
        if self.refusals >= REFUSALS_MAX && at.age >= policy.give_up_after {
            return self.dead(limits::blocked(self.refusals, at.age));
        }
        let whole = ceiling(policy.initial, policy.multiplier, policy.max_interval, self.refusals);
        Step::SetAside(whole / 2 + jittered(whole / 2, at.dice))
    }
}
