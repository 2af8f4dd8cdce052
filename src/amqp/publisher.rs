//! Publishing dead letters and delayed events: persistent, mandatory, confirmed, one at a time on each channel.
//!
//! Not here: what they carry (`dead_letter`, `delay`), and the acknowledgement after it (`settle`).
//!
//! One publish in flight per channel, because lapin 4.12.3 gives returns and confirms to the wrong publish
//! when there are more (measured). A publish that the broker refuses is tried again, the event still unacknowledged; while it waits,
//! its channel serves others, so that one full queue holds up no other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::Config;
use super::channel;
use super::connection::Endpoints;
use super::error::{BrokerError, is_of_the_channel, within};
use crate::core::backoff::{ceiling, jittered};
use crate::metrics::Metrics;
use crate::states::broker::BrokerStatus;

/// Channels, and so messages on their way at once.
const CHANNELS: usize = 4;
/// The ceilings of the waits before a refused message is published again.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

const UNCONFIRMED: &str = "a publish is not confirmed yet: has its queue lost the majority of its nodes? The event stays \
     unacknowledged";

/// What publishing needs.
#[derive(Clone)]
struct PublishContext {
    connection: Arc<Connection>,
    limit: Duration,
    metrics: Arc<Metrics>,
    state: watch::Sender<BrokerStatus>,
}

impl PublishContext {
    fn refused(&self, queue: &ShortString, why: &str) {
        self.state.send_if_modified(|status| status.refuses(queue.as_str(), why));
    }

    fn taken(&self, queue: &ShortString) {
        self.state.send_if_modified(|status| status.takes(queue.as_str()));
    }
}

/// A message that waits for a channel.
pub(super) struct Publish {
    /// The delivery that it stands for.
    pub(super) tag: u64,
    pub(super) queue: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) body: Arc<Vec<u8>>,
    /// How often the broker refused it.
    pub(super) refusals: u32,
}

/// The tag of the delivery whose stand-in the broker keeps, or why none can be kept any more.
pub(super) type Published = Result<u64, BrokerError>;

/// What became of one publish.
struct Ended {
    outgoing: Publish,
    channel: Channel,
    end: Result<(), Refusal>,
}

/// Why a publish was not kept.
enum Refusal {
    /// The broker refused this message, which is published again.
    Again(String),
    /// Nothing can be published any more.
    Broken(BrokerError),
}

/// The channels that publish, and what waits for them.
pub(super) struct Publisher {
    to: PublishContext,
    /// Asks whether anything may be published; see `questions::refused_publish`.
    pub(super) asking: Channel,
    idle: Vec<Channel>,
    waiting: VecDeque<Publish>,
    on_their_way: JoinSet<Ended>,
    /// Refused, until they are published again.
    refused: JoinSet<Publish>,
}

impl Publisher {
    pub(super) async fn open(
        config: &Config,
        publishing: &Arc<Connection>,
        endpoints: &Endpoints,
    ) -> Result<Self, BrokerError> {
        let limit = config.call_timeout;
        let asking = open_channel(publishing, limit).await?;
        let mut idle = Vec::with_capacity(CHANNELS);
        for _ in 0..CHANNELS {
            idle.push(open_channel(publishing, limit).await?);
        }
        let (metrics, state) = (Arc::clone(&endpoints.metrics), endpoints.state.clone());
        let to = PublishContext { limit, connection: Arc::clone(publishing), metrics, state };
        Ok(Self { to, asking, idle, waiting: VecDeque::new(), on_their_way: JoinSet::new(), refused: JoinSet::new() })
    }

    pub(super) fn send(&mut self, outgoing: Publish) {
        self.waiting.push_back(outgoing);
        self.fill();
    }

    fn fill(&mut self) {
        while !self.waiting.is_empty()
            && let Some(channel) = self.idle.pop()
            && let Some(outgoing) = self.waiting.pop_front()
        {
            self.on_their_way.spawn(publish_once(channel, self.to.clone(), outgoing));
        }
    }

    /// The next that came to its end; none while none is on its way. Loses none if it is dropped while it waits.
    pub(super) async fn next(&mut self) -> Option<Published> {
        loop {
            tokio::select! {
                Some(ended) = self.on_their_way.join_next() => match self.ended(ended) {
                    Ok(None) => {}
                    Ok(Some(tag)) => return Some(Ok(tag)),
                    Err(error) => return Some(Err(error)),
                },
                Some(outgoing) = self.refused.join_next() => match outgoing {
                    Ok(outgoing) => self.send(outgoing),
                    Err(error) => return Some(Err(broke_off(&error))),
                },
                else => return None,
            }
        }
    }

