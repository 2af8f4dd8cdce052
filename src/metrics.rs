//! The numbers of the daemon, in the text format of OpenMetrics. Every name begins with `chakra_bridge_`.
//!
//! Not here: who counts, when, and how the text is served.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

use crate::core::judge::Judgement;

mod broker;
mod certificates;
mod descriptors;
mod ends;
mod flow;
mod gates;
mod ledger;
mod log;
mod outcomes;
mod photos;
mod queues;
mod rules;
mod seen;
mod spans;
#[cfg(test)]
mod tests;

pub use descriptors::Descriptors;
pub use flow::Totals;
pub use log::LogState;
pub use outcomes::ReplyTold;
pub use seen::QueueSeen;

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds: 5 ms to 60 s.
const REQUEST_BUCKETS: [f64; 13] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

type Level = Gauge<u64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Settled {
    result: &'static str,
    rule: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    outcome: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Repeated {
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ruled {
    rule: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Gated {
    scope: String,
    reason: &'static str,
}

/// Every number of the daemon. Shared behind an `Arc`; no method waits for another for longer than finding an entry takes.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    received: Counter,
    settled: Family<Settled, Counter>,
    ends: ends::Ends,
    flow: flow::Flow,
    answered: Family<Answered, Counter>,
    request_took: Histogram,
    possible_duplicates: Family<Repeated, Counter>,
    already_created: Counter,
    duplicates_seen: Counter,
    keys_reused: Family<Ruled, Counter>,
    lookup_verified: Family<Ruled, Level>,
    lookup_lag: Family<Ruled, Gauge<f64, AtomicU64>>,
    lookup_waits: Level,
    rules_reloads: Family<rules::Reloaded, Counter>,
    rules_loaded: Level,
    rule_held: Family<Ruled, Level>,
    rules_outdated: Level,
    unacknowledged: Level,
    in_flight: Level,
    waiting: Level,
    gate: Family<Gated, Level>,
    probes: Counter,
    ramp: Level,
    broker_connected: Level,
    broker_connections: Counter,
    stalls: Counter,
    publishes_refused: Counter,
    dead_letters_waiting: Level,
    last_settled: Level,
    queues: queues::Queues,
    ledger: ledger::Ledger,
    outcomes: outcomes::Outcomes,
    photos: photos::Photos,
    spans: spans::Spans,
    certificates: certificates::Certificates,
    descriptors: Descriptors,
    log: LogState,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Every number at nought.
    #[must_use]
    pub fn new() -> Self {
        let mut all = Registry::with_prefix("chakra_bridge");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        all.register("build", "The version that runs", version);
        let all = &mut all;
        let metrics = Self {
            received: put(all, "events_received", "Events taken from the queue, redelivered ones included"),
            settled: put(all, "events_settled", "Events settled, by result, rule and reason"),
            ends: ends::Ends::registered(all),
            flow: flow::Flow::default(),
            answered: put(all, "api_requests", "Requests to the API, by outcome and status; 0 is no answer"),
            request_took: put_histogram(all, "api_request_duration_seconds", "One API request", REQUEST_BUCKETS),
            possible_duplicates: put(
                all,
                "possible_duplicates",
                "Creates that may make a second process, each announced in the log before it is sent",
            ),
            already_created: put(all, "events_already_created", "Events found to be done already"),
            duplicates_seen: put(all, "duplicates_seen", "Lookups that found more than one process of an event"),
            keys_reused: put(all, "keys_reused", "Events created though another event had their key, by rule"),
            lookup_verified: put(all, "lookup_verified", "1 once the lookup of a rule has found what was just created"),
            lookup_lag: put(all, "lookup_lag_seconds", "How long a process took to show, at most; 0 while unverified"),
            lookup_waits: put(all, "lookup_waiting_events", "Events that wait for the window of their lookup, at most"),
            rules_reloads: put(all, "rules_reloads", "Times that the rules were to be read again, by what came of it"),
            rules_loaded: put(all, "rules_loaded_timestamp_seconds", "When the rules in force were read"),
            rule_held: put(all, "rule_held", "1 while a run of rejections holds the rule, and its events wait"),
            rules_outdated: put(all, "rules_outdated", "1 while the file has mistakes, and other rules are in force"),
            unacknowledged: put(all, "events_unacknowledged", "Events taken and not yet settled"),
            in_flight: put(all, "api_requests_in_flight", "Requests to the API under way"),
            waiting: put(all, "events_waiting", "Unacknowledged events that wait for their next attempt"),
            gate: put(
                all,
                "gate_shut",
                "1 while no request but single probes is begun for this scope: it is shut, or paused",
            ),
            probes: put(all, "gate_probes", "Single requests that tried whether a shut gate may open"),
            ramp: put(
                all,
                "gate_ramp_requests_per_second",
                "Requests that the ramp allows each second after the gate opened; 0 is no limit",
            ),
            broker_connected: put(all, "broker_connected", "1 while deliveries can come in"),
            broker_connections: put(all, "broker_connections", "Connections made to the broker"),
            stalls: put(all, "consumer_stalls", "Times that nothing arrived though the queue held events"),
            publishes_refused: put(all, "publishes_refused", "Publishes that the broker did not confirm"),
            dead_letters_waiting: put(all, "dead_letters_waiting", "Dead letters held here that no queue takes"),
            last_settled: put(all, "last_settled_timestamp_seconds", "When an event was settled last; 0 is never"),
            queues: queues::Queues::registered(all),
            ledger: ledger::Ledger::registered(all),
            outcomes: outcomes::Outcomes::registered(all),
            photos: photos::Photos::registered(all),
            spans: spans::Spans::registered(all),
            certificates: certificates::Certificates::registered(all),
            descriptors: Descriptors::registered(all),
            log: LogState::registered(all),
            registry: std::mem::take(all),
        };
        metrics.foresee();
        metrics
    }

    /// What is known beforehand is there from the start, so that an alert on a rate sees the first increase.
    fn foresee(&self) {
        for outcome in Judgement::NAMES {
            drop(self.answered.get_or_create(&Answered { outcome, status: 0 }));
        }
        self.foresee_reloads();
        self.foresee_outcomes();
        self.gates([]);
    }

    /// Shows a cause of [`Metrics::possible_duplicate`] at nought.
    pub fn foresee_possible_duplicate(&self, cause: &'static str) {
        drop(self.possible_duplicates.get_or_create(&Repeated { cause }));
    }

    /// An event was taken from the queue.
    pub fn received(&self) {
        self.received.inc();
    }

    /// An event was settled. `rule` must be a name out of the configuration, or empty.
    pub fn settled(&self, result: &'static str, rule: &str, reason: &'static str) {
        self.settled.get_or_create(&Settled { result, rule: rule.to_owned(), reason }).inc();
        self.flow.settled(result);
        if result == "dead_lettered" {
            self.ends.dead_letter(reason);
        }
    }

    /// A request to the API ended. `status` is 0 where no answer came.
    pub fn answered(&self, outcome: &'static str, status: u16, took: Duration) {
        self.answered.get_or_create(&Answered { outcome, status }).inc();
        self.request_took.observe(took.as_secs_f64());
        self.flow.answered(outcome, took);
    }

    /// A create was repeated although the one before may have been done.
    pub fn possible_duplicate(&self, cause: &'static str) {
        self.possible_duplicates.get_or_create(&Repeated { cause }).inc();
    }

    /// An event was found to be done already.
    pub fn already_created(&self) {
        self.already_created.inc();
    }

    /// A lookup found more than one process of an event.
    pub fn duplicate_seen(&self) {
        self.duplicates_seen.inc();
    }

    /// So many events are unacknowledged.
    pub fn unacknowledged(&self, n: usize) {
        self.unacknowledged.set(n as u64);
    }

    /// So many requests to the API are under way.
    pub fn in_flight(&self, n: usize) {
        self.in_flight.set(n as u64);
    }

    /// So many unacknowledged events wait for their next attempt.
    pub fn waiting(&self, n: usize) {
        self.waiting.set(n as u64);
    }

    /// A single request tries whether the gate may open.
    pub fn probe(&self) {
        self.probes.inc();
    }

    /// The ramp allows so many requests in the present second; 0 once it has ended.
    pub fn ramp(&self, per_second: u32) {
        self.ramp.set(per_second.into());
    }

    /// An event was settled at this time, in seconds since the Unix epoch.
    pub fn last_settled(&self, unix_seconds: u64) {
        self.last_settled.set(unix_seconds);
    }

    /// All of it as text, of the type [`CONTENT_TYPE`].
    #[must_use]
    #[expect(clippy::expect_used, reason = "writing to a String cannot fail")]
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a String takes every text");
        text
    }
}

fn put<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn put_histogram<const N: usize>(registry: &mut Registry, name: &str, help: &str, buckets: [f64; N]) -> Histogram {
    let histogram = Histogram::new(buckets);
    registry.register(name, help, histogram.clone());
    histogram
}
