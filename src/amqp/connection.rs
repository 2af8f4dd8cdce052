//! The two connections to the broker, and the loop that makes them again whenever they are gone.
//!
//! Not here: the client library's own recovery, which stays off: it re-declares for ever at its shortest delay,
//! and leaves consumers that never learn of their end (measured with lapin 4.12.3).

use std::sync::Arc;
use std::time::Duration;

use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionBuilder, ConnectionProperties, runtime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Config;
use super::channel::REPLY_SUCCESS;
use super::error::BrokerError;
use super::session::Session;
use super::stall::StallDetector;
use crate::core::backoff::{ceiling, jittered};
use crate::handover::inbound::Inbound;
use crate::handover::prefetch::WantedPrefetch;
use crate::metrics::Metrics;
use crate::states::broker::BrokerState;
use crate::states::phase::stopped;

/// Connections that stood this long have the next wait begin at the shortest again.
const STABLE: Duration = Duration::from_secs(60);
/// After a message that could not be parsed, so many times the prefetch are taken one at a time: the message comes back
/// among those that were unacknowledged with it, at no certain place.
const CAUTIOUS_FOR: u16 = 4;
/// Closing may take this long; the broker takes everything back either way.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// What a client says first, in AMQP 0-9-1.
const PROTOCOL_HEADER: &[u8] = b"AMQP\0\0\x09\x01";
/// A server that is there and says nothing.
const SILENT: &str = "it took the connection and said nothing; is it a RabbitMQ, and is it well?";

/// The endpoints of the channels between the consumer and the rest of the daemon.
pub struct Endpoints {
    /// Where messages go.
    pub intake: mpsc::Sender<Inbound>,
    /// True once nothing more is to be taken.
    pub stop: watch::Receiver<bool>,
    /// How many events are wanted.
    pub wanted_prefetch: watch::Receiver<WantedPrefetch>,
    /// How the broker is doing, for the probes.
    pub state: watch::Sender<BrokerState>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Consumes until `endpoints.stop` is true and every unacknowledged message is answered.
/// Never gives the broker up: each failure is said, waited for with full jitter, and tried again.
///
/// Answers whether the broker took every answer; false if the connection was lost with unacknowledged messages at the end.
pub async fn run(config: Config, mut endpoints: Endpoints) -> bool {
    let mut failures = 0;
    let mut previous = Previous::new(&config);
    let is_settled = loop {
        endpoints.state.send_replace(BrokerState::Connecting);
        let began = Instant::now();
        let Err(error) = stand(&config, &mut endpoints, &mut previous).await else { break true };
        if error.is_unparsable() {
            previous.cautious_for = config.prefetch.saturating_mul(CAUTIOUS_FOR);
        }
        endpoints.metrics.broker_connected(false);
        endpoints.state.send_replace(BrokerState::Lost { why: error.to_string() });
        if *endpoints.stop.borrow() {
            tracing::warn!("broker lost while stopping: {error}");
            break !previous.has_consumed;
        }
        if endpoints.intake.send(Inbound::Disconnected).await.is_err() {
            break false;
        }
        failures = if began.elapsed() >= STABLE { 0 } else { failures + 1 };
        pause(&config, failures, &error, &mut endpoints.stop).await;
        if *endpoints.stop.borrow() {
            break true;
        }
    };
    endpoints.metrics.broker_connected(false);
    endpoints.state.send_replace(BrokerState::Closed);
    is_settled
}

/// What the generation before came to.
pub(super) struct Previous {
    /// It got as far as consuming.
    pub(super) has_consumed: bool,
    /// Its broker took the connection and said nothing.
    was_silent: bool,
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

    fn new(config: &Config) -> Self {
        Self {
            has_consumed: false,
            was_silent: false,
            stall_detector: StallDetector::new(config.stall_timeout, Instant::now()),
            cautious_for: 0,
        }
    }
}

/// One generation: connects, checks the topology and consumes, until the stop (`Ok`) or the first error.
async fn stand(config: &Config, endpoints: &mut Endpoints, previous: &mut Previous) -> Result<(), BrokerError> {
    previous.has_consumed = false;
    let connections = tokio::select! {
        connections = Connections::open(config, &mut previous.was_silent) => connections?,
        // A broker that does not answer must not hold up the end.
        () = stopped(&mut endpoints.stop) => return Ok(()),
    };
    let end = match Session::open(config, &connections, endpoints, previous).await {
        Ok(session) => {
            endpoints.metrics.broker_connected(true);
            endpoints.metrics.broker_connections();
            endpoints.state.send_replace(BrokerState::Consuming);
            tracing::info!(queue = config.queue, prefetch = config.prefetch, "consuming");
            session.serve(endpoints).await
        }
        Err(error) => Err(error),
    };
    connections.close().await;
    end
}

async fn pause(config: &Config, failures: u32, error: &BrokerError, stop: &mut watch::Receiver<bool>) {
    let (initial, max) = config.reconnect;
    let wait = jittered(ceiling(initial, 2.0, max, failures.saturating_sub(1)), fastrand::f64());
    tracing::warn!(retry_in_ms = wait.as_millis(), failures, "broker lost: {error}");
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stopped(stop) => {}
    }
}

