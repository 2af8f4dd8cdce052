//! The state of the connection to the broker, for the health checks.
//!
//! Not here: connecting (`amqp`), and what unacknowledged events do meanwhile (`dispatch`).

/// The state of the connection to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerState {
    /// Connecting for the first time, or again.
    Connecting,
    /// Connected; deliveries come in.
    Consuming,
    /// Not connected, and waiting before the next attempt.
    Lost {
        /// For humans; never holds the password.
        why: String,
    },
    /// Closed for good, by us.
    Closed,
}

impl BrokerState {
    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Consuming => "consuming",
            Self::Lost { .. } => "lost",
            Self::Closed => "closed",
        }
    }
}
