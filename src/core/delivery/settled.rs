//! One event at its end, as a value for the log and the metrics.
//!
//! Not here: how it ended (`report::Ended`), and the lines. Keys, rules and ids are told; payloads and secrets never.

use std::sync::Arc;
use std::time::Duration;

use super::ReceiptId;
use super::told::Delayed;
use crate::core::event::Key;
use crate::core::reason::Fault;
use crate::core::trace_context::TraceId;

/// One event at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// The label of logs and metrics ([`Ended::result`](super::Ended::result)).
    pub result: &'static str,
    /// Its key, if it could be decoded.
    pub key: Option<Key>,
    /// Its rule, if one matched.
    pub rule: Option<Arc<str>>,
    /// The id of the process, if it is one and the API told it.
    pub process: Option<String>,
    /// Why it is a dead letter, if it is one.
    pub fault: Option<Fault>,
    /// HTTP status of the last answer, if one came.
    pub status: Option<u16>,
    /// Requests that came to an outcome of the event's or the moment's.
    pub attempts: u32,
    /// How long it was held.
    pub took: Duration,
    /// Where it waits, if it is delayed.
    pub delayed: Option<Delayed>,
    /// The message that it came in.
    pub came_in: CameIn,
    /// The text of a dead letter for the log, without what the API was sent.
    pub why: Option<String>,
}

/// What a log may say of a message, whatever is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CameIn {
    /// AMQP property `message-id`.
    pub message_id: Option<String>,
    /// The type that rules match on, as far as the message itself tells it.
    pub kind: Option<String>,
    /// The exchange that it was first published to.
    pub exchange: String,
    /// The routing key that it was first published with.
    pub routing_key: String,
    /// When it was made by its own word, in epoch milliseconds; 0 where it does not say.
    pub made_ms: u64,
    /// When it was first received, in epoch milliseconds; 0 where somebody retries it.
    pub first_seen_ms: u64,
    /// The trace that it belongs to.
    pub trace: Option<TraceId>,
    /// The number of its receipt.
    pub receipt: ReceiptId,
}

impl Settled {
    /// The fixed word of a dead letter; empty for anything else.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.fault.as_ref().map_or("", |fault| fault.reason.as_str())
    }
}
