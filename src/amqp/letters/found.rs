//! One message of the dead-letter queue: its text taken out of AMQP's types.
//!
//! Not here: what it means (`core::letters`).

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};

use super::{Outgoing, again};
use crate::amqp::headers::own;
use crate::amqp::intake::{self, Arrived, Held};
use crate::core::letters::{Death, Read, Told};
use crate::core::message::Message;

/// Notes of the broker that are read of one message.
const DEATHS_MAX: usize = 32;
/// Where a note of the broker lies in a letter that was exported and imported.
const ASIDE: &str = "chakra-bridge-original-x-death";

/// One dead letter as it was found.
pub struct Found {
    /// Its place in the pass, from 1.
    pub number: u32,
    pub(super) tag: u64,
    pub(super) held: Held,
    message: Message,
    told: Told,
}

impl Found {
    pub(super) fn of(delivery: Delivery, number: u32) -> Self {
        let Arrived { tag, message, held, .. } = intake::arrived(delivery);
        let told = told(&held.properties.whole());
        Self { number, tag, held, message, told }
    }

    /// What was found, for `core::letters::read`.
    #[must_use]
    pub fn read(&self) -> (Message, Told) {
        (self.message.clone(), self.told.clone())
    }

    /// The message that asks for its event again; `stamp` says who asked and when, and `may_exist` whether any letter of the event
    /// says that it may be a process.
    #[must_use]
    pub fn again(&self, read: &Read, may_exist: bool, stamp: &str) -> Outgoing {
        let properties = again::properties(&self.held, &read.message, may_exist, stamp);
        Outgoing { properties, body: self.held.body.to_vec() }
    }
}

/// What the headers say.
fn told(properties: &BasicProperties) -> Told {
    let empty = FieldTable::default();
    let headers = properties.headers().as_ref().unwrap_or(&empty);
    let get = |name: &str| headers.inner().get(own(name).as_str());
    let text = |name: &str| get(name).and_then(in_words);
    let number = |name: &str| get(name).and_then(whole);
    let deaths = headers.inner().get("x-death").or_else(|| headers.inner().get(ASIDE));
    Told {
        rule: text("rule"),
        procedure: text("procedure"),
        key: text("key"),
        status: number("status").and_then(|status| u16::try_from(status).ok()),
        attempts: number("attempts").and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or_default(),
        origin: text("exchange").zip(text("routing-key")),
        deaths: deaths.map(deaths_of).unwrap_or_default(),
    }
}

/// The broker's notes, the newest first, as it writes them.
fn deaths_of(value: &AMQPValue) -> Vec<Death> {
    let AMQPValue::FieldArray(notes) = value else { return Vec::new() };
    let tables = notes.as_slice().iter().filter_map(|note| match note {
        AMQPValue::FieldTable(table) => Some(table),
        _ => None,
    });
    tables.take(DEATHS_MAX).map(death).collect()
}

fn death(table: &FieldTable) -> Death {
    let get = |name: &str| table.inner().get(name);
    let text = |name: &str| get(name).and_then(in_words).unwrap_or_default();
    let routing_key = match get("routing-keys") {
        Some(AMQPValue::FieldArray(keys)) => keys.as_slice().first().and_then(in_words),
        _ => None,
    };
    let at_ms = match get("time") {
        Some(AMQPValue::Timestamp(seconds)) => seconds.saturating_mul(1000),
        _ => 0,
    };
    let [queue, cause, exchange] = ["queue", "reason", "exchange"].map(text);
    Death { queue, cause, exchange, routing_key: routing_key.unwrap_or_default(), at_ms }
}

fn in_words(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

fn whole(value: &AMQPValue) -> Option<u64> {
    match value {
        AMQPValue::LongLongInt(number) => u64::try_from(*number).ok(),
        AMQPValue::LongInt(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}
