//! What tests do on a broker with AMQP: declare, publish, count, empty.
//!
//! Whatever the broker refuses fails the test in words. Not here: the daemon's own way with AMQP; nothing is shared
//! with it, so that neither hides a mistake of the other.

use std::time::Duration;

use lapin::message::Delivery;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ErrorKind};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::wait::comes_true;

/// Longer than any answer of a working broker takes on a busy machine.
const LOCAL_DELAY: Duration = Duration::from_secs(30);

/// Channels of `publish_many`, and publishes that each has in flight.
const LANES: usize = 8;
const WINDOW: usize = 128;

/// What a queue tells at once and exactly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Depth {
    /// Messages ready for delivery; those that a consumer holds do not count.
    pub messages: u32,
    /// Consumers on the queue.
    pub consumers: u32,
}

/// A connection of its own. It does not come back after a fault: make another one.
pub struct Client {
    connection: Connection,
}

impl Client {
    /// Connects, or fails the test.
    pub async fn connect(url: &str) -> Self {
        Self { connection: attempt(url).await.unwrap_or_else(|error| panic!("no connection to the broker: {error}")) }
    }

    /// Declares a durable quorum queue with more arguments. One that is killed within the next second may be gone:
    /// see `Broker::settle`.
    pub async fn declare_quorum(&self, queue: &str, arguments: FieldTable) {
        self.declare(queue, "quorum", arguments).await;
    }

    /// Declares a durable classic queue with more arguments.
    pub async fn declare_classic(&self, queue: &str, arguments: FieldTable) {
        self.declare(queue, "classic", arguments).await;
    }

    /// Declares a stream.
    pub async fn declare_stream(&self, queue: &str) {
        self.declare(queue, "stream", FieldTable::default()).await;
    }

    async fn declare(&self, queue: &str, kind: &str, mut arguments: FieldTable) {
        arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
        let channel = self.channel().await;
        answer(queue, channel.queue_declare(short(queue), QueueDeclareOptions::durable(), arguments)).await;
        close(&channel).await;
    }

    /// Deletes a queue with its messages.
    pub async fn delete(&self, queue: &str) {
        let channel = self.channel().await;
        answer(queue, channel.queue_delete(short(queue), QueueDeleteOptions::default())).await;
        close(&channel).await;
    }

    /// Publishes one message and waits until the broker has it; one that no queue takes fails the test. Persistent
    /// unless the properties say otherwise; the exchange `""` takes the queue's name as key.
    pub async fn publish(&self, exchange: &str, key: &str, body: &[u8], properties: BasicProperties) {
        let channel = self.confirming().await;
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let publish = channel.basic_publish(short(exchange), short(key), options, body, lasting(properties));
        let confirmed = answer(key, answer(key, publish).await).await;
        assert_eq!(confirmed, Confirmation::Ack(None), "publish to {exchange:?} with key {key}");
        close(&channel).await;
    }

    /// Publishes many messages at once, in no order: thousands a second. Not mandatory, so the route must be there.
    pub async fn publish_many(&self, exchange: &str, key: &str, messages: Vec<(Vec<u8>, BasicProperties)>) {
        let mut lanes: Vec<Vec<_>> = (0..LANES).map(|_| Vec::new()).collect();
        for (index, message) in messages.into_iter().enumerate() {
            lanes[index % LANES].push(message);
        }
        let mut running = JoinSet::new();
        for lane in lanes {
            running.spawn(publish_lane(self.confirming().await, short(exchange), short(key), lane));
        }
        running.join_all().await;
    }

    /// What the queue tells by a passive declare, or nothing if there is no such queue.
    pub async fn depth(&self, queue: &str) -> Option<Depth> {
        let channel = self.channel().await;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let lookup = channel.queue_declare(short(queue), options, FieldTable::default());
        let told = match timeout(LOCAL_DELAY, lookup).await {
            Ok(Ok(told)) => Some(Depth { messages: told.message_count(), consumers: told.consumer_count() }),
            Ok(Err(error)) if is_missing(&error) => return None,
            Ok(Err(error)) => panic!("{queue}: {error}"),
            Err(_) => panic!("{queue}: no answer within {LOCAL_DELAY:?}"),
        };
        close(&channel).await;
        told
    }

