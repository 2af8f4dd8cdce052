//! One generation of the near shore: consumes, hands messages in, takes answers back, until stop or trouble.
//!
//! Not here: making the connections again (`connection`), and how a message is settled (`settle`).

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Config;
use super::channel;
use super::connection::{Ends, Last, Link};
use super::error::{Trouble, within};
use super::intake::split;
use super::settle::Desk;
use super::stall::Silence;
use super::topology;
use crate::handover::inbound::Arrival;
use crate::handover::prefetch::Appetite;
use crate::handover::receipt::{Answer, Receipt};
use crate::metrics::Metrics;
use crate::states::phase::stopped;

/// Answers read at once at most: what lets acknowledgements of neighbours be written as one.
const ANSWERS_AT_ONCE: usize = 512;
/// How often the idle connection is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long the consumer is asked for the cause of a trouble.
const CAUSE_LIMIT: Duration = Duration::from_millis(100);

/// The end of the consumer stream while nobody asked for it.
const CANCELLED: &str = "the broker ended the subscription: the queue was deleted or moved, its node went down, \
     the permission was withdrawn, or an event was in hand for longer than the broker's consumer timeout";

/// Connected, and nothing arrives.
const DEAF: &str = "nothing arrives though the queue holds events and there is room in hand: the subscription is lost \
     without a word; connecting again";

/// One generation of the near shore.
pub(super) struct Shore<'a> {
    link: &'a Link,
    last: &'a mut Last,
    subscription: Subscription,
    consumer: Consumer,
    desk: Desk,
    line: mpsc::Sender<Answer>,
    answers: mpsc::Receiver<Answer>,
}

impl<'a> Shore<'a> {
    /// Looks at the topology and begins to consume.
    pub(super) async fn open(
        config: &Config,
        link: &'a Link,
        ends: &Ends,
        last: &'a mut Last,
    ) -> Result<Self, Trouble> {
        let limit = config.call_timeout;
        // First: a broker under an alarm blocks a connection at its first publish, and no channel is opened after it.
        let desk = Desk::open(config, &link.publishing, ends).await?;
        let can_park = topology::prepare(config, link).await?;
        let channel = channel::open(&link.consuming, limit).await?;
        let subscription =
            Subscription { queue: topology::name(&config.queue)?, prefetch: config.prefetch, channel, limit };
        let wanted = last.allows(*ends.appetite.borrow());
        let consumer = subscription.begin(wanted).await?;
        // Before any message; a corridor that is gone needs none.
        drop(ends.intake.send(Arrival::Connected { can_park }).await);
        // Beside those of the subscription before, not yet answered, there may be as many of the next.
        let (line, answers) = mpsc::channel(2 * usize::from(config.prefetch) + 2);
        last.has_consumed = true;
        last.ear.subscribed(Instant::now());
        Ok(Self { link, last, subscription, consumer, desk, line, answers })
    }

    /// Serves until everything in hand is answered after the stop, or until the first trouble.
    pub(super) async fn serve(mut self, ends: &mut Ends) -> Result<(), Trouble> {
        match self.settle_all(ends).await {
            Ok(()) => Ok(()),
            Err(trouble) => Err(self.cause(trouble).await),
        }
    }

    /// Whoever uses a connection next hears of its end, often not of the cause: the consumer always does.
    async fn cause(&mut self, trouble: Trouble) -> Trouble {
        while let Ok(Some(delivery)) = tokio::time::timeout(CAUSE_LIMIT, self.consumer.next()).await {
            if let Err(error) = delivery {
                return Trouble::during("consuming", &error);
            }
        }
        trouble
    }

    async fn settle_all(&mut self, ends: &mut Ends) -> Result<(), Trouble> {
        let Ends { intake, stop, appetite, metrics, .. } = ends;
        let mut answers = Vec::with_capacity(ANSWERS_AT_ONCE);
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut is_taking = true;
        while is_taking || !self.desk.is_empty() {
            tokio::select! {
                biased;
                // First, so that nothing is handed back to a subscription of our own: each return is counted.
                () = stopped(stop), if is_taking => {
                    is_taking = false;
                    self.stop_taking().await?;
                }
                _ = self.answers.recv_many(&mut answers, ANSWERS_AT_ONCE) => self.desk.settle(&mut answers).await?,
                Some(posted) = self.desk.next_posted() => self.desk.confirmed(posted).await?,
                Ok(()) = appetite.changed(), if is_taking && self.last.wary == 0 => {
                    let wanted = now(appetite);
                    self.take_as(wanted, intake).await?;
                }
                delivery = self.consumer.next(), if is_taking => {
                    self.take(delivery, intake).await?;
                    self.last.ear.heard(Instant::now());
                    if self.last.wary == 1 {
                        let wanted = now(appetite);
                        self.take_as(wanted, intake).await?;
                    }
                    self.last.wary = self.last.wary.saturating_sub(1);
                }
                _ = look.tick() => {
                    self.link.check()?;
                    let wanted = self.last.allows(*appetite.borrow());
                    let silence = if is_taking { self.listen(wanted).await? } else { Silence::Fair };
                    self.hear_again(silence, wanted, intake, metrics).await?;
                }
            }
        }
        // The barrier: the answer to the close comes after every acknowledgement before it.
        channel::close(&self.subscription.channel, self.subscription.limit).await
    }

