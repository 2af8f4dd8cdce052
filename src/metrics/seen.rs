//! Single numbers, for whoever shows them beside their words: asked for by their labels, and never made by being asked for.
//!
//! Not here: the text of all of them (`Metrics::text`).

use super::{Metrics, Ruled, Settled};
use crate::core::reason::Reason;

/// How full a queue is, as far as the management API says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueSeen {
    /// Messages that wait.
    pub ready: Option<u64>,
    /// Messages that consumers hold.
    pub unacknowledged: Option<u64>,
    /// Age of the first message, in seconds.
    pub head_age_s: Option<u64>,
}

impl Metrics {
    /// How many events of this rule came to this result, for this reason.
    #[must_use]
    pub fn settled_so_far(&self, result: &'static str, rule: &str, reason: &'static str) -> u64 {
        let settled = Settled { result, rule: rule.to_owned(), reason };
        self.settled.get(&settled).map_or(0, |count| count.get())
    }

    /// How many dead letters of this reason the broker keeps.
    #[must_use]
    pub fn dead_letters_so_far(&self, reason: Reason) -> u64 {
        self.ends.dead_letters_so_far(reason.as_str())
    }

    /// Whether a run of rejections holds this rule.
    #[must_use]
    pub fn is_rule_held(&self, rule: &str) -> bool {
        self.rule_held.get(&Ruled { rule: rule.to_owned() }).is_some_and(|held| held.get() == 1)
    }

    /// Whether the lookup of this rule has found what was just created; none where it has no lookup.
    #[must_use]
    pub fn is_lookup_verified(&self, rule: &str) -> Option<bool> {
        self.lookup_verified.get(&Ruled { rule: rule.to_owned() }).map(|verified| verified.get() == 1)
    }

    /// When an event was settled last, in seconds since the Unix epoch; none if never.
    #[must_use]
    pub fn last_settled_s(&self) -> Option<u64> {
        Some(self.last_settled.get()).filter(|at| *at > 0)
    }

    /// How many requests may go in this second after the gate opened; none if there is no such limit.
    #[must_use]
    pub fn ramp_now(&self) -> Option<u64> {
        Some(self.ramp.get()).filter(|limit| *limit > 0)
    }
}
