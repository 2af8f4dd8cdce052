//! One message of the dead-letter queue: its text taken out of AMQP's types.
//!
//! Not here: what it means (`core::letters`).

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::{Outgoing, again};
use crate::amqp::headers::own;
use crate::amqp::intake::{Arrived, Held};
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
    pub(super) fn of(arrived: Arrived, number: u32) -> Self {
        let Arrived { tag, message, held, .. } = arrived;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lapin::types::{FieldArray, ShortString};

    use super::*;

    fn table(headers: &[(&str, AMQPValue)]) -> FieldTable {
        let headers = headers.iter().map(|(name, value)| (ShortString::from(*name), value.clone()));
        FieldTable::from(headers.collect::<BTreeMap<_, _>>())
    }

    fn read(headers: &[(&str, AMQPValue)]) -> Told {
        told(&BasicProperties::default().with_headers(table(headers)))
    }

    /// The types that programs write texts and numbers in.
    const TEXTS: [fn(&str) -> AMQPValue; 2] =
        [|text| AMQPValue::LongString(text.into()), |text| AMQPValue::ShortString(text.into())];
    const NUMBERS: [fn(i32) -> AMQPValue; 2] = [|number| AMQPValue::LongLongInt(number.into()), AMQPValue::LongInt];

    #[test]
    fn what_a_letter_says_is_read_in_whatever_type_it_is_written_in_and_what_is_of_another_says_nothing() {
        for (text, number) in TEXTS.into_iter().zip(NUMBERS) {
            let letter = [
                ("chakra-bridge-rule", text("lead")),
                ("chakra-bridge-procedure", text("ticket")),
                ("chakra-bridge-key", text("k")),
                ("chakra-bridge-exchange", text("crm")),
                ("chakra-bridge-routing-key", text("lead.new")),
                ("chakra-bridge-status", number(422)),
                ("chakra-bridge-attempts", number(2)),
            ];
            let [rule, procedure, key] = ["lead", "ticket", "k"].map(|text| Some(text.to_owned()));
            let origin = Some(("crm".to_owned(), "lead.new".to_owned()));
            let wanted = Told { rule, procedure, key, status: Some(422), attempts: 2, origin, deaths: Vec::new() };
            assert_eq!(read(&letter), wanted);
            assert_eq!(read(&letter.map(|(name, _)| (name, AMQPValue::Void))), Told::default());
        }
    }

    #[test]
    fn the_notes_of_the_broker_are_read_wherever_they_lie_and_what_is_no_note_is_passed_over() {
        for text in TEXTS {
            let note = table(&[
                ("queue", text("work")),
                ("reason", text("rejected")),
                ("exchange", text("crm")),
                ("routing-keys", AMQPValue::FieldArray(FieldArray::from(vec![text("lead.new")]))),
                ("time", AMQPValue::Timestamp(7)),
            ]);
            let notes = FieldArray::from(vec![AMQPValue::FieldTable(note), AMQPValue::Void]);
            let [queue, cause, exchange, routing_key] = ["work", "rejected", "crm", "lead.new"].map(str::to_owned);
            let death = Death { queue, cause, exchange, routing_key, at_ms: 7_000 };
            for name in ["x-death", ASIDE] {
                let deaths = read(&[(name, AMQPValue::FieldArray(notes.clone()))]).deaths;
                assert_eq!(deaths, std::slice::from_ref(&death), "{name}");
            }
        }
        assert_eq!(read(&[("x-death", AMQPValue::Void)]).deaths, []);
    }
}
