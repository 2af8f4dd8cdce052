//! The management API of RabbitMQ, where one is named: what policies make of the queues, who holds them, and how full they are.
//! It is asked at the start and each minute, and never stands in the way of an event.
//!
//! Not here: AMQP, which shows none of that (`amqp`), what it means for the events (`core::queue`), and any change in the broker.

mod answer;
mod api;
mod bindings;
pub mod connections;
pub mod letters;
pub mod survey;
pub mod watch;

use std::time::Duration;

use reqwest::Url;

use crate::secret::SecretSource;
use crate::tls;

/// Where the API is, and what it is asked for.
#[derive(Clone, Debug)]
pub struct Config {
    /// `https://` or `http://`, with host and perhaps a path prefix, without a user.
    pub url: Url,
    /// The user; it needs the tag `management` there.
    pub user: String,
    /// The password of that user.
    pub password: SecretSource,
    /// Whom to trust for `https://`.
    pub tls: tls::Files,
    /// The longest one request may take, connecting included.
    pub timeout: Duration,
    /// How often it is asked.
    pub interval: Duration,
    /// The virtual host.
    pub vhost: String,
    /// The exchange of outcomes, if any are told.
    pub exchange: Option<String>,
    /// The queues, the work queue first.
    pub queues: Vec<(String, Role)>,
}

impl Config {
    /// The name of the work queue.
    fn work_queue(&self) -> &str {
        self.queues.iter().find(|(_, role)| *role == Role::Work).map_or("", |(queue, _)| queue)
    }
}

/// What a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Events come from it.
    Work,
    /// Dead letters go to it.
    DeadLetters,
    /// It gives each event back after so long.
    Delay(Duration),
}

impl Role {
    /// Its word in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::DeadLetters => "dead-letter",
            Self::Delay(_) => "delay",
        }
    }
}
