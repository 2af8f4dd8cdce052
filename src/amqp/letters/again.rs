//! The properties of a message that asks for the event of a dead letter again. It keeps all that the letter says: its key, its
//! reason, the route of its event, and what it brought through a delay queue.
//!
//! Not here: publishing it, and what the daemon makes of it (`core::put_back`).

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, ShortString};

use crate::amqp::headers::{self, PROGRESS, is_ours, own, text};
use crate::amqp::intake::Held;
use crate::core::message::Message;

/// All headers together, in bytes, as a delayed event has them.
pub(super) const HEADERS_MAX: usize = 100 * 1024;

/// See the head of this file; `message` has the route of its event.
pub(super) fn properties(held: &Held, message: &Message, may_exist: bool, stamp: &str) -> BasicProperties {
    let original = held.properties.whole();
    let mut headers = ours(&original);
    // Whoever takes it looks it up first, whoever made the letter.
    headers.insert(own("retry"), text(stamp));
    if may_exist {
        headers.insert(own("may-exist"), text("true"));
    }
    if !headers.contains_key(PROGRESS) {
        headers.insert(own("exchange"), text(&message.exchange));
        headers.insert(own("routing-key"), text(&message.routing_key));
    }
    headers::joined(&original, headers, HEADERS_MAX)
}

/// The headers of ours that a message has.
pub(super) fn ours(properties: &BasicProperties) -> BTreeMap<ShortString, AMQPValue> {
    let all = properties.headers().iter().flat_map(|table| table.inner().iter());
    all.filter(|(name, _)| is_ours(name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use lapin::message::Delivery;
    use lapin::types::{FieldArray, FieldTable};

    use super::super::Found;
    use super::*;
    use crate::amqp::intake::arrived;
    use crate::core::bounds::Bounds;
    use crate::core::decode::Limits;
    use crate::core::letters::read;

    fn long(text: &str) -> AMQPValue {
        AMQPValue::LongString(text.into())
    }

    /// The message that asks for a letter with these headers again.
    fn again(headers: &[(&str, AMQPValue)], may_exist: bool) -> BTreeMap<ShortString, AMQPValue> {
        let mut delivery = Delivery::mock(1, "".into(), "crm.events.dead".into(), true, b"{}".to_vec());
        let table: BTreeMap<_, _> = headers.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        delivery.properties = BasicProperties::default()
            .with_message_id("m1".into())
            .with_expiration("5".into())
            .with_headers(FieldTable::from(table));
        let found = Found::of(arrived(delivery), 1);
        let (message, told) = found.read();
        let read = read(message, told, "crm.events", &Limits { bounds: Bounds::DEFAULT, key: None });
        let properties = found.again(&read, may_exist, "now, by somebody").properties;
        assert_eq!((properties.expiration(), properties.delivery_mode()), (&None, &Some(2)));
        assert_eq!(properties.message_id().as_ref().unwrap().as_str(), "m1");
        properties.headers().as_ref().unwrap().inner().clone()
    }

    #[test]
    fn a_letter_of_ours_keeps_all_that_it_says_and_nothing_that_acts() {
        let letter = [
            ("chakra-bridge-reason", long("refused")),
            ("chakra-bridge-may-exist", long("false")),
            ("chakra-bridge-exchange", long("crm")),
            ("chakra-bridge-routing-key", long("lead.new")),
            ("chakra-bridge-original-cc", long("elsewhere")),
            ("chakra-bridge-journey", long("{}")),
            ("x-delivery-count", AMQPValue::LongLongInt(3)),
            ("ce-type", long("lead")),
            ("half", long(&"x".repeat(50 * 1024))),
        ];
        let headers = again(&letter, false);
        for (name, value) in &letter[..6] {
            assert_eq!(headers.get(*name), Some(value), "{name}");
        }
        assert_eq!(headers["ce-type"], long("lead"));
        assert!(headers.contains_key("half"), "there is room for it");
        assert_eq!(headers["chakra-bridge-retry"], long("now, by somebody"));
        assert!(!headers.contains_key("x-delivery-count"));
        assert_eq!(again(&letter, true)["chakra-bridge-may-exist"], long("true"), "another letter of it says so");
    }

    #[test]
    fn what_the_broker_gave_up_takes_the_route_of_its_event_along_and_no_note_that_acts() {
        let mut note = FieldTable::default();
        note.insert("queue".into(), long("crm.events"));
        note.insert("reason".into(), long("delivery_limit"));
        note.insert("exchange".into(), long("crm"));
        note.insert("routing-keys".into(), AMQPValue::FieldArray(FieldArray::from(vec![long("lead.new")])));
        let notes = AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::FieldTable(note)]));
        let headers = again(&[("x-death", notes.clone()), ("CC", long("elsewhere"))], true);
        assert_eq!(headers["chakra-bridge-exchange"], long("crm"));
        assert_eq!(headers["chakra-bridge-routing-key"], long("lead.new"));
        assert_eq!(headers["chakra-bridge-may-exist"], long("true"));
        assert_eq!(headers["chakra-bridge-original-x-death"], notes);
        assert!(!headers.contains_key("x-death") && !headers.contains_key("CC"));
    }
}
