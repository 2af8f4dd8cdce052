//! Four replicas of the real daemon on one queue of a real broker, one killed with -9 again and again: each event is one
//! process.
//!
//! Not here: where on its path a daemon is killed (`kill.rs`). A file of its own, so that nothing else runs beside it:
//! five daemons and a broker are enough for two cores.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

use std::time::Duration;

use support::daemon::{Daemon, Setup};
use support::deadline::within;
use support::scene::Scene;
use support::setup::{LOOKED_UP, QUICK, SHORT_DRAIN};
use support::standin::{Fault, Rule};

const EVENTS: usize = 10_000;
/// How long the four are left alone after a killed one was replaced.
const EVERY: Duration = Duration::from_secs(2);

/// Kills one after the other until every event has its process, and answers how many were killed.
async fn kill_in_turn(scene: &Scene, setup: &Setup, replicas: &mut [Daemon]) -> usize {
    let mut kills = 0;
    while tokio::time::timeout(EVERY, scene.until_created(EVENTS)).await.is_err() {
        let next = kills % replicas.len();
        replicas[next].signal("KILL");
        let killed = std::mem::replace(&mut replicas[next], Daemon::consumes(setup).await);
        within(20, "its end", killed.ended()).await;
        kills += 1;
        println!("{kills} killed, {} of {EVENTS} created", scene.api.created().len());
    }
    kills
}

#[tokio::test(flavor = "multi_thread")]
async fn of_four_replicas_one_is_killed_again_and_again_and_each_event_is_one_process() {
    let scene = Scene::shared().await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 150 })]);
    let setup = scene.setup().sections(QUICK).sections(SHORT_DRAIN).sections(LOOKED_UP).impatient();
    let setup = setup.broker("topology = \"declare\"\nprefetch = 40");
    let mut replicas = Vec::new();
    for _ in 0..4 {
        replicas.push(Daemon::consumes(&setup).await);
    }
    within(120, "publishing", scene.publish(EVENTS, 100)).await;
    let kills = within(480, "all processes", kill_in_turn(&scene, &setup, &mut replicas)).await;
    assert!(kills >= 4, "killed {kills} times: too quick to mean anything");
    scene.client.until_empty(&scene.queue(), Duration::from_secs(120)).await;
    scene.client.until_empty(&format!("{}.wait.10s", scene.queue()), Duration::from_secs(120)).await;
    scene.assert_none_lost_and_doubles_announced(EVENTS, &[]);
    assert_eq!(scene.client.depth(&scene.dead()).await.unwrap().messages, 0);
    let doubled = scene.processes().values().filter(|times| **times > 1).count();
    println!(
        "| replicas | killed | events | lost | duplicated | dead letters |\n| --- | --- | --- | --- | --- | --- |"
    );
    println!("| 4 | {kills} times | {EVENTS} | 0 | {doubled} | 0 |");
}
