//! A producer that repeats itself, replicas that are killed, and answers that are lost, with a ledger: each key is one process; where no
//! lookup can be made, each second one was announced.
//!
//! `REPEATS_EVENTS=5000 cargo test --test repeats -- --nocapture` is the long form. Not here: the stores by themselves (`ledger`), and
//! where on its path a daemon is killed (`kill`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use lapin::BasicProperties;
use serde_json::Value;
use support::daemon::{Daemon, Setup, announced, says};
use support::deadline::within;
use support::postgres::Postgres;
use support::postgres::wire::Wire;
use support::scene::{Scene, id};
use support::setup::{ANY, LOOKED_UP, QUICK, SHORT_DRAIN};
use support::standin::{Fault, Rule};

/// Keys in CI; more by `REPEATS_EVENTS`.
const EVENTS: usize = 400;
/// How long the replicas are left alone after a killed one was replaced.
const EVERY: Duration = Duration::from_secs(2);
/// The messages of one key come within this.
const APART_MS: u64 = 5_000;
/// How many keys begin in a second.
const A_SECOND: u64 = 200;
/// Messages of so many milliseconds are published together.
const BATCH_MS: u64 = 250;

fn events() -> usize {
    std::env::var("REPEATS_EVENTS").map_or(EVENTS, |text| text.parse().expect("a number of events"))
}

/// Each key one to three times, the later ones up to five seconds after the first, by the time at which they are published.
fn messages(events: usize) -> Vec<(u64, usize)> {
    let mut random = fastrand::Rng::new();
    println!("seed {}", random.get_seed());
    let mut messages = Vec::new();
    for number in 0..events {
        let at = number as u64 * 1000 / A_SECOND;
        messages.push((at, number));
        for _ in 1..random.usize(1..=3) {
            messages.push((at + random.u64(0..=APART_MS), number));
        }
    }
    messages.sort_unstable();
    messages
}

