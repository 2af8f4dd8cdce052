//! The subscription of a session while it serves: begun anew for more or fewer events or where nothing arrives, and ended.
//!
//! Not here: the calls themselves (`subscription`), and what a silence means (`stall`).

use std::future::pending;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Session;
use crate::amqp::error::BrokerError;
use crate::amqp::intake::Arrived;
use crate::amqp::questions;
use crate::amqp::stall::StallState;
use crate::amqp::topology::MEMORY_ONLY;
use crate::handover::inbound::Inbound;
use crate::handover::prefetch::WantedPrefetch;
use crate::metrics::Metrics;
use crate::states::phase::stopped;
use crate::states::queues::Subscribed;

/// Connected, and nothing arrives.
const STALLED: &str = "nothing arrives though the queue holds events and there is room for more: the subscription is lost \
     without a word; connecting again";

impl Session<'_> {
    /// The management API shows every subscription of its cluster.
    pub(super) fn show_subscription(&self) {
        let (tag, address) = (self.deliveries.tag().to_string(), self.connections.address.to_string());
        let subscribed = Subscribed { tag, address, since: Instant::now() };
        self.state.send_modify(|status| status.subscribed = Some(subscribed));
    }

    /// The management API may show delay queues to be wrong that AMQP does not show, at any time: nothing is delayed in them then.
    pub(super) async fn mind_delays(&mut self) {
        let (wrong, can_delay) = {
            let status = self.state.borrow();
            (status.managed.no_delays.clone(), status.why_no_delays().is_none())
        };
        if wrong != self.previous.wrong_delays {
            match &wrong {
                Some(why) => tracing::warn!("{MEMORY_ONLY}: {why} (as the management API shows)"),
                None => tracing::info!("the management API shows no wrong delay queue any more"),
            }
            self.previous.wrong_delays = wrong;
        }
        if can_delay != self.can_delay {
            self.can_delay = can_delay;
            // At the end nobody may be there any more to hear it.
            drop(self.intake.send(Inbound::CanDelay(can_delay)).await);
        }
    }

    /// What it means that nothing arrives.
    pub(super) async fn stall_state(&mut self, stop: &mut watch::Receiver<bool>) -> Result<StallState, BrokerError> {
        let (since, places) = self.since;
        if self.settler.since(since) >= usize::from(places) {
            self.previous.stall_detector.has_no_room(Instant::now());
        }
        if !self.previous.stall_detector.is_due(Instant::now()) {
            return Ok(StallState::Normal);
        }
        let (queue, limit, connections) =
            (self.subscription.queue.clone(), self.subscription.limit.quiet(), self.connections);
        let asked = self.settling(questions::ask(queue, &connections.consuming, limit), stopped(stop)).await?;
        Ok(asked
            .flatten()
            .map_or(StallState::Normal, |asked| self.previous.stall_detector.judge(asked, Instant::now())))
    }

    /// Mends what the silence means.
    pub(super) async fn resubscribe(
        &mut self,
        stall: StallState,
        wanted: WantedPrefetch,
        stop: &mut watch::Receiver<bool>,
        metrics: &Metrics,
    ) -> Result<(), BrokerError> {
        match stall {
            StallState::Normal => Ok(()),
            StallState::Doubtful => self.take_as(wanted, stop).await,
            StallState::Stalled => {
                metrics.consumer_stalled();
                Err(BrokerError::new(STALLED))
            }
        }
    }

    /// Subscribes anew, for as many as are wanted. What was delivered meanwhile is taken: to hand it back is counted. Where the
    /// stop comes first, nothing is subscribed: what is delivered all the same goes back with the channel.
    pub(super) async fn take_as(
        &mut self,
        wanted: WantedPrefetch,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), BrokerError> {
        let (subscription, tag) = (self.subscription.clone(), self.deliveries.tag());
        self.hides_subscription();
        if self.settling(subscription.end(tag), stopped(stop)).await?.is_none() {
            return Ok(());
        }
        while let Some(arrived) = self.subscription.left(&mut self.deliveries).await? {
            self.take(Some(arrived)).await?;
        }
        let places = subscription.places(wanted, self.settler.len());
        self.since = (self.taken, places);
        let Some(deliveries) = self.settling(subscription.begin(places), stopped(stop)).await? else { return Ok(()) };
        (self.deliveries, self.is_subscribed) = (deliveries, true);
        self.show_subscription();
        self.previous.stall_detector.subscribed(Instant::now());
        Ok(())
    }

    /// It ends, and nobody is to look for it.
    fn hides_subscription(&mut self) {
        self.is_subscribed = false;
        self.state.send_modify(|status| status.subscribed = None);
    }

    /// Cancels the subscription and hands back what was delivered and not yet taken.
    pub(super) async fn stop_taking(&mut self) -> Result<(), BrokerError> {
        if !self.is_subscribed {
            return Ok(());
        }
        let (subscription, tag) = (self.subscription.clone(), self.deliveries.tag());
        self.hides_subscription();
        self.settling(subscription.end(tag), pending()).await?;
        while let Some(arrived) = subscription.left(&mut self.deliveries).await? {
            let Arrived { tag, held, .. } = arrived?;
            self.settler.hold(tag, held);
            self.settler.release(tag).await?;
        }
        Ok(())
    }
}