    /// What it means that nothing arrives.
    async fn listen(&mut self, wanted: Appetite) -> Result<Silence, Trouble> {
        if self.desk.len() >= usize::from(self.subscription.places(wanted)) {
            self.last.ear.has_no_room(Instant::now());
        }
        if !self.last.ear.wonders(Instant::now()) {
            return Ok(Silence::Fair);
        }
        let Subscription { queue, limit, .. } = &self.subscription;
        let asked = topology::ask(queue, &self.link.consuming, *limit).await?;
        Ok(asked.map_or(Silence::Fair, |asked| self.last.ear.judge(asked, Instant::now())))
    }

    /// Mends what the silence means.
    async fn hear_again(
        &mut self,
        silence: Silence,
        wanted: Appetite,
        intake: &mpsc::Sender<Arrival>,
        metrics: &Metrics,
    ) -> Result<(), Trouble> {
        match silence {
            Silence::Fair => Ok(()),
            Silence::Doubtful => self.take_as(wanted, intake).await,
            Silence::Deaf => {
                metrics.broker_deaf();
                Err(Trouble::new(DEAF))
            }
        }
    }

    async fn take(
        &mut self,
        delivery: Option<lapin::Result<Delivery>>,
        intake: &mpsc::Sender<Arrival>,
    ) -> Result<(), Trouble> {
        let delivery = delivery.ok_or_else(|| Trouble::new(CANCELLED))?;
        let delivery = delivery.map_err(|error| Trouble::during("consuming", &error))?;
        let tag = delivery.delivery_tag;
        let receipt = Receipt::new(tag, &self.line);
        let receipt = receipt.ok_or_else(|| Trouble::new("the broker sent more messages than the prefetch allows"))?;
        let (message, held) = split(delivery);
        self.desk.hold(tag, held);
        // After the stop the corridor may be gone already: its receipt, dropped here, hands the message back.
        drop(intake.send(Arrival::Message(Box::new(message), receipt)).await);
        Ok(())
    }

    /// Subscribes anew, for as many as are wanted. What was delivered meanwhile is taken: to hand it back is counted.
    async fn take_as(&mut self, wanted: Appetite, intake: &mpsc::Sender<Arrival>) -> Result<(), Trouble> {
        self.subscription.end(&self.consumer).await?;
        while let Some(delivery) = self.consumer.next().await {
            self.take(Some(delivery), intake).await?;
        }
        self.consumer = self.subscription.begin(wanted).await?;
        self.last.ear.subscribed(Instant::now());
        Ok(())
    }

    /// Cancels the subscription and hands back what was delivered and not yet taken.
    async fn stop_taking(&mut self) -> Result<(), Trouble> {
        self.subscription.end(&self.consumer).await?;
        // After its own cancel the stream yields what it had buffered, then ends; it must not be polled again.
        while let Some(delivery) = self.consumer.next().await {
            let delivery = delivery.map_err(|error| Trouble::during("cancelling", &error))?;
            let tag = delivery.delivery_tag;
            self.desk.hold(tag, split(delivery).1);
            self.desk.release(tag).await?;
        }
        Ok(())
    }
}

/// What is wanted now.
fn now(appetite: &mut watch::Receiver<Appetite>) -> Appetite {
    *appetite.borrow_and_update()
}

/// What it takes to subscribe, and to subscribe again.
struct Subscription {
    channel: Channel,
    queue: ShortString,
    prefetch: u16,
    limit: Duration,
}

impl Subscription {
    /// How many events may be in hand.
    fn places(&self, wanted: Appetite) -> u16 {
        match wanted {
            Appetite::Full => self.prefetch,
            Appetite::One => 1,
        }
    }

    async fn begin(&self, wanted: Appetite) -> Result<Consumer, Trouble> {
        // Before consuming: without it the broker sends the whole queue.
        let prefetch = self.channel.basic_qos(self.places(wanted), BasicQosOptions::default());
        within(self.limit, "setting the prefetch", prefetch).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let begun = self.channel.basic_consume(self.queue.clone(), "".into(), options, arguments);
        within(self.limit, &format!("consuming from queue `{}`", self.queue), begun).await
    }

    async fn end(&self, consumer: &Consumer) -> Result<(), Trouble> {
        let ended = self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        within(self.limit, "cancelling", ended).await
    }
}
