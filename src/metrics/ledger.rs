//! How the ledger of events fares.
//!
//! Not here: asking it (`ledger`).

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Level, Metrics, put, put_histogram};

/// Seconds: 0.5 ms to 5 s.
const COMMIT_BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Its numbers; all at nought where none is configured.
#[derive(Debug)]
pub(super) struct Ledger {
    up: Level,
    degraded: Level,
    commit: Histogram,
    failures: Counter,
    rows: Level,
    bytes: Level,
    oldest: Level,
    pruned: Counter,
    unrecorded: Counter,
}

impl Ledger {
    pub(super) fn registered(all: &mut Registry) -> Self {
        Self {
            up: put(all, "ledger_up", "1 while the ledger answers; 0 also where none is configured"),
            degraded: put(all, "ledger_degraded", "1 while a crash of its machine could lose what it has committed"),
            commit: put_histogram(all, "ledger_commit_seconds", "One transaction of the ledger", COMMIT_BUCKETS),
            failures: put(all, "ledger_failures", "Times that the ledger could not be asked, or did not commit"),
            rows: put(all, "ledger_rows", "Rows of the ledger, as Postgres estimates them; 0 with SQLite"),
            bytes: put(
                all,
                "ledger_bytes",
                "Size of the ledger: the file of SQLite, the table and its indices of Postgres",
            ),
            oldest: put(all, "ledger_oldest_seconds", "How long ago the first event ended that the ledger still keeps"),
            unrecorded: put(
                all,
                "ledger_unrecorded",
                "Processes acknowledged at the end of a daemon that the ledger could not be told of",
            ),
            pruned: put(all, "ledger_pruned", "Rows deleted since they were older than ledger.keep"),
        }
    }
}

impl Metrics {
    /// A process was acknowledged that the ledger does not know of.
    pub fn ledger_unrecorded(&self) {
        self.ledger.unrecorded.inc();
    }

    /// Whether the ledger answers.
    pub fn ledger_up(&self, is_up: bool) {
        self.ledger.up.set(is_up.into());
    }

    /// Whether what it has committed may be lost.
    pub fn ledger_degraded(&self, is_degraded: bool) {
        self.ledger.degraded.set(is_degraded.into());
    }

    /// A transaction was committed.
    pub fn ledger_committed(&self, took: Duration) {
        self.ledger.commit.observe(took.as_secs_f64());
    }

    /// It could not be asked, or did not commit.
    pub fn ledger_failed(&self) {
        self.ledger.failures.inc();
    }

    /// So many rows were deleted.
    pub fn ledger_pruned(&self, rows: u64) {
        self.ledger.pruned.inc_by(rows);
    }

    /// How large it is, how many rows it has if that is known, and how old the first end is.
    pub fn ledger_size(&self, bytes: u64, rows: Option<u64>, oldest_s: u64) {
        self.ledger.bytes.set(bytes);
        self.ledger.rows.set(rows.unwrap_or_default());
        self.ledger.oldest.set(oldest_s);
    }
}
