//! What of an original message goes into the one that stands for it, a dead letter or a delayed event: all of it but
//! what would act on its own.
//!
//! Not here: what is added to it (`dead_letter`, `delay`).
//!
//! Copied as they were, `expiration` empties the queue it lies in, `user_id` kills the channel, `CC` and `BCC` send
//! copies elsewhere, and `x-death` confuses what dead-letters next (all measured): they are moved aside.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use super::size::bytes;
use crate::core::put_back::PutBack;

/// What all our headers begin with. No `x-`: the broker keeps those for itself.
const PREFIX: &str = "chakra-bridge-";
/// What those begin with that keep what was moved aside.
const ASIDE: &str = "chakra-bridge-original-";
/// The header that an event takes along through a delay queue.
pub(super) const PROGRESS: &str = "chakra-bridge-journey";
/// The longest text of ours, in bytes.
const TEXT_MAX: usize = 2048;
/// The longest id of an outcome that is read, in bytes.
const ID_MAX: usize = 64;
const PERSISTENT: u8 = 2;

/// The properties of a message that stands for `original`, with headers of ours beside as many of its own as fit into
/// `room` bytes; those that do not are named.
pub(super) fn joined(
    original: &BasicProperties,
    mut headers: BTreeMap<ShortString, AMQPValue>,
    room: usize,
) -> BasicProperties {
    let left = room.saturating_sub(headers.iter().map(|(key, value)| bytes(key, value)).sum());
    let (kept, cut) = fit(aside(original), left);
    headers.extend(kept);
    if let Some(cut) = cut {
        headers.insert(own("cut"), text(&cut));
    }
    without_what_acts(original).with_delivery_mode(PERSISTENT).with_headers(FieldTable::from(headers))
}

/// What the message took along through a delay queue, if it came through one. What is no text reads as an empty one.
pub(super) fn progress(of: &BasicProperties) -> Option<String> {
    let value = of.headers().as_ref()?.inner().get(PROGRESS)?;
    Some(match value {
        AMQPValue::LongString(text) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
        _ => String::new(),
    })
}

/// What its headers say, if the message is a dead letter of ours that somebody put back, or if whoever published it says *again* by
/// the header `chakra-bridge-retry`, whatever is in it. Whatever moved a letter (a shovel, the management page, a program, another
/// dead-letter exchange) keeps its headers.
pub(super) fn put_back(of: &BasicProperties) -> Option<PutBack> {
    let headers = of.headers().as_ref()?.inner();
    let text = |name: &str| match headers.get(own(name).as_str())? {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    };
    let number = |name: &str| match headers.get(own(name).as_str())? {
        AMQPValue::LongLongInt(number) => u64::try_from(*number).ok(),
        AMQPValue::LongInt(number) => u64::try_from(*number).ok(),
        AMQPValue::Double(number) => format!("{number:.0}").parse().ok(),
        _ => None,
    };
    let reason = text("reason").filter(|reason| !reason.is_empty());
    if reason.is_none() && !headers.contains_key(own("retry").as_str()) {
        return None;
    }
    Some(PutBack {
        reason: reason.unwrap_or_default(),
        may_exist: text("may-exist").is_some_and(|word| word == "true"),
        text: text("text").unwrap_or_default(),
        exchange: text("exchange"),
        routing_key: text("routing-key"),
        first_seen_ms: number("first-seen-ms").unwrap_or_default(),
        last_seen_ms: number("last-seen-ms").unwrap_or_default(),
        sent: text("sent").and_then(|text| serde_json::from_str(&text).ok()),
        retries: number("retries").and_then(|retries| u32::try_from(retries).ok()).unwrap_or_default(),
        outcome: text("outcome").filter(|id| id.len() <= ID_MAX),
        trace: text("trace"),
    })
}

/// Whether a header is one of ours.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// The name of a header of ours.
pub(super) fn own(name: &str) -> ShortString {
    ShortString::try_new(format!("{PREFIX}{name}")).unwrap_or_else(|_| format!("{PREFIX}long").into())
}

/// A text of ours, held to its limit.
pub(super) fn text(words: &str) -> AMQPValue {
    AMQPValue::LongString(words[..words.floor_char_boundary(TEXT_MAX)].into())
}

