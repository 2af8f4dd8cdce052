//! How a queue is made: its kind and arguments, as far as the broker tells them.
//!
//! Not here: what that means (`queue_warnings`). AMQP shows no policies.
//!
//! It is asked by declaring the queue as it might be, which changes nothing about one that is there: the answer names the
//! first argument that differs, and the next question has it as it is.

use std::collections::BTreeMap;

use lapin::Connection;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use super::Config;
use super::error::{BrokerError, is_locked, is_other, is_refused};
use super::questions::try_declare;
use crate::core::queue::{Queue, Setting, Value};

/// More than there are arguments to differ in.
const ASKED_MAX: usize = 16;
const KIND: &str = "x-queue-type";
const CLASSIC: &str = "classic";
/// What no queue but a quorum queue may be asked for.
const OF_QUORUM: &str = "x-dead-letter-strategy";

/// What the broker lets this user know.
pub(super) enum Known {
    /// How it is made.
    Made(Made),
    /// It belongs to another connection.
    Locked,
    /// Nothing: that takes the right to configure the queue.
    Nothing,
}

/// How a queue is made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Made {
    is_durable: bool,
    is_auto_delete: bool,
    arguments: BTreeMap<ShortString, AMQPValue>,
    /// A difference that nothing is known about, in the broker's words.
    unclear: Option<String>,
}

/// Asks how this queue is made, which is there.
pub(super) async fn ask(
    config: &Config,
    connection: &Connection,
    queue: &str,
    wanted: FieldTable,
) -> Result<Known, BrokerError> {
    let mut made = Made::as_wanted(&wanted);
    for _ in 0..ASKED_MAX {
        let said = match try_declare(config, connection, queue, made.options(), made.table()).await? {
            Ok(()) => return Ok(Known::Made(made)),
            Err(error) if is_other(&error) => error.to_string(),
            Err(error) if is_locked(&error) => return Ok(Known::Locked),
            Err(error) if is_refused(&error) => return Ok(Known::Nothing),
            Err(error) => return Err(BrokerError::during(&format!("looking at queue `{queue}`"), &error)),
        };
        if !made.learn(&said) {
            made.unclear = Some(said);
            break;
        }
        // Of a stream nothing else matters, and it may not be asked for what a queue may.
        if made.kind() == "stream" {
            break;
        }
    }
    Ok(Known::Made(made))
}

impl Made {
    /// Durable, with these arguments.
    pub(super) fn as_wanted(wanted: &FieldTable) -> Self {
        Self { is_durable: true, is_auto_delete: false, arguments: wanted.inner().clone(), unclear: None }
    }

    /// `quorum`, `classic`, `stream`, or whatever else there is.
    fn kind(&self) -> &str {
        self.text(KIND).unwrap_or(CLASSIC)
    }

    fn text(&self, argument: &str) -> Option<&str> {
        match self.arguments.get(argument)? {
            AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
            _ => None,
        }
    }

    /// The same as a value to judge.
    pub(super) fn queue(&self) -> Queue {
        let settings = self.arguments.iter().filter_map(|(name, value)| {
            let setting = Setting { value: plain(value)?, is_of_policy: false };
            Some((name.to_string(), setting))
        });
        Queue {
            is_durable: self.is_durable,
            is_auto_delete: self.is_auto_delete,
            settings: settings.collect(),
            policies: None,
            unclear: self.unclear.clone(),
        }
    }

    fn options(&self) -> QueueDeclareOptions {
        QueueDeclareOptions {
            durable: self.is_durable,
            auto_delete: self.is_auto_delete,
            ..QueueDeclareOptions::default()
        }
    }

    fn table(&self) -> FieldTable {
        FieldTable::from(self.arguments.clone())
    }

    /// Takes in what the broker says of the first difference; false where that brings nothing new.
    fn learn(&mut self, said: &str) -> bool {
        let before = self.clone();
        match argument(said) {
            Some("durable") => self.is_durable = !self.is_durable,
            Some("auto_delete") => self.is_auto_delete = !self.is_auto_delete,
            Some(argument) => match current(said) {
                Some(current) => drop(self.arguments.insert(argument.into(), current)),
                None => drop(self.arguments.remove(argument)),
            },
            None => {}
        }
        // Neither may be declared together with being a quorum queue, which it cannot be then.
        if (!self.is_durable || self.is_auto_delete) && self.kind() == "quorum" {
            self.arguments.insert(KIND.into(), AMQPValue::LongString(CLASSIC.into()));
        }
        if self.kind() != "quorum" {
            self.arguments.remove(OF_QUORUM);
        }
        *self != before
    }
}

