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
    /// What is done when the API may or may not have created the process and cannot be asked.
    pub on_unknown: OnUnknown,
    /// How long lookups must find nothing after a create of unknown outcome before it counts as absent. At least the
    /// timeout of a request and the lag allowed until a process shows.
    pub lookup_window: Duration,
    /// What is done when it is absent.
    pub on_absent: OnAbsent,
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
