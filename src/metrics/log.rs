//! How the log fares: the lines that were dropped, and since when it stands still.
//!
//! Not here: the lines (`telemetry`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::{Metrics, put};

/// How the log fares. Clones share one state. Times are in milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default)]
pub struct LogState {
    dropped: Counter,
    times: Arc<Times>,
}

/// 0 is never.
#[derive(Debug, Default)]
struct Times {
    dropping: AtomicU64,
    writing: AtomicU64,
}

impl LogState {
    /// One whose count is among the numbers, from nought.
    pub(super) fn registered(all: &mut Registry) -> Self {
        let dropped = put(all, "log_lines_dropped", "Log lines dropped because those before them were not written");
        Self { dropped, ..Self::default() }
    }

    /// A line was dropped at this time.
    pub fn dropped(&self, now_ms: u64) {
        self.dropped.inc();
        // Only the first of a row sets the time.
        let _first = self.times.dropping.compare_exchange(0, now_ms.max(1), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Every line is out that was waiting when the first was dropped.
    pub fn goes_again(&self) {
        self.times.dropping.store(0, Ordering::Relaxed);
    }

    /// A line begins to be written at this time.
    pub fn writing(&self, now_ms: u64) {
        self.times.writing.store(now_ms.max(1), Ordering::Relaxed);
    }

    /// The line is written.
    pub fn written(&self) {
        self.times.writing.store(0, Ordering::Relaxed);
    }

    /// How many lines were dropped since the start.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.get()
    }

    /// Since when lines are dropped; nothing while none is.
    #[must_use]
    pub fn dropping_since_ms(&self) -> Option<u64> {
        Some(self.times.dropping.load(Ordering::Relaxed)).filter(|since| *since > 0)
    }

    /// Since when the present line waits to be written; nothing while there is none. A log that is read takes
    /// microseconds for a line.
    #[must_use]
    pub fn stuck_since_ms(&self) -> Option<u64> {
        Some(self.times.writing.load(Ordering::Relaxed)).filter(|since| *since > 0)
    }
}

impl Metrics {
    /// How the log fares; whoever writes it says so there.
    #[must_use]
    pub fn log(&self) -> LogState {
        self.log.clone()
    }
}
