//! The exchange of outcomes: made where the configuration says so, and asked whether it is there and this user may publish to it.
//!
//! Not here: publishing to it (`publisher`), and the queues (`topology`).

use lapin::options::{BasicPublishOptions, ExchangeDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ExchangeKind};

use super::confirms::open_channel;
use super::error::{BrokerError, is_missing, is_refused};
use super::questions::{has_exchange, name};
use super::{Config, Topology, channel};

/// No broker takes it for a time to live: what carries it is refused, after the rights were looked at, and reaches no queue.
const NONSENSE: &str = "nonsense";

/// Makes the exchange if it is missing and the configuration says so. Where this user may not, the first outcome tells.
pub(super) async fn make(config: &Config, connection: &Connection) -> Result<(), BrokerError> {
    let Some(outlet) = config.outcomes.as_ref().filter(|_| config.topology == Topology::Declare) else { return Ok(()) };
    let exchange = outlet.exchange.as_str();
    if has_exchange(config, connection, exchange).await? {
        return Ok(());
    }
    let channel = channel::open(connection, config.call_timeout).await?;
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let made = channel.exchange_declare(name(exchange)?, ExchangeKind::Topic, options, FieldTable::default());
    match tokio::time::timeout(config.call_timeout, made).await {
        Ok(Ok(())) => {
            tracing::info!(exchange, "exchange made");
            channel::close(&channel, config.call_timeout).await
        }
        Ok(Err(error)) if is_refused(&error) => {
            tracing::warn!(
                exchange,
                "this user may not make the exchange: make it by hand, or give it the right to configure it"
            );
            Ok(())
        }
        Ok(Err(error)) => Err(BrokerError::during(&format!("declaring exchange `{exchange}`"), &error)),
        Err(_) => Err(BrokerError::new(format!("declaring exchange `{exchange}`: no answer from the broker"))),
    }
}

/// What is found of the exchange.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whether it is not there, where there is to be one.
    pub(super) is_absent: bool,
    /// What stands in the way of telling outcomes, if anything does.
    pub(super) obstacle: Option<String>,
}

/// Asks whether the exchange is there, and with a message that cannot be whether this user may publish to it.
pub(super) async fn look(config: &Config, publishing: &Connection) -> Result<Found, BrokerError> {
    let Some(outlet) = &config.outcomes else { return Ok(Found::default()) };
    let (exchange, limit) = (outlet.exchange.as_str(), config.call_timeout);
    let missing = || {
        let remedy = match config.topology {
            Topology::Verify => "; make it (`topology` prints how), or set broker.topology = \"declare\"",
            Topology::Declare => "; the daemon makes it, if this user may configure it",
        };
        format!("exchange `{exchange}` is missing: no outcome can be told{remedy}")
    };
    if !has_exchange(config, publishing, exchange).await? {
        let obstacle = (config.topology == Topology::Verify).then(missing);
        return Ok(Found { is_absent: true, obstacle });
    }
    let channel = open_channel(publishing, limit).await?;
    let confirmed = async {
        let properties = BasicProperties::default().with_expiration(NONSENSE.into());
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        channel.basic_publish(name(exchange).unwrap_or_default(), "".into(), options, &[], properties).await?.await
    };
    let obstacle = match tokio::time::timeout(limit, confirmed).await {
        Ok(Err(error)) if is_refused(&error) => Some(format!(
            "this user may not publish to exchange `{exchange}`: give it the right to write to it ({error})"
        )),
        Ok(Err(error)) if is_missing(&error) => Some(missing()),
        // That it cannot be is said after the rights were looked at. A broker with an alarm says nothing.
        Ok(_) | Err(_) => None,
    };
    Ok(Found { is_absent: false, obstacle })
}
