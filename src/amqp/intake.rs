//! A delivery becomes a message: its text taken out of AMQP's types.
//!
//! Not here: its meaning, its result, and anything that can fail.

use std::sync::Arc;

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use serde_json::{Map, Number, Value};

use super::headers;
use super::packed::Packed;
use super::shallow::{Shallow, shallow};
use crate::core::message::Message;

/// A header that streams put on what they deliver.
const OFFSET: &str = "x-stream-offset";

/// What the consumer keeps of a delivery: all that settling and a dead letter need.
pub(super) struct Held {
    pub(super) properties: Packed,
    pub(super) body: Arc<Vec<u8>>,
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
}

impl Held {
    /// What it takes in memory, near enough, in bytes: body and headers.
    pub(super) fn size(&self) -> usize {
        self.body.len() + self.properties.size()
    }
}

/// A delivery, taken apart.
pub(super) struct Arrived {
    pub(super) tag: u64,
    /// What goes on.
    pub(super) message: Message,
    /// What stays.
    pub(super) held: Held,
    /// Whether it came out of a stream.
    pub(super) is_of_a_stream: bool,
    /// Headers of which a part is null, since it was nested too deep.
    pub(super) cut: Vec<ShortString>,
}

/// Takes a delivery apart.
pub(super) fn arrived(delivery: Delivery) -> Arrived {
    let body = Arc::new(delivery.data);
    let Shallow { properties, cut } = shallow(delivery.properties);
    let message = Message {
        body: Arc::clone(&body),
        content_type: text(properties.content_type().as_ref()),
        content_encoding: text(properties.content_encoding().as_ref()),
        message_id: text(properties.message_id().as_ref()),
        kind: text(properties.kind().as_ref()),
        headers: properties.headers().as_ref().map(headers).unwrap_or_default().into(),
        exchange: delivery.exchange.to_string(),
        routing_key: delivery.routing_key.to_string(),
        redelivered: delivery.redelivered,
        delayed_state: headers::progress(&properties),
        put_back: headers::put_back(&properties),
        made_ms: properties.timestamp().map_or(0, |seconds| seconds.saturating_mul(1000)),
        deliveries: deliveries(&properties).filter(|_| delivery.redelivered),
        begins: None,
    };
    let is_of_a_stream = properties.headers().as_ref().is_some_and(|headers| headers.contains_key(OFFSET));
    let (exchange, routing_key) = (delivery.exchange, delivery.routing_key);
    let properties = Packed::of(properties);
    let headers = if properties.has_many() { message.headers.packed() } else { message.headers };
    let held = Held { properties, body, exchange, routing_key };
    Arrived { tag: delivery.delivery_tag, message: Message { headers, ..message }, held, is_of_a_stream, cut }
}

/// Without those of ours: no rule matches on them.
fn headers(table: &FieldTable) -> Map<String, Value> {
    object(table).into_iter().filter(|(name, _)| !headers::is_ours(name)).collect()
}

/// What quorum queues count: how often the message was given back. On a first delivery a publisher wrote it.
fn deliveries(properties: &BasicProperties) -> Option<u32> {
    let count = json(properties.headers().as_ref()?.inner().get("x-delivery-count")?)?;
    u32::try_from(count.as_u64()?).ok()
}

fn text(property: Option<&ShortString>) -> Option<String> {
    property.map(ToString::to_string).filter(|text| !text.is_empty())
}

/// The headers as a JSON object.
pub(super) fn object(table: &FieldTable) -> Map<String, Value> {
    table.inner().iter().filter_map(|(key, value)| Some((key.to_string(), json(value)?))).collect()
}

/// The JSON value that says the same; none for decimals.
fn json(value: &AMQPValue) -> Option<Value> {
    Some(match value {
        AMQPValue::Boolean(it) => Value::Bool(*it),
        AMQPValue::ShortShortInt(it) => Value::from(*it),
        AMQPValue::ShortShortUInt(it) => Value::from(*it),
        AMQPValue::ShortInt(it) => Value::from(*it),
        AMQPValue::ShortUInt(it) => Value::from(*it),
        AMQPValue::LongInt(it) => Value::from(*it),
        AMQPValue::LongUInt(it) => Value::from(*it),
        AMQPValue::LongLongInt(it) => Value::from(*it),
        AMQPValue::Timestamp(it) => Value::from(*it),
        AMQPValue::Float(it) => Value::Number(Number::from_f64(f64::from(*it))?),
        AMQPValue::Double(it) => Value::Number(Number::from_f64(*it)?),
        AMQPValue::ShortString(it) => Value::String(it.to_string()),
        AMQPValue::LongString(it) => text_or_null(it.as_bytes()),
        AMQPValue::ByteArray(it) => text_or_null(it.as_slice()),
        AMQPValue::FieldArray(it) => Value::Array(it.as_slice().iter().filter_map(json).collect()),
        AMQPValue::FieldTable(it) => Value::Object(object(it)),
        AMQPValue::Void => Value::Null,
        AMQPValue::DecimalValue(_) => return None,
    })
}

