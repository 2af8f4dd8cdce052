//! The broker goes away, in every way, and comes back: nothing is lost, and doubles are announced.
//!
//! Not here: a broker that refuses from the start (`topology.rs`).

use std::time::Duration;

use lapin::types::FieldTable;

use super::scene::Scene;
use crate::support::broker::{Broker, shared};
use crate::support::daemon::{announced, says};
use crate::support::deadline::within;
use crate::support::standin::{Fault, Rule};

const EVENTS: usize = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_three_times_loses_nothing_and_doubles_nothing_silently() {
    let broker = within(240, "a broker", Broker::private()).await;
    let scene = within(60, "a place", async { Scene::quorum(broker.vhost().await).await }).await;
    within(60, "publishing", scene.publish(EVENTS, 300)).await;
    within(60, "the queue on disk", broker.settle()).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 20 })]);
    let mut daemon = scene.daemon();
    within(60, "consuming", daemon.consuming()).await;
    for round in 1..=3 {
        within(120, "progress", scene.until_created(round * EVENTS / 5)).await;
        broker.kill9().await;
        within(60, "a word about it", daemon.until_count(round, |line| says(line, "broker lost"))).await;
        within(60, "the broker again", broker.restart()).await;
        within(60, "consuming again", daemon.until_count(round + 1, |line| says(line, "consuming"))).await;
    }
    within(180, "all created", scene.until_created(EVENTS)).await;
    let client = within(60, "a client", scene.place.client()).await;
    client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    daemon.signal("TERM");
    let (code, log) = within(60, "its end", daemon.ended()).await;
    assert_eq!(code, Some(0));
    let already_created = log.iter().filter(|line| line["result"] == "already_created").count();
    let extra = scene.api.lookup(|books| books.created.len()) - EVENTS;
    println!("recognised copies: {already_created}, extra creates: {extra}, announced: {}", announced(&log).len());
    scene.assert_none_lost_and_doubles_announced(EVENTS, &announced(&log));
    assert_eq!(client.depth(&scene.dead()).await.unwrap().messages, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_connections_are_made_again() {
    let broker = within(240, "a broker", Broker::private()).await;
    let scene = within(60, "a place", async { Scene::quorum(broker.vhost().await).await }).await;
    let mut daemon = scene.daemon();
    within(60, "consuming", daemon.consuming()).await;
    within(60, "closing", broker.close_all_connections()).await;
    within(60, "consuming again", daemon.until_count(2, |line| says(line, "consuming"))).await;
    let again = within(60, "a client", Scene::empty(broker.vhost().await)).await;
    drop(again);
    let client = within(60, "a client", scene.place.client()).await;
    client.publish("", &scene.queue(), b"{}", lapin::BasicProperties::default().with_message_id("m".into())).await;
    within(60, "the event", scene.until_created(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_broker_is_noticed_by_its_heartbeat() {
    let broker = within(240, "a broker", Broker::private()).await;
    let scene = within(60, "a place", async { Scene::quorum(broker.vhost().await).await }).await;
    let mut daemon = crate::support::daemon::Daemon::start(&scene.setup().broker("heartbeat = \"2s\""));
    within(60, "consuming", daemon.consuming()).await;
    within(10, "freezing", broker.freeze()).await;
    within(60, "a word about it", daemon.until(|line| says(line, "broker lost"))).await;
    within(10, "thawing", broker.thaw()).await;
    within(60, "consuming again", daemon.until_count(2, |line| says(line, "consuming"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_was_deleted_is_asked_for_until_it_is_there_again() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let mut daemon = scene.daemon();
    within(60, "consuming", daemon.consuming()).await;
    scene.client.delete(&scene.queue()).await;
    let told = daemon.until(|line| says(line, "broker lost") && says(line, "missing") && says(line, &scene.queue()));
    within(60, "a word about it", told).await;
    scene.client.declare_quorum(&scene.queue(), FieldTable::default()).await;
    scene.publish(10, 100).await;
    within(60, "all created", scene.until_created(10)).await;
}

/// Less than one buffer of the client library.
const GROWS_KIB: u64 = 3 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_made_again_and_again_take_no_more_memory_than_the_first() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let mut daemon = scene.daemon();
    within(60, "consuming", daemon.consuming()).await;
    let first = daemon.peak_memory_kib();
    scene.client.delete(&scene.queue()).await;
    within(120, "many connections", daemon.until_count(6, |line| says(line, "broker lost"))).await;
    let peak = daemon.peak_memory_kib();
    assert!(peak < first + GROWS_KIB, "{first} KiB, then {peak} KiB");
}
