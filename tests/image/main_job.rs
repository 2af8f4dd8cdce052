//! The main job in a container on each RabbitMQ: processes, a dead letter, a kill in the middle, and an end in order.
//!
//! It would not start if it could not read the authorities of the image. Not here: several replicas.

use super::docker::docker;
use super::rolls::SECTIONS;
use super::stage::Stage;
use crate::support::broker::eventually;
use crate::support::daemon::{announced, result};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule};

use std::time::Duration;

const EVENTS: usize = 2_000;
const BYTES: usize = 1024;
/// With the time to build the image.
const BEGIN: u64 = 1500;

async fn main_job(rabbitmq: &str) {
    let Some(stage) = within(BEGIN, "the stage", Stage::with(rabbitmq)).await else { return };
    let scene = &stage.scene;
    scene.api.plan(vec![Rule::always(Canned::new(422)).attribute("event_key", "e7")]);
    let setup = stage.setup().sections(SECTIONS).broker("topology = \"declare\"");
    let mut first = stage.replica(&setup).await;
    within(60, "publishing", scene.publish(EVENTS, BYTES)).await;
    within(60, "half of them", scene.until_created(EVENTS / 2)).await;
    // Settled before the kill: killed before it is acknowledged, it would be made twice, as promised.
    within(60, "the dead letter", first.daemon.until(|line| result(line, "dead_lettered"))).await;
    let log = first.killed().await;
    let second = stage.replica(&setup).await;
    within(120, "all but one", scene.until_created(EVENTS - 1)).await;
    scene.client.until_depth(&scene.dead(), 1, Duration::from_secs(60)).await;
    within(60, "what the engine sees", is_held_and_well(&second.name)).await;
    let ready = within(20, "asking it", second.run(&["healthcheck", "--ready"])).await;
    assert!(ready.is_ok(), "{ready:?}");
    let doubts = [announced(&log), announced(&second.stopped().await)].concat();
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    scene.assert_none_lost_but(&["e7"], EVENTS, &doubts);
    let doubled: Vec<_> = scene.processes().into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(doubled.is_empty(), "doubled: {doubled:?}");
}

/// No root, no capability, and healthy by the image's own word.
async fn is_held_and_well(name: &str) {
    let user = docker(&["top", name, "-o", "pid,uid"]).await;
    assert_eq!(user.split_whitespace().last(), Some("65532"), "{user}");
    let status = async || docker(&["inspect", "--format", "{{.State.Health.Status}}", name]).await == "healthy";
    eventually(Duration::from_secs(50), "healthy", status).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_does_its_job_in_64_mebibytes_on_rabbitmq_3_10() {
    within(2400, "the main job", main_job("rabbitmq:3-management")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_does_its_job_in_64_mebibytes_on_rabbitmq_4_0() {
    within(2400, "the main job", main_job("rabbitmq:4.0-management")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_does_its_job_in_64_mebibytes_on_rabbitmq_4_3() {
    within(2400, "the main job", main_job("rabbitmq:4-management")).await;
}