    /// Takes all messages that are ready, in their order, with properties, headers and route.
    pub async fn drain(&self, queue: &str) -> Vec<Delivery> {
        let channel = self.channel().await;
        let mut taken = Vec::new();
        while let Some(message) = answer(queue, channel.basic_get(short(queue), BasicGetOptions { no_ack: true })).await
        {
            taken.push(message.delivery);
        }
        close(&channel).await;
        taken
    }

    /// Waits until nothing is ready in the queue. What consumers hold is seen by `Vhost::unacked` alone.
    pub async fn until_empty(&self, queue: &str, deadline: Duration) {
        self.until_depth(queue, 0, deadline).await;
    }

    /// Waits until exactly so many messages are ready.
    pub async fn until_depth(&self, queue: &str, messages: u32, deadline: Duration) {
        let lookup = async || self.depth(queue).await.is_some_and(|depth| depth.messages == messages);
        if !comes_true(deadline, lookup).await {
            let seen = self.depth(queue).await.map(|depth| depth.messages);
            panic!("waited {deadline:?} in vain for {messages} messages ready in {queue}; there are {seen:?}");
        }
    }

    /// Ends the connection. A dropped client ends its connection too, a moment later.
    pub async fn close(self) {
        drop(timeout(LOCAL_DELAY, self.connection.close(200, "done".into())).await);
    }

    /// The connection, for what the verbs here do not say.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The client library may answer a new channel with the error of one before it that the broker has just closed, as it does
    /// where a queue is missing: that is asked again.
    async fn channel(&self) -> Channel {
        let fresh = async {
            loop {
                match self.connection.create_channel().await {
                    // Its own tasks forget the channel that was closed; on a busy machine they take a while to.
                    Err(error) if is_missing(&error) => tokio::task::yield_now().await,
                    Ok(channel) => return channel,
                    Err(error) => panic!("a channel: {error}"),
                }
            }
        };
        let fresh = timeout(LOCAL_DELAY, fresh).await;
        fresh.unwrap_or_else(|_| panic!("a channel: no answer, or the error of another, for {LOCAL_DELAY:?}"))
    }

    async fn confirming(&self) -> Channel {
        let channel = self.channel().await;
        answer("confirms", channel.confirm_select(ConfirmSelectOptions::default())).await;
        channel
    }
}

/// One connection attempt, with a deadline.
pub(super) async fn attempt(url: &str) -> Result<Connection, String> {
    let properties = ConnectionProperties::default().with_connection_name("chakra-bridge tests".into());
    let attempt = timeout(LOCAL_DELAY, Connection::connect(url, properties)).await;
    attempt.map_err(|_| format!("silent for {LOCAL_DELAY:?}"))?.map_err(|error| error.to_string())
}

/// Publishes from one task alone, without `mandatory`: both keep lapin's confirms with their messages.
async fn publish_lane(
    channel: Channel,
    exchange: ShortString,
    key: ShortString,
    lane: Vec<(Vec<u8>, BasicProperties)>,
) {
    for window in lane.chunks(WINDOW) {
        let mut confirms = Vec::with_capacity(WINDOW);
        for (body, properties) in window {
            let options = BasicPublishOptions::default();
            let publish =
                channel.basic_publish(exchange.clone(), key.clone(), options, body, lasting(properties.clone()));
            confirms.push(answer("publish", publish).await);
        }
        for confirm in confirms {
            assert_eq!(answer("confirm", confirm).await, Confirmation::Ack(None), "publish with key {key}");
        }
    }
    close(&channel).await;
}

fn lasting(properties: BasicProperties) -> BasicProperties {
    if properties.delivery_mode().is_some() { properties } else { properties.with_delivery_mode(2) }
}

async fn answer<T>(what: &str, asked: impl Future<Output = lapin::Result<T>>) -> T {
    match timeout(LOCAL_DELAY, asked).await {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => panic!("{what}: {error}"),
        Err(_) => panic!("{what}: no answer within {LOCAL_DELAY:?}"),
    }
}

async fn close(channel: &Channel) {
    answer("channel close", channel.close(200, "done".into())).await;
}

fn is_missing(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(refused) if refused.get_id() == 404)
}

fn short(name: &str) -> ShortString {
    ShortString::try_new(name).unwrap_or_else(|_| panic!("longer than 255 bytes: {name}"))
}
