//! What the dispatcher asks of the consumer for one message.
//!
//! Not here: how it is done, and when it is asked.

use crate::core::delay_queue::DelayQueue;
use crate::core::delayed_state::DelayedState;
use crate::core::reason::Fault;

/// How a message is settled.
#[derive(Clone, Debug, PartialEq)]
pub enum Settlement {
    /// It is a process, or skipped: the broker may forget it.
    Ack,
    /// It can never be one: kept in the dead-letter queue, and only then forgotten by the work queue.
    DeadLetter(Box<DeadLetter>),
    /// It waits in this delay queue and comes back with its delayed state: published and confirmed there, and only
    /// then forgotten by the work queue.
    Delay(DelayQueue, Box<DelayedState>),
    /// It goes back to its queue. Only at shutdown and when a connection is torn down: brokers of 4.0 to 4.2
    /// count each return, and drop the message at the delivery limit of a quorum queue.
    Release,
}

/// What a dead letter says beside the original message.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// Why, as a fixed word and for humans.
    pub fault: Fault,
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
}
