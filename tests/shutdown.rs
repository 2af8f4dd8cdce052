//! SIGTERM and SIGINT: what is under way is finished, the rest goes back, and the exit code tells which.
//!
//! Not here: stopping without a broker (`path/stopping.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::broker::shared;
use support::daemon::{Daemon, announced, says};
use support::deadline::within;
use support::scene::Scene;
use support::standin::{Canned, Fault, Rule};

/// Rounds of each kind; they run side by side.
const ROUNDS: usize = 10;
const EVENTS: usize = 30;
/// From the deadline to the last word about it, on a machine that runs ten of them at once.
const SLACK: Duration = Duration::from_secs(3);

/// A signal in the middle of answers that take so many milliseconds, then a second daemon that finishes the queue.
async fn round(ms: u64, deadline: Duration) -> (Option<i32>, Duration, Vec<String>, Scene) {
    let scene = Scene::quorum(shared().await.vhost().await).await;
    scene.publish(EVENTS, 200).await;
    scene.api.plan(vec![Rule::always(Fault::CreateLate { ms }).first(10), Rule::always(Fault::Delay { ms })]);
    let stop = format!("[shutdown]\ndeadline = \"{}ms\"", deadline.as_millis());
    let mut first = Daemon::start(&scene.setup().broker("prefetch = 20").sections(&stop));
    within(60, "consuming", first.consuming()).await;
    within(60, "requests", scene.api.until(|books| books.requests.len() >= 20)).await;
    first.signal("TERM");
    let (code, mut log) = within(60, "its end", first.ended()).await;
    let took = stopping_took(&log);
    scene.api.plan(Vec::new());
    let second = Daemon::start(&scene.setup());
    within(60, "all created", scene.until_created(EVENTS)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    second.signal("TERM");
    let (last, rest) = within(60, "the second's end", second.ended()).await;
    assert_eq!(last, Some(0));
    log.extend(rest);
    (code, took, announced(&log), scene)
}

/// From the word that it stops to the last word of the daemon, by its own clock.
fn stopping_took(log: &[Value]) -> Duration {
    let when = |line: &Value| -> jiff::Timestamp { line["timestamp"].as_str().unwrap().parse().unwrap() };
    let began = log.iter().find(|line| says(line, "stopping")).map(when).unwrap();
    when(log.last().unwrap()).duration_since(began).try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_time_enough_ten_times_over_nothing_is_lost_and_nothing_created_twice() {
    let rounds = (0..ROUNDS).map(|_| round(2_000, Duration::from_secs(8)));
    for (code, took, announced, scene) in within(240, "all rounds", futures_util::future::join_all(rounds)).await {
        assert_eq!(code, Some(0));
        assert!(took < Duration::from_secs(8) + SLACK, "{took:?}");
        scene.assert_none_lost_and_doubles_announced(EVENTS, &announced);
        assert!(scene.processes().values().all(|times| *times == 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_too_little_time_ten_times_over_nothing_is_lost_and_every_double_announced() {
    let rounds = (0..ROUNDS).map(|_| round(2_000, Duration::from_millis(1_500)));
    for (code, took, announced, scene) in within(240, "all rounds", futures_util::future::join_all(rounds)).await {
        assert_eq!(code, Some(75));
        assert!(took < Duration::from_millis(1_500) + SLACK, "{took:?}");
        scene.assert_none_lost_and_doubles_announced(EVENTS, &announced);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.publish(5, 100).await;
    scene.api.plan(vec![Rule::always(Fault::NeverAnswer)]);
    let mut daemon = scene.daemon();
    within(60, "requests", scene.api.until(|books| books.requests.len() == 5)).await;
    daemon.signal("INT");
    within(10, "the first signal", daemon.until(|line| says(line, "stopping"))).await;
    let began = Instant::now();
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(130));
    assert!(began.elapsed() < Duration::from_secs(10), "it waited for the drain");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_be_tried_again_goes_back_at_once_and_not_with_the_last_answer() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.publish(3, 100).await;
    let slow = Rule::always(Fault::Delay { ms: 60_000 }).first(1);
    scene.api.plan(vec![slow, Rule::always(Canned::new(503))]);
    // Of an hour at most, the dice never say so little that one goes again before the signal.
    let sections = "[shutdown]\ndeadline = \"50s\"\n[retry]\ninitial = \"1h\"";
    let daemon = Daemon::start(&scene.setup().sections(sections));
    within(60, "requests", scene.api.until(|books| books.requests.len() >= 3)).await;
    daemon.signal("TERM");
    scene.client.until_depth(&scene.queue(), 2, Duration::from_secs(20)).await;
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(130), "it still waited for the slow answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_port_that_is_taken_ends_the_daemon_with_the_next_step() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut setup = scene.setup();
    setup.admin = address;
    let (code, log) = within(60, "its end", Daemon::start(&setup).ended()).await;
    assert_eq!(code, Some(70));
    assert!(log.iter().any(|line| says(line, "admin.listen") && says(line, "choose a free port")), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probes_follow_the_life_of_the_daemon() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    let mut daemon = scene.daemon();
    let admin = within(60, "its address", daemon.admin()).await;
    let status = async |path: &str| reqwest::get(format!("{admin}{path}")).await.unwrap().status().as_u16();
    assert_eq!(within(10, "livez", status("/livez")).await, 200);
    assert_eq!(within(10, "readyz", status("/readyz")).await, 503);
    scene.client.declare_quorum(&scene.queue(), lapin::types::FieldTable::default()).await;
    scene.client.declare_quorum(&scene.dead(), lapin::types::FieldTable::default()).await;
    within(60, "consuming", daemon.consuming()).await;
    assert_eq!(within(10, "readyz", status("/readyz")).await, 200);
    scene.publish(3, 100).await;
    within(60, "three", daemon.until_count(3, |line| line["result"] == "created")).await;
    let metrics =
        within(10, "metrics", async { reqwest::get(format!("{admin}/metrics")).await.unwrap().text().await.unwrap() });
    let metrics = metrics.await;
    assert!(
        metrics.contains(r#"chakra_bridge_events_settled_total{result="created",rule="any",reason=""} 3"#),
        "{metrics}"
    );
}
