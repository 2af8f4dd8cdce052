//! What a dead letter says; and the same as a verdict that travels with its event where the letter cannot be published yet.
//!
//! Not here: the header that a verdict travels in (`delayed_state`), when it does (`delivery`), and AMQP.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::lookup::Lookup;
use crate::core::progress::CONFESSION;
use crate::core::reason::{Fault, Reason};

/// The longest text of a dead letter, in bytes. In a header each may take six, and all of it must fit.
pub const TEXT_MAX: usize = 1536;

/// A longer key is left out: whoever publishes the letter decodes the event again.
const KEY_MAX: usize = 512;

/// What a dead letter says beside the original message.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// Why, as a fixed word and for humans.
    pub fault: Fault,
    /// Whether a create of it may have been applied.
    pub may_exist: bool,
    /// HTTP status of the last answer, if one came.
    pub status: Option<u16>,
    /// Requests that came to an outcome of the event's or the moment's.
    pub attempts: u32,
    /// When it was first received, in epoch milliseconds.
    pub first_seen_ms: u64,
    /// When it was given up, in epoch milliseconds.
    pub last_seen_ms: u64,
    /// The rule that matched, if one did.
    pub rule: Option<String>,
    /// The procedure, if it was known.
    pub procedure: Option<String>,
    /// The event's key, if it could be decoded.
    pub key: Option<String>,
    /// The exchange and the routing key it was first published with, where it came back from a delay queue.
    pub origin: Option<(String, String)>,
    /// The header that it brought through a delay queue and that this daemon cannot read: it stays with it.
    pub unread: Option<String>,
    /// How often somebody asked for its event again.
    pub retries: u32,
    /// The id of its outcome, if that is told: then the message is not acknowledged with the letter, but with its outcome.
    pub outcome: Option<String>,
    /// Where the event stood in its trace, as a `traceparent`, if spans were kept.
    pub trace: Option<String>,
    /// Where a create of it may have been applied, and so is looked for first; whatever the rules say by then.
    pub sent: Option<Lookup>,
}

impl DeadLetter {
    /// What it takes in memory, in bytes.
    pub(in crate::core) fn bytes(&self) -> usize {
        let texts = [&self.rule, &self.procedure, &self.key, &self.unread, &self.outcome, &self.trace];
        let texts = texts.into_iter().flatten().map(String::capacity).sum::<usize>() + self.fault.text.capacity();
        let origin = self.origin.as_ref().map_or(0, |(exchange, key)| exchange.capacity() + key.capacity());
        let sent = self.sent.as_ref().map_or(0, Lookup::bytes);
        std::mem::size_of::<Self>() + texts + origin + sent
    }
}

/// What is decided of an event that can never be a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Why, as a fixed word.
    pub reason: Reason,
    /// Why, for humans.
    pub text: String,
    /// Whether a create of it may have been applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_exist: bool,
    /// HTTP status of the last answer, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Requests that came to an outcome of the event's or the moment's.
    pub attempts: u32,
    /// When it was given up, in epoch milliseconds.
    pub at_ms: u64,
    /// The rule that matched, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The procedure, if it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// The event's key, if it could be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What a newer daemon added and this one does not know: it is carried along unread.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Verdict {
    /// What this dead letter says.
    #[must_use]
    pub fn of(letter: &DeadLetter) -> Self {
        let Fault { reason, text } = &letter.fault;
        Self {
            reason: *reason,
            may_exist: letter.may_exist,
            text: text[..text.floor_char_boundary(TEXT_MAX)].to_owned(),
            status: letter.status,
            attempts: letter.attempts,
            at_ms: letter.last_seen_ms,
            rule: letter.rule.clone(),
            procedure: letter.procedure.clone(),
            key: letter.key.clone().filter(|key| key.len() <= KEY_MAX),
            unknown: Map::new(),
        }
    }

    /// The dead letter that it speaks of, of an event that was first published to `origin` and received at `first_seen_ms`.
    #[must_use]
    pub fn letter(self, first_seen_ms: u64, origin: (String, String)) -> DeadLetter {
        // Verdicts of older releases say it by their reason and their text alone.
        let leaves_doubt = self.reason.leaves_doubt() || self.text.contains(CONFESSION);
        DeadLetter {
            fault: Fault::new(self.reason, self.text),
            may_exist: self.may_exist || leaves_doubt,
            status: self.status,
            attempts: self.attempts,
            first_seen_ms,
            last_seen_ms: self.at_ms,
            rule: self.rule,
            procedure: self.procedure,
            key: self.key,
            origin: Some(origin),
            unread: None,
            sent: None,
            retries: 0,
            outcome: None,
            trace: None,
        }
    }
}
