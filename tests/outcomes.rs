//! What the producer of an event is told, on a real broker: of each end one outcome, whatever is deleted, full, gone or killed
//! meanwhile; and nothing of what was in the event.
//!
//! Not here: the walks of the machine (`model/outcomes.rs`), and the speed (`bench`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "outcomes/bound.rs"]
mod bound;
#[path = "outcomes/killed.rs"]
mod killed;
#[path = "outcomes/python.rs"]
mod python;
#[path = "outcomes/refused.rs"]
mod refused;
#[path = "outcomes/replies.rs"]
mod replies;
#[path = "outcomes/silent.rs"]
mod silent;
#[path = "outcomes/stage.rs"]
mod stage;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use std::collections::BTreeMap;

use stage::{OUTCOMES, Stage};
use support::deadline::within;
use support::standin::{Canned, Rule};

/// What may stand in no outcome.
const CANARY: &str = "canary-4711";

const RULES: &str = r#"
[[rule]]
name = "noise"
type = "noise"
action = "skip"
[[rule]]
name = "quiet"
type = "quiet"
outcomes = []
procedure = "lead"
data = { event_key = "{{ key }}" }
[[rule]]
name = "case"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", filler = "{{ event.filler }}" }
"#;

fn event(id: &str, kind: &str) -> BasicProperties {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = BTreeMap::from([(ShortString::from("traceparent"), AMQPValue::LongString(trace.into()))]);
    BasicProperties::default().with_message_id(id.into()).with_type(kind.into()).with_headers(FieldTable::from(headers))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_is_told_once_with_what_became_of_the_event_and_nothing_that_was_in_it() {
    let stage = Stage::new(&format!("process_link = \"https://crm.example/p/{{process}}\"\n{RULES}"), "").await;
    stage.scene.api.plan(vec![Rule::always(Canned::new(422)).attribute("event_key", "e2")]);
    let mut daemon = stage.daemon().await;
    let body = format!(r#"{{"filler": "{CANARY}"}}"#);
    for (id, kind) in [("e1", "case"), ("e2", "case"), ("e3", "noise"), ("e4", "quiet")] {
        stage.publish(id, body.as_bytes(), event(id, kind)).await;
    }
    within(60, "two processes", daemon.until_count(2, |line| support::daemon::result(line, "created"))).await;
    stage.publish("e1", body.as_bytes(), event("e1", "case")).await;
    stage.publish("e5", b"no json", event("e5", "case")).await;
    let told = stage.told(5).await;
    let of = |subject: &str, word: &str| {
        let found = told.iter().find(|told| told.subject() == subject && told.routing_key.ends_with(word));
        found.unwrap_or_else(|| panic!("none of {subject} {word}: {told:?}"))
    };
    let created = of("e1", ".created");
    assert_eq!(created.routing_key, "case.created");
    assert_eq!(created.attribute("type"), "com.chakrahq.bridge.process.created");
    assert_eq!(created.attribute("specversion"), "1.0");
    assert_eq!(created.attribute("source"), format!("/chakra-bridge/{}", stage.scene.queue()));
    assert_eq!(created.attribute("traceparent"), created.header("traceparent"));
    assert!(created.header("traceparent").starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{created:?}");
    let process = stage.scene.api.created().into_iter().find(|made| made.key.as_deref() == Some("e1")).unwrap().id;
    assert_eq!(created.data["process_id"].as_str(), Some(process.as_str()));
    assert_eq!(created.data["process_link"].as_str(), Some(&*format!("https://crm.example/p/{process}")));
    assert_eq!(created.data["procedure"], "lead");
    assert_eq!(created.data["attempts"], 1);
    let duplicate = of("e1", ".duplicate");
    assert_eq!(duplicate.data["process_id"], created.data["process_id"]);
    assert_ne!(duplicate.id(), created.id(), "another outcome");
    let dead = of("e2", ".dead-lettered");
    assert_eq!((&dead.data["reason"], &dead.data["status"]), (&"refused".into(), &422.into()));
    assert!(dead.data["text"].is_string() && dead.data["may_exist"] == false);
    assert_eq!(of("e3", ".skipped").routing_key, "noise.skipped");
    assert!(told.iter().any(|told| told.routing_key == "no-rule.dead-lettered"), "{told:?}");
    assert!(told.iter().all(|told| !told.text().contains(CANARY)), "{told:?}");
    assert!(told.iter().all(|told| told.subject() != "e4"), "its rule tells nothing");
    let letter = stage.scene.client.drain(&stage.scene.dead()).await;
    let named = letter.iter().any(|letter| stage::header(&letter.properties, "chakra-bridge-outcome") == dead.id());
    assert!(named, "the letter names its outcome");
    stage.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_put_back_has_a_new_outcome_that_names_the_earlier_one() {
    let stage = Stage::new("", "").await;
    stage.scene.api.plan(vec![Rule::always(Canned::new(422)).times(1)]);
    let _daemon = stage.daemon().await;
    stage.publish("e1", b"{}", event("e1", "case")).await;
    let dead = within(60, "an outcome", stage.told(1)).await.remove(0);
    let letter = stage.scene.client.drain(&stage.scene.dead()).await.remove(0);
    stage.scene.client.publish("", &stage.scene.queue(), &letter.data, letter.properties).await;
    let again = stage.told(1).await.remove(0);
    assert_eq!((dead.word(), again.word()), ("dead-lettered", "created"));
    assert_ne!(dead.id(), again.id());
    assert_eq!(again.data["earlier_outcome"].as_str(), Some(dead.id()));
    assert_eq!((&dead.data["retries"], &again.data["retries"]), (&0.into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_is_bound_to_the_work_queue_goes_round_once() {
    let stage = Stage::new("", "").await;
    let mut daemon = stage.daemon().await;
    stage.bind(&stage.scene.queue(), "#").await;
    stage.publish("e1", b"{}", event("e1", "case")).await;
    // The outcome of the event comes in as an event, which becomes a process too; of that none is told.
    within(60, "two processes", daemon.until_count(2, |line| support::daemon::result(line, "created"))).await;
    stage.at_rest().await;
    assert_eq!(stage.told(1).await.len(), 1);
    assert_eq!(stage.scene.api.created().len(), 2);
    assert_eq!(stage.scene.client.depth(&stage.scene.place.name_of(OUTCOMES)).await.unwrap().messages, 0);
}
