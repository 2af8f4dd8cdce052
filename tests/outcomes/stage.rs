//! A daemon that tells, the exchange, and one queue behind it.
//!
//! Not here: tests.

use std::time::Duration;

use lapin::BasicProperties;
use lapin::ExchangeKind;
use lapin::message::Delivery;
use lapin::options::{ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::Value;

use crate::support::broker::eventually;
use crate::support::daemon::{Daemon, Setup};
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::setup::{QUICK, SHORT_DRAIN};

pub const EXCHANGE: &str = "crm.outcomes";
pub const OUTCOMES: &str = "crm.outcomes.read";

pub struct Stage {
    pub scene: Scene,
    pub setup: Setup,
}

/// What was told.
#[derive(Debug)]
pub struct Told {
    pub routing_key: String,
    pub properties: BasicProperties,
    pub data: Value,
}

impl Told {
    pub fn of(delivery: &Delivery) -> Self {
        Self {
            routing_key: delivery.routing_key.to_string(),
            properties: delivery.properties.clone(),
            data: serde_json::from_slice(&delivery.data).unwrap(),
        }
    }

    pub fn id(&self) -> &str {
        self.properties.message_id().as_ref().unwrap().as_str()
    }

    pub fn header(&self, name: &str) -> String {
        header(&self.properties, name)
    }

    pub fn attribute(&self, name: &str) -> String {
        self.header(&format!("cloudEvents_{name}"))
    }

    pub fn subject(&self) -> String {
        self.attribute("subject")
    }

    /// The last word of its routing key.
    pub fn word(&self) -> &str {
        self.routing_key.rsplit_once('.').unwrap().1
    }

    pub fn text(&self) -> String {
        format!("{self:?}")
    }
}

/// A header that is a text; empty without it.
pub fn header(properties: &BasicProperties, name: &str) -> String {
    match properties.headers().as_ref().and_then(|headers| headers.inner().get(name)) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        _ => String::new(),
    }
}

impl Stage {
    /// With more of `[outcomes]` and rules, and more of `[broker]`.
    pub async fn new(more: &str, broker: &str) -> Self {
        let scene = Scene::shared().await;
        let exchange = scene.place.name_of(EXCHANGE);
        let setup = scene.setup().sections(QUICK).sections(SHORT_DRAIN).impatient();
        let setup = setup.broker(&format!("topology = \"declare\"\n{broker}"));
        let setup = setup.sections(&format!("[outcomes]\nexchange = \"{exchange}\"\n{more}"));
        let stage = Self { scene, setup };
        stage.make_exchange().await;
        stage.make_queue(FieldTable::default()).await;
        stage
    }

    pub fn exchange(&self) -> String {
        self.scene.place.name_of(EXCHANGE)
    }

    pub fn queue(&self) -> String {
        self.scene.place.name_of(OUTCOMES)
    }

    pub async fn make_exchange(&self) {
        let channel = self.scene.client.connection().create_channel().await.unwrap();
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let declared =
            channel.exchange_declare(self.exchange().into(), ExchangeKind::Topic, options, FieldTable::default());
        within(30, "the exchange", declared).await.unwrap();
    }

    pub async fn delete_exchange(&self) {
        let channel = self.scene.client.connection().create_channel().await.unwrap();
        let deleted = channel.exchange_delete(self.exchange().into(), ExchangeDeleteOptions::default());
        within(30, "its end", deleted).await.unwrap();
    }

    /// The queue behind the exchange, which takes all.
    pub async fn make_queue(&self, arguments: FieldTable) {
        self.scene.client.declare_quorum(&self.queue(), arguments).await;
        self.bind(&self.queue(), "#").await;
    }

    pub async fn bind(&self, queue: &str, key: &str) {
        self.bind_to(&self.exchange(), queue, key).await;
    }

    pub async fn bind_to(&self, exchange: &str, queue: &str, key: &str) {
        let channel = self.scene.client.connection().create_channel().await.unwrap();
        let bound = channel.queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        within(30, "a binding", bound).await.unwrap();
    }

    pub async fn daemon(&self) -> Daemon {
        Daemon::consumes(&self.setup).await
    }

    /// A daemon makes the delay queues, and goes.
    pub async fn makes_queues(&self) {
        let daemon = self.daemon().await;
        daemon.signal("TERM");
        within(30, "its end", daemon.ended()).await;
    }

    pub async fn publish(&self, id: &str, body: &[u8], properties: BasicProperties) {
        let properties = properties.with_message_id(id.into());
        self.scene.client.publish("", &self.scene.queue(), body, properties).await;
    }

    /// So many outcomes, taken out of the queue once they are there.
    pub async fn told(&self, count: u32) -> Vec<Told> {
        self.scene.client.until_depth(&self.queue(), count, Duration::from_secs(60)).await;
        self.scene.client.drain(&self.queue()).await.iter().map(Told::of).collect()
    }

    pub async fn at_rest(&self) {
        within(180, "rest", self.scene.at_rest()).await;
    }

    pub async fn until_metric(&self, daemon: &mut Daemon, line: &str, least: f64) {
        let admin = daemon.admin().await;
        let reads = async || {
            let text = reqwest::get(format!("{admin}/metrics")).await.unwrap().text().await.unwrap();
            text.lines().filter_map(|told| told.strip_prefix(line)?.trim().parse::<f64>().ok()).any(|n| n >= least)
        };
        eventually(Duration::from_secs(60), line, reads).await;
    }
}
