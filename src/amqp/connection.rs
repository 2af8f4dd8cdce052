//! The loop that makes the connections to the broker again whenever they are gone.
//!
//! Not here: the client library's own recovery, which stays off: it re-declares for ever at its shortest delay,
//! and leaves consumers that never learn of their end (measured with lapin 4.12.3).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use lapin::Event;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Config;
use super::connect::{Connections, Tries};
use super::error::BrokerError;
use super::fallback;
use super::notices::Notices;
use super::session::Session;
use super::stall::StallDetector;
use crate::clock::{epoch_ms, seconds};
use crate::core::backoff::{ceiling, jittered};
use crate::files;
use crate::handover::inbound::Inbound;
use crate::handover::prefetch::WantedPrefetch;
use crate::metrics::Metrics;
use crate::states::broker::{BrokerState, BrokerStatus};
use crate::states::phase::stopped;

/// Connections that stood this long have the next wait begin at the shortest again.
const STABLE: Duration = Duration::from_secs(60);
/// After a message that could not be parsed, so many times the prefetch are taken one at a time: the message comes back
/// among those that were unacknowledged with it, at no certain place.
const CAUTIOUS_FOR: u16 = 4;

/// The endpoints of the channels between the consumer and the rest of the daemon.
pub struct Endpoints {
    /// Where messages go.
    pub intake: mpsc::Sender<Inbound>,
    /// True once nothing more is to be taken.
    pub stop: watch::Receiver<bool>,
    /// How many events are wanted.
    pub wanted_prefetch: watch::Receiver<WantedPrefetch>,
    /// How the broker is doing, for the probes.
    pub state: watch::Sender<BrokerStatus>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Consumes until `endpoints.stop` is true and every unacknowledged message is answered.
/// Never gives the broker up: each failure is said, waited for with full jitter, and tried again.
///
/// Answers whether the broker took every answer; false if the connection was lost with unacknowledged messages at the end.
pub async fn run(config: Config, mut endpoints: Endpoints) -> bool {
    fallback::make().await;
    let mut failures = 0;
    let mut previous = Previous::new(&config);
    let is_settled = loop {
        endpoints.becomes(BrokerState::Connecting);
        let Err(error) = stand(&config, &mut endpoints, &mut previous).await else { break true };
        previous.learn(&config, &error);
        endpoints.metrics.broker_connected(false);
        if files::tells_of_want_of_descriptors(&error.to_string()) {
            endpoints.metrics.descriptors().short("broker", epoch_ms());
        }
        endpoints.becomes(BrokerState::Lost { why: error.to_string() });
        if *endpoints.stop.borrow() {
            tracing::warn!("broker lost while stopping: {error}");
            break previous.consuming_since.is_none();
        }
        if endpoints.intake.send(Inbound::Disconnected).await.is_err() {
            break false;
        }
        failures = if previous.is_stable() { 0 } else { failures + 1 };
        pause(&config, failures, &error, &mut endpoints.stop).await;
        if *endpoints.stop.borrow() {
            break true;
        }
    };
    endpoints.metrics.broker_connected(false);
    endpoints.becomes(BrokerState::Closed);
    is_settled
}

const BLOCKED: &str = "the broker blocks whoever publishes: it has an alarm, for memory or disk; free some. Events that need \
     no dead letter and no delay are delivered; the others stay unacknowledged";

/// What the generation before came to.
pub(super) struct Previous {
    /// Since when it consumes, if it got as far.
    pub(super) consuming_since: Option<Instant>,
    /// What was told of the queues.
    pub(super) notices: Notices,
    /// What was told last of delay queues that the management API shows to be wrong.
    pub(super) wrong_delays: Option<String>,
    /// What was learned of the addresses.
    tries: Tries,
    /// When the queue delivered last.
    pub(super) stall_detector: StallDetector,
    /// So many messages are still taken one at a time, because one could not be parsed: each lost connection counts
    /// towards the delivery limit of everything unacknowledged.
    pub(super) cautious_for: u16,
}

impl Previous {
    /// How many events may be taken of those that are wanted.
    pub(super) fn allows(&self, wanted: WantedPrefetch) -> WantedPrefetch {
        if self.cautious_for > 0 { WantedPrefetch::One } else { wanted }
    }

