//! What the dispatcher asks of the consumer for one message.
//!
//! Not here: how it is done, and when it is asked.

pub use crate::core::dead_letter::DeadLetter;
use crate::core::delay_queue::DelayQueue;
use crate::core::delayed_state::DelayedState;
use crate::core::outcome::EventOutcome;

/// How a message is settled.
#[derive(Clone, Debug, PartialEq)]
pub enum Settlement {
    /// It is a process, or skipped: the broker may forget it.
    Ack,
    /// It can never be one: kept in the dead-letter queue, and only then forgotten by the work queue. Where its outcome is told, it
    /// is not forgotten yet: its receipt is settled again.
    DeadLetter(Box<DeadLetter>),
    /// It has ended, and its producer is told so: published and confirmed, and only then forgotten by the work queue.
    Tell(Box<EventOutcome>),
    /// It waits in this delay queue and comes back with its delayed state: published and confirmed there, and only
    /// then forgotten by the work queue.
    Delay(DelayQueue, Box<DelayedState>),
    /// It goes back to its queue. Only at shutdown and when a connection is torn down: brokers of 4.0 to 4.2
    /// count each return, and drop the message at the delivery limit of a quorum queue.
    Release,
}
