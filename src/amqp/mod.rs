//! The consumer: takes deliveries from RabbitMQ, settles them, and reconnects after every failure.
//!
//! Not here: what an event means, the API, and any decision about an event.

pub mod address;
pub mod callers;
mod channel;
mod confirms;
mod connect;
pub mod connection;
mod dead_letter;
mod delay;
mod deliveries;
pub mod endpoints;
mod error;
mod exchange;
mod fallback;
mod headers;
mod intake;
pub mod letters;
mod limit;
mod made;
mod notices;
pub mod online_check;
mod outcomes;
mod outgoing;
mod packed;
mod patience;
pub mod plan;
mod previous;
mod publisher;
mod questions;
mod queue_warnings;
mod reply;
mod session;
mod settle;
mod shallow;
mod silent;
mod size;
#[cfg(test)]
mod stage;
mod stall;
mod subscription;
mod topology;
pub mod wanted_queues;

use std::time::Duration;

use crate::secret::SecretSource;
use crate::tls;
use address::Address;
pub use dead_letter::DEAD_LETTER_HEADERS;
pub use outcomes::Outlet;

/// The configuration of the consumer.
#[derive(Clone, Debug)]
pub struct Config {
    /// `amqp://` or `amqps://`, with user, host and virtual host, and without a password.
    pub url: String,
    /// Where the brokers of the cluster listen, at least one.
    pub addresses: Vec<Address>,
    /// The password of that user.
    pub password: SecretSource,
    /// The queue that events come from.
    pub queue: String,
    /// The queue that dead letters go to.
    pub dead_letter_queue: String,
    /// Where the outcomes of events are told, if they are.
    pub outcomes: Option<Outlet>,
    /// Unacknowledged events at most; the broker holds back the rest. 1 to 65,535.
    pub prefetch: u16,
    /// Whether queues are checked or made.
    pub topology: Topology,
    /// The kind of queue made with [`Topology::Declare`].
    pub queue_type: QueueType,
    /// Interval of heartbeats; a dead peer is noticed after twice as long.
    pub heartbeat: Duration,
    /// The longest one call to the broker may take, connecting included.
    pub call_timeout: Duration,
    /// The longest time without a delivery while the queue holds messages and the prefetch is not used up. After it the
    /// consumer connects again.
    pub stall_timeout: Duration,
    /// The shortest and longest ceiling of the wait before connecting again.
    pub reconnect: (Duration, Duration),
    /// Whom to trust and what to show for `amqps://`.
    pub tls: tls::Files,
}

/// Whether queues are checked or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// Each queue must be there; what is missing is named.
    Verify,
    /// Queues are declared, durable, and must fit if they exist.
    Declare,
}

/// The kind of queue that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueType {
    /// Replicated.
    Quorum,
    /// On one node.
    Classic,
}
