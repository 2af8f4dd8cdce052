//! A daemon with delay queues on a broker, before a stand-in of the API; and events of two kinds, at once or at a rate.
//!
//! Not here: what goes wrong (each part says it), and the bars.
#![allow(dead_code, reason = "the test and the bench each use a part of it")]

use std::collections::HashMap;
use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use tokio::time::{Instant, MissedTickBehavior};

use crate::support::broker::{Broker, shared};
use crate::support::daemon::{Daemon, Setup};
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::standin::{Fault, Rule};

/// How long the API takes for any answer, in milliseconds.
pub const API_TAKES: u64 = 10;

/// Every event goes to one procedure.
pub const ONE: &str = r#"
[[rule]]
name = "one"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", marker = "{{ event.marker }}" }
"#;

/// Events of two procedures: `healthy` ones are leads, `failing` ones are tickets.
pub const TWO: &str = r#"
[[rule]]
name = "failing"
when = "event.kind == 'failing'"
procedure = "ticket"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", marker = "{{ event.marker }}" }
[[rule]]
name = "healthy"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", marker = "{{ event.marker }}" }
"#;

/// What an event is like; its key says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub kind: &'static str,
    pub marker: &'static str,
}

pub const GOOD: Kind = Kind { kind: "healthy", marker: "good" };
pub const BAD: Kind = Kind { kind: "healthy", marker: "bad" };
pub const FAILING: Kind = Kind { kind: "failing", marker: "good" };

impl Kind {
    fn prefix(self) -> String {
        format!("{}-{}-", self.kind, self.marker)
    }

    fn message(self, number: usize) -> (String, Vec<u8>, BasicProperties) {
        let (key, Self { kind, marker }) = (format!("{}{number}", self.prefix()), self);
        let filler = "x".repeat(300);
        let body = format!(r#"{{"kind": "{kind}", "marker": "{marker}", "filler": "{filler}"}}"#);
        let properties = BasicProperties::default().with_message_id(key.as_str().into()).with_delivery_mode(2);
        (key, body.into_bytes(), properties)
    }
}

/// See the head of this file.
pub struct Stage {
    pub scene: Scene,
    pub daemon: Daemon,
    pub setup: Setup,
    broker: &'static Broker,
    admin: String,
    published: usize,
    sent: HashMap<String, Instant>,
}

impl Stage {
    /// A daemon that consumes by these rules, with this prefetch. The API is well, and as slow as it always is.
    pub async fn new(rules: &str, prefetch: usize) -> Self {
        within(300, "a stage", Self::begun(rules, prefetch)).await
    }

    async fn begun(rules: &str, prefetch: usize) -> Self {
        let broker = shared().await;
        let scene = Scene::empty(broker.vhost().await).await;
        let setup = scene.setup().broker(&format!("topology = \"declare\"\nprefetch = {prefetch}"));
        let setup = setup.sections("[lookup]\nlag = \"0s\"");
        let mut daemon = Daemon::start(&setup.clone().sections(rules));
        daemon.consuming().await;
        let admin = daemon.admin().await;
        let stage = Self { scene, daemon, setup, broker, admin, published: 0, sent: HashMap::new() };
        stage.plays([]);
        stage
    }

    /// From now on the API misbehaves so, and in no other way.
    pub fn plays(&self, rules: impl IntoIterator<Item = Rule>) {
        let slow = Rule::anywhere(Fault::Delay { ms: API_TAKES });
        self.scene.api.plan([slow].into_iter().chain(rules).collect());
    }

    /// Publishes so many events at once.
    pub async fn publish(&mut self, kind: Kind, count: usize) {
        self.publish_each(&vec![kind; count]).await;
    }

    /// Publishes these events at once, about in their order.
    pub async fn publish_each(&mut self, kinds: &[Kind]) {
        let first = self.published;
        self.published += kinds.len();
        let messages = kinds.iter().zip(first..).map(|(kind, number)| {
            let (key, body, properties) = kind.message(number);
            self.sent.insert(key, Instant::now());
            (body, properties)
        });
        let messages = messages.collect();
        within(120, "publishing", self.scene.client.publish_many("", &self.scene.queue(), messages)).await;
    }