/// Some clients send every text as bytes. Bytes that are no text are null: something is there, and cannot be read.
fn text_or_null(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lapin::types::DecimalValue;
    use serde_json::json;

    use super::*;

    fn with(headers: &[(&str, AMQPValue)]) -> BasicProperties {
        let headers = headers.iter().map(|(name, value)| (ShortString::from(*name), value.clone()));
        BasicProperties::default().with_headers(FieldTable::from(headers.collect::<BTreeMap<_, _>>()))
    }

    fn of(properties: BasicProperties, redelivered: bool) -> Message {
        let mut delivery = Delivery::mock(1, "crm".into(), "lead.new".into(), redelivered, b"{}".to_vec());
        delivery.properties = properties;
        arrived(delivery).message
    }

    #[test]
    fn a_header_is_the_json_that_says_the_same_and_bytes_that_are_no_text_are_null() {
        let inner = with(&[("a", AMQPValue::Boolean(true))]).headers().clone().unwrap();
        for (value, wanted) in [
            (AMQPValue::Boolean(true), Some(json!(true))),
            (AMQPValue::ShortShortInt(-1), Some(json!(-1))),
            (AMQPValue::ShortShortUInt(1), Some(json!(1))),
            (AMQPValue::ShortInt(-300), Some(json!(-300))),
            (AMQPValue::ShortUInt(300), Some(json!(300))),
            (AMQPValue::LongInt(-70_000), Some(json!(-70_000))),
            (AMQPValue::LongUInt(70_000), Some(json!(70_000))),
            (AMQPValue::LongLongInt(i64::MIN), Some(json!(i64::MIN))),
            (AMQPValue::Timestamp(7), Some(json!(7))),
            (AMQPValue::Float(1.5), Some(json!(1.5))),
            (AMQPValue::Double(-2.5), Some(json!(-2.5))),
            (AMQPValue::Double(f64::NAN), None),
            (AMQPValue::ShortString("text".into()), Some(json!("text"))),
            (AMQPValue::LongString("tëxt".into()), Some(json!("tëxt"))),
            (AMQPValue::ByteArray(b"text".to_vec().into()), Some(json!("text"))),
            (AMQPValue::ByteArray(vec![0xff].into()), Some(json!(null))),
            (AMQPValue::FieldArray(vec![AMQPValue::Boolean(true)].into()), Some(json!([true]))),
            (AMQPValue::FieldTable(inner), Some(json!({"a": true}))),
            (AMQPValue::Void, Some(json!(null))),
            (AMQPValue::DecimalValue(DecimalValue { scale: 2, value: 1 }), None),
        ] {
            let message = of(with(&[("header", value.clone())]), false);
            assert_eq!(message.headers.open().get("header"), wanted.as_ref(), "{value:?}");
        }
    }

    #[test]
    fn a_message_has_the_texts_of_its_properties_and_an_empty_one_is_none() {
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_content_encoding("".into())
            .with_message_id("m1".into())
            .with_type("lead".into())
            .with_timestamp(7);
        let message = of(properties, true);
        let texts = [message.content_type, message.content_encoding, message.message_id, message.kind];
        assert_eq!(texts.each_ref().map(Option::as_deref), [Some("application/json"), None, Some("m1"), Some("lead")]);
        assert_eq!((message.exchange.as_str(), message.routing_key.as_str()), ("crm", "lead.new"));
        assert_eq!(
            (message.redelivered, message.made_ms, of(BasicProperties::default(), false).made_ms),
            (true, 7_000, 0)
        );
    }

    #[test]
    fn how_often_it_was_given_back_is_the_brokers_word_alone() {
        let counted = |count, redelivered| of(with(&[("x-delivery-count", count)]), redelivered).deliveries;
        assert_eq!(counted(AMQPValue::LongLongInt(3), true), Some(3));
        assert_eq!(counted(AMQPValue::LongLongInt(3), false), None, "a publisher wrote it");
        assert_eq!(counted(AMQPValue::LongLongInt(-3), true), None);
        assert_eq!(of(with(&[]), true).deliveries, None);
    }
}
