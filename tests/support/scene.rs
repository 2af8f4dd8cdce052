//! A scene: a place on a broker with its two queues, a stand-in of the API, and events to publish.
//!
//! Not here: tests.
#![allow(dead_code, unreachable_pub, reason = "each test that includes it uses a part of it")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::FieldTable;

use crate::support::broker::{Client, Vhost, eventually, shared};
use crate::support::daemon::{Daemon, Setup};
use crate::support::deadline::within;
use crate::support::standin::StandIn;

pub const QUEUE: &str = "crm.events";
pub const DEAD: &str = "crm.events.dead";
/// The password of whoever may do less.
const LIMITED: &str = "of-limited";
/// Seconds that a broker may take to start.
const BROKER: u64 = 240;
/// How often in a row nothing must be left anywhere, and how long between two looks.
const STILL: usize = 3;
const BETWEEN: Duration = Duration::from_millis(500);

/// Where a test plays.
pub struct Scene {
    pub place: Vhost,
    pub client: Client,
    pub api: StandIn,
}

impl Scene {
    /// With both queues made, quorum.
    pub async fn quorum(place: Vhost) -> Self {
        let scene = Self::empty(place).await;
        scene.client.declare_quorum(&scene.queue(), FieldTable::default()).await;
        scene.client.declare_quorum(&scene.dead(), FieldTable::default()).await;
        scene
    }

    /// With both queues made, classic.
    pub async fn classic(place: Vhost) -> Self {
        let scene = Self::empty(place).await;
        scene.client.declare_classic(&scene.queue(), FieldTable::default()).await;
        scene.client.declare_classic(&scene.dead(), FieldTable::default()).await;
        scene
    }

    /// Without any queue, on the broker that the tests of this binary share.
    pub async fn shared() -> Self {
        within(BROKER, "a broker", async { Self::empty(shared().await.vhost().await).await }).await
    }

    /// Without any queue.
    pub async fn empty(place: Vhost) -> Self {
        let client = place.client().await;
        Self { client, api: StandIn::start().await, place }
    }

    pub fn queue(&self) -> String {
        self.place.name_of(QUEUE)
    }

    pub fn dead(&self) -> String {
        self.place.name_of(DEAD)
    }

    /// Where the broker listens, host and port.
    pub fn listens(&self) -> String {
        listens(&self.place.url)
    }

    /// The URL of the broker by way of another port here.
    pub fn by_way_of(&self, port: u16) -> String {
        let mut url = self.url();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(port)).unwrap();
        url.into()
    }

    fn url(&self) -> reqwest::Url {
        reqwest::Url::parse(&self.place.url).unwrap()
    }

    /// The configuration of a daemon here.
    pub fn setup(&self) -> Setup {
        Setup::new(&self.place.url, &self.queue(), &self.api.url(), StandIn::TOKEN)
            .broker(&format!("dead_letter_queue = \"{}\"", self.dead()))
    }

    /// The same as a user who may make nothing here, read everything, and write to what this pattern takes.
    pub async fn limited(&self, setup: Setup, write: &str) -> Setup {
        let user = format!("limited-{}", self.place.name);
        let made = self.place.management().make_user(&self.place.name, &user, LIMITED, write);
        within(60, "a user", made).await;
        let mut amqp = reqwest::Url::parse(&setup.amqp).expect("the fixture's URL");
        amqp.set_username(&user).expect("an AMQP URL takes a user");
        amqp.set_password(Some(LIMITED)).expect("an AMQP URL takes a password");
        Setup { amqp: amqp.into(), ..setup }
    }

    /// A daemon here.
    pub fn daemon(&self) -> Daemon {
        Daemon::start(&self.setup())
    }

    /// Publishes so many events with the ids `e0`, `e1` … and bodies of about so many bytes.
    pub async fn publish(&self, count: usize, bytes: usize) {
        self.publish_those(0..count, bytes).await;
    }

    /// The same, of those numbers.
    pub async fn publish_those(&self, numbers: Range<usize>, bytes: usize) {
        let message = |number| {
            let properties = BasicProperties::default().with_message_id(id(number).into()).with_delivery_mode(2);
            (format!(r#"{{"filler": "{}"}}"#, "x".repeat(bytes.saturating_sub(14))).into_bytes(), properties)
        };
        self.client.publish_many("", &self.queue(), numbers.map(message).collect()).await;
    }

    /// How many processes each key has.
    pub fn processes(&self) -> BTreeMap<String, usize> {
        let mut processes = BTreeMap::new();
        self.api.lookup(|books| {
            for created in &books.created {
                *processes.entry(created.key.clone().unwrap_or_default()).or_default() += 1;
            }
        });
        processes
    }

    /// Waits until so many different events are processes.
    pub async fn until_created(&self, count: usize) {
        let mut seen = 0;
        let mut keys = std::collections::HashSet::new();
        self.api
            .until(|books| {
                keys.extend(books.created[seen..].iter().map(|created| created.key.clone()));
                seen = books.created.len();
                keys.len() >= count
            })
            .await;
    }

    /// Waits until the work queue has a consumer.
    pub async fn until_consumed(&self) {
        let consumed = async || self.client.depth(&self.queue()).await.is_some_and(|depth| depth.consumers > 0);
        eventually(Duration::from_secs(BROKER), "a consumer", consumed).await;
    }

    /// Waits until nothing is queued, nothing unacknowledged, nothing in a delay queue, and that stays so.
    pub async fn at_rest(&self) {
        let queue = self.queue();
        let mut still = 0;
        while still < STILL {
            let mut left = self.place.unacked(&queue).await;
            for queue in [queue.clone(), format!("{queue}.wait.10s"), format!("{queue}.wait.1m")] {
                left += u64::from(self.client.depth(&queue).await.map_or(0, |depth| depth.messages));
            }
            still = if left == 0 { still + 1 } else { 0 };
            tokio::time::sleep(BETWEEN).await; // tidy: allow sleep, the queues are asked again and again
        }
    }

    /// Waits until so many events are processes and nothing is left anywhere. None is lost, doubled or dead.
    pub async fn ends_well(&self, count: usize) {
        within(300, "all created", self.until_created(count)).await;
        for queue in [self.queue(), format!("{}.wait.10s", self.queue())] {
            self.client.until_empty(&queue, Duration::from_secs(120)).await;
        }
        self.place.until_unacked(&self.queue(), 0, Duration::from_secs(60)).await;
        self.assert_none_lost_and_doubles_announced(count, &[]);
        assert_eq!(self.client.depth(&self.dead()).await.unwrap().messages, 0);
    }

    /// That so many events are processes, each at least once, and more than once only if announced.
    pub fn assert_none_lost_and_doubles_announced(&self, count: usize, announced: &[String]) {
        self.assert_none_lost_but(&[], count, announced);
    }

    /// The same, where these became no process.
    pub fn assert_none_lost_but(&self, dead: &[&str], count: usize, announced: &[String]) {
        let processes = self.processes();
        let wanted = (0..count).map(id).filter(|id| !dead.contains(&id.as_str()));
        let lost: Vec<String> = wanted.filter(|id| !processes.contains_key(id)).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        let silent: Vec<&String> = processes
            .iter()
            .filter(|(key, times)| **times > 1 && !announced.contains(key))
            .map(|(key, _)| key)
            .collect();
        assert!(silent.is_empty(), "doubled without a word: {silent:?}");
    }
}

/// Where the broker of that URL listens, host and port.
pub fn listens(url: &str) -> String {
    let url = reqwest::Url::parse(url).unwrap();
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5672))
}

/// The message id of an event.
pub fn id(number: usize) -> String {
    format!("e{number}")
}
