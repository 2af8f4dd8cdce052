//! Publishing dead letters and delayed events: persistent, mandatory, confirmed, one at a time on each channel.
//!
//! Not here: what they carry (`dead_letter`, `delay`), and the acknowledgement after it (`settle`).
//!
//! One publish in flight per channel, because lapin 4.12.3 gives returns and confirms to the wrong publish
//! when there are more (measured). Outcomes go the same way, by channels of their own. What the broker refuses is told: the event stays
//! unacknowledged, and whoever decides says what becomes of it (`core::delivery`).

use std::collections::VecDeque;
use std::sync::Arc;

use lapin::options::BasicPublishOptions;
use lapin::{Channel, Connection};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::Config;
use super::confirms::{PASSED_OVER, PublishContext, WAITS, open_channel, refusal};
use super::endpoints::Endpoints;
use super::error::{BrokerError, is_of_the_channel};
use super::outgoing::{Publish, Reply};
use super::patience::Patience;
use super::reply::{self, Answered};
use super::silent::SilentQueues;

/// Channels for dead letters and delayed events, and so messages on their way at once.
const CHANNELS: usize = 4;

const UNCONFIRMED: &str = "a publish is not confirmed yet: has its queue lost the majority of its nodes?";
const LEFT: &str =
    "a publish was not confirmed in time, and is made again: has its queue lost the majority of its nodes?";

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
    /// Whether the broker said nothing of its answer, if that was published.
    is_silent: Option<bool>,
    end: Result<(), Refusal>,
}

/// Why a publish was not kept.
enum Refusal {
    /// The broker refused this message.
    Refused(String),
    /// The broker says nothing of it. So will it be with what goes to the same place.
    Silent,
    /// Nothing can be published any more.
    Broken(BrokerError),
}

/// What the broker says of a publish.
enum Said {
    Keeps,
    /// Why not.
    Refuses(String),
    /// Nothing in time: its channel is left for this one.
    Nothing(Channel),
}

/// How something is published.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Messages on their way at once, each on a channel of its own.
    pub(super) channels: usize,
    /// Whether what is not confirmed within `broker.call_timeout` counts as refused, and its channel is left: only what may be
    /// published twice.
    pub(super) leaves: bool,
    /// The same of what waits for a channel.
    pub(super) gives_up: bool,
}

impl How {
    /// Dead letters and delayed events. A second one of either is another event.
    pub(super) const ONCE: Self = Self { channels: CHANNELS, leaves: false, gives_up: false };
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
    leaves: bool,
    /// What waited for a channel, and goes where the broker says nothing.
    left: VecDeque<u64>,
    silent_queues: SilentQueues,
}

impl Publisher {
    pub(super) async fn open(
        config: &Config,
        publishing: &Arc<Connection>,
        endpoints: &Endpoints,
        How { channels, leaves, gives_up }: How,
    ) -> Result<Self, BrokerError> {
        let limit = config.call_timeout;
        let asking = open_channel(publishing, limit).await?;
        let mut idle = Vec::with_capacity(channels);
        for _ in 0..channels {
            idle.push(open_channel(publishing, limit).await?);
        }
        let (metrics, state) = (Arc::clone(&endpoints.metrics), endpoints.state.clone());
        let follows = if gives_up { PASSED_OVER } else { WAITS };
        let to = PublishContext { limit, connection: Arc::clone(publishing), metrics, state, follows };
        let patience = Patience::of(gives_up.then_some(limit));
        let (waiting, left, on_their_way) = (VecDeque::new(), VecDeque::new(), JoinSet::new());
        let silent_queues = SilentQueues::default();
        Ok(Self { to, asking, idle, waiting, on_their_way, patience, leaves, left, silent_queues })
    }

    pub(super) fn send(&mut self, outgoing: Publish) {
        self.patience.begins(outgoing.tag);
        self.waiting.push_back(outgoing);
        self.fill();
    }

    fn fill(&mut self) {
        while !self.waiting.is_empty()
            && let Some(channel) = self.idle.pop()
            && let Some(mut outgoing) = self.waiting.pop_front()
        {
            outgoing.reply = outgoing.reply.map(|reply| self.silent_queues.held_against(reply, Instant::now()));
            self.on_their_way.spawn(publish_once(channel, self.to.clone(), self.leaves, outgoing));
        }
    }

    /// The next that came to its end, or why nothing can be published any more; none while none is on its way. Loses none if it
    /// is dropped while it waits.
    pub(super) async fn next(&mut self) -> Option<Result<Published, BrokerError>> {
        loop {
            if let Some(left) = self.next_left() {
                return Some(Ok(left));
            }
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
            if let Some(left) = self.next_left() {
                return Some(Ok(left));
            }
            let ended = self.on_their_way.try_join_next()?;
            let published = self.ended(ended);
            if !published.as_ref().is_ok_and(|published| self.patience.is_over(published.tag())) {
                return Some(published);
            }
        }
    }

