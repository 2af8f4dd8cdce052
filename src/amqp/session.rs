//! One session with the broker: consumes, hands messages to the dispatcher and takes answers back, until the stop or an error.
//!
//! Not here: beginning its subscription anew and ending it (`subscribing`), making the connections again (`connection`), and how a message
//! is settled (`settle`).

mod subscribing;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Config;
use super::channel;
use super::connect::Connections;
use super::deliveries::{Deliveries, TOO_MANY};
use super::endpoints::Endpoints;
use super::error::BrokerError;
use super::exchange;
use super::intake::Arrived;
use super::limit::Limit;
use super::previous::Previous;
use super::publisher::{How, Published, Publisher};
use super::questions::name;
use super::settle::Settler;
use super::stall::StallState;
use super::subscription::Subscription;
use super::topology::{self, Prepared};
use crate::handover::inbound::Inbound;
use crate::handover::prefetch::WantedPrefetch;
use crate::handover::receipt::{Answer, Receipt};
use crate::states::broker::BrokerStatus;
use crate::states::phase::stopped;

/// Answers read at once at most: what lets acknowledgements of neighbours be written as one.
const ANSWERS_AT_ONCE: usize = 512;
/// How many turns the other tasks have before what was answered is settled. More gather no more (`docs/performance.md`).
const TURNS: usize = 2;

/// How often the idle connection is checked.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// How long the consumer is asked for the cause of an error.
const CAUSE_LIMIT: Duration = Duration::from_millis(100);

/// The end of the consumer stream while nobody asked for it.
const CANCELLED: &str = "the broker ended the subscription: the queue was deleted or moved, its node went down, \
     the permission was withdrawn, or an event was unacknowledged for longer than the broker's consumer timeout";

const STREAM: &str = "an event came with the header x-stream-offset, as out of a stream: if broker.queue is a stream, what is \
     published while no daemon runs is never delivered. Make a quorum queue in its place";

const NESTED: &str = "an event came with a header that is nested deeper than 64 levels: what lies deeper is null, for its rule and in \
     what is delayed or dead-lettered of it";

/// One session with the broker.
pub(super) struct Session<'a> {
    connections: &'a Connections,
    previous: &'a mut Previous,
    subscription: Subscription,
    deliveries: Deliveries,
    /// Whether the subscription is known to be begun: not while it is begun anew.
    is_subscribed: bool,
    settler: Settler,
    state: watch::Sender<BrokerStatus>,
    intake: mpsc::Sender<Inbound>,
    line: mpsc::Sender<Answer>,
    answers: mpsc::Receiver<Answer>,
    /// The tag of the last delivery.
    taken: u64,
    /// The same when the subscription began, and its places.
    since: (u64, u16),
    /// Whether the dispatcher was told that it may delay.
    can_delay: bool,
}

impl<'a> Session<'a> {
    /// Checks the topology and begins to consume.
    pub(super) async fn open(
        config: &Config,
        connections: &'a Connections,
        endpoints: &Endpoints,
        previous: &'a mut Previous,
    ) -> Result<Self, BrokerError> {
        let limit = Limit::of(config.call_timeout);
        refused(&endpoints.state)?;
        // First: a broker under an alarm blocks a connection at its first publish, and no channel is opened after it.
        let publisher = Publisher::open(config, &connections.publishing, endpoints, How::ONCE).await?;
        let outcomes = open_outcomes(config, connections, endpoints).await?;
        let Prepared { obstacle, warnings } =
            topology::prepare(config, connections, &publisher.asking, &mut previous.notices).await?;
        exchange::make(config, &connections.consuming).await?;
        let can_delay = obstacle.is_none();
        endpoints.state.send_modify(|status| {
            (status.no_delays, status.queue_warnings) = (obstacle, warnings);
        });
        let channel = channel::open(&connections.consuming, config.call_timeout).await?;
        let settler = Settler::new(config, channel.clone(), (publisher, outcomes), endpoints, limit.clone())?;
        let subscription = Subscription { queue: name(&config.queue)?, prefetch: config.prefetch, channel, limit };
        let wanted = previous.allows(*endpoints.wanted_prefetch.borrow());
        let places = subscription.places(wanted, 0);
        let deliveries = subscription.begin(places).await?;
        // Before any message. A dispatcher that is gone needs no word of it.
        drop(endpoints.intake.send(Inbound::Connected { can_delay }).await);
        // Beside those of the subscription before, not yet answered, there may be as many of the next; either twice the prefetch.
        let (line, answers) = mpsc::channel(4 * usize::from(config.prefetch) + 2);
        let (intake, since) = (endpoints.intake.clone(), (0, places));
        previous.consuming_since = Some(Instant::now());
        previous.notices.complete();
        previous.stall_detector.subscribed(Instant::now());
        let (is_subscribed, state) = (true, endpoints.state.clone());
        let mut session = Self {
            connections,
            previous,
            subscription,
            deliveries,
            is_subscribed,
            settler,
            state,
            intake,
            line,
            answers,
            taken: 0,
            since,
            can_delay,
        };
        session.show_subscription();
        session.mind_delays().await;
        Ok(session)
    }

