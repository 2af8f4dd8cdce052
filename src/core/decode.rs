//! Bytes become an event, or the fault says why they are none.
//!
//! Not here: what a rule makes of the event (`mapping`), the forms of CloudEvents (`decode/cloud_events`).

mod cloud_events;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::core::bounds::{Bounds, too_many};
use crate::core::content_encoding::{self, Undecoded};
use crate::core::event::{Event, Key, KeyOrigin};
use crate::core::json::{Unread, parse};
use crate::core::mapping::key::KeyExpression;
use crate::core::message::Message;
use crate::core::reason::{Fault, Reason};

/// The longest key taken, in bytes.
pub const KEY_BYTES_MAX: usize = 512;

/// What stands in place of an encoding and is none.
const CHARSETS: [&str; 2] = ["utf-8", "utf8"];

/// How bodies begin that are no UTF-8, and what they are.
const OTHERS: [(&[u8], &str); 3] = [
    (b"\x1f\x8b", "gzip, and no content encoding says so: the publisher must name it"),
    (b"\xff\xfe", "UTF-16: the publisher must send UTF-8"),
    (b"\xfe\xff", "UTF-16: the publisher must send UTF-8"),
];

/// What is asked of every message.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How large it may be.
    pub bounds: Bounds,
    /// What names the key of an event that carries neither CloudEvents ids nor a message id.
    pub key: Option<KeyExpression>,
}

/// A document, and its envelope's key and type where it is a CloudEvent.
struct Decoded {
    document: Value,
    envelope: Option<Envelope>,
}

/// What a CloudEvent says of itself.
struct Envelope {
    key: String,
    kind: String,
}

/// Decodes a message: CloudEvents 1.0 (structured or binary) or a plain JSON object.
///
/// # Errors
/// [`Reason::TooLarge`], [`Reason::Undecodable`], or [`Reason::Unmappable`] if the key expression gives no key:
/// a hash in its place would merge duplicates in silence. A compressed body counts as it is and as
/// what comes out of it. The text never holds a piece of the body.
pub fn decode(message: &Message, limits: &Limits) -> Result<Event, Fault> {
    let size = message.body.len();
    let Bounds { max_bytes, max_values, .. } = limits.bounds;
    if size > max_bytes {
        let text = format!("the body has {size} bytes, at most {max_bytes} are taken");
        return Err(Fault::new(Reason::TooLarge, text));
    }
    let headers = message.headers.open();
    let Decoded { document, envelope } = document(message, &headers, &plain_body(message, max_bytes)?, max_values)?;
    let (own_key, own_kind) = envelope.map(|envelope| (envelope.key, envelope.kind)).unzip();
    let event = Event {
        key: Key { text: String::new(), origin: KeyOrigin::Body },
        kind: own_kind.unwrap_or_else(|| kind(message)),
        document,
        headers: headers.into_owned(),
        exchange: message.exchange.clone(),
        routing_key: message.routing_key.clone(),
        message_id: message.message_id.clone(),
    };
    let key = key(own_key, message, limits, &event)?;
    Ok(Event { key, ..event })
}

fn undecodable(text: impl Into<String>) -> Fault {
    Fault::new(Reason::Undecodable, text)
}

/// The body as it was before it was compressed.
fn plain_body(message: &Message, max_bytes: usize) -> Result<Cow<'_, [u8]>, Fault> {
    let encoding = message.content_encoding.as_deref().unwrap_or_default();
    let names: Vec<String> =
        content_encoding::names(encoding).filter(|name| !CHARSETS.contains(&name.as_str())).collect();
    if names.is_empty() || message.body.is_empty() {
        return Ok(Cow::Borrowed(&message.body));
    }
    content_encoding::decoded(&message.body, &names, max_bytes).map(Cow::Owned).map_err(|undecoded| match undecoded {
        Undecoded::TooLong(_) => {
            Fault::new(Reason::TooLarge, format!("the body has more than {max_bytes} bytes once it is decoded"))
        }
        Undecoded::TooDeep(layers) => {
            undecodable(format!("the body is encoded {layers} times over, at most 2 are read"))
        }
        Undecoded::Unknown(name) => undecodable(format!(
            "the content encoding is `{name}`: the publisher must send the event as gzip, deflate or uncompressed"
        )),
        Undecoded::Broken { name, why } => {
            undecodable(format!("the content encoding says `{name}`, and the body cannot be decoded as that: {why}"))
        }
    })
}

