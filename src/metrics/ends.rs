//! The ends of events: how long they took and how old they were, why they died; and when the token was taken last.
//!
//! Not here: how many there were of each kind (`Metrics::settled`).

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Level, Metrics, put, put_histogram};
use crate::core::reason::Reason;

/// Seconds: 5 ms to a day; an event may wait between its requests, in memory and in the broker.
const EVENT_BUCKETS: [f64; 14] =
    [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0, 86_400.0];

/// Seconds: 0.1 s to a week; an event may wait in the broker before it is taken.
const AGE_BUCKETS: [f64; 11] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0, 604_800.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reasoned {
    reason: &'static str,
}

/// Their numbers.
#[derive(Debug)]
pub(super) struct Ends {
    took: Histogram,
    age: Histogram,
    dead_letters: Family<Reasoned, Counter>,
    token_accepted: Level,
}

impl Ends {
    pub(super) fn registered(all: &mut Registry) -> Self {
        let dead_letters: Family<Reasoned, Counter> =
            put(all, "dead_letters", "Dead letters that the broker keeps, by reason");
        // From nought, so that an alert on a rate sees the first.
        for reason in Reason::ALL {
            drop(dead_letters.get_or_create(&Reasoned { reason: reason.as_str() }));
        }
        let took =
            put_histogram(all, "event_duration_seconds", "From receive to the end, delays included", EVENT_BUCKETS);
        let age =
            put_histogram(all, "event_age_seconds", "From publishing to the end, by the message's time", AGE_BUCKETS);
        let token_accepted =
            put(all, "token_accepted_timestamp_seconds", "When the API took the token last; 0 is never");
        Self { took, age, dead_letters, token_accepted }
    }

    pub(super) fn dead_letter(&self, reason: &'static str) {
        self.dead_letters.get_or_create(&Reasoned { reason }).inc();
    }

    pub(super) fn dead_letters_so_far(&self, reason: &'static str) -> u64 {
        self.dead_letters.get(&Reasoned { reason }).map_or(0, |count| count.get())
    }
}

impl Metrics {
    /// An event took this long from receive to its end, its waits in the broker included.
    pub fn event_took(&self, took: Duration) {
        self.ends.took.observe(took.as_secs_f64());
        self.flow.took(took);
    }

    /// An event came to its end so long after it was published.
    pub fn event_aged(&self, age: Duration) {
        self.ends.age.observe(age.as_secs_f64());
        self.flow.aged(age);
    }

    /// The API took the token at this time, in seconds since the Unix epoch.
    pub fn token_accepted(&self, unix_seconds: u64) {
        self.ends.token_accepted.set(unix_seconds);
    }
}
