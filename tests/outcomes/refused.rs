//! An exchange that is deleted under load, and a queue behind it that is full: nothing is lost, nothing stands still that need not,
//! and the API is not asked again.
//!
//! Not here: answers to the queue of `reply_to` (`replies`).

use std::collections::BTreeSet;
use std::time::Duration;

use lapin::types::{AMQPValue, FieldTable};

use crate::stage::{Stage, Told};
use crate::support::broker::eventually;
use crate::support::daemon::{Daemon, says, verb};
use crate::support::deadline::within;
use crate::support::scene::id;

const EVENTS: usize = 60;

/// All that is told until nothing is left: every key has an outcome, what has one id is one outcome, and each event was created once.
async fn all_are_told(stage: &Stage, mut told: Vec<Told>) {
    stage.at_rest().await;
    told.extend(stage.scene.client.drain(&stage.queue()).await.iter().map(Told::of));
    let wanted: BTreeSet<String> = (0..EVENTS).map(id).collect();
    assert_eq!(told.iter().map(Told::subject).collect::<BTreeSet<_>>(), wanted);
    let ids: BTreeSet<(&str, String)> = told.iter().map(|told| (told.id(), told.subject())).collect();
    assert_eq!(ids.len(), EVENTS, "one id for each");
    assert_eq!(stage.scene.api.created().len(), EVENTS, "each is asked for once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_is_deleted_under_load_lets_events_wait_and_loses_none() {
    let stage = Stage::new("", "prefetch = 16").await;
    let mut daemon = stage.daemon().await;
    within(60, "publishing", stage.scene.publish_those(0..20, 50)).await;
    let told = stage.told(20).await;
    stage.delete_exchange().await;
    within(60, "publishing", stage.scene.publish_those(20..EVENTS, 50)).await;
    within(60, "all created", stage.scene.until_created(EVENTS)).await;
    stage.until_metric(&mut daemon, "chakra_bridge_outcomes_waiting", 1.0).await;
    let ready = reqwest::get(format!("{}/readyz", daemon.admin().await)).await.unwrap().text().await.unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let degraded = ready["degraded"].as_array().unwrap();
    assert!(degraded.contains(&"outcomes_waiting".into()) && degraded.contains(&"publishes_refused".into()), "{ready}");
    assert_eq!(stage.scene.client.drain(&stage.queue()).await.len(), 0);
    stage.make_exchange().await;
    stage.bind(&stage.queue(), "#").await;
    all_are_told(&stage, told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_ends_meanwhile_leaves_the_outcomes_to_the_next() {
    let stage = Stage::new("", "prefetch = 16").await;
    stage.delete_exchange().await;
    let mut daemon = stage.daemon().await;
    within(60, "publishing", stage.scene.publish_those(0..EVENTS, 50)).await;
    within(60, "all created", stage.scene.until_created(EVENTS)).await;
    stage.until_metric(&mut daemon, "chakra_bridge_outcomes_waiting", 1.0).await;
    daemon.signal("TERM");
    let (code, _) = within(30, "its end", daemon.ended()).await;
    assert_eq!(code, Some(0));
    stage.make_exchange().await;
    stage.bind(&stage.queue(), "#").await;
    let _next = stage.daemon().await;
    all_are_told(&stage, Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_this_user_may_not_make_is_told_and_events_wait_until_somebody_makes_it() {
    let stage = Stage::new("", "prefetch = 16").await;
    stage.makes_queues().await;
    stage.delete_exchange().await;
    let setup = stage.scene.limited(stage.setup.clone(), ".*").await;
    let daemon = Daemon::consumes(&setup).await;
    assert_eq!(daemon.count(|line| says(line, "this user may not make the exchange: make it by hand")), 1);
    within(60, "publishing", stage.scene.publish_those(0..EVENTS, 50)).await;
    within(60, "all created", stage.scene.until_created(EVENTS)).await;
    stage.make_exchange().await;
    stage.bind(&stage.queue(), "#").await;
    all_are_told(&stage, Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_full_lets_events_wait_until_it_takes_more() {
    let stage = Stage::new("", "prefetch = 16").await;
    stage.scene.client.delete(&stage.queue()).await;
    let mut full = FieldTable::default();
    full.insert("x-max-length".into(), AMQPValue::LongLongInt(5));
    full.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    stage.make_queue(full).await;
    let _daemon = stage.daemon().await;
    within(60, "publishing", stage.scene.publish_those(0..EVENTS, 50)).await;
    within(60, "all created", stage.scene.until_created(EVENTS)).await;
    let mut told: Vec<Told> = Vec::new();
    while told.iter().map(Told::id).collect::<BTreeSet<_>>().len() < EVENTS {
        let has_more = async || stage.scene.client.depth(&stage.queue()).await.is_some_and(|depth| depth.messages > 0);
        eventually(Duration::from_secs(90), "an outcome", has_more).await;
        told.extend(stage.scene.client.drain(&stage.queue()).await.iter().map(Told::of));
    }
    all_are_told(&stage, told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_outcomes_are_not_required_what_cannot_be_told_is_counted_and_passed_over() {
    let stage = Stage::new("required = false", "prefetch = 16").await;
    stage.delete_exchange().await;
    let mut daemon = stage.daemon().await;
    within(60, "publishing", stage.scene.publish_those(0..EVENTS, 50)).await;
    within(60, "all created", stage.scene.until_created(EVENTS)).await;
    let line = "chakra_bridge_outcomes_total{outcome=\"created\",result=\"passed_over\"}";
    stage.until_metric(&mut daemon, line, 60.0).await;
    stage.at_rest().await;
    assert_eq!(stage.scene.api.created().len(), EVENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_routing_key_that_no_queue_takes_holds_up_no_other() {
    let rules = "[[rule]]\nname = \"unbound\"\nwhen = \"event.filler | length > 100\"\nprocedure = \"lead\"\n\
                 data = { event_key = \"{{ key }}\" }\n[[rule]]\nname = \"any\"\nprocedure = \"lead\"\n\
                 data = { event_key = \"{{ key }}\" }\n";
    let stage = Stage::new(rules, "prefetch = 8").await;
    stage.scene.client.delete(&stage.queue()).await;
    stage.scene.client.declare_quorum(&stage.queue(), FieldTable::default()).await;
    stage.bind(&stage.queue(), "any.*").await;
    let _daemon = stage.daemon().await;
    within(60, "publishing", stage.scene.publish_those(0..20, 200)).await;
    within(60, "publishing", stage.scene.publish_those(20..EVENTS, 20)).await;
    let mut told = stage.told(40).await;
    stage.bind(&stage.queue(), "#").await;
    told.extend(stage.told(20).await);
    all_are_told(&stage, told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_online_and_topology_know_the_exchange_and_the_daemon_makes_it() {
    let stage = Stage::new("", "").await;
    stage.delete_exchange().await;
    let said = async |arguments: &[&str], verify: bool| {
        let mut setup = stage.setup.clone();
        if verify {
            setup.broker = setup.broker.replace("topology = \"declare\"", "");
        }
        within(60, "the verb", verb(&setup, arguments)).await.1
    };
    let missing = format!("exchange `{}` is missing", stage.exchange());
    let told = said(&["check", "--online"], true).await;
    assert!(told.contains(&missing) && told.contains("outcomes.exchange"), "{told}");
    let topology = said(&["topology", "--online"], false).await;
    assert!(topology.contains(&format!("\"name\":\"{}\"", stage.exchange())), "{topology}");
    let _daemon = stage.daemon().await;
    let told = said(&["check", "--online"], true).await;
    assert!(!told.contains(&missing) && !told.contains("may not publish to exchange"), "{told}");
    stage.bind(&stage.queue(), "#").await;
    assert_eq!(stage.scene.client.drain(&stage.queue()).await.len(), 0, "asking tells nobody anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_online_says_that_this_user_may_not_write_to_the_exchange() {
    let stage = Stage::new("", "").await;
    stage.makes_queues().await;
    for (write, is_told) in [("^amq\\.default$", true), (".*", false)] {
        let setup = stage.scene.limited(stage.setup.clone(), write).await;
        let (_, told) = within(60, "the check", verb(&setup, &["check", "--online"])).await;
        let words = format!("this user may not publish to exchange `{}`", stage.exchange());
        assert_eq!(told.contains(&words), is_told, "{told}");
    }
}
