//! Settling: the only place that acknowledges.
//!
//! Not here: who decides. The dangerous order is: publish, confirmed, and only then acknowledge.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use futures_util::future::try_join_all;
use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use lapin::types::ShortString;
use tokio::sync::watch;

use super::Config;
use super::dead_letter;
use super::delay;
use super::endpoints::Endpoints;
use super::error::BrokerError;
use super::intake::Held;
use super::limit::{Limit, within};
use super::outcomes::Outcomes;
use super::outgoing::Publish;
use super::packed::Packed;
use super::publisher::{Published, Publisher};
use super::questions::name;
use super::wanted_queues::delay_queue_name;
use crate::core::delay_queue::{DELAY_QUEUES, DelayQueue};
use crate::core::delayed_state::DelayedState;
use crate::core::outcome::EventOutcome;
use crate::core::settlement::{DeadLetter, Settlement};
use crate::handover::receipt::Answer;

/// The unacknowledged messages of one session, by delivery tag.
pub(super) struct Settler {
    held: BTreeMap<u64, Held>,
    /// The channel that delivered them. Its own calls are written at once; those of the client library's `Acker` go by way of two
    /// more tasks each.
    channel: Channel,
    publisher: Publisher,
    /// Where outcomes are told, and what tells them.
    outcomes: Option<(Outcomes, Publisher)>,
    /// The letters after which an outcome is told, and only then their message acknowledged.
    first: HashSet<u64>,
    dead_letter_queue: ShortString,
    /// The names of the delay queues, in the order of `DELAY_QUEUES`.
    delay_queue_names: Vec<ShortString>,
    limit: Limit,
    /// True before the dispatcher drops any receipt while stopping: what it drops from then on goes back to the queue.
    stop: watch::Receiver<bool>,
}

impl Settler {
    /// For what `channel` delivers.
    ///
    /// # Errors
    /// Says which name of a queue is longer than a broker takes.
    pub(super) fn new(
        config: &Config,
        channel: Channel,
        (publisher, outcomes): (Publisher, Option<Publisher>),
        endpoints: &Endpoints,
        limit: Limit,
    ) -> Result<Self, BrokerError> {
        let dead_letter_queue = name(&config.dead_letter_queue)?;
        let delay_queue_names =
            DELAY_QUEUES.iter().map(|delay_queue| name(&delay_queue_name(&config.queue, *delay_queue)));
        Ok(Self {
            held: BTreeMap::new(),
            channel,
            publisher,
            outcomes: Outcomes::of(config).zip(outcomes),
            first: HashSet::new(),
            dead_letter_queue,
            delay_queue_names: delay_queue_names.collect::<Result<_, _>>()?,
            limit,
            stop: endpoints.stop.clone(),
        })
    }

