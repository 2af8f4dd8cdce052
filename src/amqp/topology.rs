//! The queues: checked, or made when the configuration says so.
//!
//! Not here: consuming from them, or changing one that exists.

use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection};

use super::channel;
use super::connect::Connections;
use super::error::{BrokerError, is_missing, is_other, is_refused, within};
use super::queue_warnings;
use super::stall::Asked;
use super::{Config, QueueType, Topology};
use crate::core::delay_queue::{DELAY_QUEUES, DelayQueue};

/// The end of the name of a queue that cannot be; the longest that is put behind the work queue's name.
pub const NOWHERE: &str = ".wait.nowhere";

/// Makes or checks the queues, and names every one that is missing. Answers whether events can be delayed.
pub(super) async fn prepare(config: &Config, connections: &Connections) -> Result<bool, BrokerError> {
    match config.topology {
        Topology::Declare => declare(config, &connections.consuming).await?,
        Topology::Verify => verify(config, &connections.consuming).await?,
    }
    queue_warnings::tell(config, &connections.consuming).await?;
    let Some(obstacle) = obstacle(config, connections).await? else { return Ok(true) };
    tracing::warn!("events wait in memory only, none is delayed: {obstacle}");
    Ok(false)
}

/// What stands in the way of delaying, if anything does.
async fn obstacle(config: &Config, connections: &Connections) -> Result<Option<String>, BrokerError> {
    if let Some(missing) = missing_delay_queues(config, &connections.consuming).await? {
        return Ok(Some(missing));
    }
    if let Some(wrong) = wrong_delay_queue(config, &connections.consuming).await? {
        return Ok(Some(wrong));
    }
    refused_publish(config, &connections.publishing).await
}

async fn verify(config: &Config, connection: &Connection) -> Result<(), BrokerError> {
    missing_queues(config, connection).await?.map_or(Ok(()), |missing| Err(BrokerError::new(missing)))
}

/// Which of the work queue and the dead-letter queue is missing, as a text.
pub(super) async fn missing_queues(config: &Config, connection: &Connection) -> Result<Option<String>, BrokerError> {
    missing(config, connection, &[config.queue.clone(), config.dead_letter_queue.clone()]).await
}

/// Which delay queues are missing, as a text.
pub(super) async fn missing_delay_queues(
    config: &Config,
    connection: &Connection,
) -> Result<Option<String>, BrokerError> {
    missing(config, connection, &DELAY_QUEUES.map(|delay_queue| delay_queue_name(&config.queue, delay_queue))).await
}

async fn missing(config: &Config, connection: &Connection, queues: &[String]) -> Result<Option<String>, BrokerError> {
    let mut missing = Vec::new();
    for queue in queues {
        if !exists(config, connection, queue).await? {
            missing.push(format!("queue `{queue}`"));
        }
    }
    let list = missing.join(" and ");
    let words = format!("missing in the broker: {list}; make what is missing, or set broker.topology = \"declare\"");
    Ok((!missing.is_empty()).then_some(words))
}

/// What is wrong with each delay queue that could drop an event or never give it back: asked by declaring it as it should be,
/// which changes nothing about one that is there.
pub(super) async fn wrong_delay_queue(config: &Config, connection: &Connection) -> Result<Option<String>, BrokerError> {
    let mut wrong = Vec::new();
    for delay_queue in DELAY_QUEUES {
        let queue = delay_queue_name(&config.queue, delay_queue);
        match try_declare(config, connection, &queue, of_delay_queue(config, delay_queue)).await? {
            Ok(()) => {}
            Err(error) if is_other(&error) => {
                wrong.push(format!("queue `{queue}` could drop or keep them: {error}; make it again"));
            }
            Err(error) if is_refused(&error) => {
                tracing::info!(
                    queue,
                    "the broker does not let this user see how the delay queues are made: make them \
                     as config/ says"
                );
                break;
            }
            Err(error) => return Err(BrokerError::during(&format!("looking at queue `{queue}`"), &error)),
        }
    }
    Ok((!wrong.is_empty()).then(|| wrong.join("; ")))
}

