//! The queues: looked for, or made when the configuration says so.
//!
//! Not here: consuming from them, or changing one that exists.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection};

use super::channel;
use super::trouble::{Trouble, is_missing, is_refused, within};
use super::{Config, QueueType, Topology};

/// The waits that have a queue of their own; each holds one wait only, since a longer one at the head of a queue
/// would hold up all behind it.
pub const RUNGS: [(&str, Duration); 4] = [
    ("10s", Duration::from_secs(10)),
    ("1m", Duration::from_secs(60)),
    ("10m", Duration::from_secs(600)),
    ("1h", Duration::from_secs(3600)),
];

/// Makes the queues or looks for them, and names every one that is missing.
pub(super) async fn prepare(config: &Config, connection: &Connection) -> Result<(), Trouble> {
    match config.topology {
        Topology::Declare => declare(config, connection).await,
        Topology::Verify => verify(config, connection).await,
    }
}

async fn verify(config: &Config, connection: &Connection) -> Result<(), Trouble> {
    let mut missing = Vec::new();
    for queue in [&config.queue, &config.dead_letter_queue] {
        if !exists(config, connection, queue).await? {
            missing.push(format!("queue `{queue}`"));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(" and ");
    Err(Trouble::new(format!("missing in the broker: {missing}; make it, or set broker.topology = \"declare\"")))
}

/// Whether a queue exists, asked on a channel of its own: the answer no closes it.
async fn exists(config: &Config, connection: &Connection, queue: &str) -> Result<bool, Trouble> {
    let channel = channel::open(connection, config.call_timeout).await?;
    let asked =
        channel.queue_declare(name(queue)?, QueueDeclareOptions { passive: true, ..durable() }, FieldTable::default());
    let Ok(answer) = tokio::time::timeout(config.call_timeout, asked).await else {
        return Err(Trouble::new(format!("looking for queue `{queue}`: no answer from the broker")));
    };
    match answer {
        Ok(_) => channel::close(&channel, config.call_timeout).await.map(|()| true),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) if is_refused(&error) => {
            // The right to look is not the right to use: the first use tells.
            tracing::info!(queue, "the broker does not let this user look for the queue; going on");
            Ok(true)
        }
        Err(error) => Err(Trouble::during(&format!("looking for queue `{queue}`"), &error)),
    }
}

async fn declare(config: &Config, connection: &Connection) -> Result<(), Trouble> {
    let channel = channel::open(connection, config.call_timeout).await?;
    make(config, &channel, &config.dead_letter_queue, kind(config.queue_type)).await?;
    make(config, &channel, &config.queue, back_to(config.queue_type, &config.dead_letter_queue)).await?;
    for (label, wait) in RUNGS {
        let mut arguments = back_to(QueueType::Quorum, &config.queue);
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(wait_ms));
        make(config, &channel, &format!("{}.wait.{label}", config.queue), arguments).await?;
    }
    channel::close(&channel, config.call_timeout).await
}

async fn make(config: &Config, channel: &Channel, queue: &str, arguments: FieldTable) -> Result<(), Trouble> {
    let what = format!("declaring queue `{queue}`");
    within(config.call_timeout, &what, channel.queue_declare(name(queue)?, durable(), arguments)).await.map(|_| ())
}

fn kind(queue_type: QueueType) -> FieldTable {
    let word = match queue_type {
        QueueType::Quorum => "quorum",
        QueueType::Classic => "classic",
    };
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString(word.into()));
    arguments
}

/// A queue whose own dead letters go to `target`: what the broker gives up by itself must not vanish.
fn back_to(queue_type: QueueType, target: &str) -> FieldTable {
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

fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() }
}

pub(super) fn name(queue: &str) -> Result<ShortString, Trouble> {
    ShortString::try_new(queue).map_err(|_| Trouble::new(format!("queue name `{queue}` is longer than 255 bytes")))
}