    /// Takes the end of a publish in; none where it is published again after a wait.
    fn ended(&mut self, ended: Result<Ended, JoinError>) -> Result<Option<u64>, BrokerError> {
        let Ended { outgoing, channel, end } = ended.map_err(|error| broke_off(&error))?;
        let tag = outgoing.tag;
        let kept = match end {
            Ok(()) => {
                self.to.taken(&outgoing.queue);
                Some(tag)
            }
            Err(Refusal::Again(why)) => {
                self.retry_later(outgoing, &why);
                None
            }
            Err(Refusal::Broken(error)) => return Err(error),
        };
        self.idle.push(channel);
        self.fill();
        Ok(kept)
    }

    fn retry_later(&mut self, mut outgoing: Publish, why: &str) {
        let wait = jittered(ceiling(AGAIN.0, 2.0, AGAIN.1, outgoing.refusals), fastrand::f64());
        outgoing.refusals += 1;
        self.to.metrics.publish_refused();
        self.to.refused(&outgoing.queue, why);
        tracing::error!(queue = %outgoing.queue, refusals = outgoing.refusals, "publish refused: {why}; the event stays unacknowledged");
        self.refused.spawn(async move {
            tokio::time::sleep(wait).await;
            outgoing
        });
    }
}

fn broke_off(error: &JoinError) -> BrokerError {
    BrokerError::new(format!("publishing broke off: {error}"))
}

async fn open_channel(connection: &Connection, limit: Duration) -> Result<Channel, BrokerError> {
    let channel = channel::open(connection, limit).await?;
    within(limit, "asking for confirms", channel.confirm_select(ConfirmSelectOptions::default())).await?;
    Ok(channel)
}

/// Publishes once, and brings the channel back, or another where the broker closed it.
async fn publish_once(mut channel: Channel, to: PublishContext, outgoing: Publish) -> Ended {
    let end = match publish(&channel, &to, &outgoing).await {
        Ok(None) => Ok(()),
        Ok(Some(why)) => Err(Refusal::Again(why)),
        // A right that is missing or a size that is too large costs the channel. Were it to cost the connection, every event
        // unacknowledged would be delivered again, and be counted towards its delivery limit.
        Err(error) if is_of_the_channel(&error) => match open_channel(&to.connection, to.limit).await {
            Ok(another) => {
                channel = another;
                Err(Refusal::Again(BrokerError::during("the broker closed the channel", &error).to_string()))
            }
            Err(error) => Err(Refusal::Broken(error)),
        },
        Err(error) => Err(Refusal::Broken(BrokerError::during("publishing", &error))),
    };
    Ended { outgoing, channel, end }
}

/// Publishes once. Kept only if the broker says exactly that; otherwise why not.
async fn publish(channel: &Channel, to: &PublishContext, outgoing: &Publish) -> lapin::Result<Option<String>> {
    let confirmed = async {
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let (queue, properties) = (outgoing.queue.clone(), outgoing.properties.clone());
        channel.basic_publish("".into(), queue, options, &outgoing.body, properties).await?.await
    };
    tokio::pin!(confirmed);
    loop {
        match tokio::time::timeout(to.limit, &mut confirmed).await {
            Ok(confirmation) => return confirmation.map(refusal),
            // Publishing again now could make two of it; a dead connection shows by its heartbeat. That the broker blocks
            // whoever publishes is told where it says so.
            Err(_) if to.connection.status().blocked() => {}
            Err(_) => {
                to.refused(&outgoing.queue, UNCONFIRMED);
                tracing::warn!(queue = %outgoing.queue, "{UNCONFIRMED}");
            }
        }
    }
}

fn refusal(confirmation: Confirmation) -> Option<String> {
    match confirmation {
        Confirmation::Ack(None) => None,
        Confirmation::Ack(Some(_)) => Some("no such queue; make it".to_owned()),
        Confirmation::Nack(_) => {
            Some("the broker did not take it: is the queue full, or without its majority?".to_owned())
        }
        Confirmation::NotRequested => Some("the channel does not confirm".to_owned()),
    }
}
