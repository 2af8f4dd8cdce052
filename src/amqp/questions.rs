//! What the broker is asked about queues and rights. No question changes anything.
//!
//! Not here: which queues there should be (`wanted_queues`), and what the answers mean.

use std::time::Duration;

use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ExchangeDeclareOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ExchangeKind};

use super::Config;
use super::channel;
use super::error::{BrokerError, is_missing, is_refused};
use super::limit::{Limit, within};
use super::stall::Asked;
use super::wanted_queues::NOWHERE;

/// How often it is looked whether the broker blocks whoever publishes.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// No queue takes it for an argument, whatever it is asked for.
const NONSENSE: &str = "nonsense";

/// Whether a queue exists.
pub(super) async fn exists(config: &Config, connection: &Connection, queue: &str) -> Result<bool, BrokerError> {
    match asked(config, connection, queue, ("looking for", passive()), FieldTable::default()).await? {
        Ok(()) => Ok(true),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) if is_refused(&error) => {
            // The right to look is not the right to use: the first use tells.
            tracing::info!(queue, "the broker does not let this user look for the queue; going on");
            Ok(true)
        }
        Err(error) => Err(BrokerError::during(&format!("looking for queue `{queue}`"), &error)),
    }
}

/// What the broker says when a queue is declared as it should be, which changes nothing about one that is there. Asked on a
/// channel of its own: a no closes it.
pub(super) async fn try_declare(
    config: &Config,
    connection: &Connection,
    queue: &str,
    options: QueueDeclareOptions,
    arguments: FieldTable,
) -> Result<lapin::Result<()>, BrokerError> {
    asked(config, connection, queue, ("declaring", options), arguments).await
}

/// Whether this user may make a queue, which is missing: asked for one that cannot be, since rights are looked at first.
pub(super) async fn may_make(
    config: &Config,
    connection: &Connection,
    queue: &str,
    mut arguments: FieldTable,
) -> Result<bool, BrokerError> {
    arguments.insert("x-expires".into(), AMQPValue::LongString(NONSENSE.into()));
    let said = try_declare(config, connection, queue, durable(), arguments).await?;
    Ok(!said.is_err_and(|error| is_refused(&error)))
}

/// What stands in the way of reading the work queue, which is there: asked by a subscription that cannot be, since rights are
/// looked at first.
pub(super) async fn unreadable(config: &Config, connection: &Connection) -> Result<Option<String>, BrokerError> {
    let limit = config.call_timeout;
    let channel = channel::open(connection, limit).await?;
    within(limit, "setting the prefetch", channel.basic_qos(1, BasicQosOptions::default())).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-priority".into(), AMQPValue::LongString(NONSENSE.into()));
    let begun = channel.basic_consume(name(&config.queue)?, "".into(), BasicConsumeOptions::default(), arguments);
    match tokio::time::timeout(limit, begun).await {
        Ok(Err(error)) if is_refused(&error) => {
            let what = format!("this user may not read queue `{}`", config.queue);
            Ok(Some(BrokerError::during(&what, &error).to_string()))
        }
        Ok(Err(_)) => Ok(None),
        Ok(Ok(_)) => channel::close(&channel, limit).await.map(|()| None),
        Err(_) => Err(BrokerError::new("asking for the right to read: no answer from the broker")),
    }
}

/// Whether there is such an exchange, as far as the broker lets this user see.
pub(super) async fn has_exchange(
    config: &Config,
    connection: &Connection,
    exchange: &str,
) -> Result<bool, BrokerError> {
    let channel = channel::open(connection, config.call_timeout).await?;
    let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let asked = channel.exchange_declare(name(exchange)?, ExchangeKind::Direct, options, FieldTable::default());
    match tokio::time::timeout(config.call_timeout, asked).await {
        Ok(Ok(())) => channel::close(&channel, config.call_timeout).await.map(|()| true),
        Ok(Err(error)) => Ok(!is_missing(&error)),
        Err(_) => Err(BrokerError::new(format!("looking for exchange `{exchange}`: no answer from the broker"))),
    }
}

/// Whether this user may publish to queues at all: asked with a message for a queue that cannot be. The channel confirms, and
/// serves for nothing else: a broker under an alarm blocks the connection at this publish, and then no call on it ends.
pub(super) async fn refused_publish(
    config: &Config,
    channel: &Channel,
    publishing: &Connection,
) -> Result<Option<String>, BrokerError> {
    let nowhere = name(&format!("{}{NOWHERE}", config.queue))?;
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let confirmed =
        async { channel.basic_publish("".into(), nowhere, options, &[], BasicProperties::default()).await?.await };
    let asked = tokio::select! {
        asked = tokio::time::timeout(config.call_timeout, confirmed) => asked,
        // It may well be allowed.
        () = blocked(publishing) => return Ok(None),
    };
    match asked {
        Ok(Ok(_)) => Ok(None),
        Ok(Err(error)) if is_refused(&error) => {
            Ok(Some("this user may not publish; give it the right to write to `amq.default`".to_owned()))
        }
        Ok(Err(error)) => Err(BrokerError::during("asking whether this user may publish", &error)),
        Err(_) => Ok(None),
    }
}

async fn blocked(connection: &Connection) {
    while !connection.status().blocked() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What the queue says of itself. Refused or without an answer, it says nothing.
pub(super) async fn ask(
    queue: ShortString,
    connection: &Connection,
    limit: Duration,
) -> Result<Option<Asked>, BrokerError> {
    let channel = channel::open(connection, limit).await?;
    let asked = tokio::time::timeout(limit, channel.queue_declare(queue, passive(), FieldTable::default()));
    let Ok(Ok(queue)) = asked.await else { return Ok(None) };
    channel::close(&channel, limit).await?;
    Ok(Some(Asked { ready: queue.message_count(), consumers: queue.consumer_count() }))
}

/// How many messages of a queue are ready, asked on this channel, which a queue that is gone costs.
pub(super) async fn ready(channel: &Channel, queue: ShortString, limit: Limit) -> Result<u32, BrokerError> {
    let asked = channel.queue_declare(queue, passive(), FieldTable::default());
    Ok(within(limit, "asking how many letters are left", asked).await?.message_count())
}

async fn asked(
    config: &Config,
    connection: &Connection,
    queue: &str,
    (doing, options): (&str, QueueDeclareOptions),
    arguments: FieldTable,
) -> Result<lapin::Result<()>, BrokerError> {
    let channel = channel::open(connection, config.call_timeout).await?;
    let asked = channel.queue_declare(name(queue)?, options, arguments);
    let Ok(answer) = tokio::time::timeout(config.call_timeout, asked).await else {
        return Err(BrokerError::new(format!("{doing} queue `{queue}`: no answer from the broker")));
    };
    if answer.is_ok() {
        channel::close(&channel, config.call_timeout).await?;
    }
    Ok(answer.map(|_| ()))
}

fn passive() -> QueueDeclareOptions {
    QueueDeclareOptions { passive: true, ..durable() }
}

/// Of every queue that is made here.
pub(super) fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() }
}

/// A name as AMQP takes it.
pub(super) fn name(queue: &str) -> Result<ShortString, BrokerError> {
    ShortString::try_new(queue).map_err(|_| BrokerError::new(format!("the name `{queue}` is longer than 255 bytes")))
}
