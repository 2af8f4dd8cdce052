//! Faults of the broker itself, one after the other, on every version that is supported: each keeps the promise, and is
//! told in words.
//!
//! Not here: the network between (`faults.rs`), and a cluster (`cluster.rs`).

use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::Value;
use tokio::task::JoinSet;

use super::garble::{self, WORD};
use super::{SECTIONS, alarms, frames};
use crate::support::broker::{Broker, Client};
use crate::support::daemon::{Daemon, result, says};
use crate::support::deadline::within;
use crate::support::scene::{Scene, id};
use crate::support::standin::{Canned, Fault, Rule};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn on_the_broker_that_is_here() {
    let broker = within(240, "a broker", Broker::private()).await;
    all(&broker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_rabbitmq_4_0() {
    if let Some(broker) = within(240, "a broker", Broker::image("rabbitmq:4.0-management")).await {
        all(&broker).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_rabbitmq_4_3() {
    if let Some(broker) = within(240, "a broker", Broker::image("rabbitmq:4-management")).await {
        all(&broker).await;
    }
}

/// In turn, because some of them concern the whole broker.
async fn all(broker: &Broker) {
    println!("RabbitMQ {}", broker.version());
    blocked(broker).await;
    Box::pin(alarms::all(broker)).await;
    full_dead_letter_queue(broker).await;
    missing_dead_letter_queue(broker).await;
    permission_withdrawn(broker).await;
    deleted_queue(broker).await;
    unparsable(broker).await;
    frames::all(broker).await;
    delivery_limit(broker).await;
    consumer_timeout(broker).await;
}

async fn scene(broker: &Broker) -> Scene {
    within(60, "a place", async { Scene::quorum(broker.vhost().await).await }).await
}

async fn start(scene: &Scene) -> Daemon {
    start_with(scene, "").await
}

/// A daemon with more of `[broker]`.
pub async fn start_with(scene: &Scene, more: &str) -> Daemon {
    let setup = scene.setup().sections(SECTIONS).impatient();
    let mut daemon = Daemon::start(&setup.broker("call_timeout = \"2s\"\nprefetch = 20").broker(more));
    within(60, "consuming", daemon.consuming()).await;
    daemon
}

/// Events that no rule can map, with the ids from `e<first>` on.
pub async fn publish_bad(client: &Client, queue: &str, first: usize, count: usize) {
    for number in first..first + count {
        let properties = BasicProperties::default().with_message_id(id(number).into());
        client.publish("", queue, b"not json", properties).await;
    }
}

/// An alarm on the broker: what needs no publish goes on, even for a daemon that starts meanwhile.
async fn blocked(broker: &Broker) {
    let scene = scene(broker).await;
    scene.publish(20, 100).await;
    publish_bad(&scene.client, &scene.queue(), 20, 1).await;
    broker.memory_alarm(true).await;
    let mut daemon = start(&scene).await;
    within(60, "all created", scene.until_created(20)).await;
    within(60, "a word", daemon.until(|line| says(line, "the broker blocks whoever publishes"))).await;
    assert_eq!(scene.client.depth(&scene.dead()).await.unwrap().messages, 0);
    broker.memory_alarm(false).await;
    scene.client.until_depth(&scene.dead(), 1, MINUTE).await;
    scene.place.until_unacked(&scene.queue(), 0, MINUTE).await;
    scene.assert_none_lost_and_doubles_announced(20, &[]);
}

/// What does not fit stays unacknowledged, and the rest goes on. A quorum queue takes more than its length before it refuses, and how
/// many is its own affair: one at a time goes in until the first is refused.
async fn full_dead_letter_queue(broker: &Broker) {
    let scene = scene(broker).await;
    scene.client.delete(&scene.dead()).await;
    let mut small = FieldTable::default();
    small.insert("x-max-length".into(), AMQPValue::LongInt(1));
    small.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    scene.client.declare_quorum(&scene.dead(), small).await;
    let mut daemon = start(&scene).await;
    let is_refused = |line: &Value| says(line, "publish refused") && says(line, "full");
    let mut bad = 0;
    within(60, "a word", async {
        while daemon.count(is_refused) == 0 {
            publish_bad(&scene.client, &scene.queue(), 20 + bad, 1).await;
            bad += 1;
            daemon.until_count(bad, |line| result(line, "dead_lettered") || is_refused(line)).await;
        }
    })
    .await;
    scene.publish(20, 100).await;
    within(60, "all created", scene.until_created(20)).await;
    let mut dead_letters = Vec::new();
    within(120, "all letters", async {
        while dead_letters.len() < bad {
            dead_letters.extend(scene.client.drain(&scene.dead()).await);
            tokio::time::sleep(Duration::from_millis(200)).await; // tidy: allow sleep, the queue is emptied again and again
        }
    })
    .await;
    scene.place.until_unacked(&scene.queue(), 0, MINUTE).await;
    scene.assert_none_lost_and_doubles_announced(20, &[]);
}

async fn missing_dead_letter_queue(broker: &Broker) {
    let scene = scene(broker).await;
    let mut daemon = start(&scene).await;
    scene.client.delete(&scene.dead()).await;
    publish_bad(&scene.client, &scene.queue(), 0, 1).await;
    within(60, "a word", daemon.until(|line| says(line, "publish refused") && says(line, "no such queue"))).await;
    scene.client.declare_quorum(&scene.dead(), FieldTable::default()).await;
    scene.client.until_depth(&scene.dead(), 1, MINUTE).await;
    scene.place.until_unacked(&scene.queue(), 0, MINUTE).await;
}

/// All rights on a vhost withdrawn while events flow: told, and all is well once they are given back.
async fn permission_withdrawn(broker: &Broker) {
    let scene = scene(broker).await;
    let user = reqwest::Url::parse(&scene.place.url).unwrap().username().to_owned();
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 200 })]);
    let mut daemon = start(&scene).await;
    scene.publish(400, 100).await;
    within(60, "some of them", scene.until_created(40)).await;
    broker.ctl(&["clear_permissions", "-p", &scene.place.name, &user]).await;
    broker.close_all_connections().await;
    within(60, "a word", daemon.until(|line| says(line, "broker lost") && says(line, "closed to this user"))).await;
    broker.ctl(&["set_permissions", "-p", &scene.place.name, &user, ".*", ".*", ".*"]).await;
    within(120, "all created", scene.until_created(400)).await;
    let client = within(60, "a client", scene.place.client()).await;
    client.until_empty(&scene.queue(), MINUTE).await;
    scene.place.until_unacked(&scene.queue(), 0, MINUTE).await;
    scene.assert_none_lost_and_doubles_announced(400, &[]);
}

