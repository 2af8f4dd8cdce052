//! What the producer of an event is told, as a message: a CloudEvent in AMQP's binary mode, for an exchange, and for the queue that the
//! event names in `reply_to`.
//!
//! Not here: publishing it (`publisher`), when it is told (`core::delivery`), and its parts (`core::outcome`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use serde_json::{Map, Value, json};

use super::headers::text;
use super::intake::Held;
use super::outgoing::{Publish, Reply};
use super::wanted_queues::delay_queue_name;
use super::{Config, packed::Packed};
use crate::core::delay_queue::DELAY_QUEUES;
use crate::core::outcome::EventOutcome;
use crate::core::trace_context::TRACEPARENT;

/// What marks an attribute of a CloudEvent among the headers.
const PREFIX: &str = "cloudEvents_";

const PERSISTENT: u8 = 2;

/// Where outcomes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// The exchange.
    pub exchange: String,
    /// Outcomes on their way at once: each has a channel of its own.
    pub channels: u16,
    /// Whether an event waits until its outcome is told.
    pub required: bool,
    /// Whether an event that names a queue in `reply_to` is answered there too.
    pub reply_to: bool,
    /// What stands as `source` in each.
    pub source: String,
    /// Where a person finds a process; `{procedure}` and `{process}` stand for it.
    pub link: Option<String>,
}

/// What makes them.
pub(super) struct Outcomes {
    outlet: Outlet,
    exchange: ShortString,
    /// The queues that are never answered to.
    ours: Vec<String>,
}

impl Outcomes {
    /// None where none is told.
    pub(super) fn of(config: &Config) -> Option<Self> {
        let outlet = config.outcomes.clone()?;
        let exchange = ShortString::try_new(outlet.exchange.as_str()).ok()?;
        let ours = DELAY_QUEUES.map(|delay_queue| delay_queue_name(&config.queue, delay_queue)).into_iter();
        let ours = ours.chain([config.queue.clone(), config.dead_letter_queue.clone()]).collect();
        Some(Self { outlet, exchange, ours })
    }

    /// The message that stands for the outcome of what was delivered by this tag.
    pub(super) fn message(&self, tag: u64, held: &Held, outcome: &EventOutcome) -> Publish {
        let original = held.properties.whole();
        let properties = self.properties(outcome);
        let reply = if self.outlet.reply_to { self.reply(&original, &properties) } else { None };
        let key = outcome.routing_key();
        Publish {
            tag,
            exchange: self.exchange.clone(),
            queue: ShortString::try_new(key).unwrap_or_default(),
            properties: Packed::of(properties),
            body: self.body(outcome).into(),
            reply,
        }
    }

    fn properties(&self, outcome: &EventOutcome) -> BasicProperties {
        let mut attributes = vec![
            ("specversion", "1.0".to_owned()),
            ("id", outcome.id.clone()),
            ("source", self.outlet.source.clone()),
            ("type", outcome.event_type()),
            ("time", time(outcome.at_ms)),
        ];
        attributes.extend(outcome.key.clone().map(|key| ("subject", key)));
        attributes.extend(outcome.trace.clone().map(|trace| (TRACEPARENT, trace)));
        let named = attributes
            .into_iter()
            .filter_map(|(name, value)| Some((ShortString::try_new(format!("{PREFIX}{name}")).ok()?, text(&value))));
        let mut headers: BTreeMap<ShortString, AMQPValue> = named.collect();
        headers.extend(outcome.trace.as_ref().map(|trace| (TRACEPARENT.into(), text(trace))));
        BasicProperties::default()
            .with_content_type("application/json".into())
            .with_message_id(ShortString::try_new(outcome.id.as_str()).unwrap_or_default())
            .with_type(ShortString::try_new(outcome.event_type()).unwrap_or_default())
            .with_timestamp(outcome.at_ms / 1000)
            .with_delivery_mode(PERSISTENT)
            .with_headers(FieldTable::from(headers))
    }

    /// The data: what became of the event, and nothing of what was in it.
    fn body(&self, outcome: &EventOutcome) -> Vec<u8> {
        let mut data = Map::new();
        data.insert("outcome".to_owned(), json!(outcome.kind.as_str()));
        let link = self.link(outcome);
        let texts = [
            ("rule", &outcome.rule),
            ("procedure", &outcome.procedure),
            ("process_id", &outcome.process),
            ("process_link", &link),
        ];
        data.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?)))));
        if let Some(letter) = &outcome.letter {
            data.insert("reason".to_owned(), json!(letter.reason));
            data.insert("text".to_owned(), json!(letter.text));
            data.insert("may_exist".to_owned(), json!(letter.may_exist));
            data.extend(letter.status.map(|status| ("status".to_owned(), json!(status))));
        }
        data.insert("attempts".to_owned(), json!(outcome.attempts));
        data.insert("first_seen".to_owned(), json!(time(outcome.first_seen_ms)));
        data.insert("ended".to_owned(), json!(time(outcome.at_ms)));
        data.insert("retries".to_owned(), json!(outcome.retries));
        data.extend(outcome.earlier.as_ref().map(|earlier| ("earlier_outcome".to_owned(), json!(earlier))));
        Value::Object(data).to_string().into_bytes()
    }

    fn link(&self, outcome: &EventOutcome) -> Option<String> {
        let (link, process) = self.outlet.link.as_ref().zip(outcome.process.as_ref())?;
        let link = match &outcome.procedure {
            Some(procedure) => link.replace("{procedure}", &in_path(procedure)),
            // The memory of recent events does not know it: half a link leads nowhere.
            None if link.contains("{procedure}") => return None,
            None => link.clone(),
        };
        Some(link.replace("{process}", &in_path(process)))
    }

    /// The answer to the queue that the event names, if it names one.
    fn reply(&self, original: &BasicProperties, properties: &BasicProperties) -> Option<Reply> {
        let queue = original.reply_to().clone().filter(|queue| !queue.as_str().is_empty())?;
        if self.ours.iter().any(|ours| ours == queue.as_str()) {
            return Some(Reply::Refused);
        }
        let properties = match original.correlation_id() {
            Some(correlation) => properties.clone().with_correlation_id(correlation.clone()),
            None => properties.clone(),
        };
        Some(Reply::To { queue, properties: Box::new(Packed::of(properties)) })
    }
}

/// A text as one segment of a path.
fn in_path(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A moment in RFC 3339, in UTC, to the millisecond.
fn time(epoch_ms: u64) -> String {
    let time = i64::try_from(epoch_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map(|time| format!("{time:.3}")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
