//! What is risky about queues that somebody else made, said at each connect and by `check --online`.
//!
//! Not here: refusing anything. It may be so on purpose, or a policy may make up for it, which the broker does not tell.

use lapin::Connection;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use super::error::{BrokerError, is_other, is_refused};
use super::topology::{back_to, kind, try_declare};
use super::{Config, QueueType};

/// More than there are arguments to differ in.
const ASKED_MAX: usize = 12;
/// The default limit of quorum queues since RabbitMQ 4.0; a lower one is worth a warning. Negative is none.
const DELIVERIES_MIN: i64 = 20;

/// One of them.
pub(super) struct QueueWarning {
    /// The queue.
    pub(super) queue: String,
    /// Its argument, if the broker names one.
    argument: Option<String>,
    /// What about it, as the end of a sentence that begins with the queue.
    pub(super) words: String,
}

/// How a queue differs from what it should be.
struct Difference {
    argument: Option<String>,
    current: Option<AMQPValue>,
    said: String,
}

/// Logs a warning for each risky argument that the broker lets this user see.
pub(super) async fn tell(config: &Config, connection: &Connection) -> Result<(), BrokerError> {
    for QueueWarning { queue, argument, words } in find(config, connection).await? {
        let which = if queue == config.queue { "work" } else { "dead-letter" };
        tracing::warn!(queue, argument, "queue warning: the {which} queue {words}");
    }
    Ok(())
}

/// Every risky argument that the broker lets this user see.
pub(super) async fn find(config: &Config, connection: &Connection) -> Result<Vec<QueueWarning>, BrokerError> {
    let wanted = back_to(QueueType::Quorum, &config.dead_letter_queue);
    let Some(work) = differences(config, connection, &config.queue, wanted).await? else {
        tracing::info!(queue = config.queue, "the broker does not let this user see how the queues are made");
        return Ok(Vec::new());
    };
    let dead = &config.dead_letter_queue;
    let of_dead_letters = differences(config, connection, dead, kind(QueueType::Quorum)).await?.unwrap_or_default();
    let rejects = of_dead_letters.iter().any(Difference::is_reject_publish);
    let work = work.into_iter().filter_map(|of| of.warning(&config.queue, of_work));
    let of_dead_letters =
        of_dead_letters.into_iter().filter_map(|of| of.warning(dead, |argument, _| of_dead(argument, rejects)));
    Ok(work.chain(of_dead_letters).collect())
}

impl Difference {
    /// The warning that it makes for `queue`, if `words` has any for it.
    fn warning(
        self,
        queue: &str,
        words: impl Fn(&str, Option<&AMQPValue>) -> Option<&'static str>,
    ) -> Option<QueueWarning> {
        let words = match &self.argument {
            Some(argument) => words(argument, self.current.as_ref())?.to_owned(),
            None => format!("is made otherwise than it should be: {}", self.said),
        };
        Some(QueueWarning { queue: queue.to_owned(), argument: self.argument, words })
    }

    fn is_reject_publish(&self) -> bool {
        let value = AMQPValue::LongString("reject-publish".into());
        self.argument.as_deref() == Some("x-overflow") && self.current.as_ref() == Some(&value)
    }
}

/// How a queue differs from what is wanted; none if this user may not ask. It is asked by declaring it as it should be, which
/// changes nothing about one that is there: the answer names the first argument that differs.
async fn differences(
    config: &Config,
    connection: &Connection,
    queue: &str,
    mut wanted: FieldTable,
) -> Result<Option<Vec<Difference>>, BrokerError> {
    let mut found = Vec::new();
    for _ in 0..ASKED_MAX {
        let said = match try_declare(config, connection, queue, wanted.clone()).await? {
            Ok(()) => break,
            Err(error) if is_other(&error) => error.to_string(),
            Err(error) if is_refused(&error) => return Ok(None),
            Err(error) => return Err(BrokerError::during(&format!("looking at queue `{queue}`"), &error)),
        };
        let (argument, current) = (argument(&said).map(str::to_owned), current(&said));
        // What cannot be wanted otherwise is said again and again.
        if found.iter().any(|of: &Difference| of.argument == argument) {
            break;
        }
        found.push(Difference { argument: argument.clone(), current: current.clone(), said });
        let Some(argument) = argument else { break };
        wanted = match current {
            // Nothing of ours: taken as it is, to see what else differs.
            Some(current) if !wanted.inner().contains_key(argument.as_str()) => with(wanted, &argument, current),
            _ => without(wanted, &argument),
        };
    }
    Ok(Some(found))
}

