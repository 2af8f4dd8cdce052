//! A decoded event: well-formed, typed, with a stable key.
//!
//! Not here: how bytes become one (`decode`), or what a rule makes of it (`mapping`).

use std::fmt;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::core::trace_context::TraceContext;

/// What identifies an event over redelivery, restart and replica.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key itself, as rules see it in `key`.
    pub text: String,
    /// Where it came from.
    pub origin: KeyOrigin,
}

/// Where a key came from; the first that the event has, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyOrigin {
    /// CloudEvents `source` and `id`: an id alone is unique only within its source.
    CloudEvents,
    /// AMQP property `message-id`.
    MessageId,
    /// The expression `event.key` of the configuration.
    Expression,
    /// A hash of the body. Merges legitimate duplicates, so nothing is ever recognised by it.
    Body,
}

impl KeyOrigin {
    /// Whether two messages with this key are the same event for certain.
    #[must_use]
    pub fn identifies(self) -> bool {
        self != Self::Body
    }
}

/// A key as it is remembered: no two keys have the same, and it takes no room.
pub type Digest = [u8; 16];

/// The way in which bodies and requests are digested. What keeps a digest for longer than a process lives keeps this beside it.
pub const DIGEST_VERSION: u8 = 1;

/// What one event is known by: its key, and a digest of its body, since messages of one key may carry different bodies, and then
/// are different events. Made once for each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Of the key.
    pub(in crate::core) key: Digest,
    pub(in crate::core) body: u64,
}

impl Identity {
    /// That of a message with this key and body; none where the key does not identify an event.
    #[must_use]
    pub fn of(key: &Key, body: &[u8]) -> Option<Self> {
        key.origin.identifies().then(|| Self { key: key.digest(), body: digest_of_body(body) })
    }

    /// All that a key may have.
    pub(in crate::core) fn all_of(key: Digest) -> std::ops::RangeInclusive<Self> {
        Self { key, body: u64::MIN }..=Self { key, body: u64::MAX }
    }
}

/// A digest of a body.
pub(in crate::core) fn digest_of_body(body: &[u8]) -> u64 {
    short(&Sha256::digest(body))
}

/// A digest of what a request asks for.
pub(in crate::core) fn digest_of_request(procedure: &str, body: &[u8]) -> u64 {
    let hasher = Sha256::new().chain_update([DIGEST_VERSION]).chain_update(procedure).chain_update([0]);
    short(&hasher.chain_update(body).finalize())
}

/// The first eight bytes: that two events of one key have the same by chance will not happen.
fn short(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Key {
    /// See [`Digest`].
    pub(in crate::core) fn digest(&self) -> Digest {
        Self::digest_of(&self.text)
    }

    /// That of a key with this text.
    #[must_use]
    pub fn digest_of(text: &str) -> Digest {
        let (mut digest, whole) = ([0; 16], Sha256::digest(text.as_bytes()));
        digest.copy_from_slice(&whole[..16]);
        digest
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({:?})", self.text, self.origin)
    }
}

/// One event, ready to be matched and mapped.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// Its stable key.
    pub key: Key,
    /// CloudEvents `type`, else AMQP property `type`, else the routing key: what rules match on.
    pub kind: String,
    /// What rules see as `event`: the CloudEvents envelope with `data`, or the plain JSON document.
    pub document: Value,
    /// Headers of the message as JSON values.
    pub headers: Map<String, Value>,
    /// The exchange it was first published to.
    pub exchange: String,
    /// The routing key it was first published with.
    pub routing_key: String,
    /// AMQP property `message-id`.
    pub message_id: Option<String>,
}

impl Event {
    /// The trace that it belongs to: what the headers of its message say, else its attributes if it is a CloudEvent.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        let is_cloud_event = self.key.origin == KeyOrigin::CloudEvents;
        let envelope = || self.document.as_object().filter(|_| is_cloud_event).and_then(TraceContext::of_attributes);
        TraceContext::of_headers(&self.headers).or_else(envelope)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Event").field("key", &self.key).field("kind", &self.kind).finish_non_exhaustive()
    }
}