async fn deleted_queue(broker: &Broker) {
    let scene = scene(broker).await;
    let mut daemon = start(&scene).await;
    scene.client.delete(&scene.queue()).await;
    within(60, "a word", daemon.until(|line| says(line, "broker lost") && says(line, "missing in the broker"))).await;
    scene.client.declare_quorum(&scene.queue(), FieldTable::default()).await;
    scene.publish(20, 100).await;
    within(60, "all created", scene.until_created(20)).await;
    scene.assert_none_lost_and_doubles_announced(20, &[]);
}

/// A message that the client library cannot parse costs the connection each time. One event at a time is taken then, so
/// that only the culprit ages, until the broker's delivery limit takes it out.
async fn unparsable(broker: &Broker) {
    const GOOD: usize = 60;
    let scene = scene(broker).await;
    scene.client.delete(&scene.queue()).await;
    limited(&scene, 3).await;
    let mut running = JoinSet::new();
    let way = garble::way(scene.listens(), &mut running).await;
    let client = within(60, "a client", Client::connect(&scene.by_way_of(way))).await;
    scene.publish(GOOD / 2, 100).await;
    client.publish("", &scene.queue(), b"{}", BasicProperties::default().with_message_id(WORD.into())).await;
    client.close().await;
    scene.publish_those(GOOD / 2..GOOD, 100).await;
    let mut daemon = start(&scene).await;
    within(60, "a word", daemon.until(|line| says(line, "broker lost") && says(line, "cannot parse"))).await;
    within(120, "all created", scene.until_created(GOOD)).await;
    scene.client.until_empty(&scene.queue(), MINUTE).await;
    scene.client.until_depth(&scene.dead(), 1, MINUTE).await;
    scene.assert_none_lost_and_doubles_announced(GOOD, &[]);
}

/// The queue with a delivery limit, and the dead-letter queue behind it.
pub async fn limited(scene: &Scene, limit: i32) {
    let mut arguments = FieldTable::default();
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(limit));
    for (name, value) in [
        ("x-dead-letter-exchange", String::new()),
        ("x-dead-letter-routing-key", scene.dead()),
        ("x-dead-letter-strategy", "at-least-once".to_owned()),
        ("x-overflow", "reject-publish".to_owned()),
    ] {
        arguments.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    scene.client.declare_quorum(&scene.queue(), arguments).await;
}

/// What the broker gives up is a dead letter of its own, and that a limit is low is told at the start.
async fn delivery_limit(broker: &Broker) {
    const EVENTS: usize = 10;
    let scene = scene(broker).await;
    scene.client.delete(&scene.queue()).await;
    limited(&scene, 1).await;
    scene.api.plan(vec![Rule::always(Fault::NeverAnswer)]);
    scene.publish(EVENTS, 100).await;
    for _ in 0..2 {
        let before = scene.api.requests().len();
        let daemon = start(&scene).await;
        let told = daemon.count(|line| says(line, "warning:") && line["argument"] == "x-delivery-limit");
        assert_eq!(told, 1, "the delivery limit is told");
        within(60, "some unacknowledged", scene.api.until(|books| books.requests.len() > before)).await;
        daemon.signal("KILL");
        within(20, "its end", daemon.ended()).await;
    }
    scene.client.until_depth(&scene.dead(), 10, MINUTE).await;
    assert_eq!(scene.client.depth(&scene.queue()).await.unwrap().messages, 0);
}

/// An unacknowledged event for longer than the broker allows: it takes it back, and it is one process all the same.
async fn consumer_timeout(broker: &Broker) {
    const EVENTS: usize = 5;
    broker.ctl(&["eval", "application:set_env(rabbit, channel_tick_interval, 1000)."]).await;
    broker.ctl(&["eval", "application:set_env(rabbit, consumer_timeout, 4000)."]).await;
    let scene = scene(broker).await;
    let locked = Canned::new(423).retry_after("8");
    scene.api.plan(vec![Rule::always(locked).times(EVENTS as u64)]);
    let mut daemon = start(&scene).await;
    scene.publish(EVENTS, 100).await;
    within(120, "a word", daemon.until(|line| says(line, "broker lost") && says(line, "consumer timeout"))).await;
    within(120, "all created", scene.until_created(EVENTS)).await;
    scene.client.until_empty(&scene.queue(), MINUTE).await;
    scene.place.until_unacked(&scene.queue(), 0, MINUTE).await;
    scene.assert_none_lost_and_doubles_announced(EVENTS, &[]);
}
