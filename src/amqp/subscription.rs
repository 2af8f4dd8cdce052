//! The subscription to the work queue: how many events it may hold, its beginning and its end.
//!
//! Not here: what is delivered (`session`), and how many are wanted (`core::delivery`).

use lapin::Channel;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};

use super::deliveries::Deliveries;
use super::error::BrokerError;
use super::intake::Arrived;
use super::limit::{Limit, within};
use crate::handover::prefetch::WantedPrefetch;

/// What it takes to subscribe, and to subscribe again.
#[derive(Clone)]
pub(super) struct Subscription {
    pub(super) channel: Channel,
    pub(super) queue: ShortString,
    pub(super) prefetch: u16,
    /// The longest one call may take; its deliveries prolong it.
    pub(super) limit: Limit,
}

impl Subscription {
    /// How many events a subscription may hold that begins while so many are unacknowledged: those do not count towards its own.
    pub(super) fn places(&self, wanted: WantedPrefetch, held: usize) -> u16 {
        match wanted {
            WantedPrefetch::Full => self.prefetch,
            WantedPrefetch::One => 1,
            WantedPrefetch::Double => {
                let twice = self.prefetch.saturating_mul(2);
                twice.saturating_sub(u16::try_from(held).unwrap_or(u16::MAX)).max(1)
            }
        }
    }

    pub(super) async fn begin(&self, places: u16) -> Result<Deliveries, BrokerError> {
        let (named, doing) = ((self.queue.clone(), "".into()), format!("consuming from queue `{}`", self.queue));
        subscribe(&self.channel, named, places, &self.limit, &doing).await
    }

    /// What had been delivered when the subscription was cancelled; none at its end.
    pub(super) async fn left(
        &self,
        deliveries: &mut Deliveries,
    ) -> Result<Option<Result<Arrived, BrokerError>>, BrokerError> {
        let next = tokio::time::timeout(self.limit.quiet(), deliveries.next()).await;
        next.map_err(|_| BrokerError::new("the subscription does not end though it was cancelled"))
    }

    pub(super) async fn end(&self, tag: ShortString) -> Result<(), BrokerError> {
        let ended = self.channel.basic_cancel(tag, BasicCancelOptions::default());
        within(self.limit.clone(), "cancelling", ended).await
    }
}

/// Subscribes to a queue, by a name or one that the broker gives, for at most so many unacknowledged messages.
pub(super) async fn subscribe(
    channel: &Channel,
    (queue, tag): (ShortString, ShortString),
    places: u16,
    limit: &Limit,
    doing: &str,
) -> Result<Deliveries, BrokerError> {
    // Before consuming: without it the broker sends the whole queue.
    let prefetch = channel.basic_qos(places, BasicQosOptions::default());
    within(limit.clone(), "setting the prefetch", prefetch).await?;
    let begun = channel.basic_consume(queue, tag, BasicConsumeOptions::default(), FieldTable::default());
    let consumer = within(limit.clone(), doing, begun).await?;
    Ok(Deliveries::of(consumer, places, limit.clone()))
}
