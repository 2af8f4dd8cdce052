//! Who may be connected to the admin port: a semaphore of places, and limits of time that are short while places are few.
//!
//! A flood may hold every place, so what a health check waits for is the time that a silent connection may keep its own:
//! the short limits give nearly all places away ten times a second. A bound on connections a second stays beside it:
//! without one, a flood of short connections takes the processor from the events (`cargo bench --bench admin`).
//!
//! Not here: what is said on a connection, and how the limits are kept (`server`).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::core::request_limits::Rate;

/// Connections at a time. In a flood, a place is the time in which a new one is heard: so they are many, and small.
pub const CONNECTIONS_MAX: usize = 256;

/// Of them so many may take a long time. Health checks, scrapes and people are fewer.
const UNHURRIED_MAX: usize = 32;

/// Connections a second, with as many at once after a silence: far more than health checks, scrapes and people need, so few
/// that a flood leaves the processor to the events, and so many that a health check behind a full queue of the kernel's
/// waits two seconds.
const CONNECTIONS_PER_SECOND: f64 = 2500.0;

/// How long a connection may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Reading the head of its request.
    pub(super) head: Duration,
    /// In all: one request and its answer.
    pub(super) whole: Duration,
}

/// Of one that comes while few others are connected.
pub(super) const LIMITS: Limits = Limits { head: Duration::from_secs(5), whole: Duration::from_secs(10) };

/// Of any other. An honest connection takes milliseconds.
const LIMITS_IN_A_FLOOD: Limits = Limits { head: Duration::from_millis(100), whole: Duration::from_secs(1) };

/// The right to be connected, given back by dropping it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) limits: Limits,
    _permit: OwnedSemaphorePermit,
}

/// The free places, and how many more may be given away in this second.
#[derive(Debug)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
    rate: Rate,
    opened: Instant,
}

impl Admission {
    /// All places are free.
    pub(super) fn open() -> Self {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { places, rate: Rate::new(Some(CONNECTIONS_PER_SECOND)), opened: Instant::now() }
    }

    /// A place, as soon as one is free and the rate allows it.
    #[expect(clippy::expect_used, reason = "nothing closes the semaphore")]
    pub(super) async fn admit(&mut self) -> Place {
        while let Err(next) = self.rate.pass(self.opened.elapsed()) {
            sleep_until(self.opened + next).await;
        }
        let limits =
            if self.places.available_permits() > CONNECTIONS_MAX - UNHURRIED_MAX { LIMITS } else { LIMITS_IN_A_FLOOD };
        let permit = Arc::clone(&self.places).acquire_owned().await;
        self.rate.take(self.opened.elapsed());
        Place { limits, _permit: permit.expect("the semaphore is never closed") }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    async fn within<T>(work: impl Future<Output = T>) -> T {
        timeout(Duration::from_secs(60), work).await.expect("within the deadline")
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_come_in_at_once_and_after_that_so_many_a_second() {
        let (mut admission, begun) = (Admission::open(), Instant::now());
        let mut came = Vec::new();
        within(async {
            for _ in 0..7501 {
                drop(admission.admit().await);
                came.push(begun.elapsed());
            }
        })
        .await;
        let slack = Duration::from_millis(3);
        for (number, due) in [(2499, 0), (2500, 0), (5000, 1000), (7500, 2000)] {
            let late = came[number].abs_diff(Duration::from_millis(due));
            assert!(late <= slack, "{number} came after {:?}", came[number]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_beyond_the_first_few_is_held_for_a_short_time_only() {
        let mut admission = Admission::open();
        let mut held = Vec::new();
        for number in 0..CONNECTIONS_MAX {
            let place = within(admission.admit()).await;
            let limits = if number < UNHURRIED_MAX { LIMITS } else { LIMITS_IN_A_FLOOD };
            assert_eq!(place.limits, limits, "{number}");
            held.push(place);
        }
        let more = timeout(Duration::from_secs(10), admission.admit()).await;
        assert!(more.is_err(), "a place beyond the last: {more:?}");
        held.pop();
        assert_eq!(within(admission.admit()).await.limits, LIMITS_IN_A_FLOOD);
        held.clear();
        assert_eq!(within(admission.admit()).await.limits, LIMITS);
    }
}
