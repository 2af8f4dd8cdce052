//! A dead letter as one JSON object, for a file: all of it, so that an import makes the same letter.
//!
//! Not here: reading and writing files (`cli::dead_letters`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lapin::BasicProperties;
use lapin::types::generation::gen_field_table;
use lapin::types::parsing::parse_field_table;
use lapin::types::{FieldTable, ShortString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::again::{HEADERS_MAX, ours};
use super::{Found, Outgoing};
use crate::amqp::headers::{self, own, text};

/// The version of the form.
const VERSION: u32 = 1;

/// See the head of this file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Carried {
    v: u32,
    exchange: String,
    routing_key: String,
    /// The properties that are texts, by their names.
    properties: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    /// For people; what counts are the bytes below.
    #[serde(default)]
    headers: Map<String, Value>,
    /// The headers as AMQP writes them, in Base64: JSON does not know all of their types.
    headers_amqp: String,
    /// The body, in Base64.
    body: String,
}

/// Sets one text of the properties.
type With = fn(BasicProperties, ShortString) -> BasicProperties;

const TEXTS: [(&str, With); 7] = [
    ("content_type", BasicProperties::with_content_type),
    ("content_encoding", BasicProperties::with_content_encoding),
    ("correlation_id", BasicProperties::with_correlation_id),
    ("reply_to", BasicProperties::with_reply_to),
    ("message_id", BasicProperties::with_message_id),
    ("type", BasicProperties::with_type),
    ("app_id", BasicProperties::with_app_id),
];

impl Carried {
    /// A letter as it was found.
    ///
    /// # Errors
    /// That its headers cannot be written.
    pub fn of(found: &Found) -> Result<Self, String> {
        let properties = found.held.properties.whole();
        let empty = FieldTable::default();
        let table = properties.headers().as_ref().unwrap_or(&empty);
        let written = gen_field_table(table)(Vec::new().into()).map_err(|error| format!("headers: {error}"))?;
        let texts = [
            properties.content_type(),
            properties.content_encoding(),
            properties.correlation_id(),
            properties.reply_to(),
            properties.message_id(),
            properties.kind(),
            properties.app_id(),
        ];
        let named = TEXTS
            .iter()
            .zip(texts)
            .filter_map(|((name, _), text)| Some(((*name).to_owned(), text.as_ref()?.to_string())));
        Ok(Self {
            v: VERSION,
            exchange: found.held.exchange.to_string(),
            routing_key: found.held.routing_key.to_string(),
            properties: named.collect(),
            timestamp: *properties.timestamp(),
            priority: *properties.priority(),
            headers: crate::amqp::intake::object(table),
            headers_amqp: BASE64_STANDARD.encode(written.write),
            body: BASE64_STANDARD.encode(&*found.held.body),
        })
    }

    /// The message that is the same letter. What would act on its own lies aside, as in each letter of the daemon.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn letter(self) -> Result<Outgoing, String> {
        if self.v != VERSION {
            return Err(format!("it is of version {}, and this program reads version {VERSION}", self.v));
        }
        let body = BASE64_STANDARD.decode(&self.body).map_err(|_| "`body` is no Base64")?;
        let bytes = BASE64_STANDARD.decode(&self.headers_amqp).map_err(|_| "`headers_amqp` is no Base64")?;
        let (_, table) = parse_field_table(&bytes[..]).map_err(|_| "`headers_amqp` holds no headers")?;
        let mut properties = BasicProperties::default().with_headers(table);
        for (name, text) in self.properties {
            let with = TEXTS.iter().find(|(known, _)| **known == name).map(|(_, with)| with);
            let with = with.ok_or_else(|| format!("there is no property `{name}`"))?;
            let text = ShortString::try_new(text).map_err(|_| format!("`{name}` is longer than 255 bytes"))?;
            properties = with(properties, text);
        }
        if let Some(timestamp) = self.timestamp {
            properties = properties.with_timestamp(timestamp);
        }
        if let Some(priority) = self.priority {
            properties = properties.with_priority(priority);
        }
        let mut headers = ours(&properties);
        // Published to the queue itself, it would have no other route.
        if !self.exchange.is_empty() {
            headers.entry(own("exchange")).or_insert_with(|| text(&self.exchange));
            headers.entry(own("routing-key")).or_insert_with(|| text(&self.routing_key));
        }
        Ok(Outgoing { properties: headers::joined(&properties, headers, HEADERS_MAX), body })
    }
}

#[cfg(test)]
mod tests {
    use lapin::message::Delivery;
    use lapin::types::AMQPValue;

    use super::*;
    use crate::amqp::intake::arrived;

    fn carried() -> Carried {
        let mut delivery = Delivery::mock(1, "crm".into(), "lead.new".into(), false, b"{\"a\": 1}\xff".to_vec());
        let headers = [
            ("chakra-bridge-reason", AMQPValue::LongString("refused".into())),
            ("chakra-bridge-original-cc", AMQPValue::LongString("elsewhere".into())),
            ("when", AMQPValue::Timestamp(7)),
            ("x-delivery-count", AMQPValue::LongLongInt(3)),
        ];
        let table: BTreeMap<_, _> = headers.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        delivery.properties = BasicProperties::default()
            .with_message_id("m1".into())
            .with_type("lead".into())
            .with_timestamp(5)
            .with_headers(FieldTable::from(table));
        Carried::of(&Found::of(arrived(delivery), 1)).unwrap()
    }

    #[test]
    fn what_is_exported_and_imported_is_the_same_letter() {
        let text = serde_json::to_string(&carried()).unwrap();
        let Outgoing { properties, body } = serde_json::from_str::<Carried>(&text).unwrap().letter().unwrap();
        assert_eq!(body, b"{\"a\": 1}\xff");
        assert_eq!(properties.message_id().as_ref().unwrap().as_str(), "m1");
        assert_eq!((properties.kind().as_ref().unwrap().as_str(), *properties.timestamp()), ("lead", Some(5)));
        let headers = properties.headers().as_ref().unwrap().inner();
        assert_eq!(headers["chakra-bridge-reason"], AMQPValue::LongString("refused".into()));
        assert_eq!(headers["chakra-bridge-original-cc"], AMQPValue::LongString("elsewhere".into()));
        assert_eq!(headers["when"], AMQPValue::Timestamp(7), "JSON has no such type");
        assert_eq!(headers["chakra-bridge-routing-key"], AMQPValue::LongString("lead.new".into()));
        assert!(!headers.contains_key("x-delivery-count"));
    }

    #[test]
    fn a_line_that_is_no_letter_is_told_what_is_wrong() {
        for (wrong, words) in [
            (Carried { v: 2, ..carried() }, "version 2"),
            (Carried { body: "?".into(), ..carried() }, "`body`"),
            (Carried { headers_amqp: "AAAA".into(), ..carried() }, "`headers_amqp`"),
            (Carried { properties: BTreeMap::from([("x".into(), String::new())]), ..carried() }, "`x`"),
        ] {
            let said = wrong.letter().unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
