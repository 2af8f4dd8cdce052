//! Events that the broker gives back: often, they may be what a process dies of; by connections that were lost, they are not. And
//! one that a newer daemon delayed, which this one passes on as it came.
//!
//! Not here: what the machine makes of each (`core::delivery`).

use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::scene::Scene;
use crate::support::broker::{Broker, shared};
use crate::support::daemon::{Daemon, Setup, result, says};
use crate::support::deadline::within;
use crate::support::relay::Relay;
use crate::support::standin::{Fault, Rule, StandIn};

const MINUTE: Duration = Duration::from_secs(60);
/// As many as make an event suspect where it can be delayed.
const RETURNS: usize = 5;
/// What a newer daemon wrote, which nobody here can read.
const OF_A_NEWER: &str =
    r#"{"v":9,"exchange":"crm","routing_key":"case.opened","first_seen_ms":7,"journey":"unknown here"}"#;

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

async fn scene(broker: &Broker) -> Scene {
    within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await
}

/// A daemon that has made its queues.
async fn consumes(setup: &Setup) -> Daemon {
    Daemon::consumes(&setup.clone().broker("topology = \"declare\"")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_connection_is_lost_again_and_again_is_one_process_and_not_suspected() {
    lost_connections(within(240, "a broker", shared()).await).await;
}

pub(super) async fn lost_connections(broker: &Broker) {
    let scene = scene(broker).await;
    let relay = Relay::start(scene.listens()).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 20_000 })]);
    let setup = Setup { amqp: scene.by_way_of(relay.address().port()), ..scene.setup() };
    let mut daemon = consumes(&setup).await;
    scene.publish(3, 100).await;
    within(60, "all under way", scene.api.until(|books| books.requests.len() == 3)).await;
    for lost in 1..=RETURNS + 1 {
        relay.cut();
        within(60, "a word", daemon.until_count(lost, |line| says(line, "broker lost"))).await;
        within(60, "consuming again", daemon.until_count(lost + 1, |line| line["message"] == "consuming")).await;
    }
    within(60, "all created", scene.until_created(3)).await;
    scene.client.until_empty(&scene.queue(), MINUTE).await;
    scene.place.until_unacked(&scene.queue(), 0, MINUTE).await;
    assert_eq!(daemon.count(|line| result(line, "dead_lettered") || line["reason"] == "crashed"), 0);
    assert!(scene.processes().values().all(|times| *times == 1), "{:?}", scene.processes());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_process_after_process_died_with_is_set_aside_and_its_end_is_told() {
    killed_processes(within(240, "a broker", shared()).await).await;
}

pub(super) async fn killed_processes(broker: &Broker) {
    let scene = scene(broker).await;
    // Refused before anything is done, so that nothing is in doubt.
    scene.api.set_tokens(&["another"]);
    for life in 0..RETURNS {
        let mut daemon = consumes(&scene.setup()).await;
        if life == 0 {
            scene.publish(1, 100).await;
        }
        within(60, "a try", daemon.until(|line| says(line, "try failed"))).await;
        daemon.signal("KILL");
        within(20, "its end", daemon.ended()).await;
    }
    scene.api.set_tokens(&[StandIn::TOKEN]);
    let mut daemon = consumes(&scene.setup()).await;
    let aside = within(60, "it is set aside", daemon.until(|line| result(line, "delayed"))).await;
    assert_eq!(aside["reason"], "crashed", "{aside}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_newer_daemon_that_cannot_be_delayed_keeps_its_route_and_its_header_on_the_broker() {
    of_a_newer_daemon(within(240, "a broker", shared()).await).await;
}

pub(super) async fn of_a_newer_daemon(broker: &Broker) {
    let scene = within(60, "a place", async { Scene::quorum(broker.vhost().await).await }).await;
    let mut daemon = Daemon::consumes(&scene.setup()).await;
    let mut headers = FieldTable::default();
    headers.insert("chakra-bridge-journey".into(), text(OF_A_NEWER));
    let properties = BasicProperties::default().with_message_id("m".into()).with_headers(headers);
    scene.client.publish("", &scene.queue(), b"{}", properties).await;
    within(60, "its end", daemon.until(|line| result(line, "dead_lettered"))).await;
    scene.client.until_depth(&scene.dead(), 1, MINUTE).await;
    let letters = scene.client.drain(&scene.dead()).await;
    let headers = letters[0].properties.headers().as_ref().unwrap().inner();
    for (name, value) in [
        ("chakra-bridge-reason", "undecodable"),
        ("chakra-bridge-exchange", "crm"),
        ("chakra-bridge-routing-key", "case.opened"),
        ("chakra-bridge-journey", OF_A_NEWER),
    ] {
        assert_eq!(headers[name], text(value), "{name}");
    }
    assert_eq!((scene.api.requests().len(), letters[0].data.as_slice()), (0, &b"{}"[..]));
}
