//! Where all of them run: one broker, and for each run a queue and a stand-in of the API of its own, in the bench's process.
//!
//! Not here: who runs (`runner`).

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use lapin::BasicProperties;
use lapin::types::FieldTable;
use tempfile::TempDir;

use crate::support::broker::{Broker, Client, Vhost};
use crate::support::daemon::Setup;
use crate::support::standin::{Fault, Rule, StandIn};

const QUEUE: &str = "crm.events";
const DEAD: &str = "crm.events.dead";
const EVENT: &str = include_str!("../event.json");
const RULES: &str = include_str!("../rules.toml");
const ID: &str = "5f0c1f2e-7a53-4d6d-9b7a-0f3c2f5f8a11";

pub struct Stage {
    broker: Broker,
    pub events: usize,
}

impl Stage {
    pub async fn new(events: usize) -> Self {
        Self { broker: Broker::private().await, events }
    }

    /// What the figures were taken on.
    pub fn machine(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        format!("{cores} cores shared by broker, API and client; RabbitMQ {}", self.broker.version())
    }

    /// A fresh queue, and an API that takes so long for an answer.
    pub async fn place(&self, delay: Duration) -> Place {
        let vhost = self.broker.vhost().await;
        let client = vhost.client().await;
        client.declare_classic(QUEUE, FieldTable::default()).await;
        client.declare_classic(DEAD, FieldTable::default()).await;
        let api = StandIn::start().await;
        if !delay.is_zero() {
            let ms = u64::try_from(delay.as_millis()).expect("a short delay");
            api.plan(vec![Rule::always(Fault::Delay { ms })]);
        }
        Place { vhost, client, api, folder: TempDir::new().expect("a folder") }
    }
}

pub struct Place {
    vhost: Vhost,
    client: Client,
    api: StandIn,
    folder: TempDir,
}

impl Place {
    /// The daemon's file: the rule of the mapping bench, and otherwise what a file has by itself.
    pub fn configuration(&self, prefetch: u16) -> PathBuf {
        let rule = RULES.find("[[rule]]").map(|at| &RULES[at..]).expect("a rule");
        let setup = Setup::new(&self.vhost.url, QUEUE, &self.api.url(), StandIn::TOKEN)
            .broker(&format!("prefetch = {prefetch}\ndead_letter_queue = \"{DEAD}\""))
            .sections(rule);
        let path = self.folder.path().join("config.toml");
        std::fs::write(&path, setup.toml()).expect("a file in it");
        path
    }

    pub fn addresses(&self) -> [String; 4] {
        [self.vhost.url.clone(), QUEUE.to_owned(), self.api.url(), StandIn::TOKEN.to_owned()]
    }

    pub fn log(&self) -> Stdio {
        File::create(self.folder.path().join("log")).expect("a file in it").into()
    }

    pub async fn publish(&self, events: usize) {
        let messages = (0..events).map(|number| (event(&format!("e{number}")), properties())).collect();
        self.client.publish_many("", QUEUE, messages).await;
    }

    /// Publishes so many a second for so long, and answers when each was published, by its id.
    pub async fn publish_paced(&self, time: Duration, rate: u32) -> HashMap<String, Instant> {
        let mut published = HashMap::new();
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
        let channel = self.client.connection().create_channel().await.expect("a channel");
        for number in 0..time.as_secs() * u64::from(rate) {
            ticks.tick().await;
            let id = format!("p{number}");
            let body = event(&id);
            published.insert(id, Instant::now());
            let options = lapin::options::BasicPublishOptions::default();
            channel.basic_publish("".into(), QUEUE.into(), options, &body, properties()).await.expect("a publish");
        }
        published
    }

    pub fn created(&self) -> usize {
        self.api.lookup(|books| books.created.len())
    }

    pub async fn until_created(&self, count: usize, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        while self.created() < count {
            ticks.tick().await;
        }
    }

    /// From the first process to the last.
    pub fn seconds(&self) -> f64 {
        self.api.lookup(|books| match (&books.created[..], books.created.last()) {
            ([first, ..], Some(last)) => (last.at - first.at).as_secs_f64(),
            _ => panic!("nothing was created"),
        })
    }

    /// Until the queue is empty. What is unacknowledged when the program is killed is in its last prefetch at most.
    pub async fn until_settled(&self) {
        self.client.until_empty(QUEUE, Duration::from_secs(30)).await;
    }

    pub async fn until_consumed(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while self.client.depth(QUEUE).await.is_none_or(|depth| depth.consumers == 0) {
            ticks.tick().await;
        }
    }

    /// Milliseconds from each publish to its process.
    pub fn waits_ms(&self, published: &HashMap<String, Instant>) -> Vec<f64> {
        self.api.lookup(|books| {
            let waits = books.created.iter().filter_map(|created| {
                let id = created.key.as_ref()?.rsplit('|').next()?;
                let wait = created.at.into_std().saturating_duration_since(*published.get(id)?);
                Some(wait.as_secs_f64() * 1000.0)
            });
            waits.collect()
        })
    }
}

/// What the program said last, where a run fails.
impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            log.lines().rev().take(20).for_each(|line| println!("{line}"));
        }
    }
}

fn event(id: &str) -> Vec<u8> {
    EVENT.replace(ID, id).into_bytes()
}

fn properties() -> BasicProperties {
    BasicProperties::default().with_content_type("application/cloudevents+json".into()).with_delivery_mode(2)
}