    /// Serves until every message is answered after the stop, or until the first error.
    pub(super) async fn serve(mut self, endpoints: &mut Endpoints) -> Result<(), BrokerError> {
        match self.settle_all(endpoints).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.cause(error).await),
        }
    }

    /// Whoever uses a connection next learns that it ended, often not why: the consumer always does.
    async fn cause(&mut self, error: BrokerError) -> BrokerError {
        while let Ok(Some(arrived)) = tokio::time::timeout(CAUSE_LIMIT, self.deliveries.next()).await {
            if let Err(error) = arrived {
                return error;
            }
        }
        error
    }

    async fn settle_all(&mut self, endpoints: &mut Endpoints) -> Result<(), BrokerError> {
        let Endpoints { stop, wanted_prefetch, metrics, state, .. } = endpoints;
        let mut answers = Vec::with_capacity(ANSWERS_AT_ONCE);
        let mut checks = tokio::time::interval(CHECK_EVERY);
        let mut is_taking = true;
        while is_taking || !self.settler.is_empty() {
            tokio::select! {
                biased;
                // First, so that nothing is handed back to a subscription of our own: each return is counted.
                () = stopped(stop), if is_taking => {
                    is_taking = false;
                    self.stop_taking().await?;
                }
                _ = self.answers.recv_many(&mut answers, ANSWERS_AT_ONCE) => {
                    self.gather(&mut answers).await;
                    self.settler.settle(&mut answers).await?;
                }
                Some(published) = self.settler.next_published() => self.published(published?).await?,
                Ok(()) = wanted_prefetch.changed(), if is_taking && self.previous.cautious_for == 0 => {
                    let wanted = now(wanted_prefetch);
                    self.take_as(wanted, stop).await?;
                }
                arrived = self.deliveries.next(), if is_taking => {
                    self.take(arrived).await?;
                    self.previous.stall_detector.received(Instant::now());
                    if self.previous.cautious_for == 1 {
                        let wanted = now(wanted_prefetch);
                        self.take_as(wanted, stop).await?;
                    }
                    self.previous.cautious_for = self.previous.cautious_for.saturating_sub(1);
                }
                _ = checks.tick() => {
                    self.connections.check()?;
                    if is_taking {
                        refused(state)?;
                    }
                    self.mind_delays().await;
                    let wanted = self.previous.allows(*wanted_prefetch.borrow());
                    let stall = if is_taking { self.stall_state(stop).await? } else { StallState::Normal };
                    self.resubscribe(stall, wanted, stop, metrics).await?;
                }
            }
        }
        // The barrier: the answer to the close comes after every acknowledgement before it.
        channel::close(&self.subscription.channel, self.subscription.limit.clone()).await
    }

    /// Lets the other tasks have their turns, and takes along what they answer meanwhile: under load many acknowledgements become
    /// one, and an idle runtime is through its turns at once.
    async fn gather(&mut self, answers: &mut Vec<Answer>) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
            while let Ok(answer) = self.answers.try_recv() {
                answers.push(answer);
            }
        }
    }

    /// Awaits a call to the broker, and meanwhile goes on settling: a call that hangs holds no acknowledgement up. None where the
    /// stop comes first.
    async fn settling<T>(
        &mut self,
        call: impl Future<Output = Result<T, BrokerError>>,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<T>, BrokerError> {
        tokio::pin!(call, stop);
        let mut answers = Vec::new();
        loop {
            tokio::select! {
                done = &mut call => return done.map(Some),
                () = &mut stop => return Ok(None),
                _ = self.answers.recv_many(&mut answers, ANSWERS_AT_ONCE) => self.settler.settle(&mut answers).await?,
                Some(published) = self.settler.next_published() => self.published(published?).await?,
            }
        }
    }

    /// The broker has answered a publish. That it keeps a dead letter is told before the acknowledgement is written: if that is lost
    /// with its connection, the letter is known when its event comes again.
    async fn published(&mut self, published: Published) -> Result<(), BrokerError> {
        let (mut kept, mut next) = (BTreeSet::new(), Some(published));
        while let Some(published) = next {
            let inbound = match published {
                Published::Kept(tag) => {
                    kept.insert(tag);
                    Inbound::Kept(tag)
                }
                Published::KeptFirst(tag) => Inbound::KeptFirst(self.receipt(tag)?),
                Published::Refused(tag) => Inbound::Refused(self.receipt(tag)?),
            };
            // At the end nobody may be there any more to hear it; a receipt, dropped here, hands its message back.
            drop(self.intake.send(inbound).await);
            next = self.settler.try_next_published().transpose()?;
        }
        self.settler.confirmed(kept).await
    }

    fn receipt(&self, tag: u64) -> Result<Receipt, BrokerError> {
        Receipt::new(tag, &self.line).ok_or_else(|| BrokerError::new(TOO_MANY))
    }

    async fn take(&mut self, arrived: Option<Result<Arrived, BrokerError>>) -> Result<(), BrokerError> {
        let arrived = arrived.ok_or_else(|| BrokerError::new(CANCELLED))??;
        self.mind_unusual(&arrived);
        let Arrived { tag, message, held, .. } = arrived;
        let receipt = Receipt::new(tag, &self.line);
        let receipt = receipt.ok_or_else(|| BrokerError::new(TOO_MANY))?;
        self.taken = tag;
        self.settler.hold(tag, held);
        // After the stop the dispatcher may be gone already: its receipt, dropped here, hands the message back.
        drop(self.intake.send(Inbound::Message(Box::new(message), receipt)).await);
        Ok(())
    }

    /// Without the right to see how the queue is made, its kind shows by what it delivers.
    fn mind_unusual(&mut self, arrived: &Arrived) {
        if arrived.is_of_a_stream && self.previous.notices.is_new(STREAM) {
            tracing::warn!(queue = %self.subscription.queue, "{STREAM}");
        }
        if let Some(header) = arrived.cut.first().filter(|_| self.previous.notices.is_new(NESTED)) {
            tracing::warn!(queue = %self.subscription.queue, %header, "{NESTED}");
        }
    }
}

/// What tells outcomes, if they are told.
async fn open_outcomes(
    config: &Config,
    connections: &Connections,
    endpoints: &Endpoints,
) -> Result<Option<Publisher>, BrokerError> {
    let Some(outlet) = &config.outcomes else { return Ok(None) };
    // Told twice, it has the same id.
    let how = How { channels: usize::from(outlet.channels), leaves: true, gives_up: !outlet.required };
    Publisher::open(config, &connections.publishing, endpoints, how).await.map(Some)
}

/// That the management API shows a work queue that must not be consumed, which AMQP may not have shown.
fn refused(state: &watch::Sender<BrokerStatus>) -> Result<(), BrokerError> {
    let refusal = state.borrow().managed.refusal.clone();
    refusal.map_or(Ok(()), |why| Err(BrokerError::new(format!("{why} (as the management API shows)"))))
}

/// What is wanted now.
fn now(wanted_prefetch: &mut watch::Receiver<WantedPrefetch>) -> WantedPrefetch {
    *wanted_prefetch.borrow_and_update()
}
