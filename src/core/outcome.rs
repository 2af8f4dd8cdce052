//! What the producer of an event is told once it has ended: the outcome, its kinds, and which of them are told.
//!
//! Not here: when it is told (`delivery`), and its form in AMQP (`amqp::outcomes`).

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::core::dead_letter::TEXT_MAX;

/// What the CloudEvents type of every outcome begins with. No outcome is told of a message of such a type: an exchange of outcomes
/// that is bound to the work queue would go round for ever.
pub const TYPES: &str = "com.chakrahq.bridge.process.";

/// What stands in the routing key where no rule matched.
const NO_RULE: &str = "no-rule";

/// The longest routing key that AMQP takes, in bytes.
const ROUTING_KEY_MAX: usize = 255;

/// The longest id of a process that is told, in bytes.
const PROCESS_MAX: usize = 256;

/// How an event ended, as its producer is told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeKind {
    /// It is a process, just created or found.
    Created,
    /// It was published again, and is a process since before.
    Duplicate,
    /// A rule says to skip it.
    Skipped,
    /// It is a dead letter.
    DeadLettered,
}

impl OutcomeKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Created, Self::Duplicate, Self::Skipped, Self::DeadLettered];

    /// Their words, in the same order.
    pub const WORDS: [&'static str; 4] = ["created", "duplicate", "skipped", "dead-lettered"];

    /// The word of settings, routing keys and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Some of the kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeKinds(u8);

impl OutcomeKinds {
    /// All of them.
    pub const ALL: Self = Self(0b1111);

    /// With this one too.
    #[must_use]
    pub fn with(self, kind: OutcomeKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn has(self, kind: OutcomeKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// Those of these words.
    ///
    /// # Errors
    /// The first word that is none.
    pub fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Self, &'w str> {
        words.into_iter().try_fold(Self::default(), |kinds, word| {
            let kind = OutcomeKind::ALL.into_iter().find(|kind| kind.as_str() == word);
            kind.map(|kind| kinds.with(kind)).ok_or(word)
        })
    }
}

/// Which outcomes are told, and what follows where one cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomePolicy {
    /// Those of rules that do not say it themselves, and of events that no rule takes.
    pub tells: OutcomeKinds,
    /// Whether an event waits until its outcome is told. Otherwise one that cannot be told is counted and passed over.
    pub required: bool,
}

/// What the outcome of an event is told by. The same event that ends the same way again has the same id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventOutcome {
    /// How it ended.
    pub kind: OutcomeKind,
    /// The same for each telling of the same: made of kind, key, rule, digest of the body and count of retries.
    pub id: String,
    /// The event's key, if it could be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The rule that matched, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The procedure, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// The id of the process, if it is one and the API told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// Why it is a dead letter, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<OfLetter>,
    /// Requests that came to an outcome of the event's or the moment's.
    pub attempts: u32,
    /// When it was first received, in epoch milliseconds.
    pub first_seen_ms: u64,
    /// When it ended, in epoch milliseconds.
    pub at_ms: u64,
    /// How often somebody asked for it again.
    #[serde(default)]
    pub retries: u32,
    /// The id of the outcome before that, if it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<String>,
    /// The trace that it belongs to, as a `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// What is told of a dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfLetter {
    /// Why, as a fixed word.
    pub reason: String,
    /// Why, for humans, without what the API was sent.
    pub text: String,
    /// Whether a create of it may have been applied.
    pub may_exist: bool,
    /// HTTP status of the last answer, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// What the id of an outcome is made of.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct Identified<'a> {
    pub(in crate::core) kind: OutcomeKind,
    pub(in crate::core) key: &'a str,
    pub(in crate::core) rule: &'a str,
    /// A digest of the body.
    pub(in crate::core) body: u64,
    pub(in crate::core) retries: u32,
    /// What else tells two events apart whose key does not.
    pub(in crate::core) beside: &'a str,
}

