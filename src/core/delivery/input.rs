//! What happens to the delivery machine, and when.
//!
//! Not here: what the machine makes of it.

use std::sync::Arc;
use std::time::Duration;

use super::{EventId, ReceiptId};
use crate::core::gate::Moment;
use crate::core::ledger::{Claimed, Recorded};
use crate::core::lookup::Lookup;
use crate::core::mapping::rules::Rules;
use crate::core::message::Message;
use crate::core::photo::PhotoReply;
use crate::core::process::Procedure;
use crate::core::reply::Reply;

/// The time of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since the daemon started. Never goes back.
    pub moment: Moment,
    /// Milliseconds since the Unix epoch, for what is written into messages.
    pub epoch_ms: u64,
}

/// The number of something that the ledger is told; counts up.
pub type RecordId = u64;

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A message came in.
    Message {
        /// The number of its receipt.
        receipt: ReceiptId,
        /// What the broker delivered.
        message: Box<Message>,
        /// Whether the connection that it came by still stands.
        is_live: bool,
    },
    /// A connection to the broker stands.
    Connected {
        /// Whether events can be delayed over it: the delay queues are there and may be published to.
        can_delay: bool,
    },
    /// Whether events can be delayed has changed while the connection stands.
    CanDelay(bool),
    /// The connection is lost: every receipt from before is void, and the broker delivers those messages again.
    Disconnected,
    /// The broker keeps what a settlement asked it to publish, and forgets the message.
    Kept {
        /// The receipt that was settled so.
        receipt: ReceiptId,
    },
    /// The broker keeps the dead letter of a settlement whose outcome is told: the message is unacknowledged, and its receipt is to be
    /// settled again.
    KeptFirst {
        /// The receipt.
        receipt: ReceiptId,
    },
    /// The broker does not take what a settlement asked it to publish: the message is unacknowledged, and its receipt is to be
    /// settled again.
    Refused {
        /// The receipt.
        receipt: ReceiptId,
    },
    /// The request of an event has ended.
    Replied {
        /// The event.
        event: EventId,
        /// What came back.
        reply: Reply,
        /// How long the request took.
        took: Duration,
        /// The epoch of the claim that was granted for it, if one was asked for.
        epoch: Option<i64>,
    },
    /// A try to bring a photo of an event up has ended.
    PhotoReplied {
        /// The event.
        event: EventId,
        /// What it came to.
        reply: PhotoReply,
        /// How long it took.
        took: Duration,
        /// The epoch of the claim that was granted for it, if one was asked for.
        epoch: Option<i64>,
    },
    /// The create of an event was not sent: the ledger did not let it, or there was no time left in the lease.
    Withheld {
        /// The event.
        event: EventId,
        /// What the ledger answered.
        claimed: Claimed,
    },
    /// The ledger answered what it was told.
    Recorded {
        /// What it was told.
        record: RecordId,
        /// What it answered.
        recorded: Recorded,
    },
    /// The request of an event ended by a panic.
    Panicked {
        /// The event.
        event: EventId,
    },
    /// The check of a rule's lookup has ended; without a reply if it ended by a panic.
    Checked {
        /// The rule.
        rule: Arc<str>,
        /// The lookup that was asked.
        lookup: Arc<Lookup>,
        /// What came back.
        reply: Option<Reply>,
    },
    /// A list of a procedure has ended; without a reply if it ended by a panic.
    Listed {
        /// The procedure.
        procedure: Procedure,
        /// What came back.
        reply: Option<Reply>,
    },
    /// Somebody, or a watched file, asks for something.
    Command(Command),
    /// The moment of the last [`Effects::wake`](super::Effects::wake) has come.
    Timer,
}

/// What is asked of the machine beside the events.
#[derive(Clone, Debug)]
pub enum Command {
    /// Send nothing until [`Command::Resume`].
    Pause,
    /// End a pause.
    Resume,
    /// There is a new API token.
    NewToken,
    /// There are new certificates.
    NewCertificates,
    /// Map by these rules from now on. Rules that are held go on.
    NewRules(Arc<Rules>),
    /// Let this rule go on, if a run of rejections holds it.
    ResumeRule(Arc<str>),
    /// Begin no request any more; give back whatever no request is under way for, now and later.
    Drain,
    /// Give back everything: what is under way is cut off.
    CutOff,
}
