//! Spans: how many were sent to the collector, and how many were lost on the way.
//!
//! Not here: which spans there are (`dispatch`), and how they are sent (`telemetry`).

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::{Metrics, put};

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Spans {
    sent: Counter,
    dropped: Counter,
}

impl Spans {
    pub(super) fn registered(all: &mut Registry) -> Self {
        Self {
            sent: put(all, "spans_sent", "Spans that the collector took"),
            dropped: put(all, "spans_dropped", "Spans that were lost: the collector was away, slow, or refused them"),
        }
    }
}

impl Metrics {
    /// The collector took so many spans.
    pub fn spans_sent(&self, count: u64) {
        self.spans.sent.inc_by(count);
    }

    /// So many spans are lost.
    pub fn spans_dropped(&self, count: u64) {
        self.spans.dropped.inc_by(count);
    }
}
