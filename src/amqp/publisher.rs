//! Publishing dead letters and delayed events: persistent, mandatory, confirmed, one at a time on each channel.
//!
//! Not here: what they carry (`dead_letter`, `delay`), and the acknowledgement after it (`settle`).
//!
//! One publish in flight per channel, because lapin 4.12.3 gives returns and confirms to the wrong publish
//! when there are more (measured). What the broker refuses is told: the event stays unacknowledged, and whoever decides says
//! what becomes of it (`core::delivery`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation, Connection};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::Config;
use super::channel;
use super::connection::Endpoints;
use super::error::{BrokerError, is_of_the_channel, within};
use super::packed::Packed;
use crate::metrics::Metrics;
use crate::states::broker::BrokerStatus;

/// Channels, and so messages on their way at once.
const CHANNELS: usize = 4;

const UNCONFIRMED: &str = "a publish is not confirmed yet: has its queue lost the majority of its nodes?";

/// What publishing needs.
#[derive(Clone)]
struct PublishContext {
    connection: Arc<Connection>,
    limit: Duration,
    metrics: Arc<Metrics>,
    state: watch::Sender<BrokerStatus>,
}

impl PublishContext {
    /// Told once, and again when the reason changes: each event that meets it would say the same.
    fn refused(&self, queue: &ShortString, why: &str) {
        if self.state.send_if_modified(|status| status.refuses(queue.as_str(), why)) {
            tracing::error!(%queue, "publish refused: {why}; its events stay unacknowledged or are delayed, and none is lost");
        }
    }

    fn taken(&self, queue: &ShortString) {
        if self.state.send_if_modified(|status| status.takes(queue.as_str())) {
            tracing::info!(%queue, "the queue takes what is published to it again");
        }
    }
}

/// A message that waits for a channel.
pub(super) struct Publish {
    /// The delivery that it stands for.
    pub(super) tag: u64,
    pub(super) queue: ShortString,
    pub(super) properties: Packed,
    pub(super) body: Arc<Vec<u8>>,
}

/// What became of the stand-in of the delivery with this tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// The broker keeps it.
    Kept(u64),
    /// The broker does not take it.
    Refused(u64),
}

/// What became of one publish.
struct Ended {
    outgoing: Publish,
    channel: Channel,
    end: Result<(), Refusal>,
}

/// Why a publish was not kept.
enum Refusal {
    /// The broker refused this message.
    Refused(String),
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
        Ok(Self { to, asking, idle, waiting: VecDeque::new(), on_their_way: JoinSet::new() })
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

    /// The next that came to its end, or why nothing can be published any more; none while none is on its way. Loses none if it
    /// is dropped while it waits.
    pub(super) async fn next(&mut self) -> Option<Result<Published, BrokerError>> {
        let ended = self.on_their_way.join_next().await?;
        Some(self.ended(ended))
    }

    fn ended(&mut self, ended: Result<Ended, JoinError>) -> Result<Published, BrokerError> {
        let Ended { outgoing, channel, end } = ended.map_err(|error| broke_off(&error))?;
        let Publish { tag, queue, .. } = outgoing;
        let published = match end {
            Ok(()) => {
                self.to.taken(&queue);
                Published::Kept(tag)
            }
            Err(Refusal::Refused(why)) => {
                self.to.metrics.publish_refused();
                self.to.refused(&queue, &why);
                Published::Refused(tag)
            }
            Err(Refusal::Broken(error)) => return Err(error),
        };
        self.idle.push(channel);
        self.fill();
        Ok(published)
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
        Ok(Some(why)) => Err(Refusal::Refused(why)),
        // A right that is missing or a size that is too large costs the channel. Were it to cost the connection, every event
        // unacknowledged would be delivered again, and be counted towards its delivery limit.
        Err(error) if is_of_the_channel(&error) => match open_channel(&to.connection, to.limit).await {
            Ok(another) => {
                channel = another;
                Err(Refusal::Refused(BrokerError::during("the broker closed the channel", &error).to_string()))
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
        let (queue, properties) = (outgoing.queue.clone(), outgoing.properties.whole().into_owned());
        channel.basic_publish("".into(), queue, options, &outgoing.body, properties).await?.await
    };
    tokio::pin!(confirmed);
    loop {
        match tokio::time::timeout(to.limit, &mut confirmed).await {
            Ok(confirmation) => return confirmation.map(refusal),
            // Publishing again now could make two of it; a dead connection shows by its heartbeat. That the broker blocks
            // whoever publishes is told where it says so.
            Err(_) if to.connection.status().blocked() => {}
            Err(_) => to.refused(&outgoing.queue, UNCONFIRMED),
        }
    }
}

/// Why the broker does not keep what was published; none where it does.
pub(super) fn refusal(confirmation: Confirmation) -> Option<String> {
    match confirmation {
        Confirmation::Ack(None) => None,
        Confirmation::Ack(Some(_)) => Some("no such queue; make it".to_owned()),
        Confirmation::Nack(_) => {
            Some("the broker did not take it: is the queue full, or without its majority?".to_owned())
        }
        Confirmation::NotRequested => Some("the channel does not confirm".to_owned()),
    }
}
