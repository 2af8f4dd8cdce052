//! A dead letter: the original message, why it is here, and nothing that would act on its own.
//!
//! Not here: publishing it.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, ShortString};

use super::headers::{self, own, text};
use super::intake::Held;
use crate::core::settlement::Letter;

/// All headers together, in bytes: properties and headers must fit one frame of 128 KiB.
const HEADERS_MAX: usize = 64 * 1024;

/// The properties of the dead letter of `held`.
pub(super) fn properties(held: &Held, letter: &Letter) -> BasicProperties {
    let headers = ours(held, letter);
    headers::joined(&held.properties, headers, HEADERS_MAX)
}

fn integer(number: u64) -> AMQPValue {
    AMQPValue::LongLongInt(i64::try_from(number).unwrap_or(i64::MAX))
}

fn ours(held: &Held, letter: &Letter) -> BTreeMap<ShortString, AMQPValue> {
    let (exchange, routing_key) = letter.origin.as_ref().map_or_else(
        || (held.exchange.as_str(), held.routing_key.as_str()),
        |(exchange, routing_key)| (exchange.as_str(), routing_key.as_str()),
    );
    let mut headers = BTreeMap::from([
        (own("reason"), text(letter.fault.reason.as_str())),
        (own("text"), text(&letter.fault.text)),
        (own("attempts"), integer(letter.attempts.into())),
        (own("first-seen-ms"), integer(letter.first_seen_ms)),
        (own("last-seen-ms"), integer(letter.last_seen_ms)),
        (own("exchange"), text(exchange)),
        (own("routing-key"), text(routing_key)),
        (own("version"), text(env!("CARGO_PKG_VERSION"))),
    ]);
    let known = [("rule", &letter.rule), ("procedure", &letter.procedure), ("key", &letter.key)];
    headers.extend(known.into_iter().filter_map(|(name, value)| Some((own(name), text(value.as_deref()?)))));
    headers.extend(letter.status.map(|status| (own("status"), integer(status.into()))));
    headers
}

#[cfg(test)]
mod tests;