impl Identified<'_> {
    /// The id: a UUID of version 8, which is one that its maker defines. Stable, so that a repeat is known as one; the kind is in it,
    /// since a second dead letter and a process of one event are two outcomes.
    pub(in crate::core) fn id(self) -> String {
        let Self { kind, key, rule, body, retries, beside } = self;
        let mut hasher = Sha256::new().chain_update(b"chakra-bridge outcome 1");
        for text in [kind.as_str(), key, rule, beside] {
            let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
            hasher = hasher.chain_update(length.to_be_bytes()).chain_update(text);
        }
        let digest = hasher.chain_update(body.to_be_bytes()).chain_update(retries.to_be_bytes()).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        (bytes[6], bytes[8]) = (bytes[6] & 0x0f | 0x80, bytes[8] & 0x3f | 0x80);
        written(&bytes)
    }
}

/// Sixteen bytes as a UUID is written.
fn written(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl EventOutcome {
    /// The CloudEvents type.
    #[must_use]
    pub fn event_type(&self) -> String {
        format!("{TYPES}{}", self.kind.as_str())
    }

    /// The routing key: the rule and the word of the kind. Too long a rule is cut.
    #[must_use]
    pub fn routing_key(&self) -> String {
        let (rule, word) = (self.rule.as_deref().unwrap_or(NO_RULE), self.kind.as_str());
        let room = ROUTING_KEY_MAX - word.len() - 1;
        format!("{}.{word}", &rule[..rule.floor_char_boundary(room)])
    }

    /// Held to what fits into a header, with what it takes along through a delay queue.
    pub(in crate::core) fn bounded(mut self) -> Self {
        if let Some(letter) = &mut self.letter {
            letter.text.truncate(letter.text.floor_char_boundary(TEXT_MAX));
        }
        self.process = self.process.filter(|process| process.len() <= PROCESS_MAX);
        self
    }
}

/// What is not written, since it says nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
pub(in crate::core) fn is_nought(number: &u32) -> bool {
    *number == 0
}

/// Whether a message of this type is an outcome that was told.
#[must_use]
pub fn is_outcome(kind: &str) -> bool {
    kind.starts_with(TYPES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IT: Identified<'_> =
        Identified { kind: OutcomeKind::Created, key: "k", rule: "r", body: 1, retries: 0, beside: "" };

    #[test]
    fn the_id_is_the_same_for_the_same_and_another_for_whatever_differs() {
        assert_eq!(IT.id(), IT.id());
        let others = [
            Identified { kind: OutcomeKind::DeadLettered, ..IT },
            Identified { key: "kr", rule: "", ..IT },
            Identified { rule: "s", ..IT },
            Identified { body: 2, ..IT },
            Identified { retries: 1, ..IT },
            Identified { beside: "p1", ..IT },
        ];
        let mut ids: Vec<String> = others.iter().map(|other| other.id()).chain([IT.id()]).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 7);
        assert_eq!(IT.id(), "ad102717-fd5b-8e42-8096-393987fa23d3", "stored by consumers: it never changes");
    }

    #[test]
    fn a_routing_key_is_rule_and_word_and_never_longer_than_amqp_takes() {
        let outcome = |rule: Option<&str>| EventOutcome {
            kind: OutcomeKind::DeadLettered,
            id: IT.id(),
            key: None,
            rule: rule.map(str::to_owned),
            procedure: None,
            process: None,
            letter: None,
            attempts: 0,
            first_seen_ms: 0,
            at_ms: 0,
            retries: 0,
            earlier: None,
            trace: None,
        };
        assert_eq!(outcome(Some("case")).routing_key(), "case.dead-lettered");
        assert_eq!(outcome(None).routing_key(), "no-rule.dead-lettered");
        let long = outcome(Some(&"ä".repeat(200))).routing_key();
        assert!(long.len() <= ROUTING_KEY_MAX && long.ends_with("ä.dead-lettered"), "{long}");
    }

    #[test]
    fn words_are_read_as_kinds_and_what_is_none_is_named() {
        assert_eq!(OutcomeKinds::of(OutcomeKind::WORDS), Ok(OutcomeKinds::ALL));
        assert_eq!(OutcomeKinds::of([]), Ok(OutcomeKinds::default()));
        assert_eq!(OutcomeKinds::of(["created", "dead"]), Err("dead"));
        assert!(OutcomeKind::ALL.iter().all(|kind| OutcomeKinds::ALL.has(*kind)));
    }
}