    /// Publishes so many events a second for so many seconds, these kinds in turn. Answers when it began.
    pub async fn publish_at_rate(&mut self, kinds: &[Kind], a_second: usize, seconds: u64) -> Instant {
        let channel = within(30, "a channel", self.scene.client.connection().create_channel()).await.unwrap();
        let (queue, begun) = (self.scene.queue(), Instant::now());
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let all = a_second * usize::try_from(seconds).unwrap();
        let mut done = 0;
        while done < all {
            ticks.tick().await;
            let due = (begun.elapsed().as_secs_f64() * a_second as f64) as usize;
            while done < due.min(all) {
                let (key, body, properties) = kinds[done % kinds.len()].message(self.published);
                (self.published, done) = (self.published + 1, done + 1);
                self.sent.insert(key, Instant::now());
                let options = BasicPublishOptions::default();
                let publish = channel.basic_publish("".into(), queue.as_str().into(), options, &body, properties);
                within(30, "a publish", publish).await.unwrap();
            }
        }
        within(30, "its end", channel.close(200, "done".into())).await.unwrap();
        begun
    }

    /// When so many events of this kind were processes; or, if that takes longer than `longest`, how many are.
    pub async fn created(&self, kind: Kind, count: usize, longest: Duration) -> Result<Instant, usize> {
        let (prefix, mut seen, mut created) = (kind.prefix(), 0, 0);
        let all = self.scene.api.until(|books| {
            let new = &books.created[seen..];
            created += new.iter().filter(|process| is_of(process.key.as_deref(), &prefix)).count();
            seen = books.created.len();
            created >= count
        });
        match tokio::time::timeout(longest, all).await {
            Ok(()) => Ok(Instant::now()),
            Err(_) => Err(created),
        }
    }

    /// How long each event of this kind took from its publishing until it was a process, in order; `Duration::MAX` for those
    /// that are none.
    pub fn times(&self, kind: Kind) -> Vec<Duration> {
        let prefix = kind.prefix();
        let created: HashMap<String, Instant> = self.scene.api.lookup(|books| {
            let all = books.created.iter().filter_map(|process| Some((process.key.clone()?, process.at)));
            all.filter(|(key, _)| key.starts_with(&prefix)).collect()
        });
        let sent = self.sent.iter().filter(|(key, _)| key.starts_with(&prefix));
        let took = |at: &Instant, key| created.get(key).map_or(Duration::MAX, |created| *created - *at);
        let mut times: Vec<Duration> = sent.map(|(key, at)| took(at, key)).collect();
        times.sort();
        times
    }

    /// How many events of this kind were processes between these moments.
    pub fn created_between(&self, kind: Kind, from: Instant, to: Instant) -> usize {
        let prefix = kind.prefix();
        self.scene.api.lookup(|books| {
            let all = books.created.iter().filter(|process| (from..to).contains(&process.at));
            all.filter(|process| is_of(process.key.as_deref(), &prefix)).count()
        })
    }

    /// How many events are dead letters.
    pub async fn dead(&self) -> usize {
        let depth = within(30, "a depth", self.scene.client.depth(&self.scene.dead())).await;
        depth.map_or(0, |depth| depth.messages as usize)
    }

    /// How many events were delayed in a delay queue so far, each with a confirm of the broker.
    pub async fn delayed(&self) -> u64 {
        let asked = async { reqwest::get(format!("{}/metrics", self.admin)).await?.text().await };
        let text = within(30, "the metrics", asked).await.unwrap();
        let lines = text.lines().filter(|line| {
            line.starts_with("chakra_bridge_events_settled_total{") && line.contains("result=\"delayed\"")
        });
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
    }

    /// Ends the daemon, and takes what it left out of the broker, so that the next one has the broker for itself.
    pub async fn end(self) {
        let (place, broker) = (self.scene.place.name.clone(), self.broker);
        self.daemon.signal("KILL");
        let (_, log) = within(60, "its end", self.daemon.ended()).await;
        if let Some(folder) = std::env::var_os("NEIGHBOURS_LOGS") {
            let mut lines: Vec<String> = log.iter().map(ToString::to_string).collect();
            lines.extend(self.scene.api.requests().iter().map(|seen| format!("{seen:?}")));
            std::fs::write(std::path::Path::new(&folder).join(place.clone() + ".log"), lines.join("\n")).unwrap();
        }
        self.scene.client.close().await;
        within(120, "a clean broker", broker.ctl(&["delete_vhost", &place])).await;
    }
}

fn is_of(key: Option<&str>, prefix: &str) -> bool {
    key.is_some_and(|key| key.starts_with(prefix))
}

/// Waits for so long: what is measured is what happens meanwhile.
pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await; // tidy: allow sleep, a bar counts what happens within a time
}
