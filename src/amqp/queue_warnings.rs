//! What is risky about queues that somebody else made, and what cannot be worked with: said at each connect and by
//! `check --online`.
//!
//! Not here: how they are made (`made`), what that means (`core::queue`), and when it is told (`topology`). A policy may make up
//! for it, which AMQP does not show (`management`).

use std::fmt;

use lapin::Connection;

use super::error::BrokerError;
use super::made::{self, Known};
use super::questions::has_exchange;
use super::wanted_queues::{back_to, kind};
use super::{Config, QueueType};
use crate::core::queue::{Finding, LOCKED, Weight};

/// One thing worth a word, and the queue that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OfQueue {
    pub(super) queue: String,
    pub(super) finding: Finding,
}

impl OfQueue {
    /// It cannot be worked with.
    pub(super) fn is_refused(&self) -> bool {
        self.finding.weight == Weight::Refused
    }
}

impl fmt::Display for OfQueue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "queue `{}` {}", self.queue, self.finding.words)
    }
}

/// What was found.
#[derive(Default)]
pub(super) struct Findings {
    /// All of it, the work queue first.
    pub(super) list: Vec<OfQueue>,
    /// The broker does not let this user see how the queues are made.
    pub(super) is_hidden: bool,
}

impl Findings {
    fn of(&mut self, queue: &str, found: impl IntoIterator<Item = Finding>) {
        let named = found.into_iter().map(|finding| OfQueue { queue: queue.to_owned(), finding });
        self.list.extend(named);
    }
}

/// Everything about the work queue and the dead-letter queue, both of which are there, that the broker lets this user see.
pub(super) async fn find(config: &Config, connection: &Connection) -> Result<Findings, BrokerError> {
    let mut found = Findings::default();
    found.look_at_work(config, connection).await?;
    found.look_at_dead_letters(config, connection).await?;
    Ok(found)
}

impl Findings {
    /// Of the work queue, which is there: looking at one that is missing would make it.
    pub(super) async fn look_at_work(&mut self, config: &Config, connection: &Connection) -> Result<(), BrokerError> {
        let wanted = back_to(QueueType::Quorum, &config.dead_letter_queue);
        match made::ask(config, connection, &config.queue, wanted).await? {
            Known::Made(made) => {
                let queue = made.queue();
                self.of(&config.queue, queue.as_work());
                if let Some(target) = queue.target()
                    && !has_exchange(config, connection, target).await?
                {
                    self.of(&config.queue, [Finding::no_exchange(target)]);
                }
            }
            Known::Locked => self.of(&config.queue, [locked()]),
            Known::Nothing => self.is_hidden = true,
        }
        Ok(())
    }

    /// Of the dead-letter queue, which is there.
    pub(super) async fn look_at_dead_letters(
        &mut self,
        config: &Config,
        connection: &Connection,
    ) -> Result<(), BrokerError> {
        let dead = &config.dead_letter_queue;
        match made::ask(config, connection, dead, kind(QueueType::Quorum)).await? {
            Known::Made(made) => self.of(dead, made.queue().as_dead_letters()),
            Known::Locked => self.of(dead, [locked()]),
            Known::Nothing => self.is_hidden = true,
        }
        Ok(())
    }
}

fn locked() -> Finding {
    Finding::new("exclusive", LOCKED, Weight::Refused)
}
