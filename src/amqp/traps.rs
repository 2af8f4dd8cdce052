//! What is risky about a work queue that somebody else made, said at each connect.
//!
//! Not here: refusing anything. It may be so on purpose, or a policy may make up for it, which the broker does not tell.

use lapin::Connection;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use super::topology::{back_to, durable, name};
use super::trouble::{Trouble, is_other, is_refused};
use super::{Config, QueueType, channel};

/// More than there are arguments to differ in.
const ASKED_MAX: usize = 8;

/// Says every trap that the broker lets this user see. It is asked by declaring the queue as it should be, which changes
/// nothing about one that is there: the answer names the first argument that differs.
pub(super) async fn tell(config: &Config, connection: &Connection) -> Result<(), Trouble> {
    let mut wanted = back_to(QueueType::Quorum, &config.dead_letter_queue);
    for _ in 0..ASKED_MAX {
        let Some(said) = difference(config, connection, wanted.clone()).await? else { return Ok(()) };
        let Some(argument) = argument(&said) else {
            tracing::warn!(queue = config.queue, "trap: the work queue is made otherwise than it should be: {said}");
            return Ok(());
        };
        tracing::warn!(queue = config.queue, argument, "trap: the work queue {}", words(argument));
        wanted = without(wanted, argument);
    }
    Ok(())
}

/// What the broker says to a declare; none where the queue is as wanted, or this user may not ask.
async fn difference(config: &Config, connection: &Connection, wanted: FieldTable) -> Result<Option<String>, Trouble> {
    let channel = channel::open(connection, config.call_timeout).await?;
    let asked = channel.queue_declare(name(&config.queue)?, durable(), wanted);
    let Ok(answer) = tokio::time::timeout(config.call_timeout, asked).await else {
        return Err(Trouble::new(format!("looking at queue `{}`: no answer from the broker", config.queue)));
    };
    match answer {
        Ok(_) => channel::close(&channel, config.call_timeout).await.map(|()| None),
        Err(error) if is_other(&error) => Ok(Some(error.to_string())),
        Err(error) if is_refused(&error) => {
            tracing::info!(queue = config.queue, "the broker does not let this user see how the work queue is made");
            Ok(None)
        }
        Err(error) => Err(Trouble::during(&format!("looking at queue `{}`", config.queue), &error)),
    }
}

/// The argument that differs: `inequivalent arg 'x-…' for queue …`.
fn argument(said: &str) -> Option<&str> {
    said.split_once("inequivalent arg '")?.1.split('\'').next()
}

fn words(argument: &str) -> &'static str {
    match argument {
        "x-queue-type" => {
            "is no quorum queue: it is on one node, and does not count how often an event was given back, so that one \
             that takes the daemon down is not recognised"
        }
        "x-dead-letter-exchange" | "x-dead-letter-routing-key" => {
            "has no dead-letter target of its own, or another: what the broker gives up by itself (delivery limit, \
             expiry) is deleted, unless a policy says where it goes"
        }
        "x-dead-letter-strategy" | "x-overflow" => {
            "dead-letters at most once: what the broker gives up by itself can be lost on its way"
        }
        _ => "is made otherwise than it should be",
    }
}

/// Of a classic queue nothing is wanted that only a quorum queue has.
fn without(wanted: FieldTable, argument: &str) -> FieldTable {
    let is_classic = argument == "x-queue-type";
    let of_quorum = ["x-dead-letter-strategy", "x-overflow"];
    let kept = wanted
        .inner()
        .iter()
        .filter(|(key, _)| key.as_str() != argument && !(is_classic && of_quorum.contains(&key.as_str())));
    let mut kept: std::collections::BTreeMap<ShortString, AMQPValue> =
        kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    if is_classic {
        kept.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
    }
    FieldTable::from(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_that_differs_is_read_from_the_brokers_words() {
        let said = "PRECONDITION_FAILED - inequivalent arg 'x-overflow' for queue 'q' in vhost '/': received …";
        assert_eq!(argument(said), Some("x-overflow"));
        assert_eq!(argument("PRECONDITION_FAILED - something else"), None);
    }

    #[test]
    fn each_argument_is_asked_for_once() {
        let mut wanted = back_to(QueueType::Quorum, "dead");
        for argument in ["x-dead-letter-exchange", "x-dead-letter-routing-key", "x-overflow"] {
            wanted = without(wanted, argument);
            assert!(!wanted.inner().contains_key(argument));
        }
        let classic = without(back_to(QueueType::Quorum, "dead"), "x-queue-type");
        assert_eq!(classic.inner().len(), 3, "{classic:?}");
    }
}
