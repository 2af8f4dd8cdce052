//! Where a wait is spent: in memory, with the event unacknowledged, or in a delay queue of the broker, and in which one.
//!
//! Not here: publishing to a delay queue, and how long a wait is (`backoff`).

use std::time::Duration;

/// One delay queue: it holds one wait only, since a longer one at the head of a queue would hold up all behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayQueue {
    /// The end of the queue's name: `<queue>.wait.<label>`.
    pub label: &'static str,
    /// How long it keeps a message before it goes back to the work queue.
    pub wait: Duration,
}

/// The delay queues, the shortest wait first.
pub const DELAY_QUEUES: [DelayQueue; 4] = [
    DelayQueue { label: "10s", wait: Duration::from_secs(10) },
    DelayQueue { label: "1m", wait: Duration::from_secs(60) },
    DelayQueue { label: "10m", wait: Duration::from_secs(600) },
    DelayQueue { label: "1h", wait: Duration::from_secs(3600) },
];

/// How much waiting is done in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalDelay {
    /// The longest an event may be held unacknowledged, its wait included.
    pub max_local_delay: Duration,
    /// The prefetch; the events that wait take a quarter of it at most.
    pub places: usize,
}

impl LocalDelay {
    /// Whether an event that has been held for `held` and is to wait `wait` goes to a delay queue, while `waiting` other held
    /// events wait.
    #[must_use]
    pub fn is_exceeded(&self, held: Duration, wait: Duration, waiting: usize) -> bool {
        !wait.is_zero() && (held.saturating_add(wait) > self.max_local_delay || self.is_crowded(waiting))
    }

    /// Whether those that wait take more than their quarter.
    #[must_use]
    pub fn is_crowded(&self, waiting: usize) -> bool {
        waiting.saturating_mul(4) >= self.places.max(4)
    }
}

/// The longest delay queue that is not above `wait`, or the shortest; and what is left to wait after it. So a random
/// wait stays as long as it was drawn: the events that failed together do not come back together.
#[must_use]
pub fn delay_queue_for(wait: Duration) -> (DelayQueue, Duration) {
    let fitting = DELAY_QUEUES.iter().rev().find(|delay_queue| delay_queue.wait <= wait);
    let delay_queue = *fitting.unwrap_or(&DELAY_QUEUES[0]);
    (delay_queue, wait.saturating_sub(delay_queue.wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LOCAL_DELAY: LocalDelay = LocalDelay { max_local_delay: Duration::from_secs(10), places: 64 };

    #[test]
    fn a_short_wait_is_spent_in_memory_and_one_beyond_the_budget_is_delayed() {
        assert!(!LOCAL_DELAY.is_exceeded(Duration::ZERO, 10 * SECOND, 0));
        assert!(LOCAL_DELAY.is_exceeded(Duration::ZERO, 11 * SECOND, 0));
        assert!(LOCAL_DELAY.is_exceeded(6 * SECOND, 5 * SECOND, 0));
    }

    #[test]
    fn those_that_wait_take_a_quarter_of_the_places_at_most() {
        assert!(!LOCAL_DELAY.is_exceeded(Duration::ZERO, SECOND, 15));
        assert!(LOCAL_DELAY.is_exceeded(Duration::ZERO, SECOND, 16));
        assert!(!LOCAL_DELAY.is_exceeded(Duration::ZERO, Duration::ZERO, 60), "what need not wait is not delayed");
        assert!(!LocalDelay { places: 1, ..LOCAL_DELAY }.is_exceeded(Duration::ZERO, SECOND, 0), "one place may wait");
    }

    #[test]
    fn the_delay_queues_of_a_wait_and_what_is_left_add_up_to_it() {
        for seconds in [10, 11, 59, 60, 47, 599, 600, 3599, 3600, 86_400] {
            let (mut left, mut waited, mut delayed) = (seconds * SECOND, Duration::ZERO, 0);
            while left >= DELAY_QUEUES[0].wait {
                let (delay_queue, rest) = delay_queue_for(left);
                (left, waited, delayed) = (rest, waited + delay_queue.wait, delayed + 1);
            }
            assert_eq!(waited + left, seconds * SECOND);
            assert!(delayed <= 24 + 5 + 9 + 5, "{seconds} s: delayed {delayed} times");
        }
    }

    #[test]
    fn a_wait_below_the_shortest_delay_queue_takes_the_shortest() {
        assert_eq!(delay_queue_for(SECOND), (DELAY_QUEUES[0], Duration::ZERO));
    }

    #[test]
    fn the_delay_queues_grow() {
        assert!(DELAY_QUEUES.is_sorted_by_key(|delay_queue| delay_queue.wait));
    }
}
