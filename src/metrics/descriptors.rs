//! How often, and when last, no descriptor was left: the process had as many files and connections open as it may.
//!
//! Not here: how that is noticed, and what follows for whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::{Metrics, put};

/// So long after the last time descriptors count as short, in milliseconds.
const SHORT_FOR_MS: u64 = 30_000;

/// What a descriptor was wanted for: `api`, `broker`, or `admin`.
const WANTED_FOR: [&str; 3] = ["api", "broker", "admin"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WantedFor {
    connection: &'static str,
}

/// The state of it. Clones share one.
#[derive(Clone, Debug, Default)]
pub struct Descriptors {
    shortages: Family<WantedFor, Counter>,
    /// In milliseconds since the Unix epoch; 0 for never.
    last_ms: Arc<AtomicU64>,
}

impl Descriptors {
    /// One whose count is among the numbers, from nought.
    pub(super) fn registered(all: &mut Registry) -> Self {
        let words = "Connections that could not be opened since no descriptor was left, by what for";
        let shortages: Family<WantedFor, Counter> = put(all, "descriptor_shortages", words);
        WANTED_FOR.iter().for_each(|connection| drop(shortages.get_or_create(&WantedFor { connection })));
        Self { shortages, ..Self::default() }
    }

    /// None was left for this kind of connection, at this time.
    pub fn short(&self, connection: &'static str, now_ms: u64) {
        self.shortages.get_or_create(&WantedFor { connection }).inc();
        self.last_ms.store(now_ms.max(1), Ordering::Relaxed);
    }

    /// Whether they were short lately.
    #[must_use]
    pub fn are_short(&self, now_ms: u64) -> bool {
        let last_ms = self.last_ms.load(Ordering::Relaxed);
        last_ms > 0 && now_ms.saturating_sub(last_ms) < SHORT_FOR_MS
    }
}

impl Metrics {
    /// Where whoever is left without a descriptor says so.
    #[must_use]
    pub fn descriptors(&self) -> Descriptors {
        self.descriptors.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_short_for_a_while_after_the_last_time_and_each_time_counts() {
        let metrics = Metrics::new();
        let descriptors = metrics.descriptors();
        assert!(!descriptors.are_short(0) && !descriptors.are_short(u64::MAX));
        descriptors.short("api", 1_000);
        descriptors.short("api", 2_000);
        assert!(descriptors.are_short(2_000) && descriptors.are_short(2_000 + SHORT_FOR_MS - 1));
        assert!(!descriptors.are_short(2_000 + SHORT_FOR_MS));
        let text = metrics.text();
        assert!(text.contains("chakra_bridge_descriptor_shortages_total{connection=\"api\"} 2"), "{text}");
        assert!(text.contains("chakra_bridge_descriptor_shortages_total{connection=\"admin\"} 0"), "{text}");
    }
}
