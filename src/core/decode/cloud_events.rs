//! CloudEvents 1.0: the structured form, and the binary form, where headers carry the envelope. Both come out
//! as the whole envelope, so that one rule fits both.
//!
//! Not here: plain JSON, keys of other messages, sizes (`decode`).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::{Decoded, Envelope, json, media_type, undecodable, unreadable};
use crate::core::json::{Unread, parse, unheld};
use crate::core::message::Message;
use crate::core::reason::Fault;

/// The attributes that every CloudEvent has.
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];

/// The spellings of the prefix that marks an attribute among the headers, in lower case.
const PREFIXES: [&str; 4] = ["cloudevents:", "cloudevents_", "ce-", "ce_"];

/// The longest name of an attribute that is repeated, in characters.
const NAME_MAX: usize = 40;

/// Whether an object says that it is a CloudEvent.
pub(super) fn looks_structured(object: &Map<String, Value>) -> bool {
    object.contains_key(REQUIRED[0])
}

/// Takes a whole envelope.
pub(super) fn structured(mut object: Map<String, Value>, max_values: usize) -> Result<Decoded, Fault> {
    let envelope = Some(envelope(&object)?);
    if let Some(data) = decode_data(&object, max_values)? {
        object.remove("data_base64");
        object.insert("data".to_owned(), data);
    }
    Ok(Decoded { document: Value::Object(object), envelope })
}

/// The JSON inside `data_base64`, if it is there and JSON.
fn decode_data(object: &Map<String, Value>, max_values: usize) -> Result<Option<Value>, Fault> {
    let Some(encoded) = object.get("data_base64") else { return Ok(None) };
    let encoded = encoded.as_str().ok_or_else(|| undecodable("data_base64 is no text"))?;
    let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| undecodable("data_base64 is not Base64"))?;
    if object.contains_key("data") {
        return Err(undecodable("the event has both data and data_base64"));
    }
    let is_json = is_json(&media_type(object.get("datacontenttype").and_then(Value::as_str)));
    let Some(text) = std::str::from_utf8(&bytes).ok().filter(|_| is_json) else { return Ok(None) };
    match parse(text, max_values) {
        Ok(data) => Ok(Some(data)),
        Err(Unread::Broken(_)) => Ok(None),
        Err(unread) => Err(unreadable(unread, "data_base64", max_values)),
    }
}

/// The attributes among the headers, prefix off and in lower case; none unless one of them is an attribute that every
/// CloudEvent has: then the message says that it is one.
pub(super) fn attributes(headers: &Map<String, Value>) -> Result<Option<Map<String, Value>>, Fault> {
    let (mut found, mut twice) = (Map::new(), Vec::new());
    for (name, value) in headers.iter().filter_map(|(header, value)| Some((attribute(header)?, value))) {
        if found.get(&name).is_some_and(|other| other != value) {
            twice.push(format!("attribute {} under two prefixes, with two values", short(&name)));
        }
        found.insert(name, value.clone());
    }
    if !REQUIRED.iter().any(|name| found.contains_key(*name)) {
        return Ok(None);
    }
    match twice.is_empty() {
        true => Ok(Some(found)),
        false => Err(undecodable(format!("the headers of the CloudEvent hold {}", twice.join(", ")))),
    }
}

fn attribute(header: &str) -> Option<String> {
    let name = header.to_lowercase();
    let name = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix))?;
    let is_attribute = !matches!(name, "" | "data" | "data_base64");
    is_attribute.then(|| name.to_owned())
}

fn short(name: &str) -> String {
    name.chars().filter(|each| !each.is_control()).take(NAME_MAX).collect()
}

/// Builds the envelope of the binary form: attributes from the headers, `data` from the body.
pub(super) fn binary(
    mut attributes: Map<String, Value>,
    message: &Message,
    body: &[u8],
    max_values: usize,
) -> Result<Decoded, Fault> {
    let envelope = envelope(&attributes).map_err(|fault| {
        undecodable(format!(
            "{}; headers that begin with `cloudEvents:`, `cloudEvents_`, `ce-` or `ce_` say that it is one",
            fault.text
        ))
    })?;
    if let Some(content_type) = &message.content_type {
        attributes.insert("datacontenttype".to_owned(), Value::from(content_type.as_str()));
    }
    if !body.is_empty() {
        if !is_json(&media_type(message.content_type.as_deref())) {
            return Err(undecodable("the data of the CloudEvent is not JSON: rules could read nothing of it"));
        }
        attributes.insert("data".to_owned(), json(body, max_values)?);
    }
    Ok(Decoded { document: Value::Object(attributes), envelope: Some(envelope) })
}

/// Whether data of this media type is JSON; none given means it is.
fn is_json(media_type: &str) -> bool {
    matches!(media_type, "" | "application/json" | "text/json") || media_type.ends_with("+json")
}

fn envelope(object: &Map<String, Value>) -> Result<Envelope, Fault> {
    let wrong: Vec<String> = REQUIRED.iter().filter_map(|name| wrong(object, name)).collect();
    if !wrong.is_empty() {
        return Err(undecodable(wrong.join("; ")));
    }
    let [version, id, source, kind] = REQUIRED.map(|name| object.get(name).and_then(text).unwrap_or_default());
    if !version.starts_with("1.") {
        return Err(undecodable("specversion of the CloudEvent is not 1.x"));
    }
    Ok(Envelope { key: key(source, id), kind: kind.to_owned() })
}

/// What is wrong with an attribute that every CloudEvent has.
fn wrong(object: &Map<String, Value>, name: &str) -> Option<String> {
    let Some(value) = object.get(name) else { return Some(format!("the CloudEvent has no attribute {name}")) };
    let says_something = text(value).is_some_and(|text| !text.is_empty());
    (!says_something).then(|| format!("attribute {name} of the CloudEvent is not a text, or empty"))
}

/// The text that a value is; a number that is kept as a text is none.
fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| unheld(text).is_none())
}

/// Source and id as one key. A `|` inside the source is escaped: otherwise `a|b` + `c` and `a` + `b|c` would be
/// the same event.
fn key(source: &str, id: &str) -> String {
    format!("{}|{id}", source.replace('|', "%7C"))
}
