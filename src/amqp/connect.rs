//! The two connections to the broker: made at one of its addresses, and closed.
//!
//! Not here: when they are made again (`connection`), and what goes over them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionBuilder, ConnectionProperties, runtime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Config;
use super::address::Address;
use super::channel::REPLY_SUCCESS;
use super::error::BrokerError;
use super::size::{FRAME_MAX, FRAME_RAISED};

/// What the first connection of a session is for.
pub(super) const CONSUMES: &str = "consumes";
/// Closing may take this long; the broker takes everything back either way.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// What a client says first, in AMQP 0-9-1.
const PROTOCOL_HEADER: &[u8] = b"AMQP\0\0\x09\x01";
/// A server that is there and says nothing.
const SILENT: &str = "it took the connection and said nothing; is it a RabbitMQ, and is it well?";

/// What was learned of the addresses by trying them.
#[derive(Default)]
pub(super) struct Tries {
    /// Those whose broker took the connection and said nothing.
    silent: Vec<Address>,
    /// The one that was used last.
    last: Option<Address>,
    /// The largest frame that is to be taken, in bytes, where that is more than otherwise.
    frame_max: Option<u32>,
}

impl Tries {
    /// In which order they are tried: by chance, so that many daemons spread over a cluster, and the one that was just lost
    /// at the end.
    fn order(&self, addresses: &[Address]) -> Vec<Address> {
        let mut order = addresses.to_vec();
        fastrand::shuffle(&mut order);
        order.sort_by_key(|address| self.last.as_ref() == Some(address));
        order
    }

    /// A frame of so many bytes is on its way; none again once it has come.
    pub(super) fn expect_frame(&mut self, bytes: Option<u32>) {
        self.frame_max = bytes.and_then(u32::checked_next_power_of_two).filter(|bytes| *bytes <= FRAME_RAISED);
    }

    /// The largest frame for a connection: only the one that consumes is sent what others made.
    pub(super) fn frame_max(&self, what_for: &str) -> u32 {
        self.frame_max.filter(|_| what_for == CONSUMES).map_or(FRAME_MAX, |raised| raised.max(FRAME_MAX))
    }

    /// Whether the broker is asked for its first byte before the client library connects. With TLS it has none to say.
    fn is_greeted(&self, address: &Address, scheme: &AMQPScheme) -> bool {
        *scheme == AMQPScheme::AMQP && self.silent.contains(address)
    }

    fn note(&mut self, address: &Address, is_silent: bool) {
        self.silent.retain(|silent| silent != address);
        self.silent.extend(is_silent.then(|| address.clone()));
    }
}

/// One connection that only consumes and one that only publishes: an alarm on the broker blocks the second,
/// and acknowledgements must not be stuck behind it.
pub(super) struct Connections {
    /// Where both lead.
    pub(super) address: Address,
    pub(super) consuming: Connection,
    pub(super) publishing: Arc<Connection>,
}

impl Connections {
    /// Tries each address once, the next at once where one fails.
    pub(super) async fn open(config: &Config, tries: &mut Tries) -> Result<Self, BrokerError> {
        let mut errors = Vec::new();
        for address in tries.order(&config.addresses) {
            match Self::open_at(config, &address, tries).await {
                Ok(connections) => {
                    tries.last = Some(address);
                    return Ok(connections);
                }
                Err(error) => {
                    if config.addresses.len() > 1 {
                        tracing::warn!(broker = %address, "this address fails: {error}");
                    }
                    errors.push(error);
                }
            }
        }
        Err(BrokerError::all(errors))
    }

    /// Tries all addresses at once and takes the first that answers: whoever asks once waits for no address that hangs.
    pub(super) async fn open_first(config: &Config) -> Result<Self, BrokerError> {
        let open = async |address| Self::open_at(config, address, &mut Tries::default()).await;
        let mut tried: FuturesUnordered<_> = config.addresses.iter().map(open).collect();
        let mut errors = Vec::new();
        while let Some(opened) = tried.next().await {
            match opened {
                Ok(connections) => return Ok(connections),
                Err(error) => errors.push(error),
            }
        }
        Err(BrokerError::all(errors))
    }