/// What the broker says when a queue is declared as it should be, which changes nothing about one that is there. Asked on a
/// channel of its own: a no closes it.
pub(super) async fn try_declare(
    config: &Config,
    connection: &Connection,
    queue: &str,
    arguments: FieldTable,
) -> Result<lapin::Result<()>, BrokerError> {
    asked(config, connection, queue, ("looking at", durable()), arguments).await
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

/// Whether this user may publish to queues at all: asked with a message for a queue that cannot be.
pub(super) async fn refused_publish(config: &Config, publishing: &Connection) -> Result<Option<String>, BrokerError> {
    let channel = channel::open(publishing, config.call_timeout).await?;
    let confirms = channel.confirm_select(ConfirmSelectOptions::default());
    within(config.call_timeout, "asking for confirms", confirms).await?;
    let nowhere = name(&format!("{}{NOWHERE}", config.queue))?;
    let asked = async {
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        channel.basic_publish("".into(), nowhere, options, &[], BasicProperties::default()).await?.await
    };
    match tokio::time::timeout(config.call_timeout, asked).await {
        Ok(Ok(_)) => channel::close(&channel, config.call_timeout).await.map(|()| None),
        Ok(Err(error)) if is_refused(&error) => {
            Ok(Some("this user may not publish; give it the right to write to `amq.default`".to_owned()))
        }
        Ok(Err(error)) => Err(BrokerError::during("asking whether this user may publish", &error)),
        // A broker that blocks who publishes: it may well be allowed.
        Err(_) => Ok(None),
    }
}

/// The name of a delay queue of `queue`.
pub(super) fn delay_queue_name(queue: &str, delay_queue: DelayQueue) -> String {
    format!("{queue}.wait.{}", delay_queue.label)
}

/// Whether a queue exists.
async fn exists(config: &Config, connection: &Connection, queue: &str) -> Result<bool, BrokerError> {
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

/// What the queue says of itself. Refused or without an answer, it says nothing.
pub(super) async fn ask(
    queue: &ShortString,
    connection: &Connection,
    limit: Duration,
) -> Result<Option<Asked>, BrokerError> {
    let channel = channel::open(connection, limit).await?;
    let asked = tokio::time::timeout(limit, channel.queue_declare(queue.clone(), passive(), FieldTable::default()));
    let Ok(Ok(queue)) = asked.await else { return Ok(None) };
    channel::close(&channel, limit).await?;
    Ok(Some(Asked { ready: queue.message_count(), consumers: queue.consumer_count() }))
}

async fn declare(config: &Config, connection: &Connection) -> Result<(), BrokerError> {
    let channel = channel::open(connection, config.call_timeout).await?;
    make(config, &channel, &config.dead_letter_queue, kind(config.queue_type)).await?;
    make(config, &channel, &config.queue, back_to(config.queue_type, &config.dead_letter_queue)).await?;
    for delay_queue in DELAY_QUEUES {
        make(config, &channel, &delay_queue_name(&config.queue, delay_queue), of_delay_queue(config, delay_queue))
            .await?;
    }
    channel::close(&channel, config.call_timeout).await
}

async fn make(config: &Config, channel: &Channel, queue: &str, arguments: FieldTable) -> Result<(), BrokerError> {
    let what = format!("declaring queue `{queue}`");
    within(config.call_timeout, &what, channel.queue_declare(name(queue)?, durable(), arguments)).await.map(|_| ())
}

fn of_delay_queue(config: &Config, delay_queue: DelayQueue) -> FieldTable {
    let mut arguments = back_to(QueueType::Quorum, &config.queue);
    let wait_ms = i64::try_from(delay_queue.wait.as_millis()).unwrap_or(i64::MAX);
    arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(wait_ms));
    arguments
}

pub(super) fn kind(queue_type: QueueType) -> FieldTable {
    let word = match queue_type {
        QueueType::Quorum => "quorum",
        QueueType::Classic => "classic",
    };
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString(word.into()));
    arguments
}

/// A queue whose own dead letters go to `target`: what the broker gives up by itself must not vanish.
pub(super) fn back_to(queue_type: QueueType, target: &str) -> FieldTable {
    let mut arguments = kind(queue_type);
    let mut say = |key: &str, value: &str| {
        arguments.insert(key.into(), AMQPValue::LongString(value.into()));
    };
    say("x-dead-letter-exchange", "");
    say("x-dead-letter-routing-key", target);
    if queue_type == QueueType::Quorum {
        // Together: at least once. Without reject-publish the broker falls back to at most once.
        say("x-dead-letter-strategy", "at-least-once");
        say("x-overflow", "reject-publish");
    }
    arguments
}

fn passive() -> QueueDeclareOptions {
    QueueDeclareOptions { passive: true, ..durable() }
}

fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() }
}

pub(super) fn name(queue: &str) -> Result<ShortString, BrokerError> {
    ShortString::try_new(queue).map_err(|_| BrokerError::new(format!("queue name `{queue}` is longer than 255 bytes")))
}
