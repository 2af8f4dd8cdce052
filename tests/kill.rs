//! The real daemon on a real broker, killed with -9 at every named point of the path, against an API that applies late
//! and shows late. With `reconcile_by`, nothing is lost, nothing doubled, nothing unexpected.
//!
//! A second table is made with a log that nobody reads, its pipe full from the start, and two more with a ledger, in SQLite and in
//! Postgres, with the points before and after each of its writes added.
//!
//! Not here: an adversary that is everywhere at once (`model.rs`), faults of the network (`faults.rs`), and replicas
//! that die beside others (`replicas.rs`).
//!
//! Kills come in bursts shorter than the shortest delay queue, and everything comes to rest after each: a copy left by a
//! kill between a confirm and its acknowledgement must not meet its copy while neither's process shows, which no
//! client can exclude. More of them: `KILLS=100 cargo test --test kill -- --nocapture` kills 1,100 times.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "kill/points.rs"]
mod points;
#[path = "kill/stores.rs"]
mod stores;

use std::time::Duration;

use points::{POINTS, Point, WRITES};
use stores::{Kind, Store};
use tokio::sync::Semaphore;

use support::account::Account;
use support::daemon::{Daemon, Setup};
use support::deadline::within;
use support::relay::Relay;
use support::results;
use support::scene::Scene;
use support::setup::{QUICK, SHORT_DRAIN};

/// How often each point is reached.
const TIMES: usize = 15;
/// The same, with a log that nobody reads.
const TIMES_UNREAD: usize = 2;
/// The same, with a ledger in each store.
const TIMES_LEDGER: usize = 1;
/// Kills in a row before everything comes to rest.
const BURST: usize = 5;
/// Within this after its start it is killed at any moment, in milliseconds: to connect takes it about a tenth.
const LIFE_MS: u64 = 2_000;
/// Scenes side by side, each with its own queues, daemon and API.
const SCENES: usize = 10;
/// Of both tests together, however many of them run at once.
static AT_ONCE: Semaphore = Semaphore::const_new(SCENES);

/// Who reads what the daemon says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Log {
    Read,
    Unread,
}

/// What one burst of kills leaves behind it, and how it came to it.
struct Stage {
    scene: Scene,
    relay: Relay,
    setup: Setup,
    published: Vec<String>,
    /// What every daemon so far said.
    log: Vec<serde_json::Value>,
    reads: Log,
    name: usize,
    store: Store,
}

impl Stage {
    async fn new(name: usize, reads: Log, store: Store) -> Self {
        let scene = Scene::shared().await;
        scene.api.set_lag(Duration::from_secs(3));
        scene.api.plan(results::plan());
        let relay = Relay::start(scene.listens()).await;
        let setup = Setup { amqp: scene.by_way_of(relay.address().port()), ..scene.setup() };
        let setup = setup.sections(QUICK).sections(SHORT_DRAIN).sections(results::RULE).impatient();
        let setup = setup.broker("topology = \"declare\"\nprefetch = 12").sections(&store.section());
        let mut stage = Self { scene, relay, setup, published: Vec::new(), log: Vec::new(), reads, name, store };
        stage.rest().await;
        stage
    }

    fn daemon(&self) -> Daemon {
        match self.reads {
            Log::Read => Daemon::start(&self.setup),
            Log::Unread => Daemon::start_unread(&self.setup),
        }
    }

    /// Publishes events of every result, and answers the keys of the one that is applied late and of a plain one.
    async fn publish(&mut self) -> (String, String) {
        let from = self.published.len();
        let prefix = format!("s{}", self.name);
        let keys = results::publish(&self.scene, &prefix, from..from + results::RESULTS.len()).await;
        self.published.extend(keys.iter().cloned());
        (keys[0].clone(), keys[1].clone())
    }

    /// One life of the daemon, from its start to its death at the point.
    async fn kill_at(&mut self, point: Point) {
        // What stands in the way of the daemon goes after it.
        let (daemon, _lock) = match point {
            Point::Ledger(stop) => Box::pin(self.at_a_write(stop)).await,
            _ => (self.at_a_point(point).await, None),
        };
        daemon.signal("KILL");
        self.log.push(
            serde_json::json!({ "killed_at": format!("{point:?}"), "timestamp": jiff::Timestamp::now().to_string() }),
        );
        self.log.extend(within(20, "its end", daemon.ended()).await.1);
        self.store.disarm();
        self.relay.disarm();
    }

