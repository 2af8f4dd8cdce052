//! Until when the confirms of publishes are waited for, where that has an end.
//!
//! Not here: publishing (`publisher`), and what becomes of an event whose publish is given up (`core::delivery`).

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// Until when a confirm is waited for, where that has an end.
#[derive(Default)]
pub(super) struct Patience {
    limit: Option<Duration>,
    open: VecDeque<(Instant, u64)>,
    /// Those whose confirm comes too late, if it comes.
    over: HashSet<u64>,
}

impl Patience {
    /// Without an end where there is no limit.
    pub(super) fn of(limit: Option<Duration>) -> Self {
        Self { limit, ..Self::default() }
    }

    pub(super) fn begins(&mut self, tag: u64) {
        if let Some(limit) = self.limit {
            self.open.push_back((Instant::now() + limit, tag));
        }
    }

    /// Takes in what came to its end; answers whether it was given up before.
    pub(super) fn is_over(&mut self, tag: u64) -> bool {
        if self.limit.is_some() {
            self.open.retain(|(_, open)| *open != tag);
        }
        self.over.remove(&tag)
    }

    /// The next to be given up, once its time has come.
    pub(super) async fn ends(&mut self) -> u64 {
        let Some((at, tag)) = self.open.front().copied() else { return std::future::pending().await };
        tokio::time::sleep_until(at).await;
        self.open.pop_front();
        self.over.insert(tag);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn what_is_not_confirmed_in_time_is_given_up_in_its_order_and_a_confirm_that_comes_too_late_is_known() {
        let (mut patience, start) = (Patience::of(Some(LIMIT)), Instant::now());
        patience.begins(1);
        tokio::time::advance(LIMIT / 2).await;
        patience.begins(2);
        patience.begins(3);
        assert!(!patience.is_over(2), "it is confirmed in time");
        for (tag, after) in [(1, LIMIT), (3, LIMIT * 3 / 2)] {
            let ended = tokio::time::timeout(LIMIT * 2, patience.ends()).await;
            assert_eq!((ended, start.elapsed()), (Ok(tag), after));
        }
        assert_eq!([1, 1, 2, 3].map(|tag| patience.is_over(tag)), [true, false, false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_is_given_up() {
        let mut patience = Patience::of(None);
        patience.begins(1);
        assert!(tokio::time::timeout(LIMIT * 1000, patience.ends()).await.is_err());
        assert!(!patience.is_over(1));
    }
}