    pub(super) fn hold(&mut self, tag: u64, held: Held) {
        self.held.insert(tag, held);
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// How many of them were delivered after this tag.
    pub(super) fn since(&self, tag: u64) -> usize {
        self.held.range(tag.saturating_add(1)..).count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Carries out what was answered, in one go.
    pub(super) async fn settle(&mut self, answers: &mut Vec<Answer>) -> Result<(), BrokerError> {
        let mut done = BTreeSet::new();
        for Answer { number, settlement } in answers.drain(..) {
            match settlement {
                Some(Settlement::Ack) => drop(done.insert(number)),
                Some(Settlement::DeadLetter(dead_letter)) => self.dead_letter(number, &dead_letter),
                Some(Settlement::Tell(outcome)) => self.tell_back(number, &outcome),
                Some(Settlement::Delay(delay_queue, delayed_state)) => self.delay(number, delay_queue, &delayed_state),
                Some(Settlement::Release) => self.release(number).await?,
                None => self.forgotten(number).await?,
            }
        }
        self.acknowledge(done).await
    }

    /// Nobody answered for it, as when the dispatcher dies: that is no fault of the event, which goes back. If it is what the
    /// daemon dies of, its returns tell.
    async fn forgotten(&mut self, tag: u64) -> Result<(), BrokerError> {
        if !*self.stop.borrow() {
            tracing::error!(
                "an event was released without an answer; it goes back to its queue. Please report this log"
            );
        }
        self.release(tag).await
    }

    fn dead_letter(&mut self, tag: u64, why: &DeadLetter) {
        if let Some(held) = self.held.get(&tag) {
            let (queue, properties) = (self.dead_letter_queue.clone(), Packed::of(dead_letter::properties(held, why)));
            if why.outcome.is_some() {
                self.first.insert(tag);
            }
            self.publisher.send(to_queue(tag, queue, properties, held));
        }
    }

    fn tell_back(&mut self, tag: u64, outcome: &EventOutcome) {
        if let (Some(held), Some((outcomes, publisher))) = (self.held.get(&tag), &mut self.outcomes) {
            publisher.send(outcomes.message(tag, held, outcome));
        }
    }

    fn delay(&mut self, tag: u64, delay_queue: DelayQueue, delayed_state: &DelayedState) {
        let queue = DELAY_QUEUES
            .iter()
            .zip(&self.delay_queue_names)
            .find(|(known, _)| **known == delay_queue)
            .map(|(_, queue)| queue);
        if let (Some(held), Some(queue)) = (self.held.get(&tag), queue) {
            let (queue, properties) = (queue.clone(), Packed::of(delay::properties(held, delayed_state)));
            self.publisher.send(to_queue(tag, queue, properties, held));
        }
    }

    /// The next publish that the broker has answered, or the error that prevents it; none while none is on its way.
    pub(super) async fn next_published(&mut self) -> Option<Result<Published, BrokerError>> {
        let Some((_, outcomes)) = &mut self.outcomes else {
            let published = self.publisher.next().await?;
            return Some(self.ordered(published));
        };
        let published = tokio::select! {
            Some(published) = self.publisher.next() => published,
            Some(published) = outcomes.next() => published,
            else => return None,
        };
        Some(self.ordered(published))
    }

    /// The same of one that the broker has answered already, if there is one.
    pub(super) fn try_next_published(&mut self) -> Option<Result<Published, BrokerError>> {
        let outcomes = self.outcomes.as_mut().and_then(|(_, outcomes)| outcomes.try_next());
        let published = outcomes.or_else(|| self.publisher.try_next())?;
        Some(self.ordered(published))
    }

    /// A letter that is kept is not the end of its message where its outcome is told.
    fn ordered(&mut self, published: Result<Published, BrokerError>) -> Result<Published, BrokerError> {
        published.map(|published| match published {
            Published::Kept(tag) if self.first.remove(&tag) => Published::KeptFirst(tag),
            Published::Refused(tag) => {
                self.first.remove(&tag);
                published
            }
            _ => published,
        })
    }

    /// The broker keeps what stands for these messages, a dead letter, an outcome or a delayed event: now, and not before, they are
    /// acknowledged.
    pub(super) async fn confirmed(&mut self, tags: BTreeSet<u64>) -> Result<(), BrokerError> {
        self.acknowledge(tags).await
    }

    /// Hands a message back to its queue.
    pub(super) async fn release(&mut self, tag: u64) -> Result<(), BrokerError> {
        if self.held.remove(&tag).is_none() {
            return Ok(());
        }
        let back = self.channel.basic_nack(tag, BasicNackOptions { requeue: true, multiple: false });
        within(self.limit.clone(), "handing a message back", back).await
    }

    /// Acknowledges. As long as nothing older is unacknowledged, one frame does for all; the rest have one each, written together.
    async fn acknowledge(&mut self, mut done: BTreeSet<u64>) -> Result<(), BrokerError> {
        let mut newest = None;
        while let Some(entry) = self.held.first_entry().filter(|entry| done.contains(entry.key())) {
            let (tag, _) = entry.remove_entry();
            done.remove(&tag);
            newest = Some(tag);
        }
        done.retain(|tag| self.held.remove(tag).is_some());
        let frames = newest.map(|tag| (tag, true)).into_iter().chain(done.into_iter().map(|tag| (tag, false)));
        let acks = frames.map(|(tag, multiple)| self.channel.basic_ack(tag, BasicAckOptions { multiple }));
        within(self.limit.clone(), "acknowledging", try_join_all(acks)).await.map(drop)
    }
}

fn to_queue(tag: u64, queue: ShortString, properties: Packed, held: &Held) -> Publish {
    let (exchange, body) = (ShortString::default(), Arc::clone(&held.body));
    Publish { tag, exchange, queue, properties, body, reply: None }
}

/// Acknowledges a dead letter that was published anew and confirmed, or that somebody wants to be forgotten (`letters`).
pub(super) async fn remove(channel: &Channel, tag: u64, limit: Limit) -> Result<(), BrokerError> {
    within(limit, "removing a dead letter", channel.basic_ack(tag, BasicAckOptions { multiple: false })).await
}

/// Gives back what was only looked at, up to this delivery tag.
pub(super) async fn give_back(channel: &Channel, tag: u64, limit: Limit) -> Result<(), BrokerError> {
    let back = channel.basic_nack(tag, BasicNackOptions { requeue: true, multiple: true });
    within(limit, "giving dead letters back", back).await
}
