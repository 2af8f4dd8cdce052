//! Waiting for what a test wants to see, by asking again and again until a deadline.
//!
//! Not here: sleeping for a while and hoping.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Looks until the answer is yes; past the deadline the test fails and says what it waited for.
pub async fn eventually<F>(deadline: Duration, what: &str, lookup: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    assert!(comes_true(deadline, lookup).await, "waited {deadline:?} in vain for: {what}");
}

/// Whether the answer becomes yes before the deadline.
pub async fn comes_true<F>(deadline: Duration, mut lookup: impl FnMut() -> F) -> bool
where
    F: Future<Output = bool>,
{
    let mut ticks = interval(BETWEEN_LOOKS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let lookups = async {
        loop {
            ticks.tick().await;
            if lookup().await {
                return;
            }
        }
    };
    timeout(deadline, lookups).await.is_ok()
}