/// As it is judged; none of a type that no argument here has.
fn plain(value: &AMQPValue) -> Option<Value> {
    Some(match value {
        AMQPValue::LongString(text) => Value::Text(std::str::from_utf8(text.as_bytes()).ok()?.to_owned()),
        AMQPValue::LongLongInt(number) => Value::Number(*number),
        AMQPValue::Boolean(flag) => Value::Flag(*flag),
        _ => return None,
    })
}

/// The argument that differs: `inequivalent arg 'x-…' for queue …`.
fn argument(said: &str) -> Option<&str> {
    said.split_once("inequivalent arg '")?.1.split('\'').next()
}

/// The value that the queue has: `… but current is the value '3' of type 'long'`, or `… but current is 'stream'`.
fn current(said: &str) -> Option<AMQPValue> {
    if let Some((_, rest)) = said.split_once("current is '") {
        return Some(AMQPValue::LongString(rest.split('\'').next()?.into()));
    }
    let (value, rest) = said.split_once("current is the value '")?.1.split_once("' of type '")?;
    Some(match rest.split('\'').next()? {
        "longstr" => AMQPValue::LongString(value.into()),
        "bool" => AMQPValue::Boolean(value == "true"),
        _ => AMQPValue::LongLongInt(value.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::super::QueueType;
    use super::super::wanted_queues::back_to;
    use super::*;

    /// A quorum queue as it should be, and what the broker says of one that is made otherwise.
    fn made(said: &[&str]) -> Made {
        let mut made = Made::as_wanted(&back_to(QueueType::Quorum, "dead"));
        for said in said {
            assert!(made.learn(&format!("PRECONDITION_FAILED - inequivalent arg {said}")), "{said}");
        }
        made
    }

    #[test]
    fn what_the_broker_says_of_a_difference_is_taken_in_and_said_again_it_brings_nothing_new() {
        let mut made = made(&[
            "'x-overflow' for queue 'q' in vhost '/': received the value 'reject-publish' of type 'longstr' but current is none",
            "'x-max-length' for queue 'q': received none but current is the value '3' of type 'signedint'",
            "'x-single-active-consumer' for queue 'q': received none but current is the value 'true' of type 'bool'",
        ]);
        let queue = made.queue();
        assert_eq!(queue.text("x-overflow"), None);
        assert_eq!(queue.settings["x-max-length"].value, Value::Number(3));
        assert_eq!(queue.settings["x-single-active-consumer"].value, Value::Flag(true));
        assert_eq!((made.kind(), queue.text(KIND)), ("quorum", Some("quorum")));
        assert_eq!(FieldTable::from(made.arguments.clone()), made.table());
        assert!(!made.learn("inequivalent arg 'x-max-length': but current is the value '3' of type 'signedint'"));
        assert!(!made.learn("PRECONDITION_FAILED - something else"));
    }

    #[test]
    fn a_queue_that_is_not_durable_or_classic_is_asked_for_nothing_that_only_a_quorum_queue_has() {
        let transient = made(&["'durable' for queue 'q' in vhost '/': received 'true' but current is 'false'"]);
        assert_eq!((transient.is_durable, transient.kind(), transient.text(OF_QUORUM)), (false, "classic", None));
        let deleted = made(&["'auto_delete' for queue 'q' in vhost '/': received 'false' but current is 'true'"]);
        assert_eq!((deleted.is_auto_delete, deleted.kind()), (true, "classic"));
        let options = [&transient, &deleted].map(Made::options).map(|options| [options.durable, options.auto_delete]);
        assert_eq!(options, [[false, false], [true, true]]);
        let classic = made(&["'x-queue-type' for queue 'q': received 'quorum' but current is 'classic'"]);
        assert_eq!((classic.is_durable, classic.kind(), classic.text(OF_QUORUM)), (true, "classic", None));
        let stream = made(&[
            "'x-queue-type': received the value 'quorum' of type 'longstr' but current is the value 'stream' of type 'longstr'",
        ]);
        assert_eq!(stream.kind(), "stream");
        let unnamed = made(&["'x-queue-type': received the value 'quorum' of type 'longstr' but current is none"]);
        assert_eq!(unnamed.kind(), "classic");
    }
}
