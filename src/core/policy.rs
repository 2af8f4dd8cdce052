//! The policies of retries, of the gate and of request limits.
//!
//! Not here: counting, waiting or deciding (`progress`, `backoff`, `gate`).

use std::time::Duration;

/// How one event is tried again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Ceiling of the first wait.
    pub initial: Duration,
    /// What each further ceiling is multiplied by. 1.0 to 10.0.
    pub multiplier: f64,
    /// The highest ceiling. Not below `initial`.
    pub max_interval: Duration,
    /// How long an event waits in memory before it is delayed in a delay queue.
    pub max_local_delay: Duration,
    /// The age, counted while the gate is open, at which an event is dead-lettered as exhausted.
    pub give_up_after: Duration,
    /// The longest `Retry-After` that is obeyed; a longer one is cut to this.
    pub retry_after_max: Duration,
    /// How long the one repeat of a create that lost its answer waits, where it cannot be looked up, if no other create of its
    /// procedure works meanwhile. Zero: it waits for neither.
    pub resend_after: Duration,
    /// Answers to a create that leave no doubt that nothing was done.
    pub not_processed: NotProcessed,
    /// What is done when the API may or may not have created the process and cannot be asked.
    pub on_unknown: OnUnknown,
    /// How long lookups must find nothing after a create of unknown outcome before it counts as absent. At least the
    /// timeout of a request and the lag allowed until a process shows.
    pub lookup_window: Duration,
    /// What is done when it is absent.
    pub on_absent: OnAbsent,
}

/// HTTP statuses of which an operator knows that nothing was done where they answer a create: of those that leave a doubt
/// otherwise, 408, 499 and 5xx but those that shut the gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotProcessed(u128);

impl NotProcessed {
    /// The same with this status; none where the status can mean nothing here.
    #[must_use]
    pub fn with(self, status: u16) -> Option<Self> {
        Some(Self(self.0 | 1 << Self::place(status)?))
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn has(self, status: u16) -> bool {
        Self::place(status).is_some_and(|place| self.0 >> place & 1 == 1)
    }

    fn place(status: u16) -> Option<u16> {
        match status {
            501 | 505 | 511 => None,
            500..=599 => Some(status - 500),
            408 => Some(100),
            499 => Some(101),
            _ => None,
        }
    }
}

/// What is done when nobody can say whether the process was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnknown {
    /// It is sent once more, and counted as a possible duplicate.
    Resend,
    /// It is dead-lettered at once.
    DeadLetter,
}

/// What is done with an event whose create lost its answer, when no lookup found it for the whole window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnAbsent {
    /// It is created again, once.
    Create,
    /// It is dead-lettered.
    DeadLetter,
}

/// When the gate shuts by itself, and how it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatePolicy {
    /// The run of moment failures that shuts it. At least 1.
    pub failures: u32,
    /// Ceiling of the wait before the first probe.
    pub probe_initial: Duration,
    /// The highest ceiling between probes. Not below `probe_initial`.
    pub probe_max: Duration,
    /// The run of rejections of one rule, none created between, that holds it; 0 for never.
    pub rejections: u32,
    /// How long everything is shut before the unacknowledged events are given back by way of a delay queue, all but one.
    pub release_after: Duration,
}

/// How much may be sent. Holds per replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestLimitPolicy {
    /// Requests a second, of whatever kind; more than 0. None is no limit.
    pub max_requests_per_second: Option<f64>,
    /// What each first try gives to retries, lookups and probes: their share of it. 0.0 to 1.0.
    pub budget: f64,
}

/// How pictures are fetched. Holds per replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhotoPolicy {
    /// How many may be fetched at once; of one host a quarter, one at least.
    pub at_once: usize,
}

impl PhotoPolicy {
    /// How many may be fetched at once of one host.
    #[must_use]
    pub fn of_one_host(self) -> usize {
        (self.at_once / 4).max(1)
    }
}

impl Default for PhotoPolicy {
    fn default() -> Self {
        Self { at_once: 8 }
    }
}

/// How much is remembered of recent events where nothing else is said, in bytes: some 23,000 of them.
pub const MEMORY_DEFAULT: usize = 4 << 20;

/// What is made of a producer that repeats itself. Holds per replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepeatPolicy {
    /// How much is remembered of recent events, in bytes.
    pub memory: usize,
    /// What is done with a CloudEvent whose source and id another event had.
    pub cloud_events: OnReusedKey,
    /// The same for message ids, and what `event.key` makes.
    pub message_ids: OnReusedKey,
}

/// What is done with an event whose key another one had that is a process, where both bodies and both requests differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReusedKey {
    /// It is dead-lettered.
    DeadLetter,
    /// It is a process of its own, and that is counted.
    Create,
}

impl Default for RepeatPolicy {
    fn default() -> Self {
        Self { memory: MEMORY_DEFAULT, cloud_events: OnReusedKey::DeadLetter, message_ids: OnReusedKey::Create }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statuses_that_leave_a_doubt_can_be_known_to_mean_that_nothing_was_done() {
        let known = NotProcessed::default().with(503).and_then(|known| known.with(408)).unwrap();
        assert!(known.has(503) && known.has(408) && !known.has(500) && !known.has(499));
        assert!(NotProcessed::default().with(599).is_some_and(|known| known.has(599)));
        for without in [200, 400, 401, 404, 409, 429, 501, 505, 511, 600, 0] {
            assert_eq!(known.with(without), None, "{without}");
        }
    }
}