/// All original headers, those that act on their own under our names, and with them the properties that do. In a
/// message of ours, that came through a delay queue or was a dead letter, they lie aside already, and what acts is the
/// broker's note about the way that it came.
fn aside(original: &BasicProperties) -> BTreeMap<ShortString, AMQPValue> {
    let is_ours_already = progress(original).is_some() || put_back(original).is_some();
    let mut headers: BTreeMap<ShortString, AMQPValue> = BTreeMap::new();
    for (key, value) in original.headers().iter().flat_map(|table| table.inner().iter()) {
        match (key.as_str(), acts(key.as_str())) {
            (name, _) if is_ours(name) && !(is_ours_already && name.starts_with(ASIDE)) => {}
            (_, true) if is_ours_already => {}
            (name, true) => drop(headers.insert(moved(name), value.clone())),
            (_, false) => drop(headers.insert(key.clone(), value.clone())),
        }
    }
    for (name, value) in [("expiration", original.expiration()), ("user-id", original.user_id())] {
        if let Some(value) = value {
            headers.entry(moved(name)).or_insert_with(|| text(value.as_str()));
        }
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
mod tests {
    use super::*;

    fn with(headers: Vec<(&str, AMQPValue)>) -> BasicProperties {
        let headers = headers.into_iter().map(|(name, value)| (ShortString::from(name), value));
        BasicProperties::default().with_headers(FieldTable::from(headers.collect::<BTreeMap<_, _>>()))
    }

    #[test]
    fn what_a_letter_says_is_read_in_whatever_type_a_program_put_it_back_with() {
        let numbers = [
            (AMQPValue::LongLongInt(7), 7),
            (AMQPValue::LongInt(7), 7),
            (AMQPValue::Double(7.0), 7),
            (AMQPValue::Double(f64::NAN), 0),
            (AMQPValue::Double(f64::INFINITY), 0),
            (AMQPValue::LongInt(-7), 0),
            (AMQPValue::Void, 0),
        ];
        for text in [|text: &str| AMQPValue::LongString(text.into()), |text: &str| AMQPValue::ShortString(text.into())]
        {
            for (number, wanted) in &numbers {
                let letter = with(vec![
                    ("chakra-bridge-reason", text("refused")),
                    ("chakra-bridge-may-exist", text("false")),
                    ("chakra-bridge-outcome", text(&"x".repeat(ID_MAX))),
                    ("chakra-bridge-first-seen-ms", number.clone()),
                ]);
                let back = put_back(&letter).unwrap();
                assert_eq!((back.reason.as_str(), back.may_exist, back.first_seen_ms), ("refused", false, *wanted));
                assert_eq!(back.outcome.map(|id| id.len()), Some(ID_MAX));
            }
            let long =
                [("chakra-bridge-retry", AMQPValue::Void), ("chakra-bridge-outcome", text(&"x".repeat(ID_MAX + 1)))];
            assert_eq!(put_back(&with(long.into())).unwrap().outcome, None, "nobody wrote such an id here");
            assert_eq!(put_back(&with(vec![("chakra-bridge-reason", text(""))])), None);
        }
    }

    #[test]
    fn what_makes_a_broker_act_is_known_however_it_is_written_and_nothing_like_it_is_taken_for_it() {
        for name in
            ["CC", "bcc", "x-death", "X-Delay", "x-delivery-count", "x-first-death-queue", "x-last-death-reason"]
        {
            assert!(acts(name), "{name}");
        }
        for name in ["ccc", "x-deaths", "x-death-", "x-delivery-counts", "first-death-queue", "tenant"] {
            assert!(!acts(name), "{name}");
        }
    }

    #[test]
    fn headers_take_the_room_to_its_last_byte_and_the_largest_is_left_out_first() {
        let (small, large) = (("a", text("short")), ("b", text("somewhat longer")));
        let sizes = [&small, &large].map(|(name, value)| bytes(&(*name).into(), value));
        let original = with(vec![small, large]);
        let names = |room| {
            let joined = joined(&original, BTreeMap::from([(own("key"), text("k"))]), room);
            joined.headers().as_ref().unwrap().inner().keys().map(ToString::to_string).collect::<Vec<_>>()
        };
        let all = bytes(&own("key"), &text("k")) + sizes.iter().sum::<usize>();
        assert_eq!(names(all), ["a", "b", "chakra-bridge-key"]);
        assert_eq!(names(all - 1), ["a", "chakra-bridge-cut", "chakra-bridge-key"]);
        assert_eq!(names(0), ["chakra-bridge-cut", "chakra-bridge-key"]);
    }
}
