//! A dead letter: the original message, why it is here, and nothing that would act on its own.
//!
//! Not here: publishing it.
//!
//! Copied as they were, `expiration` empties the dead-letter queue, `user_id` kills the channel, `CC` and `BCC` send
//! copies elsewhere, and `x-death` confuses what dead-letters next (all measured): they are moved aside.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use super::intake::Held;
use super::size::bytes;
use crate::core::settlement::Letter;
use crate::core::words::{Fault, Reason};

/// What all our headers begin with. No `x-`: the broker keeps those for itself.
const PREFIX: &str = "chakra-bridge-";
/// All headers together, in bytes: properties and headers must fit one frame of 128 KiB.
const HEADERS_MAX: usize = 64 * 1024;
/// The longest text of ours, in bytes.
const TEXT_MAX: usize = 2048;
const PERSISTENT: u8 = 2;

/// The letter of a message whose handling ended without an answer.
pub(super) fn abandoned() -> Letter {
    Letter {
        fault: Fault::new(Reason::Crashing, "its handling ended without an answer; see the log of this time"),
        status: None,
        attempts: 0,
        first_seen_ms: 0,
        last_seen_ms: 0,
        rule: None,
        procedure: None,
        key: None,
    }
}

/// The properties of the dead letter of `held`.
pub(super) fn properties(held: &Held, letter: &Letter) -> BasicProperties {
    let mut headers = ours(held, letter);
    let originals = aside(&held.properties);
    let room = HEADERS_MAX.saturating_sub(headers.iter().map(|(key, value)| bytes(key, value)).sum());
    let (kept, cut) = fit(originals, room);
    headers.extend(kept);
    if let Some(cut) = cut {
        headers.insert(own("cut"), text(&cut));
    }
    without_what_acts(&held.properties).with_delivery_mode(PERSISTENT).with_headers(FieldTable::from(headers))
}

fn own(name: &str) -> ShortString {
    ShortString::try_new(format!("{PREFIX}{name}")).unwrap_or_else(|_| format!("{PREFIX}long").into())
}

fn text(words: &str) -> AMQPValue {
    AMQPValue::LongString(words[..words.floor_char_boundary(TEXT_MAX)].into())
}

fn integer(number: u64) -> AMQPValue {
    AMQPValue::LongLongInt(i64::try_from(number).unwrap_or(i64::MAX))
}

fn ours(held: &Held, letter: &Letter) -> BTreeMap<ShortString, AMQPValue> {
    let mut headers = BTreeMap::from([
        (own("reason"), text(letter.fault.reason.as_str())),
        (own("text"), text(&letter.fault.text)),
        (own("attempts"), integer(letter.attempts.into())),
        (own("first-seen-ms"), integer(letter.first_seen_ms)),
        (own("last-seen-ms"), integer(letter.last_seen_ms)),
        (own("exchange"), text(held.exchange.as_str())),
        (own("routing-key"), text(held.routing_key.as_str())),
        (own("version"), text(env!("CARGO_PKG_VERSION"))),
    ]);
    let known = [("rule", &letter.rule), ("procedure", &letter.procedure), ("key", &letter.key)];
    headers.extend(known.into_iter().filter_map(|(name, value)| Some((own(name), text(value.as_deref()?)))));
    headers.extend(letter.status.map(|status| (own("status"), integer(status.into()))));
    headers
}

/// All original headers, those that act on their own under our names, and with them the properties that do.
fn aside(original: &BasicProperties) -> BTreeMap<ShortString, AMQPValue> {
    let mut headers: BTreeMap<ShortString, AMQPValue> = BTreeMap::new();
    for (key, value) in original.headers().iter().flat_map(|table| table.inner().iter()) {
        if key.as_str().starts_with(PREFIX) {
            continue;
        }
        let key = if acts(key.as_str()) { moved(key.as_str()) } else { key.clone() };
        headers.insert(key, value.clone());
    }
    for (name, value) in [("expiration", original.expiration()), ("user-id", original.user_id())] {
        headers.extend(value.as_ref().map(|value| (moved(name), text(value.as_str()))));
    }
    headers
}

fn moved(name: &str) -> ShortString {
    own(&format!("original-{}", name.to_ascii_lowercase()))
}

/// Whether a header makes a broker do something, or reads as if one had.
fn acts(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let exact = ["cc", "bcc", "x-death", "x-delay", "x-delivery-count", "x-acquired-count"];
    exact.contains(&name.as_str()) || name.starts_with("x-first-death-") || name.starts_with("x-last-death-")
}

/// Sets one text of the properties.
type With = fn(BasicProperties, ShortString) -> BasicProperties;

fn without_what_acts(original: &BasicProperties) -> BasicProperties {
    let mut kept = BasicProperties::default();
    let texts: [(&Option<ShortString>, With); 7] = [
        (original.content_type(), BasicProperties::with_content_type),
        (original.content_encoding(), BasicProperties::with_content_encoding),
        (original.correlation_id(), BasicProperties::with_correlation_id),
        (original.reply_to(), BasicProperties::with_reply_to),
        (original.message_id(), BasicProperties::with_message_id),
        (original.kind(), BasicProperties::with_type),
        (original.app_id(), BasicProperties::with_app_id),
    ];
    for (value, with) in texts {
        if let Some(value) = value {
            kept = with(kept, value.clone());
        }
    }
    if let Some(timestamp) = original.timestamp() {
        kept = kept.with_timestamp(*timestamp);
    }
    if let Some(priority) = original.priority() { kept.with_priority(*priority) } else { kept }
}

/// Keeps the smallest headers that fit into `room` bytes, and names those left out.
fn fit(
    headers: BTreeMap<ShortString, AMQPValue>,
    mut room: usize,
) -> (BTreeMap<ShortString, AMQPValue>, Option<String>) {
    let mut by_size: Vec<_> = headers.into_iter().map(|(key, value)| (bytes(&key, &value), key, value)).collect();
    by_size.sort_by_key(|(size, ..)| *size);
    let mut kept = BTreeMap::new();
    let mut cut = Vec::new();
    for (size, key, value) in by_size {
        if size <= room {
            room -= size;
            kept.insert(key, value);
        } else {
            cut.push(format!("{key} ({size} bytes)"));
        }
    }
    let words = (!cut.is_empty()).then(|| format!("left out, too large for one frame: {}", cut.join(", ")));
    (kept, words)
}

#[cfg(test)]
mod tests;
