//! How long one call to the broker may take: so long without a sign of progress.
//!
//! Not here: what is done about a call that took too long (`connection`).
//!
//! The client library reads and writes a connection in one thread: it takes in all that the broker has sent, up to 32 frames, before
//! it writes what waits, and hands an answer on after everything that came before it (lapin 4.12.3). A daemon that has little of its
//! processor is busy with deliveries meanwhile, and no broker is stuck. So what is delivered prolongs the calls beside it. That ends:
//! without acknowledgements the broker delivers no more than the prefetch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::error::BrokerError;
use crate::clock::answered_within;

/// The longest that a call may take while nothing is delivered.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    quiet: Duration,
    /// How many messages came by the connection of the call.
    delivered: Arc<AtomicU64>,
}

impl Limit {
    /// Where nothing is delivered, it is this long, as `answered_within` counts it.
    pub(super) fn of(quiet: Duration) -> Self {
        Self { quiet, delivered: Arc::default() }
    }

    /// Without what deliveries add.
    pub(super) fn quiet(&self) -> Duration {
        self.quiet
    }

    /// A message was read.
    pub(super) fn prolong(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }
}

impl From<Duration> for Limit {
    fn from(quiet: Duration) -> Self {
        Self::of(quiet)
    }
}

/// Awaits one call to the broker, with a limit: a timed-out call leaves the connection in an unknown state.
pub(super) async fn within<T>(
    limit: impl Into<Limit>,
    what: &str,
    call: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BrokerError> {
    let limit = limit.into();
    tokio::pin!(call);
    loop {
        let before = limit.delivered();
        match answered_within(limit.quiet, &mut call).await {
            Some(done) => return done.map_err(|error| BrokerError::during(what, &error)),
            None if limit.delivered() != before => {}
            None => return Err(BrokerError::late(what, limit.quiet)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::{Instant, interval, timeout};

    use super::*;

    const QUIET: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nothing_is_delivered_beside_ends_at_its_limit_and_says_what_it_was() {
        let start = Instant::now();
        let late = within(QUIET, "acknowledging", pending::<lapin::Result<()>>()).await.unwrap_err();
        assert!(late.to_string().starts_with("acknowledging: no answer from the broker within 10 s"), "{late}");
        assert_eq!(start.elapsed(), QUIET);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_goes_on_while_messages_are_read_beside_it_and_no_longer() {
        let (limit, start) = (Limit::of(QUIET), Instant::now());
        let reading = async {
            let mut reads = interval(QUIET / 2);
            while start.elapsed() < QUIET * 3 {
                reads.tick().await;
                limit.prolong();
            }
            pending().await
        };
        let answered = async { Ok(timeout(QUIET * 2, pending::<()>()).await.is_err()) };
        let asked = async { (within(limit.clone(), "closing", answered).await, start.elapsed()) };
        let stuck = within(limit.clone(), "closing", pending::<lapin::Result<()>>());
        let all = async { tokio::join!(asked, stuck) };
        let (asked, stuck) = tokio::select! {
            ended = timeout(QUIET * 10, all) => ended.unwrap(),
            () = reading => unreachable!(),
        };
        assert_eq!(asked, (Ok(true), QUIET * 2));
        // The last message was read after 30 s, and the limit begins anew each 10 s.
        assert!(stuck.is_err() && (QUIET * 4..=QUIET * 5).contains(&start.elapsed()), "{:?}", start.elapsed());
    }
}
