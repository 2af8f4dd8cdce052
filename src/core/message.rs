//! A message as the broker delivered it: a bounded value that knows nothing of AMQP.
//!
//! Not here: delivery tags, channels, acknowledgements. Those stay in the consumer, with the original
//! properties that a dead letter repeats.

use std::fmt;
use std::sync::Arc;

use crate::core::headers::Headers;
use crate::core::put_back::PutBack;
use crate::core::trace_context::TraceContext;

/// One delivered message. Prints without its body and header values, so that it can stand in a log line.
#[derive(Clone, Default)]
pub struct Message {
    /// The body, shared with the consumer, which repeats it in a dead letter.
    pub body: Arc<Vec<u8>>,
    /// AMQP property `content-type`.
    pub content_type: Option<String>,
    /// AMQP property `content-encoding`.
    pub content_encoding: Option<String>,
    /// AMQP property `message-id`.
    pub message_id: Option<String>,
    /// AMQP property `type`.
    pub kind: Option<String>,
    /// Headers as JSON values: bytes that are no text are null, what is nested too deep too, and decimals are left out.
    pub headers: Headers,
    /// The exchange the event was first published to.
    pub exchange: String,
    /// The routing key the event was first published with.
    pub routing_key: String,
    /// Whether the broker says that it delivered this message before.
    pub redelivered: bool,
    /// The header of ours that it carries, if it comes from a delay queue (`core::delayed_state`).
    pub delayed_state: Option<String>,
    /// What its headers say, if it is a dead letter of ours that somebody put back.
    pub put_back: Option<PutBack>,
    /// When it was made by its own word (AMQP property `timestamp`), in epoch milliseconds; 0 where it does not say.
    pub made_ms: u64,
    /// How often the broker gave it back before, where it counts that: quorum queues do.
    pub deliveries: Option<u32>,
    /// The trace that begins here, if the event brings none; drawn by whoever received it, where spans are kept.
    pub begins: Option<Arc<TraceContext>>,
}

impl fmt::Debug for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Message")
            .field("bytes", &self.body.len())
            .field("content_type", &self.content_type)
            .field("message_id", &self.message_id)
            .field("kind", &self.kind)
            .field("exchange", &self.exchange)
            .field("routing_key", &self.routing_key)
            .field("redelivered", &self.redelivered)
            .finish_non_exhaustive()
    }
}