fn message(number: usize) -> (Vec<u8>, BasicProperties) {
    let properties = BasicProperties::default().with_message_id(id(number).into()).with_delivery_mode(2);
    (format!(r#"{{"of": {number}}}"#).into_bytes(), properties)
}

/// Publishes them at their times.
async fn publish(scene: &Scene, messages: &[(u64, usize)]) {
    let began = tokio::time::Instant::now();
    for batch in messages.chunk_by(|(one, _), (other, _)| one / BATCH_MS == other / BATCH_MS) {
        let at = Duration::from_millis(batch[0].0);
        tokio::time::sleep_until(began + at).await; // tidy: allow sleep, each message has its time
        let batch = batch.iter().map(|(_, number)| message(*number)).collect();
        scene.client.publish_many("", &scene.queue(), batch).await;
    }
}

/// Kills one of the replicas every two seconds until every message is published and gone; answers how many were killed.
async fn kill_in_turn(
    scene: &Scene,
    setup: &Setup,
    replicas: &mut [Daemon],
    log: &mut Vec<Value>,
    events: usize,
) -> usize {
    let messages = messages(events);
    let all = async {
        publish(scene, &messages).await;
        scene.until_created(events).await;
    };
    tokio::pin!(all);
    let mut kills = 0;
    while tokio::time::timeout(EVERY, &mut all).await.is_err() {
        let next = kills % replicas.len();
        replicas[next].signal("KILL");
        let killed = std::mem::replace(&mut replicas[next], Daemon::start(setup));
        log.extend(within(20, "its end", killed.ended()).await.1);
        kills += 1;
    }
    kills
}

/// What came of it: the replicas that were killed, and how many keys have more than one process.
struct Came {
    kills: usize,
    doubled: usize,
}

/// So many replicas with this ledger, one killed every two seconds, one answer in fifty lost.
async fn came(count: usize, ledger: &str, rule: &str, events: usize) -> Came {
    let scene = Scene::shared().await;
    scene.api.plan(vec![Rule::always(Fault::CreateThenReset).every(50), Rule::always(Fault::Delay { ms: 20 })]);
    let setup = scene.setup().sections(QUICK).sections(SHORT_DRAIN).sections(rule).sections(ledger).impatient();
    let setup = setup.broker("topology = \"declare\"\nprefetch = 40");
    let mut replicas: Vec<_> = (0..count).map(|_| Daemon::start(&setup)).collect();
    within(60, "consuming", scene.until_consumed()).await;
    let mut log = Vec::new();
    let killing = kill_in_turn(&scene, &setup, &mut replicas, &mut log, events);
    let kills = within(900, "all processes", killing).await;
    within(300, "nothing is queued", scene.at_rest()).await;
    for replica in replicas {
        replica.signal("TERM");
        log.extend(within(60, "its end", replica.ended()).await.1);
    }
    assert!(kills >= 2, "killed {kills} times: too quick to mean anything");
    let announced = announced(&log);
    scene.assert_none_lost_and_doubles_announced(events, &announced);
    if rule == LOOKED_UP {
        // Without a lookup an event whose two creates both lost their answers is a dead letter that says so.
        assert_eq!(scene.client.depth(&scene.dead()).await.unwrap().messages, 0, "dead letters");
    }
    let processes = scene.processes();
    let unexpected = processes.keys().filter(|key| !(0..events).map(id).any(|id| id == **key)).count();
    assert_eq!(unexpected, 0);
    let doubled: BTreeSet<_> = processes.iter().filter(|(_, times)| **times > 1).map(|(key, _)| key).collect();
    println!(
        "| ledger | replicas | killed | keys | lost | doubled | announced |\n| --- | --- | --- | --- | --- | --- | --- |"
    );
    let store = ledger.split(':').next().unwrap_or_default().rsplit('"').next().unwrap_or_default();
    println!("| {store} | {count} | {kills} times | {events} | 0 | {} | {} |", doubled.len(), announced.len());
    Came { kills, doubled: doubled.len() }
}

async fn in_postgres() -> Option<String> {
    let server = within(90, "Postgres", Postgres::shared()).await?;
    Some(reached_by(server, server.port).await)
}

/// A ledger in a database of its own, by way of this port.
async fn reached_by(server: &Postgres, port: u16) -> String {
    let (database, password) = (server.database().await, &server.password);
    format!(
        "[ledger]\nurl = \"postgres://tests@127.0.0.1:{port}/{database}?sslmode=disable\"\npassword = \"{password}\""
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn with_postgres_and_a_lookup_each_key_is_one_process_whatever_is_killed_repeated_or_lost() {
    let Some(ledger) = in_postgres().await else { return };
    let came = came(4, &ledger, LOOKED_UP, events()).await;
    assert_eq!(came.doubled, 0, "killed {} times", came.kills);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_postgres_alone_every_double_is_one_that_was_announced() {
    let Some(ledger) = in_postgres().await else { return };
    came(4, &ledger, ANY, events()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_sqlite_and_one_replica_each_key_is_one_process_whatever_is_killed_repeated_or_lost() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = format!("[ledger]\nurl = \"sqlite://{}\"", folder.path().join("ledger.db").display());
    let came = came(1, &ledger, LOOKED_UP, events()).await;
    assert_eq!(came.doubled, 0, "killed {} times", came.kills);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_to_postgres_that_leads_nowhere_for_a_while_loses_and_doubles_nothing_and_is_used_again_within_ten_seconds()
 {
    let Some(server) = within(90, "Postgres", Postgres::shared()).await else { return };
    let (wire, scene) = (Wire::start(server.port).await, Scene::shared().await);
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 20 })]);
    let ledger = reached_by(server, wire.port()).await;
    let setup = scene.setup().sections(QUICK).sections(SHORT_DRAIN).sections(LOOKED_UP).sections(&ledger).impatient();
    let mut daemon = Daemon::start(&setup.broker("topology = \"declare\"\nprefetch = 20"));
    within(60, "consuming", scene.until_consumed()).await;
    scene.publish_those(0..60, 40).await;
    within(60, "some processes", scene.until_created(10)).await;
    wire.leads_nowhere();
    scene.publish_those(60..120, 40).await;
    within(20, "its word", daemon.until(|line| says(line, "the ledger cannot be asked"))).await;
    let meanwhile = scene.processes().len();
    assert!(meanwhile < 120, "nothing was stopped");
    wire.leads_on();
    within(10, "the next process", scene.until_created(meanwhile + 1)).await;
    within(60, "all processes", scene.until_created(120)).await;
    within(60, "nothing is queued", scene.at_rest()).await;
    daemon.signal("TERM");
    let (_, log) = within(20, "its end", daemon.ended()).await;
    scene.assert_none_lost_and_doubles_announced(120, &[]);
    assert_eq!((scene.processes().values().max(), announced(&log).len()), (Some(&1), 0));
}