    /// Both at the same address: a node of a cluster that is cut off must not consume what it cannot dead-letter.
    async fn open_at(config: &Config, address: &Address, tries: &mut Tries) -> Result<Self, BrokerError> {
        let consuming = connect(config, address, CONSUMES, tries).await?;
        match connect(config, address, "publishes", tries).await {
            Ok(publishing) => Ok(Self { address: address.clone(), consuming, publishing: Arc::new(publishing) }),
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

pub(super) async fn close(connection: &Connection) {
    let closing = connection.close(REPLY_SUCCESS, "done".into());
    if let Ok(Err(error)) | Err(error) = tokio::time::timeout(CLOSE_LIMIT, closing).await.map_err(|_| timed_out()) {
        tracing::debug!("closing a connection: {error}");
    }
}

fn timed_out() -> lapin::Error {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

/// `what_for` is a part of its name in the broker.
pub(super) async fn connect(
    config: &Config,
    address: &Address,
    what_for: &str,
    tries: &mut Tries,
) -> Result<Connection, BrokerError> {
    let mut uri = uri(config, address).await?;
    uri.query.frame_max = Some(tries.frame_max(what_for));
    let tls = certificates(config).await?;
    let properties = ConnectionProperties::default().with_connection_name(name(config, what_for).into());
    let runtime = runtime::default_runtime().map_err(|error| BrokerError::during("runtime", &error))?;
    let doing =
        format!("connecting to {address} as `{}`, virtual host `{}`", uri.authority.userinfo.username, uri.vhost);
    if tries.is_greeted(address, &uri.scheme) {
        greeting(&uri, config.call_timeout).await.map_err(|why| BrokerError::new(format!("{doing}: {why}")))?;
    }
    let builder =
        ConnectionBuilder::new_with_runtime(runtime).with_uri(uri).with_properties(properties).with_tls_config(tls);
    let connected = tokio::time::timeout(config.call_timeout, builder.connect()).await;
    tries.note(address, connected.is_err());
    let connected = connected.map_err(|_| BrokerError::new(format!("{doing}: {SILENT}")))?;
    connected.map_err(|error| BrokerError::during(&doing, &error))
}

/// The name that a connection has in the broker.
pub(super) fn name(config: &Config, what_for: &str) -> String {
    format!("chakra-bridge {} ({what_for} {})", env!("CARGO_PKG_VERSION"), config.queue)
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

async fn uri(config: &Config, address: &Address) -> Result<AMQPUri, BrokerError> {
    let mut uri: AMQPUri =
        config.url.parse().map_err(|error| BrokerError::new(format!("broker.url cannot be read: {error}")))?;
    // The library takes an IPv6 address for no host at all, and goes to its default.
    (uri.authority.host, uri.authority.port) = (address.host.clone(), address.port);
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

#[cfg(test)]
mod tests {
    use super::super::stage::config;
    use super::super::{QueueType, Topology};
    use super::*;

    #[test]
    fn a_connection_is_named_for_what_it_does_and_for_its_queue() {
        let name = name(&config(Topology::Verify, QueueType::Quorum), CONSUMES);
        assert_eq!(name, format!("chakra-bridge {} (consumes work)", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn the_address_that_was_lost_is_tried_last_and_the_others_in_any_order() {
        let addresses: Vec<_> = (1..=4).map(|port| Address { host: "rabbit".to_owned(), port }).collect();
        let tries = Tries { last: Some(addresses[1].clone()), ..Tries::default() };
        let orders: Vec<_> = (0..200).map(|_| tries.order(&addresses)).collect();
        assert!(orders.iter().all(|order| order.len() == 4 && order[3].port == 2));
        for port in [1, 3, 4] {
            assert!(orders.iter().any(|order| order[0].port == port), "{port} is never the first");
        }
    }

    #[test]
    fn a_larger_frame_is_taken_where_one_is_expected_up_to_a_bound_and_only_where_events_come() {
        let mut tries = Tries::default();
        let mut of = |bytes| {
            tries.expect_frame(bytes);
            [CONSUMES, "publishes"].map(|what_for| tries.frame_max(what_for))
        };
        assert_eq!(of(Some(205_169)), [262_144, FRAME_MAX]);
        assert_eq!(of(Some(FRAME_RAISED)), [FRAME_RAISED, FRAME_MAX]);
        for none in [None, Some(9), Some(FRAME_RAISED + 1), Some(u32::MAX)] {
            assert_eq!(of(none), [FRAME_MAX; 2], "{none:?}");
        }
    }

    #[test]
    fn only_an_address_that_was_silent_is_asked_for_its_first_byte_and_none_that_speaks_tls() {
        let [one, other] = [1, 2].map(|port| Address { host: "rabbit".to_owned(), port });
        let mut tries = Tries::default();
        tries.note(&one, true);
        let asked = |tries: &Tries| [&one, &other].map(|address| tries.is_greeted(address, &AMQPScheme::AMQP));
        assert_eq!((asked(&tries), tries.is_greeted(&one, &AMQPScheme::AMQPS)), ([true, false], false));
        tries.note(&one, false);
        assert_eq!(asked(&tries), [false, false]);
    }
}
