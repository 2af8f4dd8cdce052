//! The real daemon on a real broker, killed with -9 at every named point of the path, against an API that applies late
//! and shows late. With `reconcile_by`, nothing is lost, nothing doubled, nothing unexpected.
//!
//! Not here: an adversary that is everywhere at once (`model.rs`), faults of the network (`faults.rs`), and replicas
//! that die beside others (`replicas.rs`).
//!
//! Kills come in bursts shorter than the shortest delay queue, and everything comes to rest after each: a copy left by a
//! kill between a confirm and its acknowledgement must not meet its copy while neither's process shows, which no
//! client can exclude. More of them: `KILLS=100 cargo test --test kill -- --nocapture` kills 1,100 times.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "kill/account.rs"]
mod account;
#[path = "kill/points.rs"]
mod points;
#[path = "broker/scene.rs"]
mod scene;

use std::time::Duration;

use account::Account;
use lapin::BasicProperties;
use points::{POINTS, Point};
use scene::Scene;
use support::broker::shared;
use support::daemon::{Daemon, Setup};
use support::deadline::within;
use support::relay::Relay;
use support::standin::{Canned, Fault, Rule};

/// How often each point is reached.
const TIMES: usize = 15;
/// Kills in a row before everything comes to rest.
const BURST: usize = 5;
/// Within this after its start it is killed at any moment, in milliseconds: to connect takes it about a tenth.
const LIFE_MS: u64 = 2_000;
/// Scenes side by side, each with its own queues, daemon and API.
const SCENES: usize = 3;

const SECTIONS: &str = r#"
[lookup]
lag = "4s"
[retry]
initial = "200ms"
max_interval = "1s"
max_local_delay = "100ms"
budget = 1.0
[shutdown]
deadline = "5s"
[[rule]]
name = "any"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", result = "{{ event.result }}" }
"#;

/// What one burst of kills leaves behind it, and how it came to it.
struct Stage {
    scene: Scene,
    relay: Relay,
    setup: Setup,
    published: Vec<String>,
    /// What every daemon so far said.
    log: Vec<serde_json::Value>,
    name: usize,
}

impl Stage {
    async fn new(name: usize) -> Self {
        let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
        scene.api.set_lag(Duration::from_secs(3));
        scene.api.plan(vec![
            Rule::always(Canned::new(423).retry_after("2")).attribute("result", "locked").times(1),
            Rule::always(Canned::new(422)).attribute("result", "refused"),
            Rule::always(Fault::CreateLate { ms: 900 }).attribute("result", "late").times(1),
            Rule::always(Fault::CreateThenReset).attribute("result", "lost").times(1),
        ]);
        let relay = Relay::start(scene.listens()).await;
        let setup = Setup { amqp: scene.by_way_of(relay.address().port()), ..scene.setup() };
        let setup = setup.sections(SECTIONS).api("timeout = \"2s\"\nconnect_timeout = \"1s\"");
        let setup = setup.broker("topology = \"declare\"\nprefetch = 12");
        let mut stage = Self { scene, relay, setup, published: Vec::new(), log: Vec::new(), name };
        stage.rest().await;
        stage
    }

