//! Dead letters that somebody puts back on the work queue, by each way that people take: they are looked up first, matched by
//! the route of their event, and keep that route if they die again.
//!
//! Not here: what the machine makes of them (`core::delivery`).

use std::time::Duration;

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::json;

use super::scene::Scene;
use crate::support::broker::shared;
use crate::support::daemon::{Daemon, result};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule};

const MINUTE: Duration = Duration::from_secs(60);

/// The rule matches on the routing key that the events were published with.
const RULES: &str = r#"
[[rule]]
name = "sought"
type = "lead.*"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}" }
"#;

fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

/// Events that were published over an exchange of their own, and died.
async fn died(scene: &Scene, daemon: &mut Daemon, ids: &[&str]) -> Vec<Delivery> {
    let channel = scene.client.connection().create_channel().await.unwrap();
    let exchange = lapin::ExchangeKind::Topic;
    channel
        .exchange_declare("crm".into(), exchange, ExchangeDeclareOptions::default(), FieldTable::default())
        .await
        .unwrap();
    let bind = channel.queue_bind(
        scene.queue().into(),
        "crm".into(),
        "lead.#".into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bind.await.unwrap();
    scene.api.plan(vec![Rule::always(Canned::new(422))]);
    within(60, "consuming", daemon.consuming()).await;
    for id in ids {
        let properties = BasicProperties::default().with_message_id((*id).into());
        scene.client.publish("crm", "lead.new", b"{}", properties).await;
    }
    let dead = u32::try_from(ids.len()).unwrap();
    scene.client.until_depth(&scene.dead(), dead, MINUTE).await;
    scene.client.drain(&scene.dead()).await
}

/// Publishes a dead letter as it is, over the default exchange.
async fn publish(scene: &Scene, queue: &str, letter: &Delivery) {
    scene.client.publish("", queue, &letter.data, letter.properties.clone()).await;
}

/// A queue that the broker empties at once, into the work queue.
async fn hop(scene: &Scene) -> &'static str {
    let mut arguments = FieldTable::default();
    arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(0));
    arguments.insert("x-dead-letter-exchange".into(), long(""));
    arguments.insert("x-dead-letter-routing-key".into(), long(&scene.queue()));
    scene.client.declare_classic("hop", arguments).await;
    "hop"
}

async fn scene() -> Scene {
    within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await
}

fn start(scene: &Scene) -> Daemon {
    Daemon::start(&scene.setup().sections(RULES))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_put_back_by_hand_or_by_a_hop_is_looked_up_and_makes_one_process() {
    let scene = scene().await;
    let mut daemon = start(&scene);
    let letters = within(120, "dead letters", died(&scene, &mut daemon, &["by-hand", "by-hop", "there"])).await;
    let asked = scene.api.requests().len();
    scene.api.plan(Vec::new());
    scene.api.lookup(|books| assert!(books.created.is_empty()));
    publish(&scene, &scene.queue(), &letters[0]).await;
    publish(&scene, hop(&scene).await, &letters[1]).await;
    within(60, "two processes", scene.until_created(2)).await;
    within(60, "both", daemon.until_count(2, |line| result(line, "created"))).await;
    let requests = scene.api.requests();
    let first = requests[asked].path.clone();
    assert!(!first.ends_with("/process"), "a lookup goes first: {first}");
    // Put back once more although it is a process now: nothing is created beside it.
    publish(&scene, &scene.queue(), &letters[0]).await;
    within(60, "found", daemon.until(|line| result(line, "found"))).await;
    assert!(scene.processes().values().all(|times| *times == 1), "{:?}", scene.processes());
    assert!(!daemon.log().iter().any(|line| line["reason"] == "no_rule"), "matched by its own route");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_dies_again_keeps_the_route_of_its_event() {
    let scene = scene().await;
    let mut daemon = start(&scene);
    let letters = within(120, "dead letters", died(&scene, &mut daemon, &["m1", "m2"])).await;
    publish(&scene, &scene.queue(), &letters[0]).await;
    publish(&scene, hop(&scene).await, &letters[1]).await;
    scene.client.until_depth(&scene.dead(), 2, MINUTE).await;
    for letter in scene.client.drain(&scene.dead()).await {
        let headers = letter.properties.headers().as_ref().unwrap().inner();
        assert_eq!(headers["chakra-bridge-exchange"], long("crm"));
        assert_eq!(headers["chakra-bridge-routing-key"], long("lead.new"));
        assert_eq!(headers["chakra-bridge-reason"], long("refused"));
        assert_eq!(headers.get("x-death"), None, "the note of the hop is no longer true");
    }
}

/// The management page's *Move messages* is this plugin too.
#[tokio::test(flavor = "multi_thread")]
async fn a_shovel_moves_them_and_they_are_looked_up_too() {
    let scene = scene().await;
    let mut daemon = start(&scene);
    let letters = within(120, "dead letters", died(&scene, &mut daemon, &["m1", "m2"])).await;
    for letter in &letters {
        publish(&scene, &scene.dead(), letter).await;
    }
    scene.api.plan(Vec::new());
    let value = json!({"value": {
        "src-protocol": "amqp091", "src-uri": scene.place.url, "src-queue": scene.dead(),
        "dest-protocol": "amqp091", "dest-uri": scene.place.url, "dest-queue": scene.queue(),
        "src-delete-after": "queue-length",
    }});
    if !scene.place.make_shovel("retry", value).await {
        println!("skipped: this broker has no shovel");
        return;
    }
    within(90, "two processes", scene.until_created(2)).await;
    within(60, "both", daemon.until_count(2, |line| result(line, "created"))).await;
    assert!(scene.processes().values().all(|times| *times == 1), "{:?}", scene.processes());
}
