//! Publishing dead letters and delayed events: persistent, mandatory, confirmed, one at a time on each channel.
//!
//! Not here: what they carry (`dead_letter`, `delay`), and the acknowledgement after it (`settle`).
//!
//! One publish in flight per channel, because lapin 4.12.3 gives returns and confirms to the wrong publish
//! when there are more (measured). What the broker refuses is told: the event stays unacknowledged, and whoever decides says
//! what becomes of it (`core::delivery`).

use std::collections::VecDeque;
use std::sync::Arc;

use lapin::options::BasicPublishOptions;
use lapin::{Channel, Connection};
use tokio::task::{JoinError, JoinSet};

use super::Config;
use super::confirms::{NO_QUEUE, NOT_BOUND, PublishContext, open_channel, refusal};
use super::connection::Endpoints;
use super::error::{BrokerError, is_of_the_channel};
use super::outgoing::Publish;
use super::patience::Patience;
use super::reply;

/// Channels for dead letters and delayed events, and so messages on their way at once.
pub(super) const CHANNELS: usize = 4;

const UNCONFIRMED: &str = "a publish is not confirmed yet: has its queue lost the majority of its nodes?";

/// What became of the stand-in of the delivery with this tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// The broker keeps it.
    Kept(u64),
    /// The broker keeps a letter, and its outcome is to be told before its message is acknowledged.
    KeptFirst(u64),
    /// The broker does not take it.
    Refused(u64),
}

impl Published {
    fn tag(self) -> u64 {
        match self {
            Self::Kept(tag) | Self::KeptFirst(tag) | Self::Refused(tag) => tag,
        }
    }
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
    patience: Patience,
}

impl Publisher {
    /// One with so many channels. With `gives_up`, what is not confirmed within `broker.call_timeout` counts as refused.
    pub(super) async fn open(
        config: &Config,
        publishing: &Arc<Connection>,
        endpoints: &Endpoints,
        (channels, gives_up): (usize, bool),
    ) -> Result<Self, BrokerError> {
        let limit = config.call_timeout;
        let asking = open_channel(publishing, limit).await?;
        let mut idle = Vec::with_capacity(channels);
        for _ in 0..channels {
            idle.push(open_channel(publishing, limit).await?);
        }
        let (metrics, state) = (Arc::clone(&endpoints.metrics), endpoints.state.clone());
        let to = PublishContext { limit, connection: Arc::clone(publishing), metrics, state };
        let patience = Patience::of(gives_up.then_some(limit));
        Ok(Self { to, asking, idle, waiting: VecDeque::new(), on_their_way: JoinSet::new(), patience })
    }

    pub(super) fn send(&mut self, outgoing: Publish) {
        self.patience.begins(outgoing.tag);
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
        loop {
            tokio::select! {
                ended = self.on_their_way.join_next() => {
                    let published = self.ended(ended?);
                    if !published.as_ref().is_ok_and(|published| self.patience.is_over(published.tag())) {
                        return Some(published);
                    }
                }
                tag = self.patience.ends() => {
                    self.waiting.retain(|waiting| waiting.tag != tag);
                    return Some(Ok(Published::Refused(tag)));
                }
            }
        }
    }

    /// The next that came to its end already, if one did.
    pub(super) fn try_next(&mut self) -> Option<Result<Published, BrokerError>> {
        loop {
            let ended = self.on_their_way.try_join_next()?;
            let published = self.ended(ended);
            if !published.as_ref().is_ok_and(|published| self.patience.is_over(published.tag())) {
                return Some(published);
            }
        }
    }

    fn ended(&mut self, ended: Result<Ended, JoinError>) -> Result<Published, BrokerError> {
        let Ended { outgoing, channel, end } = ended.map_err(|error| broke_off(&error))?;
        let (tag, queue) = (outgoing.tag, outgoing.told_as());
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

/// Publishes once, and brings the channel back, or another where the broker closed it.
async fn publish_once(mut channel: Channel, to: PublishContext, outgoing: Publish) -> Ended {
    let end = match publish(&channel, &to, &outgoing).await {
        Ok(None) => match &outgoing.reply {
            Some(reply) => match reply::publish(channel.clone(), &to, reply, &outgoing.body).await {
                Ok(usable) => {
                    channel = usable;
                    Ok(())
                }
                Err(error) => Err(Refusal::Broken(error)),
            },
            None => Ok(()),
        },
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
        let (exchange, queue) = (outgoing.exchange.clone(), outgoing.queue.clone());
        let properties = outgoing.properties.whole().into_owned();
        channel.basic_publish(exchange, queue, options, &outgoing.body, properties).await?.await
    };
    tokio::pin!(confirmed);
    loop {
        match tokio::time::timeout(to.limit, &mut confirmed).await {
            Ok(confirmation) => {
                let refused = confirmation.map(refusal)?;
                let is_unbound = refused.as_deref() == Some(NO_QUEUE) && !outgoing.exchange.as_str().is_empty();
                return Ok(if is_unbound { Some(NOT_BOUND.to_owned()) } else { refused });
            }
            // Publishing again now could make two of it; a dead connection shows by its heartbeat. That the broker blocks
            // whoever publishes is told where it says so.
            Err(_) if to.connection.status().blocked() => {}
            Err(_) => to.refused(&outgoing.told_as(), UNCONFIRMED),
        }
    }
}
