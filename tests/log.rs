//! What the daemon tells, its log and its spans, and what it never tells. And a log that nobody reads: full, left by its reader, on a
//! full disk. Events flow, and the daemon ends when it is told to, with the exit code that stands in the documents.
//!
//! With `CHAKRA_BRIDGE_TEST_PROGRAM=target/release/chakra-bridge` in the environment all of it is asked of the released program.
//!
//! Not here: what a line says.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "log/canary.rs"]
mod canary;
#[path = "log/collector.rs"]
mod collector;
#[path = "log/mute.rs"]
mod mute;
#[path = "log/run.rs"]
mod run;
#[path = "log/said.rs"]
mod said;
#[path = "log/short.rs"]
mod short;
#[path = "log/traces.rs"]
mod traces;

use std::process::Stdio;
use std::time::{Duration, Instant};

use mute::Mute;
use serde_json::Value;
use support::broker::shared;
use support::daemon::{Setup, says};
use support::deadline::within;
use support::scene::Scene;
use support::standin::{Fault, Rule};
use support::unread::{closed, full_disk, full_pipe, full_pipe_that_does_not_wait};

const EVENTS: usize = 300;
/// How long a drain may take in these tests.
const DEADLINE: Duration = Duration::from_secs(6);
/// From the deadline to the end of the process, on a machine that runs all of them at once.
const SLACK: Duration = Duration::from_secs(3);
/// Everything of every library: far more than the queue takes.
const LOUD: &str = "trace,lapin=trace";

async fn scene() -> Scene {
    within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await
}

fn setup(scene: &Scene, deadline: Duration) -> Setup {
    scene.setup().sections(&format!("[shutdown]\ndeadline = \"{}ms\"", deadline.as_millis()))
}

/// Events flow to the last one, lines are counted, and it ends in time, drained.
async fn events_flow_and_it_ends(log: Stdio) {
    let scene = scene().await;
    within(60, "publishing", scene.publish(EVENTS, 300)).await;
    let daemon = Mute::start(setup(&scene, DEADLINE), log, Some(LOUD));
    within(60, "all created", scene.until_created(EVENTS)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    within(60, "ready", daemon.until_ready()).await;
    within(60, "lines are dropped", daemon.until_dropped(1)).await;
    let began = Instant::now();
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await, Some(0));
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    scene.assert_none_lost_and_doubles_announced(EVENTS, &[]);
    assert!(scene.processes().values().all(|times| *times == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_pipe_holds_nothing_up() {
    let (_reader, log) = full_pipe();
    within(300, "all of it", events_flow_and_it_ends(log)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_pipe_that_does_not_wait_holds_nothing_up() {
    let (_reader, log) = full_pipe_that_does_not_wait();
    within(300, "all of it", events_flow_and_it_ends(log)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_has_gone_ends_nothing() {
    within(300, "all of it", events_flow_and_it_ends(closed())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_nothing() {
    within(300, "all of it", events_flow_and_it_ends(full_disk())).await;
}

/// Five requests that are never answered, and a log that nobody reads.
async fn hopeless(deadline: Duration) -> (Scene, Mute, std::io::PipeReader) {
    let scene = scene().await;
    scene.publish(5, 100).await;
    scene.api.plan(vec![Rule::always(Fault::NeverAnswer)]);
    let (reader, log) = full_pipe();
    let daemon = Mute::start(setup(&scene, deadline), log, None);
    within(60, "requests", scene.api.until(|books| books.requests.len() == 5)).await;
    (scene, daemon, reader)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_passes_is_kept_with_a_full_pipe_too() {
    let deadline = Duration::from_secs(2);
    let (_scene, daemon, _reader) = hopeless(deadline).await;
    let began = Instant::now();
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await, Some(75));
    assert!(began.elapsed() < deadline + SLACK, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once_with_a_full_pipe_too() {
    let (_scene, daemon, _reader) = hopeless(Duration::from_secs(25)).await;
    daemon.signal("TERM");
    within(10, "the first signal", daemon.until_draining()).await;
    let began = Instant::now();
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await, Some(130));
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_with_a_mistake_ends_with_its_code_though_nobody_can_be_told() {
    let wrong = Setup::new("amqp://guest@127.0.0.1:1", "q", "http://127.0.0.1:1", "token").sections("[bogus]\nkey = 1");
    let (_reader, full) = full_pipe();
    let (_other, at_once) = full_pipe_that_does_not_wait();
    for log in [full, at_once, closed(), full_disk()] {
        let ended = Mute::start(wrong.clone(), log, None).ended();
        assert_eq!(within(60, "its end", ended).await, Some(78));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_is_told_once_the_log_is_read_again() {
    let scene = scene().await;
    within(60, "publishing", scene.publish(EVENTS, 300)).await;
    let (reader, log) = full_pipe();
    let daemon = Mute::start(setup(&scene, DEADLINE), log, Some(LOUD));
    within(60, "all created", scene.until_created(EVENTS)).await;
    within(60, "lines are dropped", daemon.until_dropped(1)).await;
    let mut readers = tokio::task::JoinSet::new();
    readers.spawn(mute::read(reader));
    within(60, "it goes again", daemon.until_not_stuck(&scene)).await;
    let dropped = within(60, "metrics", daemon.dropped()).await;
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await, Some(0));
    let log = within(60, "the log", readers.join_next()).await.unwrap().unwrap();
    let told: Vec<&Value> = log.iter().filter(|line| says(line, "log lines were lost")).collect();
    let lost: u64 = told.iter().filter_map(|line| line["lines"].as_u64()).sum();
    assert!(lost >= dropped && dropped > 0, "{dropped} dropped, told: {told:?}");
    assert!(told.iter().all(|line| line["why"] == "it was not read in time"), "{told:?}");
    assert!(log.iter().all(Value::is_object), "a line is not whole");
    assert!(log.iter().any(|line| says(line, "chakra-bridge starts")), "the first lines are kept");
    assert!(log.iter().any(|line| says(line, "drained")), "the last lines are written");
}
