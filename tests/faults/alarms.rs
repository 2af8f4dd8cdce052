//! A broker under an alarm accepts no publishes: what needs none is delivered, by a daemon that starts meanwhile too, and
//! log and `/readyz` say it at once.
//!
//! Not here: other faults of the broker (`brokers.rs`).

use std::time::Duration;

use lapin::types::FieldTable;
use serde_json::Value;

use super::brokers::{publish_bad, start_with};
use crate::support::broker::{Broker, eventually};
use crate::support::daemon::{Daemon, says, verb};
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::standin::{Canned, Rule};

const MINUTE: Duration = Duration::from_secs(60);
/// How long it may take until the alarm is told, from the publish that meets it. A round trip; the rest is a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Both laws, in a place with delay queues.
pub async fn all(broker: &Broker) {
    let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
    for queue in [scene.queue(), scene.dead()] {
        scene.client.declare_quorum(&queue, FieldTable::default()).await;
    }
    let mut daemon = start_with(&scene, "topology = \"declare\"").await;
    meets(broker, &scene, &mut daemon).await;
    daemon.signal("TERM");
    within(60, "its end", daemon.ended()).await;
    keeps_its_letter(broker, &scene).await;
    starts(broker, &scene).await;
}

/// What is retried during the alarm says why it is not, and stays a dead letter.
async fn keeps_its_letter(broker: &Broker, scene: &Scene) {
    let setup = scene.setup().broker("call_timeout = \"2s\"");
    broker.memory_alarm(true).await;
    let words = ["dead-letters", "retry", "--yes-count-one", "--from", "a-test"];
    let (code, said) = within(60, "the retry", verb(&setup, &words)).await;
    assert!(code != Some(0) && said.contains("it has an alarm, for memory or disk"), "{said}");
    broker.memory_alarm(false).await;
    scene.client.until_depth(&scene.dead(), 1, MINUTE).await;
}

async fn details(admin: &str) -> (u16, Value) {
    let answer = reqwest::get(format!("{admin}/readyz")).await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

async fn until_degraded(admin: &str, is_blocked: bool, deadline: Duration) {
    eventually(deadline, "a word in /readyz", async || {
        let (status, told) = details(admin).await;
        let names = told["degraded"].as_array().unwrap();
        status == 200
            && names.iter().any(|name| name == "broker_blocked") == is_blocked
            && told["broker_blocked"].is_string() == is_blocked
    })
    .await;
}

/// A running daemon meets the alarm at its first dead letter.
async fn meets(broker: &Broker, scene: &Scene, daemon: &mut Daemon) {
    let admin = within(60, "its port", daemon.admin()).await;
    until_degraded(&admin, false, MINUTE).await;
    // Who publishes is blocked too: the event is there before the alarm, and its refusal comes after it, whenever that is.
    scene.api.plan(vec![Rule::always(Canned::new(423))]);
    scene.publish(1, 100).await;
    within(60, "the request", scene.api.until(|books| !books.requests.is_empty())).await;
    broker.memory_alarm(true).await;
    scene.api.plan(vec![Rule::always(Canned::new(422))]);
    within(60, "the refusal", scene.api.until(|books| books.requests.iter().any(|seen| seen.status == Some(422))))
        .await;
    until_degraded(&admin, true, AT_ONCE).await;
    assert_eq!(daemon.count(|line| says(line, "the broker blocks whoever publishes")), 1);
    broker.memory_alarm(false).await;
    until_degraded(&admin, false, MINUTE).await;
    scene.client.until_depth(&scene.dead(), 1, MINUTE).await;
    scene.api.plan(Vec::new());
}

/// A daemon that starts during the alarm consumes.
async fn starts(broker: &Broker, scene: &Scene) {
    scene.publish(20, 100).await;
    publish_bad(&scene.client, &scene.queue(), 20, 1).await;
    broker.memory_alarm(true).await;
    let mut daemon = start_with(scene, "topology = \"verify\"").await;
    let admin = within(60, "its port", daemon.admin()).await;
    until_degraded(&admin, true, AT_ONCE).await;
    within(60, "all created", scene.until_created(20)).await;
    assert_eq!(daemon.count(|line| says(line, "broker lost")), 0);
    broker.memory_alarm(false).await;
    until_degraded(&admin, false, MINUTE).await;
    scene.client.until_depth(&scene.dead(), 2, MINUTE).await;
}
