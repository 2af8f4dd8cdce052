//! What comes in from the near shore.
//!
//! Not here: what is done with it.

use crate::core::message::Message;
use crate::handover::receipt::Receipt;

/// One thing that comes in from the near shore.
#[derive(Debug)]
pub enum Inbound {
    /// A message, with the duty to answer for it.
    Message(Box<Message>, Receipt),
    /// A connection stands.
    Connected {
        /// Whether events can be parked over it: the wait queues are there and may be published to.
        can_delay: bool,
    },
    /// The connection died: every receipt from before is void, and the broker sends those messages again.
    Disconnected,
}
