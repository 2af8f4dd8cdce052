//! The daemon on RabbitMQ 3.10, 4.0 and 4.3, in containers.
//!
//! Not here: the daemon itself in a container, and outages that last (`outage.rs`). Without a Docker engine the tests say that they are
//! skipped; where `CHAKRA_BRIDGE_CI` is set, that is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

use std::time::Duration;

use support::broker::Broker;
use support::daemon::{result, says};
use support::deadline::within;
use support::scene::Scene;
use support::standin::{Canned, Rule};

const EVENTS: usize = 200;
/// Longer than a container takes to start on a busy machine.
const START: u64 = 240;

/// The main job: processes, a dead letter, a restart of the broker, and the end.
async fn main_job(image: &str) {
    let Some(broker) = within(START, image, Broker::image(image)).await else { return };
    println!("{image} is RabbitMQ {}", broker.version());
    let scene = within(60, "a place", async { Scene::quorum(broker.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Canned::new(422)).attribute("event_key", "e7")]);
    within(60, "publishing", scene.publish(EVENTS, 300)).await;
    let mut daemon = scene.daemon();
    within(60, "all but one", scene.until_created(EVENTS - 1)).await;
    within(60, "the dead letter", daemon.until(|line| result(line, "dead_lettered"))).await;
    scene.client.until_depth(&scene.dead(), 1, Duration::from_secs(60)).await;
    within(60, "the queue on disk", broker.settle()).await;
    within(60, "the crash", broker.kill9()).await;
    within(60, "a word about it", daemon.until(|line| says(line, "broker lost"))).await;
    within(START, "the broker again", broker.restart()).await;
    within(120, "consuming again", daemon.until_count(2, |line| says(line, "consuming"))).await;
    daemon.signal("TERM");
    let (code, log) = within(60, "its end", daemon.ended()).await;
    assert_eq!(code, Some(0));
    scene.assert_none_lost_but(&["e7"], EVENTS, &support::daemon::announced(&log));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_on_rabbitmq_3_10() {
    within(600, "the main job", main_job("rabbitmq:3-management")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_on_rabbitmq_4_0() {
    within(600, "the main job", main_job("rabbitmq:4.0-management")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_on_rabbitmq_4_3() {
    within(600, "the main job", main_job("rabbitmq:4-management")).await;
}
