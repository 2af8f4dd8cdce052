//! A message whose headers are larger than the largest frame that the daemon takes: a broker whose `frame_max` was raised lets it in,
//! and sends it in one frame all the same.
//!
//! Not here: what the client library cannot parse (`brokers.rs`), and headers that fit (`broker/memory.rs`).

use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::brokers::limited;
use crate::support::broker::Broker;
use crate::support::daemon::{Daemon, says};
use crate::support::deadline::within;
use crate::support::scene::Scene;

const MINUTE: Duration = Duration::from_secs(60);
const GOOD: usize = 60;

/// A message with headers of so many times 10 KiB.
fn large(times: usize) -> BasicProperties {
    let mut headers = FieldTable::default();
    for number in 0..times {
        headers.insert(format!("ballast-{number}").into(), AMQPValue::LongString("y".repeat(10_240).into()));
    }
    BasicProperties::default().with_message_id("large".into()).with_headers(headers)
}

/// One that is taken with the next connection, and one that is never taken, which the broker gives up in the end.
pub async fn all(broker: &Broker) {
    within(60, "larger frames", broker.ctl(&["eval", "application:set_env(rabbit, frame_max, 4194304)."])).await;
    taken_with_the_next_connection(broker).await;
    never_taken(broker).await;
}

async fn taken_with_the_next_connection(broker: &Broker) {
    let scene = within(60, "a place", async { Scene::quorum(broker.vhost().await).await }).await;
    around(&scene, 20).await;
    let mut daemon = Daemon::start(&scene.setup());
    within(60, "all created", scene.until_created(GOOD + 1)).await;
    within(60, "a word", daemon.until(|line| says(line, "broker lost") && says(line, "bytes is larger"))).await;
    scene.client.until_empty(&scene.queue(), MINUTE).await;
    let lost = daemon.count(|line| says(line, "broker lost"));
    assert!(lost <= 2, "{lost} connections for one message");
    scene.assert_none_lost_and_doubles_announced(GOOD, &[]);
}

async fn never_taken(broker: &Broker) {
    let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
    limited(&scene, 3).await;
    scene.client.declare_quorum(&scene.dead(), FieldTable::default()).await;
    around(&scene, 60).await;
    let _daemon = Daemon::start(&scene.setup());
    within(120, "all created", scene.until_created(GOOD)).await;
    scene.client.until_empty(&scene.queue(), MINUTE).await;
    scene.client.until_depth(&scene.dead(), 1, MINUTE).await;
    scene.assert_none_lost_and_doubles_announced(GOOD, &[]);
}

/// Good events before and behind one with large headers.
async fn around(scene: &Scene, times: usize) {
    scene.publish(GOOD / 2, 100).await;
    scene.client.publish("", &scene.queue(), b"{}", large(times)).await;
    scene.publish_those(GOOD / 2..GOOD, 100).await;
}