/// The argument that differs: `inequivalent arg 'x-…' for queue …`.
fn argument(said: &str) -> Option<&str> {
    said.split_once("inequivalent arg '")?.1.split('\'').next()
}

/// The value that the queue has: `… but current is the value '3' of type 'long'`.
fn current(said: &str) -> Option<AMQPValue> {
    let (value, rest) = said.split_once("current is the value '")?.1.split_once("' of type '")?;
    Some(match rest.split('\'').next()? {
        "longstr" => AMQPValue::LongString(value.into()),
        "bool" => AMQPValue::Boolean(value == "true"),
        _ => AMQPValue::LongLongInt(value.parse().ok()?),
    })
}

/// Why this argument is risky for the dead-letter queue, if it is.
fn of_dead(argument: &str, rejects: bool) -> Option<&'static str> {
    match argument {
        "x-queue-type" => Some("is no quorum queue: each dead letter is on one node"),
        "durable" | "auto_delete" | "exclusive" => {
            Some("does not outlive a restart of the broker, or its last reader, and neither do the dead letters in it")
        }
        "x-message-ttl" | "x-expires" => {
            Some("has a time of its own: a dead letter that nobody has taken by then is deleted")
        }
        // A full one that refuses is waited for.
        "x-max-length" | "x-max-length-bytes" if !rejects => Some(
            "has a limit of its own: beyond it the oldest dead letters are deleted, unless `x-overflow` is `reject-publish`",
        ),
        _ => None,
    }
}

/// Why this argument is risky for the work queue, if it is.
fn of_work(argument: &str, current: Option<&AMQPValue>) -> Option<&'static str> {
    Some(match argument {
        "x-delivery-limit" => match current {
            Some(AMQPValue::LongLongInt(0..DELIVERIES_MIN)) => {
                "gives an event up after fewer than 20 returns: shutdowns, lost connections and delay queues may each \
                 be counted, so that good events end as dead letters of the broker"
            }
            _ => return None,
        },
        "x-single-active-consumer" => return None,
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
        "x-max-length" | "x-max-length-bytes" | "x-message-ttl" | "x-expires" => {
            "has a limit of its own: what is beyond it leaves the queue before anybody has seen it"
        }
        _ => "is made otherwise than it should be",
    })
}

fn with(wanted: FieldTable, argument: &str, value: AMQPValue) -> FieldTable {
    let mut wanted = wanted;
    wanted.insert(argument.into(), value);
    wanted
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
    fn what_the_queue_has_is_read_from_the_brokers_words() {
        let said = |value: &str, kind: &str| {
            let words = format!("received none but current is the value '{value}' of type '{kind}'");
            current(&words)
        };
        assert_eq!(said("3", "signedint"), Some(AMQPValue::LongLongInt(3)));
        assert_eq!(said("true", "bool"), Some(AMQPValue::Boolean(true)));
        assert_eq!(said("drop-head", "longstr"), Some(AMQPValue::LongString("drop-head".into())));
        assert_eq!(current("but current is none"), None);
    }

    #[test]
    fn only_a_low_delivery_limit_is_a_queue_warning() {
        let is_told = |limit| of_work("x-delivery-limit", Some(&AMQPValue::LongLongInt(limit))).is_some();
        assert_eq!([-1, 0, 3, 19, 20, 100].map(is_told), [false, true, true, true, false, false]);
        assert_eq!(of_work("x-single-active-consumer", Some(&AMQPValue::Boolean(true))), None);
    }

    #[test]
    fn a_limit_of_the_dead_letter_queue_is_a_queue_warning_unless_it_refuses() {
        let is_warning = |argument| [false, true].map(|rejects| of_dead(argument, rejects).is_some());
        assert_eq!(is_warning("x-max-length"), [true, false]);
        assert_eq!(is_warning("x-message-ttl"), [true, true]);
        assert_eq!(is_warning("x-dead-letter-exchange"), [false, false], "somebody's way to try again");
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
