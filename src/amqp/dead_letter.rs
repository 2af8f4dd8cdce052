//! The properties of a dead letter: those of the original message, the reason, and nothing that makes the broker act.
//!
//! Not here: publishing it.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, ShortString};

use super::headers::{self, PROGRESS, own, text};
use super::intake::Held;
use crate::core::lookup::Lookup;
use crate::core::settlement::DeadLetter;

/// All headers together, in bytes: properties and headers must fit one frame of 128 KiB.
const HEADERS_MAX: usize = 64 * 1024;

/// What was sent first is told up to so many bytes.
const SENT_MAX: usize = 4 * 1024;

/// Every header of ours that a dead letter may have, beside those that keep what was moved aside.
pub const DEAD_LETTER_HEADERS: [&str; 19] = [
    "chakra-bridge-reason",
    "chakra-bridge-text",
    "chakra-bridge-may-exist",
    "chakra-bridge-status",
    "chakra-bridge-attempts",
    "chakra-bridge-first-seen-ms",
    "chakra-bridge-last-seen-ms",
    "chakra-bridge-rule",
    "chakra-bridge-procedure",
    "chakra-bridge-key",
    "chakra-bridge-exchange",
    "chakra-bridge-routing-key",
    "chakra-bridge-sent",
    "chakra-bridge-version",
    "chakra-bridge-retries",
    "chakra-bridge-outcome",
    "chakra-bridge-journey",
    "chakra-bridge-trace",
    "chakra-bridge-cut",
];

/// The properties of the dead letter of `held`.
pub(super) fn properties(held: &Held, dead_letter: &DeadLetter) -> BasicProperties {
    let headers = ours(held, dead_letter);
    headers::joined(&held.properties.whole(), headers, HEADERS_MAX)
}

fn integer(number: u64) -> AMQPValue {
    AMQPValue::LongLongInt(i64::try_from(number).unwrap_or(i64::MAX))
}

fn ours(held: &Held, dead_letter: &DeadLetter) -> BTreeMap<ShortString, AMQPValue> {
    let (exchange, routing_key) = dead_letter.origin.as_ref().map_or_else(
        || (held.exchange.as_str(), held.routing_key.as_str()),
        |(exchange, routing_key)| (exchange.as_str(), routing_key.as_str()),
    );
    let mut headers = BTreeMap::from([
        (own("reason"), text(dead_letter.fault.reason.as_str())),
        (own("text"), text(&dead_letter.fault.text)),
        (own("may-exist"), text(if dead_letter.may_exist { "true" } else { "false" })),
        (own("attempts"), integer(dead_letter.attempts.into())),
        (own("first-seen-ms"), integer(dead_letter.first_seen_ms)),
        (own("last-seen-ms"), integer(dead_letter.last_seen_ms)),
        (own("exchange"), text(exchange)),
        (own("routing-key"), text(routing_key)),
        (own("version"), text(env!("CARGO_PKG_VERSION"))),
    ]);
    let known = [
        ("rule", &dead_letter.rule),
        ("procedure", &dead_letter.procedure),
        ("key", &dead_letter.key),
        ("outcome", &dead_letter.outcome),
        ("trace", &dead_letter.trace),
    ];
    headers.extend(known.into_iter().filter_map(|(name, value)| Some((own(name), text(value.as_deref()?)))));
    // Unread, it is what a newer daemon goes on from if somebody retries the letter.
    headers.extend(
        dead_letter.unread.as_ref().map(|unread| (PROGRESS.into(), AMQPValue::LongString(unread.as_str().into()))),
    );
    headers.extend(dead_letter.sent.as_ref().and_then(sent).map(|sent| (own("sent"), sent)));
    if dead_letter.retries > 0 {
        headers.insert(own("retries"), integer(dead_letter.retries.into()));
    }
    headers.extend(dead_letter.status.map(|status| (own("status"), integer(status.into()))));
    headers
}

/// Where it is looked for, as JSON; none where that is too long for a header.
fn sent(lookup: &Lookup) -> Option<AMQPValue> {
    let text = serde_json::to_string(lookup).ok().filter(|text| text.len() <= SENT_MAX)?;
    Some(AMQPValue::LongString(text.into()))
}

#[cfg(test)]
mod tests;
