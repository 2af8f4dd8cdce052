//! One pass at the dead letters, from the first to the last that was there when it began.
//!
//! Not here: what is done with them. See the head of `letters` for why it is done so.

use std::time::Duration;

use lapin::options::BasicCancelOptions;
use lapin::types::ShortString;
use lapin::{Channel, Connection};

use super::{Depth, Found};
use crate::amqp::deliveries::Deliveries;
use crate::amqp::error::BrokerError;
use crate::amqp::intake::Arrived;
use crate::amqp::limit::{Limit, within};
use crate::amqp::questions::{self, name};
use crate::amqp::subscription::subscribe;
use crate::amqp::{Config, channel, settle};

/// Letters of the first subscription: few, so that the first is seen at once.
const FIRST: u16 = 64;
/// Letters of a later one.
const WINDOW: std::ops::RangeInclusive<usize> = 16..=1024;
/// A later one is for no more than so many times what the one before held: behind many small letters there may be large ones.
const GROWS: u16 = 4;
/// What the letters of one subscription may take in memory, if all are as large as the largest that was seen, in bytes.
const WINDOW_BYTES: usize = 4 << 20;
/// So many are given back together: no more than a small map of the broker's language holds, which keeps their order.
const RUN: usize = 32;
/// After so many runs it is waited until they are back: beyond 32 that are on their way the broker puts them together.
const RUNS: usize = 30;
/// How often it is asked whether they are, and how long between.
const BACK_ASKED_MAX: usize = 100;
const BACK_ASKED_AFTER: Duration = Duration::from_millis(2);
/// Nothing comes for so long: it is asked whether there is anything left.
const QUIET: Duration = Duration::from_millis(500);
/// So many answers in a row that there is nothing left are believed. The broker's channel may answer before it hands on what its queue
/// has given it by then, which is no longer counted (RabbitMQ 3.10); when it answers the next question that is here.
const EMPTY: u32 = 2;

/// Why no letter comes any more.
const ENDED: &str = "the broker ended the pass: the queue was deleted, lost its node, or the pass took longer than the broker's \
     consumer timeout (30 minutes by default); what was not removed is in the queue";

/// See the head of this file.
pub struct Look {
    asking: Asking,
    channel: Channel,
    depth: Depth,
    seen: u32,
    largest: usize,
    window: Option<Window>,
    windows: u32,
    /// How many letters the last subscription is for; none before the first.
    places: u16,
    /// The delivery tags of the letters that are not removed, in their order.
    held: Vec<u64>,
}

/// What it takes to ask how much is left.
struct Asking {
    queue: ShortString,
    limit: Limit,
}

/// One subscription.
struct Window {
    deliveries: Deliveries,
    tag: ShortString,
    /// Letters of it that are not removed.
    held: u16,
}

impl Look {
    pub(super) async fn begin(config: &Config, connection: &Connection, depth: Depth) -> Result<Self, BrokerError> {
        let limit = Limit::of(config.call_timeout);
        let channel = channel::open(connection, config.call_timeout).await?;
        Ok(Self {
            asking: Asking { queue: name(&config.dead_letter_queue)?, limit },
            channel,
            depth,
            seen: 0,
            largest: 0,
            window: None,
            windows: 0,
            places: 0,
            held: Vec::new(),
        })
    }

    /// What the queue held as the pass began.
    #[must_use]
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// How many letters were seen.
    #[must_use]
    pub fn seen(&self) -> u32 {
        self.seen
    }

    /// The next letter; none after the last that was there as the pass began.
    ///
    /// # Errors
    /// Why no more can be seen. Dropped then, with its connections, the broker takes everything back.
    pub async fn next(&mut self) -> Result<Option<Found>, String> {
        self.advance().await.map_err(|error| error.to_string())
    }

    async fn advance(&mut self) -> Result<Option<Found>, BrokerError> {
        let (mut quiet, mut empty) = (Duration::ZERO, 0);
        while self.seen < self.depth.ready {
            let places = self.places;
            let Some(window) = self.window.as_mut().filter(|window| window.held < places) else {
                self.end_window().await?;
                self.begin_window().await?;
                continue;
            };
            match tokio::time::timeout(QUIET, window.deliveries.next()).await {
                Ok(Some(arrived)) => return Ok(Some(self.take(arrived?))),
                Ok(None) => return Err(BrokerError::new(ENDED)),
                Err(_) => quiet += QUIET,
            }
            empty = if self.is_empty().await? { empty + 1 } else { 0 };
            // Somebody else took what was there.
            if empty >= EMPTY && !self.has_more() {
                break;
            }
            if empty == 0 && quiet >= self.asking.limit.quiet() {
                return Err(BrokerError::new(
                    "the queue holds letters, and the broker sends none: is it without its majority?",
                ));
            }
        }
        Ok(None)
    }

