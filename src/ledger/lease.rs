//! How long this replica's lease certainly runs, by two clocks: one that nobody can set, and one that goes on while the machine sleeps.
//!
//! Not here: asking for it (`housekeeping`), and whose lease ended (`core::ledger`, by the store's clock).

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The end of a lease, as of the moment before it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    until: Instant,
    /// By the time of day.
    until_date: SystemTime,
}

impl Lease {
    /// None at all.
    pub(super) fn none() -> Self {
        Self { until: Instant::now(), until_date: SystemTime::UNIX_EPOCH }
    }

    /// One of this length that is about to be asked for.
    pub(super) fn asked_now(length: Duration) -> Self {
        Self { until: Instant::now() + length, until_date: SystemTime::now() + length }
    }

    /// How much of it is left: the less of what both clocks say.
    pub(super) fn left(&self) -> Duration {
        let by_date = self.until_date.duration_since(SystemTime::now()).unwrap_or_default();
        self.until.saturating_duration_since(Instant::now()).min(by_date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_by_whichever_clock_is_first() {
        let hour = Duration::from_secs(3600);
        assert_eq!(Lease::none().left(), Duration::ZERO);
        let whole = Lease::asked_now(hour);
        assert!(whole.left() > hour / 2 && whole.left() <= hour);
        assert_eq!(Lease { until_date: SystemTime::now(), ..whole }.left(), Duration::ZERO);
        assert_eq!(Lease { until: Instant::now(), ..whole }.left(), Duration::ZERO);
    }
}