    /// Publishes events of every result, and answers the keys of the one that is applied late and of a plain one.
    async fn publish(&mut self) -> (String, String) {
        let round = self.published.len();
        let results = ["late", "plain", "locked", "refused", "lost", "plain"];
        let keys: Vec<String> = (0..results.len()).map(|at| format!("s{}-{}", self.name, round + at)).collect();
        let messages = keys.iter().zip(results).map(|(key, result)| {
            let properties = BasicProperties::default().with_message_id(key.as_str().into()).with_delivery_mode(2);
            (format!(r#"{{"result": "{result}"}}"#).into_bytes(), properties)
        });
        self.scene.client.publish_many("", &self.scene.queue(), messages.collect()).await;
        self.published.extend(keys.iter().cloned());
        (keys[0].clone(), keys[1].clone())
    }

    /// One life of the daemon, from its start to its death at the point.
    async fn kill_at(&mut self, point: Point) {
        let (late, plain) = self.publish().await;
        match point.breakpoint() {
            Some(breakpoint) => self.relay.arm(breakpoint),
            None => self.relay.disarm(),
        }
        let daemon = Daemon::start(&self.setup);
        let reached = async {
            match point {
                Point::Sent => {
                    let is_sent = |key: &Option<String>| key.as_ref() == Some(&late);
                    let sent = self.scene.api.until(|books| books.requests.iter().any(|seen| is_sent(&seen.key)));
                    sent.await;
                }
                Point::Answered => {
                    let is_over = |books: &support::standin::Books| {
                        books.requests.iter().any(|seen| seen.key.as_ref() == Some(&plain) && seen.over)
                    };
                    self.scene.api.until(is_over).await;
                }
                Point::AnyMoment => {
                    let moment = Duration::from_millis(fastrand::u64(..LIFE_MS));
                    tokio::time::sleep(moment).await; // tidy: allow sleep, any moment will do
                }
                _ => self.relay.reached().await,
            }
        };
        within(60, &format!("{point:?}"), reached).await;
        daemon.signal("KILL");
        self.log.push(
            serde_json::json!({ "killed_at": format!("{point:?}"), "timestamp": jiff::Timestamp::now().to_string() }),
        );
        self.log.extend(within(20, "its end", daemon.ended()).await.1);
    }

    /// Lets a daemon finish everything, undisturbed.
    async fn rest(&mut self) {
        self.relay.disarm();
        let mut daemon = Daemon::start(&self.setup);
        within(60, "consuming", daemon.consuming()).await;
        within(180, "rest", self.at_rest()).await;
        daemon.signal("TERM");
        self.log.extend(within(20, "its end", daemon.ended()).await.1);
    }

    /// How many copies were found to be a process already, by a lookup or by the memory of the daemon.
    fn already_created(&self) -> usize {
        let outcome = |line: &serde_json::Value| line["result"].as_str().map(str::to_owned);
        let known = ["found", "already_created"];
        self.log.iter().filter_map(outcome).filter(|outcome| known.contains(&outcome.as_str())).count()
    }

    /// What was said of an event, what the API did for it, and when the daemon was killed.
    fn tell(&self, key: &str) {
        let mut lines: Vec<String> = Vec::new();
        for line in self.log.iter().filter(|line| line["key"] == key || line["killed_at"].is_string()) {
            lines.push(format!("{} {line}", line["timestamp"].as_str().unwrap_or_default()));
        }
        for created in self.scene.api.created().iter().filter(|created| created.key.as_deref() == Some(key)) {
            let when = jiff::Timestamp::from_millisecond(created.when).unwrap();
            lines.push(format!("{when} CREATED"));
        }
        lines.sort();
        println!("the story of {key}:\n{}", lines.join("\n"));
    }

    /// Nothing is queued, nothing unacknowledged, nothing in a delay queue, and that stays so.
    async fn at_rest(&self) {
        let queue = self.scene.queue();
        let mut still = 0;
        while still < 3 {
            let mut left = self.scene.place.unacked(&queue).await;
            for queue in [queue.clone(), format!("{queue}.wait.10s"), format!("{queue}.wait.1m")] {
                left += u64::from(self.scene.client.depth(&queue).await.map_or(0, |depth| depth.messages));
            }
            still = if left == 0 { still + 1 } else { 0 };
            tokio::time::sleep(Duration::from_millis(500)).await; // tidy: allow sleep, the queues are asked again and again
        }
    }
}

async fn kill_everywhere(name: usize, kills: Vec<Point>) -> Account {
    let mut stage = Stage::new(name).await;
    for burst in kills.chunks(BURST) {
        for point in burst {
            stage.kill_at(*point).await;
        }
        stage.rest().await;
    }
    let account = Account::of(&stage.scene, &stage.published, kills).await.already_created(stage.already_created());
    account.sins().for_each(|key| stage.tell(key));
    account
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_nothing_is_lost_doubled_or_unexpected() {
    let times = std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(TIMES);
    let mut shares: Vec<Vec<Point>> = vec![Vec::new(); SCENES];
    for at in 0..times * POINTS.len() {
        // Each burst has points of all kinds in it.
        shares[at / BURST % SCENES].push(POINTS[at % POINTS.len()]);
    }
    let scenes = shares.into_iter().enumerate().map(|(name, kills)| kill_everywhere(name, kills));
    let limit = 600 + 40 * times as u64;
    let accounts = within(limit, "all kills", futures_util::future::join_all(scenes)).await;
    let sum = accounts.into_iter().fold(Account::default(), Account::and);
    println!("{sum}");
    for point in POINTS {
        assert!(sum.reached(point) >= times, "{point:?} was reached {} times", sum.reached(point));
    }
    assert!(sum.is_clean(), "{sum}");
}
