//! What the consumer hands to the dispatcher.
//!
//! Not here: what is done with it.

use crate::core::message::Message;
use crate::handover::receipt::Receipt;

/// One thing that the consumer hands to the dispatcher.
#[derive(Debug)]
pub enum Inbound {
    /// A message, with the duty to answer for it.
    Message(Box<Message>, Receipt),
    /// The broker keeps what stands for the message of this number, a dead letter or a delayed event.
    Kept(u64),
    /// The broker keeps the dead letter of a message whose outcome is to be told: it is to be answered for again.
    KeptFirst(Receipt),
    /// The broker does not take it: the message is to be answered for again.
    Refused(Receipt),
    /// A connection stands.
    Connected {
        /// Whether events can be delayed over it: the delay queues exist, and the user may publish to them.
        can_delay: bool,
    },
    /// Whether events can be delayed has changed while the connection stands.
    CanDelay(bool),
    /// The connection died: every receipt from before is void, and the broker sends those messages again.
    Disconnected,
}
