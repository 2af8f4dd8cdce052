//! Where all of them run: one broker, and for each run a queue and a stand-in of the API of its own, in the bench's process.
//!
//! Not here: who runs (`runner`).

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use lapin::BasicProperties;
use lapin::types::FieldTable;
use tempfile::TempDir;

use super::front::Front;
use super::secure::Secure;
use crate::support::broker::{Broker, Client, Vhost};
use crate::support::daemon::Setup;
use crate::support::postgres::Postgres;
use crate::support::standin::{Canned, Fault, Rule, StandIn};

const QUEUE: &str = "crm.events";
const DEAD: &str = "crm.events.dead";
const EVENT: &str = include_str!("../event.json");
const RULES: &str = include_str!("../rules.toml");
const ID: &str = "5f0c1f2e-7a53-4d6d-9b7a-0f3c2f5f8a11";
/// Messages published at once, each held until the broker has it.
const BATCH: usize = 20_000;

/// Writes that a disk is measured by.
const FSYNCS: usize = 300;

/// What a daemon keeps its ledger in.
#[derive(Clone, Copy)]
pub enum Store {
    None,
    Sqlite,
    Postgres,
}

/// How the API answers.
#[derive(Clone, Copy)]
pub enum Api {
    AtOnce,
    After(Duration),
    /// Every tenth create with 503, but none of an event twice: nobody could look it up, and it would be a dead letter.
    TenthFails,
}

impl Api {
    fn plan(self) -> Vec<Rule> {
        match self {
            Self::AtOnce => Vec::new(),
            Self::After(delay) => {
                let ms = u64::try_from(delay.as_millis()).expect("a short delay");
                vec![Rule::always(Fault::Delay { ms })]
            }
            Self::TenthFails => vec![Rule::always(Canned::new(503)).every(10).times(1)],
        }
    }
}

pub struct Stage {
    broker: Broker,
    secure: Option<Secure>,
    pub events: usize,
}

impl Stage {
    pub async fn new(events: usize) -> Self {
        Self { broker: Broker::private().await, secure: None, events }
    }

    /// With TLS to the broker and to the API.
    pub async fn secure(events: usize) -> Self {
        let (broker, secure) = Secure::broker().await;
        Self { broker, secure: Some(secure), events }
    }

    /// What the figures were taken on.
    pub fn machine(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        format!("{cores} cores shared by broker, API and client; RabbitMQ {}", self.broker.version())
    }

    /// A fresh queue, and an API that answers so.
    pub async fn place(&self, manner: Api) -> Place {
        let vhost = self.broker.vhost().await;
        let client = vhost.client().await;
        client.declare_classic(QUEUE, FieldTable::default()).await;
        client.declare_classic(DEAD, FieldTable::default()).await;
        let api = StandIn::start().await;
        api.plan(manner.plan());
        let mut addresses = Addresses { amqp: vhost.url.clone(), api: api.url(), trusted: None };
        let mut front = None;
        if let Some(secure) = &self.secure {
            let (url, before) = secure.front(api.address()).await;
            addresses = Addresses { amqp: secure.amqp(&vhost.url), api: url, trusted: Some(secure.trusted()) };
            front = Some(before);
        }
        Place { _vhost: vhost, client, api, addresses, _front: front, folder: TempDir::new().expect("a folder") }
    }
}

/// Where a program goes.
struct Addresses {
    amqp: String,
    api: String,
    /// The file of the authority, with TLS.
    trusted: Option<PathBuf>,
}

pub struct Place {
    _vhost: Vhost,
    pub(super) client: Client,
    api: StandIn,
    addresses: Addresses,
    _front: Option<Front>,
    folder: TempDir,
}

impl Place {
    /// The daemon's file: the rule of the mapping bench, its log and its admin port, and otherwise what a file has by itself.
    pub fn configuration(&self, prefetch: u16, level: &str, admin: &str, more: &str) -> PathBuf {
        let rule = RULES.find("[[rule]]").map(|at| &RULES[at..]).expect("a rule");
        let Addresses { amqp, api, trusted } = &self.addresses;
        let trusted = trusted.as_ref().map(|path| format!("ca_file = \"{}\"", path.display())).unwrap_or_default();
        let mut setup = Setup::new(amqp, QUEUE, api, StandIn::TOKEN)
            .broker(&format!(
                "prefetch = {prefetch}\ndead_letter_queue = \"{DEAD}\"\ntopology = \"declare\"\n{trusted}"
            ))
            .api(&trusted)
            .sections(&format!("level = \"{level}\"\n{more}\n{rule}"));
        admin.clone_into(&mut setup.admin);
        let path = self.folder.path().join("config.toml");
        std::fs::write(&path, setup.toml()).expect("a file in it");
        path
    }

    /// A ledger of its own, as a section.
    pub async fn ledger(&self, store: Store) -> String {
        match store {
            Store::None => String::new(),
            Store::Sqlite => format!("[ledger]\nurl = \"sqlite://{}\"", self.folder.path().join("ledger.db").display()),
            Store::Postgres => {
                let server = Postgres::shared().await.expect("a Postgres: install the package postgresql");
                let (port, database, password) = (server.port, server.database().await, &server.password);
                format!("[ledger]\nurl = \"postgres://tests@127.0.0.1:{port}/{database}\"\npassword = \"{password}\"")
            }
        }
    }

    /// Milliseconds of a write that the disk has, one after the other, in order.
    pub fn fsyncs_ms(&self) -> Vec<f64> {
        let mut file = File::create(self.folder.path().join("fsync")).expect("a file in it");
        let mut once = || {
            let began = Instant::now();
            file.write_all(&[0; 4096]).expect("room for it");
            file.sync_data().expect("it is written");
            began.elapsed().as_secs_f64() * 1000.0
        };
        let mut all: Vec<f64> = (0..FSYNCS).map(|_| once()).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    pub fn addresses(&self) -> [String; 5] {
        let Addresses { amqp, api, trusted } = &self.addresses;
        let trusted = trusted.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        [amqp.clone(), QUEUE.to_owned(), api.clone(), StandIn::TOKEN.to_owned(), trusted]
    }

    pub fn log(&self) -> Stdio {
        File::create(self.folder.path().join("log")).expect("a file in it").into()
    }

    pub async fn publish(&self, events: usize) {
        for first in (0..events).step_by(BATCH) {
            let numbers = first..events.min(first + BATCH);
            let messages = numbers.map(|number| (event(&format!("e{number}")), properties())).collect();
            self.client.publish_many("", QUEUE, messages).await;
        }
    }

    /// Keys of the events whose create was answered with 503 at least once.
    pub fn failed(&self) -> HashSet<String> {
        self.api.lookup(|books| {
            let failed = books.requests.iter().filter(|seen| seen.status == Some(503));
            failed.filter_map(|seen| seen.key.clone()).collect()
        })
    }

    /// The key and the time of each process.
    pub fn processes(&self) -> Vec<(String, Instant)> {
        self.api.lookup(|books| {
            let created = books.created.iter();
            created.filter_map(|created| Some((created.key.clone()?, created.at.into_std()))).collect()
        })
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
