//! The dead-letter queue, for a person who looks into it: on a connection of its own, beside a daemon or without one. A pass takes
//! nothing away: what is not removed is given back in its order.
//!
//! Not here: what a letter is (`core::letters`), how it is carried (`letters/carried`), and the order of publishing and removing
//! (`cli::dead_letters`).
//!
//! A pass holds every letter until its end, since what is given back is delivered again. AMQP bounds a subscription by a number of
//! letters, at most 65,535, and the client library keeps whatever was delivered and not yet read. So one subscription after the
//! other is begun, each for as many letters as fit into little memory. All are given back at the end, one short run after the
//! other: RabbitMQ before 4.0 gives a long run back in the order of a hash (`RUN`).

mod again;
mod carried;
mod found;
mod look;

use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Connection};

use super::confirms::{open_channel, refusal};
use super::connect::{self, Tries};
use super::error::BrokerError;
use super::made::{self, Known};
use super::questions::{self, name};
use super::wanted_queues::kind;
use super::{Config, QueueType};
use crate::core::letters::cost::Seen;
pub use carried::Carried;
pub use found::Found;
pub use look::Look;

/// The most of a name that stands in the name of the connection, in characters.
const WHO_MAX: usize = 60;

/// A message that is to be published.
#[derive(Debug)]
pub struct Outgoing {
    pub(super) properties: BasicProperties,
    pub(super) body: Vec<u8>,
}

/// What a queue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Letters that nobody else holds.
    pub ready: u32,
    /// Others who read it.
    pub readers: u32,
}

/// The two connections: an alarm of the broker blocks the one that publishes, and nothing is removed over that.
pub struct Letters {
    config: Config,
    looking: Connection,
    publishing: Option<(Connection, Channel)>,
}

impl Letters {
    /// Connects, for looking only unless it `publishes`. `who` asks stands in the name of the connection.
    ///
    /// # Errors
    /// Why the broker cannot be reached, in words.
    pub async fn open(config: &Config, who: &str, publishes: bool) -> Result<Self, String> {
        let letters = open(config, who, publishes).await;
        letters.map_err(|error| error.to_string())
    }

    /// What AMQP shows of the dead-letter queue, policies aside.
    ///
    /// # Errors
    /// That it is missing or belongs to another connection, or that the broker cannot be asked.
    pub async fn seen(&self) -> Result<Seen, String> {
        let queue = &self.config.dead_letter_queue;
        let words = |error: BrokerError| error.to_string();
        if !questions::exists(&self.config, &self.looking, queue).await.map_err(words)? {
            return Err(format!(
                "there is no queue `{queue}`: correct broker.dead_letter_queue, or let the daemon make it"
            ));
        }
        let wanted = kind(QueueType::Quorum);
        match made::ask(&self.config, &self.looking, queue, wanted).await.map_err(words)? {
            Known::Made(made) => Ok(Seen { queue: Some(made.queue()), version: None }),
            Known::Locked => Err(format!("queue `{queue}` belongs to another connection (exclusive)")),
            Known::Nothing => Ok(Seen::default()),
        }
    }

    /// What the dead-letter queue holds.
    ///
    /// # Errors
    /// That the broker cannot be asked.
    pub async fn depth(&self) -> Result<Depth, String> {
        let queue = name(&self.config.dead_letter_queue).map_err(|error| error.to_string())?;
        let asked = questions::ask(queue, &self.looking, self.config.call_timeout).await;
        let asked = asked.map_err(|error| error.to_string())?;
        let asked = asked.ok_or("the broker does not say how many letters the queue holds")?;
        Ok(Depth { ready: asked.ready, readers: asked.consumers })
    }

    /// Begins a pass at the letters that are ready now, or at so many where a pass before saw them: the broker takes a moment to
    /// count what was given back.
    ///
    /// # Errors
    /// That the broker cannot be asked.
    pub async fn look(&self, at_least: u32) -> Result<Look, String> {
        let depth = self.depth().await?;
        let depth = Depth { ready: depth.ready.max(at_least), ..depth };
        Look::begin(&self.config, &self.looking, depth).await.map_err(|error| error.to_string())
    }

    /// Publishes to the work queue; answers once the broker keeps it.
    ///
    /// # Errors
    /// Why it is not kept, or that nobody can say whether it is.
    pub async fn to_work(&self, outgoing: Outgoing) -> Result<(), String> {
        self.publish(&self.config.queue, outgoing).await
    }

    /// Publishes to the dead-letter queue, as [`Self::to_work`] does to the work queue.
    ///
    /// # Errors
    /// As there.
    pub async fn to_dead_letters(&self, outgoing: Outgoing) -> Result<(), String> {
        self.publish(&self.config.dead_letter_queue, outgoing).await
    }

    /// One at a time: see `publisher`.
    async fn publish(&self, queue: &str, Outgoing { properties, body }: Outgoing) -> Result<(), String> {
        let Some((connection, channel)) = &self.publishing else {
            return Err("this pass publishes nothing".to_owned());
        };
        let to = name(queue).map_err(|error| error.to_string())?;
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let confirmed = async { channel.basic_publish("".into(), to, options, &body, properties).await?.await };
        match tokio::time::timeout(self.config.call_timeout, confirmed).await {
            Ok(Ok(confirmation)) => {
                refusal(confirmation, "").map_or(Ok(()), |why| Err(format!("queue `{queue}`: {why}")))
            }
            Ok(Err(error)) => Err(BrokerError::during(&format!("publishing to `{queue}`"), &error).to_string()),
            Err(_) if connection.status().blocked() => {
                Err("the broker accepts no publishes now: it has an alarm, for memory or disk".to_owned())
            }
            Err(_) => Err(format!(
                "queue `{queue}`: no confirm in time; it may have been published all the same, and its letter is still here"
            )),
        }
    }

    /// Closes the connections.
    pub async fn close(self) {
        connect::close(&self.looking).await;
        if let Some((connection, _)) = &self.publishing {
            connect::close(connection).await;
        }
    }
}

async fn open(config: &Config, who: &str, publishes: bool) -> Result<Letters, BrokerError> {
    let who = shown(who);
    let mut errors = Vec::new();
    for address in &config.addresses {
        let at = async |what: &str| {
            let what_for = format!("dead letters, {what}, for {who}, of");
            connect::connect(config, address, &what_for, &mut Tries::default()).await
        };
        match at("looks").await {
            Ok(looking) => {
                let publishing =
                    if publishes { Some(confirming(at("publishes").await?, config.call_timeout).await?) } else { None };
                return Ok(Letters { config: config.clone(), looking, publishing });
            }
            Err(error) => errors.push(error),
        }
    }
    Err(BrokerError::all(errors))
}

/// As it stands in a name.
fn shown(who: &str) -> String {
    who.chars().filter(|sign| !sign.is_control()).take(WHO_MAX).collect()
}

async fn confirming(connection: Connection, limit: Duration) -> Result<(Connection, Channel), BrokerError> {
    let channel = open_channel(&connection, limit).await?;
    Ok((connection, channel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_is_named_without_control_characters_and_not_at_any_length() {
        assert_eq!(shown("Zoë\n at\t desk\u{7f}"), "Zoë at desk");
        assert_eq!(shown(&"é".repeat(WHO_MAX + 1)), "é".repeat(WHO_MAX));
    }
}
