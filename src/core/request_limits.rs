//! How many requests may be sent: so many a second if that is configured, and of retries only a small share.
//!
//! Not here: clocks, waiting, and the gate, which says whether any may go at all. Both limits hold per replica.

use std::time::Duration;

use crate::core::gate::{Moment, Pass};
use crate::core::policy::RequestLimitPolicy;

/// Retries, lookups and probes a second that the budget grants by itself, when no first try pays in.
pub const FLOOR_PER_SECOND: f64 = 10.0;

/// How long a budget may save up what its floor gives.
const FLOOR_SAVED: Duration = Duration::from_secs(10);

/// The longest between two requests: a century, so that sums of times stay times.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// How many first tries' shares a budget may save up.
const SHARES_SAVED: f64 = 100.0;

/// A bucket that refills by itself, one request for each `interval`. Instead of how much is in it, it keeps the moment
/// at which it will be full: whole nanoseconds, so that nothing is rounded away and no clock is needed to refill it.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    interval: Duration,
    /// What it holds, as the time it takes to fill.
    room: Duration,
    full_at: Moment,
}

impl Bucket {
    /// A full one.
    fn new(interval: Duration, room: Duration) -> Self {
        // One request must fit, or none would ever go.
        Self { interval, room: room.max(interval), full_at: Moment::ZERO }
    }

    fn pass(&self, now: Moment) -> Result<(), Moment> {
        let lacking = self.full_at.saturating_sub(now).saturating_add(self.interval);
        match lacking.checked_sub(self.room) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(now.saturating_add(wait)),
        }
    }

    fn take(&mut self, now: Moment) {
        self.full_at = self.full_at.max(now).saturating_add(self.interval);
    }

    fn give(&mut self, share: f64) {
        self.full_at = self.full_at.saturating_sub(times(self.interval, share));
    }
}

/// As often as this in a second, and not more seldom than [`LONGEST`].
fn interval(per_second: f64) -> Duration {
    Duration::try_from_secs_f64(per_second.recip()).unwrap_or(LONGEST).min(LONGEST)
}

fn times(interval: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(interval.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

/// Requests a second, of whatever kind. One second's worth, and at least one request, may go at once.
#[derive(Clone, Copy, Debug)]
pub struct Rate(Option<Bucket>);

impl Rate {
    /// So many a second, more than 0; or as many as there are.
    #[must_use]
    pub fn new(per_second: Option<f64>) -> Self {
        Self(per_second.map(|wanted| Bucket::new(interval(wanted), Duration::from_secs(1))))
    }

    /// Whether a request may go now.
    ///
    /// # Errors
    /// When it may, if none goes before.
    pub fn pass(&self, now: Moment) -> Result<(), Moment> {
        self.0.as_ref().map_or(Ok(()), |bucket| bucket.pass(now))
    }

    /// A request goes.
    pub fn take(&mut self, now: Moment) {
        if let Some(bucket) = &mut self.0 {
            bucket.take(now);
        }
    }
}

/// What may be sent beside first tries: each of those pays in a share, and each retry, lookup and probe takes one out.
/// It refills slowly by itself, so that what is left over when nothing new comes is not held for ever.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    bucket: Bucket,
    share: f64,
}

impl Budget {
    /// A full budget. `share` is what a first try pays in, 0.0 to 1.0; `floor_per_second`, more than 0, is what
    /// comes by itself. It saves up ten seconds of the floor, and what a hundred first tries pay in.
    #[must_use]
    pub fn new(share: f64, floor_per_second: f64) -> Self {
        let interval = interval(floor_per_second);
        let room = FLOOR_SAVED.saturating_add(times(interval, share * SHARES_SAVED));
        Self { bucket: Bucket::new(interval, room), share }
    }

    /// A first try goes.
    pub fn deposit(&mut self) {
        self.bucket.give(self.share);
    }

    /// Whether a retry, lookup or probe may go now.
    ///
    /// # Errors
    /// When it may, if nothing is paid in and none goes before.
    pub fn pass(&self, now: Moment) -> Result<(), Moment> {
        self.bucket.pass(now)
    }

    /// A retry, lookup or probe goes.
    pub fn take(&mut self, now: Moment) {
        self.bucket.take(now);
    }
}

/// What a request is to the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// The first for its event, through an open gate: it pays in.
    First,
    /// A retry, a lookup or a probe: it takes out.
    Again,
}

impl Try {
    /// What a create is: a probe, or one after `attempts` others, is a try again.
    #[must_use]
    pub fn of(attempts: u32, is_probe: bool) -> Self {
        if attempts > 0 || is_probe { Self::Again } else { Self::First }
    }
}

/// Both limits as one.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    rate: Rate,
    budget: Budget,
}

impl RequestLimits {
    /// Limits as the policy says, nothing spent yet.
    #[must_use]
    pub fn new(policy: RequestLimitPolicy) -> Self {
        Self { rate: Rate::new(policy.max_requests_per_second), budget: Budget::new(policy.budget, FLOOR_PER_SECOND) }
    }

    /// What the gate said, unless the pace says to wait.
    #[must_use]
    pub fn pass(&self, pass: Pass, attempts: u32, now: Moment) -> Pass {
        if matches!(pass, Pass::Shut(_)) {
            return pass;
        }
        let budget = match Try::of(attempts, pass == Pass::Probe) {
            Try::First => Ok(()),
            Try::Again => self.budget.pass(now),
        };
        match (self.rate.pass(now), budget) {
            (Ok(()), Ok(())) => pass,
            (rate, budget) => Pass::Shut(rate.err().max(budget.err())),
        }
    }

    /// A request goes.
    pub fn take(&mut self, kind: Try, now: Moment) {
        self.rate.take(now);
        match kind {
            Try::First => self.budget.deposit(),
            Try::Again => self.budget.take(now),
        }
    }
}

#[cfg(test)]
mod tests;
