//! The two clocks of the shell: time since the start, and the time of day.
//!
//! Not here: sleeping, but for an answer (`clock/answered.rs`). The core gets its time from here, as an argument.

mod answered;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use tokio::time::Instant;

use crate::core::gate::Moment;
pub(crate) use answered::answered_within;

/// Both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Moment {
        self.start.elapsed()
    }

    pub(crate) fn instant(&self, moment: Moment) -> Instant {
        self.start + moment
    }
}

/// Epoch nanoseconds; 0 if the machine's clock stands before 1970.
pub(crate) fn epoch_ns() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// Epoch milliseconds; 0 if the machine's clock stands before 1970.
pub(crate) fn epoch_ms() -> u64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Whole milliseconds; the most that there are if it is longer.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A time as the log tells it: seconds, with three digits behind the point at most.
pub(crate) fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

/// A moment as the log tells it: RFC 3339, in UTC, to the second.
pub(crate) fn date_of(epoch_ms: u64) -> String {
    let date = i64::try_from(epoch_ms / 1000).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    date.map(|date| date.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_seconds_with_three_digits_behind_the_point_at_most() {
        let told = [(0, 0.0), (1, 0.0), (1_234_567, 1.235), (59_999_500, 60.0)];
        for (micros, wanted) in told {
            let told = seconds(Duration::from_micros(micros));
            assert!((told - wanted).abs() < f64::EPSILON, "{micros}: {told}");
        }
    }

    #[test]
    fn a_moment_is_told_as_a_date() {
        assert_eq!(date_of(1_700_000_000_999), "2023-11-14T22:13:20Z");
        assert_eq!(date_of(u64::MAX), "");
    }
}