    /// A daemon that has come to the point.
    async fn at_a_point(&mut self, point: Point) -> Daemon {
        let (late, plain) = self.publish().await;
        match point.breakpoint() {
            Some(breakpoint) => self.relay.arm(breakpoint),
            None => self.relay.disarm(),
        }
        let daemon = self.daemon();
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
        daemon
    }

    /// Lets a daemon finish everything, undisturbed.
    async fn rest(&mut self) {
        self.relay.disarm();
        let daemon = self.daemon();
        within(60, "consuming", self.scene.until_consumed()).await;
        within(180, "rest", self.scene.at_rest()).await;
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
}

async fn kill_everywhere(name: usize, reads: Log, store: Store, kills: Vec<Point>) -> (Account, Vec<Point>) {
    let _permit = AT_ONCE.acquire().await.expect("it is never closed");
    let mut stage = Stage::new(name, reads, store).await;
    for burst in kills.chunks(BURST) {
        for point in burst {
            stage.kill_at(*point).await;
        }
        stage.rest().await;
    }
    let account = Account::of(&stage.scene, &stage.published).await;
    let account = if reads != Log::Unread { account.already_created(stage.already_created()) } else { account };
    account.sins().for_each(|key| stage.tell(key));
    (account, kills)
}

/// How often the daemon was killed at this point.
fn reached(kills: &[Point], point: Point) -> usize {
    kills.iter().filter(|kill| **kill == point).count()
}

fn table(points: &[Point], kills: &[Point]) -> String {
    let rows: String = points.iter().map(|point| format!("| {point:?} | {} |\n", reached(kills, *point))).collect();
    format!("| killed at | times |\n| --- | --- |\n{rows}")
}

fn times(or: usize) -> usize {
    std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(or)
}

/// Of so many kills at each point, with the time to wait for the scenes of the other test, in seconds.
fn limit(times: usize) -> u64 {
    1_200 + 40 * times as u64
}

/// Kills so often at each point, in scenes side by side, and judges what became of the events.
async fn killed(reads: Log, kind: Kind, times: usize) {
    let points = if kind == Kind::Nowhere { POINTS.to_vec() } else { [&POINTS[..], &WRITES].concat() };
    let mut shares: Vec<Vec<Point>> = vec![Vec::new(); SCENES];
    for at in 0..times * points.len() {
        // Each burst has points of all kinds in it.
        shares[at / BURST % SCENES].push(points[at % points.len()]);
    }
    let mut scenes = Vec::new();
    for (name, kills) in shares.into_iter().enumerate().filter(|(_, kills)| !kills.is_empty()) {
        let Some(store) = Box::pin(kind.store()).await else { return };
        scenes.push(kill_everywhere(name, reads, store, kills));
    }
    let (accounts, kills): (Vec<_>, Vec<_>) = futures_util::future::join_all(scenes).await.into_iter().unzip();
    let sum = accounts.into_iter().fold(Account::default(), Account::and);
    println!("{}\n{sum}", table(&points, &kills.concat()));
    for point in points {
        let reached = reached(&kills.concat(), point);
        assert!(reached >= times, "{point:?} was reached {reached} times");
    }
    assert!(sum.is_clean(), "{sum}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_nothing_is_lost_doubled_or_unexpected() {
    let times = times(TIMES);
    within(limit(times), "the kills", killed(Log::Read, Kind::Nowhere, times)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_with_a_full_log_pipe_nothing_is_lost_doubled_or_unexpected() {
    let times = times(TIMES_UNREAD);
    within(limit(times), "the kills", killed(Log::Unread, Kind::Nowhere, times)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_and_write_with_sqlite_nothing_is_lost_doubled_or_unexpected() {
    let times = times(TIMES_LEDGER);
    within(limit(times), "the kills", killed(Log::Read, Kind::Sqlite, times)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_and_write_with_postgres_nothing_is_lost_doubled_or_unexpected() {
    let times = times(TIMES_LEDGER);
    within(limit(times), "the kills", killed(Log::Read, Kind::Postgres, times)).await;
}
