//! What is known of the queues beside the connection: what is risky about them, and what the management API shows.
//!
//! Not here: asking (`amqp`, `management`), and what it means (`core::queue`).

use tokio::time::Instant;

/// One thing worth a word about a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueWarning {
    /// A sentence for humans, beginning with the queue.
    pub words: String,
    /// Whether messages leave the queue unseen, come back early or are not taken by it.
    pub is_loss: bool,
}

/// The subscription that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// Its tag, which no other subscription of the cluster has.
    pub tag: String,
    /// The address of the broker that it was begun at.
    pub address: String,
    /// Since when.
    pub since: Instant,
}

/// What the management API shows, where it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managed {
    /// Why it cannot be asked now, if it cannot.
    pub away: Option<String>,
    /// What it showed last, policies included; none before its first answer.
    pub warnings: Option<Vec<QueueWarning>>,
    /// Why the work queue must not be consumed, if it must not.
    pub refusal: Option<String>,
    /// Why no event may be delayed, if none may: what is wrong with the delay queues.
    pub no_delays: Option<String>,
}