/// The media type without its parameters, in lower case.
fn media_type(content_type: Option<&str>) -> String {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn document(message: &Message, headers: &Map<String, Value>, body: &[u8], max_values: usize) -> Result<Decoded, Fault> {
    let media_type = media_type(message.content_type.as_deref());
    match media_type.as_str() {
        "application/cloudevents+json" | "application/cloudevents" => {
            return cloud_events::structured(object(body, max_values)?, max_values);
        }
        batch if batch.starts_with("application/cloudevents-batch") => {
            return Err(undecodable("a batch of CloudEvents: the publisher must send one event a message"));
        }
        other if other.starts_with("application/cloudevents+") => {
            return Err(undecodable("a CloudEvent in another format than JSON: the publisher must send it as JSON"));
        }
        _ => {}
    }
    if let Some(attributes) = cloud_events::attributes(headers)? {
        return cloud_events::binary(attributes, message, body, max_values);
    }
    let object = object(body, max_values)?;
    if cloud_events::looks_structured(&object) {
        return cloud_events::structured(object, max_values);
    }
    Ok(Decoded { document: Value::Object(object), envelope: None })
}

/// The object that a body is, or that a text is which the body is: some producers encode twice.
fn object(body: &[u8], max_values: usize) -> Result<Map<String, Value>, Fault> {
    let value = match json(body, max_values)? {
        Value::String(text) => twice(&text, max_values)?,
        value => value,
    };
    match value {
        Value::Object(object) => Ok(object),
        Value::Array(_) => Err(undecodable("the body is a JSON list: the publisher must send one object a message")),
        _ => Err(undecodable("the body is JSON, and no object")),
    }
}

fn twice(text: &str, max_values: usize) -> Result<Value, Fault> {
    match parse(text, max_values) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(undecodable("the body is a JSON text that holds JSON, and no object")),
        Err(unread) => {
            Err(unreadable(unread, "the body is a JSON text, and no object; as JSON of its own it", max_values))
        }
    }
}

/// Parses a body, and says what is wrong without quoting it.
fn json(body: &[u8], max_values: usize) -> Result<Value, Fault> {
    let text = std::str::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
    parse(text, max_values).map_err(|unread| unreadable(unread, "the body", max_values))
}

fn unreadable(unread: Unread, what: &str, max_values: usize) -> Fault {
    match unread {
        Unread::Broken(words) => undecodable(format!("{what} {words}")),
        Unread::TooMany => Fault::new(Reason::TooLarge, format!("{what} holds {}", too_many(max_values))),
    }
}

fn not_utf8(body: &[u8], good: usize) -> Fault {
    let known = OTHERS.iter().find(|(start, _)| body.starts_with(start));
    if let Some((_, what)) = known {
        return undecodable(format!("the body is {what}"));
    }
    let line = body[..good].split(|byte| *byte == b'\n').count();
    let column = good - body[..good].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) + 1;
    undecodable(format!("the body is not UTF-8, at line {line} column {column}"))
}

fn kind(message: &Message) -> String {
    let own = message.kind.as_ref().filter(|kind| !kind.is_empty());
    own.unwrap_or(&message.routing_key).clone()
}

fn key(own: Option<String>, message: &Message, limits: &Limits, event: &Event) -> Result<Key, Fault> {
    let message_id = message.message_id.as_ref().filter(|id| !id.is_empty());
    let (text, origin) = match (own, message_id, &limits.key) {
        (Some(text), _, _) => (text, KeyOrigin::CloudEvents),
        (None, Some(id), _) => (id.clone(), KeyOrigin::MessageId),
        (None, None, Some(expression)) => (expressed(expression, event)?, KeyOrigin::Expression),
        (None, None, None) => (hash(&message.body), KeyOrigin::Body),
    };
    if text.len() > KEY_BYTES_MAX {
        let text = format!("the key has {} bytes, at most {KEY_BYTES_MAX} are taken", text.len());
        return Err(undecodable(text));
    }
    Ok(Key { text, origin })
}

fn expressed(expression: &KeyExpression, event: &Event) -> Result<String, Fault> {
    expression.run(event).map_err(|words| Fault::new(Reason::Unmappable, format!("event.key: {words}")))
}

fn hash(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    digest.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}
