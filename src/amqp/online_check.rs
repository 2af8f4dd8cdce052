//! What the broker says of the queues when a person asks before the daemon runs. Nothing is made, and nothing consumed.
//!
//! Not here: what the daemon does about it (`topology`). What the daemon would refuse is a mistake here.

use lapin::Connection;

use super::confirms::open_channel;
use super::connect::Connections;
use super::error::BrokerError;
use super::queue_warnings::{Findings, OfQueue};
use super::topology::{self, Missing};
use super::wanted_queues;
use super::{Config, Topology, exchange, questions};

/// What the broker answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnlineCheck {
    /// What stands in the daemon's way, or in the way of delay queues.
    pub mistakes: Vec<String>,
    /// What is risky about the queues, policies aside, which AMQP does not show; it may be so on purpose.
    pub of_queues: Vec<String>,
    /// What else is worth a word.
    pub warnings: Vec<String>,
    /// The queues that are not there.
    pub missing: Vec<String>,
    /// Whether the exchange of outcomes is not there, where there is to be one.
    pub lacks_exchange: bool,
    /// What stands in the way of telling outcomes, if anything does.
    pub of_exchange: Option<String>,
}

/// Connects as the daemon would, asks, and closes the connections again. Each call may take `call_timeout`.
///
/// # Errors
/// Says why the broker could not be asked.
pub async fn ask(config: &Config) -> Result<OnlineCheck, String> {
    let connections = Connections::open_first(config).await.map_err(|error| error.to_string())?;
    let online_check = queues(config, &connections).await;
    connections.close().await;
    online_check.map_err(|error| error.to_string())
}

async fn queues(config: &Config, connections: &Connections) -> Result<OnlineCheck, BrokerError> {
    let connection = &connections.consuming;
    let missing = Missing::look(config, connection).await?;
    let mut online_check = OnlineCheck::default();
    online_check.of_queues(config, connection, &missing).await?;
    online_check.mistakes.extend(topology::wrong_delay_queue(config, connection, &missing).await?);
    match config.topology {
        Topology::Verify => {
            online_check.mistakes.extend(missing.to_consume(config).into_iter().chain(missing.to_delay(config)));
        }
        Topology::Declare => online_check.of_rights_to_make(config, connection, &missing).await?,
    }
    online_check.of_publishing(config, connections).await?;
    let exchange = exchange::look(config, &connections.publishing).await?;
    online_check.of_exchange = exchange.obstacle;
    online_check.lacks_exchange = exchange.is_absent;
    online_check.missing = missing.into_names();
    Ok(online_check)
}

impl OnlineCheck {
    /// Of the work queue and the dead-letter queue, each if it is there: looking at one that is missing would make it.
    async fn of_queues(
        &mut self,
        config: &Config,
        connection: &Connection,
        missing: &Missing,
    ) -> Result<(), BrokerError> {
        let mut findings = Findings::default();
        if !missing.has(&config.queue) {
            findings.look_at_work(config, connection).await?;
            self.mistakes.extend(questions::unreadable(config, connection).await?);
        }
        if !missing.has(&config.dead_letter_queue) {
            findings.look_at_dead_letters(config, connection).await?;
        }
        let (refused, warnings): (Vec<_>, Vec<_>) = findings.list.into_iter().partition(OfQueue::is_refused);
        self.mistakes.extend(refused.iter().map(ToString::to_string));
        self.of_queues.extend(warnings.iter().map(ToString::to_string));
        if findings.is_hidden {
            let words = "the broker does not let this user see how the queues are made: ask once as a user who may \
                 configure them";
            self.of_queues.push(words.to_owned());
        }
        Ok(())
    }

    /// Whether what is missing can be made.
    async fn of_rights_to_make(
        &mut self,
        config: &Config,
        connection: &Connection,
        missing: &Missing,
    ) -> Result<(), BrokerError> {
        for (queue, arguments) in wanted_queues::wanted(config) {
            if !missing.has(&queue) || questions::may_make(config, connection, &queue, arguments).await? {
                continue;
            }
            let rights = wanted_queues::rights(config, &queue);
            let words = format!(
                "queue `{queue}` is missing, and this user may not make it: make it by hand, or give the user the right {rights}"
            );
            self.mistakes.push(words);
        }
        Ok(())
    }

    async fn of_publishing(&mut self, config: &Config, connections: &Connections) -> Result<(), BrokerError> {
        let asking = open_channel(&connections.publishing, config.call_timeout).await?;
        self.mistakes.extend(questions::refused_publish(config, &asking, &connections.publishing).await?);
        if connections.publishing.status().blocked() {
            self.warnings.push("the broker accepts no publishes now: it has an alarm, for memory or disk".to_owned());
        }
        Ok(())
    }
}
