//! The loop that makes the connections to the broker again whenever they are gone.
//!
//! Not here: the client library's own recovery, which stays off: it re-declares for ever at its shortest delay,
//! and leaves consumers that never learn of their end (measured with lapin 4.12.3). Nor what one session does (`session`).

use std::convert::Infallible;

use futures_util::{Stream, StreamExt as _};
use lapin::Event;
use tokio::sync::watch;

use super::Config;
use super::connect::Connections;
use super::endpoints::Endpoints;
use super::error::BrokerError;
use super::fallback;
use super::previous::Previous;
use super::session::Session;
use crate::clock::{epoch_ms, seconds};
use crate::core::backoff::{ceiling, jittered};
use crate::files;
use crate::handover::inbound::Inbound;
use crate::states::broker::{BrokerState, BrokerStatus};
use crate::states::phase::stopped;

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
        failures = previous.failures(failures);
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
