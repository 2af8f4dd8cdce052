//! What flows, as sums that can be subtracted from each other: the families of the text cannot be walked.
//!
//! Not here: rates and the last hour (`admin::status`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Metrics;

/// Everything since the start, and the levels of now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events taken from the queue.
    pub received: u64,
    /// Events that are processes: created now, found, or created before.
    pub processes: u64,
    /// Events that a rule skips.
    pub skipped: u64,
    /// Events that became dead letters.
    pub dead: u64,
    /// Events put into a delay queue.
    pub delayed: u64,
    /// Requests that were answered, or whose answer did not come.
    pub requests: u64,
    /// Those of them that the API did not serve.
    pub failed: u64,
    /// How long all of them took, in microseconds.
    pub requests_us: u64,
    /// Events that came to an end.
    pub ends: u64,
    /// How long all of them took from receive to the end, in milliseconds.
    pub took_ms: u64,
    /// Ends of events whose message says when it was published.
    pub aged: u64,
    /// How old all of those were, in milliseconds.
    pub ages_ms: u64,
    /// Events taken and not settled.
    pub held: u64,
    /// Those of them without a request under way.
    pub waiting: u64,
    /// Requests under way.
    pub in_flight: u64,
}

impl Totals {
    /// What has come since `before`; the levels are those of now.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            received: self.received.saturating_sub(before.received),
            processes: self.processes.saturating_sub(before.processes),
            skipped: self.skipped.saturating_sub(before.skipped),
            dead: self.dead.saturating_sub(before.dead),
            delayed: self.delayed.saturating_sub(before.delayed),
            requests: self.requests.saturating_sub(before.requests),
            failed: self.failed.saturating_sub(before.failed),
            requests_us: self.requests_us.saturating_sub(before.requests_us),
            ends: self.ends.saturating_sub(before.ends),
            took_ms: self.took_ms.saturating_sub(before.took_ms),
            aged: self.aged.saturating_sub(before.aged),
            ages_ms: self.ages_ms.saturating_sub(before.ages_ms),
            ..*self
        }
    }
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Flow {
    processes: AtomicU64,
    skipped: AtomicU64,
    dead: AtomicU64,
    delayed: AtomicU64,
    requests: AtomicU64,
    failed: AtomicU64,
    requests_us: AtomicU64,
    ends: AtomicU64,
    took_ms: AtomicU64,
    aged: AtomicU64,
    ages_ms: AtomicU64,
}

fn add(to: &AtomicU64, what: u128) {
    to.fetch_add(u64::try_from(what).unwrap_or(u64::MAX), Ordering::Relaxed);
}

fn seen(sum: &AtomicU64) -> u64 {
    sum.load(Ordering::Relaxed)
}

impl Flow {
    pub(super) fn settled(&self, result: &str) {
        let sum = match result {
            "created" | "found" | "already_created" | "duplicate" => &self.processes,
            "skipped" => &self.skipped,
            "dead_lettered" | "already_dead_lettered" => &self.dead,
            "delayed" => &self.delayed,
            _ => return,
        };
        add(sum, 1);
    }

    pub(super) fn answered(&self, outcome: &str, took: Duration) {
        add(&self.requests, 1);
        add(&self.requests_us, took.as_micros());
        add(&self.failed, u128::from(matches!(outcome, "retry" | "unsure" | "unavailable" | "halt")));
    }

    pub(super) fn took(&self, took: Duration) {
        add(&self.ends, 1);
        add(&self.took_ms, took.as_millis());
    }

    pub(super) fn aged(&self, age: Duration) {
        add(&self.aged, 1);
        add(&self.ages_ms, age.as_millis());
    }
}

impl Metrics {
    /// What has flowed so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let flow = &self.flow;
        Totals {
            received: self.received.get(),
            processes: seen(&flow.processes),
            skipped: seen(&flow.skipped),
            dead: seen(&flow.dead),
            delayed: seen(&flow.delayed),
            requests: seen(&flow.requests),
            failed: seen(&flow.failed),
            requests_us: seen(&flow.requests_us),
            ends: seen(&flow.ends),
            took_ms: seen(&flow.took_ms),
            aged: seen(&flow.aged),
            ages_ms: seen(&flow.ages_ms),
            held: self.unacknowledged.get(),
            waiting: self.waiting.get(),
            in_flight: self.in_flight.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::judge::Judgement;

    #[test]
    fn every_result_and_every_answer_is_counted_once_where_it_belongs() {
        let metrics = Metrics::new();
        for result in
            ["created", "found", "already_created", "duplicate", "skipped", "dead_lettered", "delayed", "requeued"]
        {
            metrics.settled(result, "lead", "");
        }
        Judgement::NAMES.iter().for_each(|outcome| metrics.answered(outcome, 200, Duration::from_millis(10)));
        metrics.event_took(Duration::from_millis(7));
        metrics.event_aged(Duration::from_secs(1));
        metrics.received();
        metrics.unacknowledged(3);
        let totals = metrics.totals();
        let wanted = Totals { received: 1, processes: 4, skipped: 1, dead: 1, delayed: 1, held: 3, ..totals };
        assert_eq!(totals, wanted);
        assert_eq!((totals.requests, totals.failed, totals.requests_us), (9, 4, 90_000));
        assert_eq!((totals.ends, totals.took_ms, totals.aged, totals.ages_ms), (1, 7, 1, 1000));
    }
}