/// One connection that only consumes and one that only publishes: an alarm on the broker blocks the second,
/// and acknowledgements must not be stuck behind it.
pub(super) struct Connections {
    pub(super) consuming: Connection,
    pub(super) publishing: Arc<Connection>,
}

impl Connections {
    pub(super) async fn open(config: &Config, was_silent: &mut bool) -> Result<Self, BrokerError> {
        let consuming = connect(config, "consumes", was_silent).await?;
        match connect(config, "publishes", was_silent).await {
            Ok(publishing) => Ok(Self { consuming, publishing: Arc::new(publishing) }),
            Err(error) => {
                close(&consuming).await;
                Err(error)
            }
        }
    }

    /// Whether the connection that publishes has gone while nothing was being published.
    pub(super) fn check(&self) -> Result<(), BrokerError> {
        if self.publishing.status().connected() {
            return Ok(());
        }
        Err(BrokerError::new("the publishing connection is gone"))
    }

    pub(super) async fn close(&self) {
        tokio::join!(close(&self.consuming), close(&self.publishing));
    }
}

async fn close(connection: &Connection) {
    let closing = connection.close(REPLY_SUCCESS, "done".into());
    if let Ok(Err(error)) | Err(error) = tokio::time::timeout(CLOSE_LIMIT, closing).await.map_err(|_| timed_out()) {
        tracing::debug!("closing a connection: {error}");
    }
}

fn timed_out() -> lapin::Error {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

async fn connect(config: &Config, what_for: &str, was_silent: &mut bool) -> Result<Connection, BrokerError> {
    let uri = address(config).await?;
    let tls = certificates(config).await?;
    let name = format!("chakra-bridge {} ({what_for} {})", env!("CARGO_PKG_VERSION"), config.queue);
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let runtime = runtime::default_runtime().map_err(|error| BrokerError::during("runtime", &error))?;
    let doing = format!(
        "connecting to {}:{} as `{}`, virtual host `{}`",
        uri.authority.host, uri.authority.port, uri.authority.userinfo.username, uri.vhost
    );
    if *was_silent && uri.scheme == AMQPScheme::AMQP {
        greeting(&uri, config.call_timeout).await.map_err(|why| BrokerError::new(format!("{doing}: {why}")))?;
    }
    let builder =
        ConnectionBuilder::new_with_runtime(runtime).with_uri(uri).with_properties(properties).with_tls_config(tls);
    let connected = tokio::time::timeout(config.call_timeout, builder.connect()).await;
    *was_silent = connected.is_err();
    let connected = connected.map_err(|_| BrokerError::new(format!("{doing}: {SILENT}")))?;
    connected.map_err(|error| BrokerError::during(&doing, &error))
}

/// Waits for the first byte of a broker that said nothing the last time. The client library leaves a thread and a socket
/// behind for each connection that it waited for in vain (measured with lapin 4.12.3); this leaves nothing.
async fn greeting(uri: &AMQPUri, limit: Duration) -> Result<(), String> {
    let first_byte = async {
        let mut stream = TcpStream::connect((uri.authority.host.as_str(), uri.authority.port)).await?;
        stream.write_all(PROTOCOL_HEADER).await?;
        stream.read_u8().await
    };
    match tokio::time::timeout(limit, first_byte).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(SILENT.to_owned()),
    }
}

async fn address(config: &Config) -> Result<AMQPUri, BrokerError> {
    let mut uri: AMQPUri =
        config.url.parse().map_err(|error| BrokerError::new(format!("broker.url cannot be read: {error}")))?;
    // Read at each connect, so that a rotated password needs no restart.
    let password =
        config.password.read().await.map_err(|why| BrokerError::new(format!("broker.password_file: {why}")))?;
    uri.authority.userinfo.password = password.expose().to_owned();
    uri.query.heartbeat = Some(u16::try_from(config.heartbeat.as_secs()).unwrap_or(u16::MAX));
    Ok(uri)
}

/// Read at each connect, so that what is rotated needs no restart.
async fn certificates(config: &Config) -> Result<OwnedTLSConfig, BrokerError> {
    let held = config.tls.read().await.map_err(|wrong| BrokerError::new(wrong.to_string()))?;
    let identity = held.identity.map(|(pem, key)| OwnedIdentity::PKCS8 { pem: pem.into(), key: key.into() });
    Ok(OwnedTLSConfig { identity, cert_chain: held.authorities })
}
