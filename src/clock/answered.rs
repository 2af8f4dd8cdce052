//! How long an answer is waited for, by time in which this process ran.
//!
//! Not here: what follows where none came.
//!
//! A process that was frozen, or had no processor, finds its time over and the answer waiting in the socket. A timer would call that
//! answer lost, as the HTTP client's own does, which is asked first (reqwest 0.13.5): and a request whose answer is lost may have been
//! carried out.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A timer that fires later than this was held up, and so was whatever reads answers.
const HELD_UP: Duration = Duration::from_millis(20);
/// So long is waited then for what has come meanwhile.
const CATCH_UP: Duration = Duration::from_secs(1);
/// And so often, where that end is noticed late again. In all that stays below what a lease of the ledger has to spare (`LEASE_SPARE`).
const CATCH_UPS_MAX: usize = 5;

/// What `work` comes to within `limit`, or none. Each time that the end is noticed late, `work` has another second, five at most.
pub(crate) async fn answered_within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(work);
    let mut end = Instant::now() + limit;
    for _ in 0..=CATCH_UPS_MAX {
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            () = sleep_until(end) => {}
        }
        let now = Instant::now();
        if now.saturating_duration_since(end) < HELD_UP {
            break;
        }
        end = now + CATCH_UP;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;
    use tokio::task::yield_now;
    use tokio::time::{advance, timeout};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn what_is_not_answered_in_time_is_given_up_then_and_not_later() {
        let start = Instant::now();
        let came = timeout(LIMIT * 10, answered_within(LIMIT, pending::<()>())).await;
        assert_eq!(came, Ok(None));
        assert!((LIMIT..LIMIT + HELD_UP).contains(&start.elapsed()), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_came_while_nothing_ran_is_taken_and_one_that_never_comes_ends_all_the_same() {
        for comes in [true, false] {
            let (answer, answered) = oneshot::channel();
            // Like the task that reads a connection: it runs behind whoever waits for the answer.
            let reading = async {
                yield_now().await;
                advance(LIMIT * 3).await;
                yield_now().await;
                if comes {
                    assert!(answer.send(()).is_ok(), "it is waited for");
                }
                pending().await
            };
            let start = Instant::now();
            let came = tokio::select! {
                biased;
                came = timeout(LIMIT * 10, answered_within(LIMIT, answered)) => came.unwrap(),
                () = reading => unreachable!(),
            };
            assert_eq!(came.is_some(), comes);
            let longest = if comes { LIMIT * 3 } else { LIMIT * 3 + CATCH_UP };
            assert!((LIMIT * 3..longest + HELD_UP).contains(&start.elapsed()), "{:?}", start.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_is_always_late_does_not_wait_for_ever() {
        let start = Instant::now();
        let late = async {
            loop {
                yield_now().await;
                advance(CATCH_UP + HELD_UP).await;
            }
        };
        let came = tokio::select! {
            came = timeout(LIMIT * 10, answered_within(LIMIT, pending::<()>())) => came,
            () = late => unreachable!(),
        };
        assert_eq!(came, Ok(None));
        let most = LIMIT + (CATCH_UP + HELD_UP) * 2 * u32::try_from(CATCH_UPS_MAX + 1).unwrap();
        assert!((LIMIT + CATCH_UP..most).contains(&start.elapsed()), "{:?}", start.elapsed());
    }
}
