//! How it stands with the broker, for the health checks.
//!
//! Not here: connecting (`amqp`), and what unacknowledged events do meanwhile (`dispatch`).

use std::collections::BTreeMap;

use super::queues::{Managed, QueueWarning, Subscribed};

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

/// The state, and what goes less well than it should. All texts are for humans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerStatus {
    /// The state of the connection.
    pub state: BrokerState,
    /// Why the connection was lost last, until it consumes again.
    pub lost: Option<String>,
    /// Why the broker accepts no publishes, if it says that it does not.
    pub blocked: Option<String>,
    /// The queues that do not take what is published to them, each with the reason.
    pub refused: BTreeMap<String, String>,
    /// Why events cannot be delayed, if they cannot, as far as AMQP shows it.
    pub no_delays: Option<String>,
    /// What is risky about the queues, as far as AMQP shows it.
    pub queue_warnings: Vec<QueueWarning>,
    /// The subscription that stands, if one does.
    pub subscribed: Option<Subscribed>,
    /// What the management API shows.
    pub managed: Managed,
}

impl From<BrokerState> for BrokerStatus {
    fn from(state: BrokerState) -> Self {
        let mut status = Self {
            state: BrokerState::Connecting,
            lost: None,
            blocked: None,
            refused: BTreeMap::new(),
            no_delays: None,
            queue_warnings: Vec::new(),
            subscribed: None,
            managed: Managed::default(),
        };
        status.becomes(state);
        status
    }
}

impl BrokerStatus {
    /// Takes the next state of the connection in. The last error is kept until deliveries come in again.
    pub fn becomes(&mut self, state: BrokerState) {
        match &state {
            BrokerState::Consuming => self.lost = None,
            BrokerState::Lost { why } => self.lost = Some(why.clone()),
            BrokerState::Connecting | BrokerState::Closed => {}
        }
        // Whatever was said of publishing was said of a connection that is gone.
        if state != BrokerState::Consuming {
            self.blocked = None;
            self.refused.clear();
            self.subscribed = None;
        }
        self.state = state;
    }

    /// A queue did not take a publish. Answers whether that is new.
    pub fn refuses(&mut self, queue: &str, why: &str) -> bool {
        self.refused.insert(queue.to_owned(), why.to_owned()).is_none_or(|before| before != why)
    }

    /// What is risky about the queues. The management API sees more, policies among it, and takes the place of what AMQP shows.
    #[must_use]
    pub fn warnings(&self) -> &[QueueWarning] {
        self.managed.warnings.as_ref().unwrap_or(&self.queue_warnings)
    }

    /// Why events are not delayed, if they are not, whoever shows it.
    #[must_use]
    pub fn why_no_delays(&self) -> Option<&str> {
        self.no_delays.as_deref().or(self.managed.no_delays.as_deref())
    }

    /// A queue took a publish. Answers whether that is new.
    pub fn takes(&mut self, queue: &str) -> bool {
        self.refused.remove(queue).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_kept_while_the_next_attempt_hangs_and_forgotten_once_events_come_in() {
        let mut status = BrokerStatus::from(BrokerState::Lost { why: "no route".to_owned() });
        status.becomes(BrokerState::Connecting);
        assert_eq!(status.lost.as_deref(), Some("no route"));
        status.becomes(BrokerState::Consuming);
        assert_eq!(status.lost, None);
    }

    #[test]
    fn what_the_management_api_shows_takes_the_place_of_what_amqp_shows_and_outlives_a_connection() {
        let warning = |words: &str| QueueWarning { words: words.to_owned(), is_loss: false };
        let mut status = BrokerStatus::from(BrokerState::Connecting);
        status.queue_warnings = vec![warning("no dead-letter exchange, unless a policy names one")];
        assert_eq!(status.warnings(), status.queue_warnings);
        status.managed.warnings = Some(vec![warning("a time to live")]);
        status.becomes(BrokerState::Lost { why: String::new() });
        assert_eq!(status.warnings(), [warning("a time to live")]);
    }

    #[test]
    fn a_block_that_is_noticed_while_the_consumer_is_begun_is_kept_and_ends_with_the_connection() {
        let mut status = BrokerStatus::from(BrokerState::Connecting);
        status.blocked = Some("low on memory".to_owned());
        assert!(status.refuses("dead", "full") && !status.refuses("dead", "full"));
        status.becomes(BrokerState::Consuming);
        assert_eq!((status.blocked.is_some(), status.refused.len()), (true, 1));
        assert!(status.takes("dead") && !status.takes("dead"));
        status.becomes(BrokerState::Lost { why: String::new() });
        assert_eq!(status.blocked, None);
    }
}