    /// The next of those that were given up before they had a channel.
    fn next_left(&mut self) -> Option<Published> {
        while let Some(tag) = self.left.pop_front() {
            if !self.patience.is_over(tag) {
                return Some(Published::Refused(tag));
            }
        }
        None
    }

    fn ended(&mut self, ended: Result<Ended, JoinError>) -> Result<Published, BrokerError> {
        let Ended { outgoing, channel, is_silent, end } = ended.map_err(|error| broke_off(&error))?;
        let (tag, queue) = (outgoing.tag, outgoing.told_as());
        let published = match end {
            Ok(()) => {
                self.to.taken(&queue);
                Published::Kept(tag)
            }
            Err(Refusal::Refused(why)) => self.refused(tag, &queue, &why),
            Err(Refusal::Silent) => {
                self.leave_those_behind(&outgoing);
                self.refused(tag, &queue, LEFT)
            }
            Err(Refusal::Broken(error)) => return Err(error),
        };
        if let (Some(Reply::To { queue, .. }), Some(is_silent)) = (outgoing.reply, is_silent) {
            self.silent_queues.heard(queue, is_silent, Instant::now());
        }
        self.idle.push(channel);
        self.fill();
        Ok(published)
    }

    fn refused(&self, tag: u64, queue: &str, why: &str) -> Published {
        self.to.metrics.publish_refused();
        self.to.refused(queue, why);
        Published::Refused(tag)
    }

    /// What waits to go to the same place as one of which the broker says nothing would hold every channel in turn.
    fn leave_those_behind(&mut self, silent: &Publish) {
        let goes_there = |waiting: &Publish| waiting.exchange == silent.exchange && waiting.queue == silent.queue;
        let (behind, others): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(goes_there);
        self.waiting = others;
        self.left.extend(behind.iter().map(|waiting| waiting.tag));
    }
}

fn broke_off(error: &JoinError) -> BrokerError {
    BrokerError::new(format!("publishing broke off: {error}"))
}

/// Publishes once, and brings the channel back, or another where the broker closed it or says nothing.
async fn publish_once(channel: Channel, to: PublishContext, leaves: bool, outgoing: Publish) -> Ended {
    let ended = |channel, end| (channel, None, end);
    let (channel, is_silent, end) = match publish(&channel, &to, leaves, &outgoing).await {
        Ok(Said::Keeps) => match &outgoing.reply {
            Some(reply) => match reply::publish(channel.clone(), &to, reply, &outgoing.body).await {
                Ok(Answered { channel, is_silent }) => (channel, Some(is_silent), Ok(())),
                Err(error) => ended(channel, Err(Refusal::Broken(error))),
            },
            None => ended(channel, Ok(())),
        },
        Ok(Said::Refuses(why)) => ended(channel, Err(Refusal::Refused(why))),
        Ok(Said::Nothing(another)) => ended(another, Err(Refusal::Silent)),
        // A right that is missing or a size that is too large costs the channel. Were it to cost the connection, every event
        // unacknowledged would be delivered again, and be counted towards its delivery limit.
        Err(error) if is_of_the_channel(&error) => match open_channel(&to.connection, to.limit).await {
            Ok(another) => {
                let why = BrokerError::during("the broker closed the channel", &error).to_string();
                ended(another, Err(Refusal::Refused(why)))
            }
            Err(error) => ended(channel, Err(Refusal::Broken(error))),
        },
        Err(error) => ended(channel, Err(Refusal::Broken(BrokerError::during("publishing", &error)))),
    };
    Ended { outgoing, channel, is_silent, end }
}

/// Publishes once. Kept only if the broker says exactly that; otherwise why not.
async fn publish(channel: &Channel, to: &PublishContext, leaves: bool, outgoing: &Publish) -> lapin::Result<Said> {
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
                let why = refusal(confirmation?, outgoing.exchange.as_str());
                return Ok(why.map_or(Said::Keeps, Said::Refuses));
            }
            // A dead connection shows by its heartbeat. That the broker blocks whoever publishes is told where it says so.
            Err(_) if to.connection.status().blocked() => {}
            // Where no other channel can be had, there is nothing but to wait.
            Err(_) if leaves => {
                if let Ok(another) = open_channel(&to.connection, to.limit).await {
                    return Ok(Said::Nothing(another));
                }
            }
            // Publishing again now could make two of it.
            Err(_) => to.refused(&outgoing.told_as(), UNCONFIRMED),
        }
    }
}