    /// What an error says of the messages that come next.
    fn learn(&mut self, config: &Config, error: &BrokerError) {
        if error.is_unparsable() {
            self.cautious_for = config.prefetch.saturating_mul(CAUTIOUS_FOR);
            self.tries.expect_frame(error.large_frame());
        }
        if self.cautious_for == 0 {
            self.tries.expect_frame(None);
        }
    }

    /// Whether it consumed for long enough. What failed slowly was not stable.
    fn is_stable(&self) -> bool {
        self.consuming_since.is_some_and(|since| since.elapsed() >= STABLE)
    }

    fn new(config: &Config) -> Self {
        Self {
            consuming_since: None,
            notices: Notices::default(),
            wrong_delays: None,
            tries: Tries::default(),
            stall_detector: StallDetector::new(config.stall_timeout, Instant::now()),
            cautious_for: 0,
        }
    }
}

impl Endpoints {
    fn becomes(&self, state: BrokerState) {
        self.state.send_modify(|status| status.becomes(state));
    }
}

/// One generation: connects, checks the topology and consumes, until the stop (`Ok`) or the first error.
async fn stand(config: &Config, endpoints: &mut Endpoints, previous: &mut Previous) -> Result<(), BrokerError> {
    previous.consuming_since = None;
    let connections = tokio::select! {
        connections = Connections::open(config, &mut previous.tries) => connections?,
        // A broker that does not answer must not hold up the end.
        () = stopped(&mut endpoints.stop) => return Ok(()),
    };
    let blocks = connections.publishing.events_listener();
    let state = endpoints.state.clone();
    let end = tokio::select! {
        end = consume(config, &connections, endpoints, previous) => end,
        never = tell_blocks(blocks, state) => match never {},
    };
    connections.close().await;
    end
}

async fn consume(
    config: &Config,
    connections: &Connections,
    endpoints: &mut Endpoints,
    previous: &mut Previous,
) -> Result<(), BrokerError> {
    let mut stop = endpoints.stop.clone();
    let session = tokio::select! {
        session = Session::open(config, connections, endpoints, previous) => session?,
        // Nothing was taken yet: what was delivered goes back with the connection.
        () = stopped(&mut stop) => return Ok(()),
    };
    endpoints.metrics.broker_connected(true);
    endpoints.metrics.broker_connections();
    endpoints.becomes(BrokerState::Consuming);
    tracing::info!(broker = %connections.address, queue = config.queue, prefetch = config.prefetch, "consuming");
    session.serve(endpoints).await
}

/// Tells when the broker stops accepting publishes, and when it does so again.
async fn tell_blocks(events: impl Stream<Item = Event>, state: watch::Sender<BrokerStatus>) -> Infallible {
    tokio::pin!(events);
    while let Some(event) = events.next().await {
        match event {
            Event::ConnectionBlocked(reason) => {
                tracing::warn!(reason, "{BLOCKED}");
                state.send_modify(|status| status.blocked = Some(reason));
            }
            Event::ConnectionUnblocked => {
                tracing::info!("the broker accepts publishes again");
                state.send_modify(|status| status.blocked = None);
            }
            _ => {}
        }
    }
    std::future::pending().await
}

async fn pause(config: &Config, failures: u32, error: &BrokerError, stop: &mut watch::Receiver<bool>) {
    let (initial, max) = config.reconnect;
    let wait = jittered(ceiling(initial, 2.0, max, failures.saturating_sub(1)), fastrand::f64());
    tracing::warn!(retry_in_s = seconds(wait), failures, "broker lost: {error}");
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stopped(stop) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_consuming_for_a_minute_begins_the_waits_anew_and_a_slow_failure_does_not() {
        let stall_detector = StallDetector::new(STABLE, Instant::now());
        let (tries, notices, wrong_delays) = (Tries::default(), Notices::default(), None);
        let mut previous =
            Previous { consuming_since: None, notices, wrong_delays, tries, stall_detector, cautious_for: 0 };
        let later = async |time| tokio::time::timeout(STABLE * 20, tokio::time::advance(time)).await.unwrap();
        later(STABLE * 10).await;
        assert!(!previous.is_stable());
        previous.consuming_since = Some(Instant::now());
        later(STABLE / 2).await;
        assert!(!previous.is_stable());
        later(STABLE / 2).await;
        assert!(previous.is_stable());
    }
}