    fn take(&mut self, arrived: Arrived) -> Found {
        self.seen += 1;
        self.largest = self.largest.max(arrived.held.size());
        self.held.push(arrived.tag);
        if let Some(window) = &mut self.window {
            window.held += 1;
        }
        Found::of(arrived, self.seen)
    }

    /// Takes a letter out of the queue, which was published anew or is to be forgotten.
    ///
    /// # Errors
    /// That it could not be: it is still there.
    pub async fn remove(&mut self, found: &Found) -> Result<(), String> {
        settle::remove(&self.channel, found.tag, self.asking.limit.clone()).await.map_err(|error| error.to_string())?;
        if let Ok(at) = self.held.binary_search(&found.tag) {
            self.held.remove(at);
        }
        if let Some(window) = &mut self.window {
            window.held = window.held.saturating_sub(1);
        }
        Ok(())
    }

    /// Gives back, in its order, whatever was not removed; answers when the broker has it.
    ///
    /// # Errors
    /// That the broker does not answer. It takes everything back all the same, with the connection.
    pub async fn end(mut self) -> Result<(), String> {
        self.finish().await.map_err(|error| error.to_string())
    }

    async fn finish(&mut self) -> Result<(), BrokerError> {
        self.end_window().await?;
        let mut given = 0;
        for (number, run) in (1..).zip(self.held.chunks(RUN)) {
            if let Some(last) = run.last() {
                settle::give_back(&self.channel, *last, self.asking.limit.clone()).await?;
            }
            given += run.len();
            if number % RUNS == 0 {
                self.until_back(given).await?;
            }
        }
        channel::close(&self.channel, self.asking.limit.clone()).await
    }

    async fn begin_window(&mut self) -> Result<(), BrokerError> {
        self.places = places(self.places, self.largest);
        self.windows += 1;
        // What is given back goes by subscriptions, in the order of their names.
        let tag = name(&format!("dead-letters-{:06}", self.windows))?;
        let (named, places) = ((self.asking.queue.clone(), tag.clone()), self.places);
        let begun = subscribe(&self.channel, named, places, &self.asking.limit, "looking at the dead letters");
        self.window = Some(Window { deliveries: begun.await?, tag, held: 0 });
        Ok(())
    }

    async fn end_window(&mut self) -> Result<(), BrokerError> {
        let Some(Window { mut deliveries, tag, .. }) = self.window.take() else { return Ok(()) };
        let ended = self.channel.basic_cancel(tag, BasicCancelOptions::default());
        let ended = within(self.asking.limit.clone(), "ending a pass", ended).await;
        // Of a connection that is lost the client library says here only that its channel can do nothing; why, it has handed over.
        while ended.is_err() && deliveries.has_more() {
            if let Some(Err(why)) = deliveries.next().await {
                return Err(why);
            }
        }
        ended
    }

    /// Waits until so many are back, for a moment. Others who read the queue take what is back at once: there is no order then.
    async fn until_back(&self, given: usize) -> Result<(), BrokerError> {
        for _ in 0..BACK_ASKED_MAX {
            let (queue, limit) = (self.asking.queue.clone(), self.asking.limit.clone());
            let ready = questions::ready(&self.channel, queue, limit).await?;
            if self.depth.readers > 0 || usize::try_from(ready).unwrap_or(usize::MAX) >= given {
                break;
            }
            tokio::time::sleep(BACK_ASKED_AFTER).await;
        }
        Ok(())
    }

    fn has_more(&self) -> bool {
        self.window.as_ref().is_some_and(|window| window.deliveries.has_more())
    }

    async fn is_empty(&self) -> Result<bool, BrokerError> {
        let (queue, limit) = (self.asking.queue.clone(), self.asking.limit.clone());
        Ok(questions::ready(&self.channel, queue, limit).await? == 0)
    }
}

/// How many letters the next subscription is for, after one for `before` letters, none at first, and where none was larger than
/// `largest`, in bytes.
fn places(before: u16, largest: usize) -> u16 {
    if largest == 0 {
        return FIRST;
    }
    let fits = (WINDOW_BYTES / largest).clamp(*WINDOW.start(), *WINDOW.end());
    u16::try_from(fits).unwrap_or(FIRST).min(before.saturating_mul(GROWS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_for_as_many_letters_as_fit_and_grows_step_by_step() {
        assert_eq!(places(0, 0), FIRST);
        assert_eq!([FIRST, 256, 1024].map(|before| places(before, 1_000)), [256, 1024, 1024]);
        assert_eq!([1 << 16, 1 << 20, 1 << 27].map(|largest| places(FIRST, largest)), [64, 16, 16]);
    }
}
