//! Other rules come while events are on their way: what is unacknowledged ends by the rules that it began with.
//!
//! Not here: reading them from a file (`reload`), and a real daemon (`reload.rs`).

use std::time::Duration;

use chakra_bridge::core::delayed_state::DelayedState;
use chakra_bridge::core::lookup::Lookup;
use chakra_bridge::core::message::Message;
use chakra_bridge::core::process::Procedure;
use chakra_bridge::core::progress::Progress;
use chakra_bridge::core::settlement::Settlement;

use super::dispatcher::{Session, Stage, again, event, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

/// The name that each created process carries, in their order.
fn names(dispatcher: &Stage) -> Vec<String> {
    let bodies = dispatcher.api.created().into_iter().map(|created| created.body);
    let names = bodies.map(|body| serde_json::from_str::<serde_json::Value>(&body).unwrap()["data"]["name"].clone());
    names.map(|name| name.as_str().unwrap_or_default().to_owned()).collect()
}

/// The rule `lookup_target` looks by another attribute from now on.
fn looks_elsewhere(dispatcher: &Stage) {
    dispatcher.reload(
        "reconcile_by = \"event_key\"\ndata = { event_key = \"{{ key }}\" }",
        "reconcile_by = \"id\"\ndata = { id = \"{{ key }}\", event_key = \"{{ key }}\" }",
    );
}

/// Waits until so many requests are under way.
async fn until_in_flight(dispatcher: &Stage, count: u64) {
    let reached = async {
        while dispatcher.level("api_requests_in_flight") != count {
            tokio::task::yield_now().await;
        }
    };
    within(10, "its requests", reached).await;
}

#[tokio::test]
async fn what_comes_back_to_other_rules_is_looked_up_where_it_was_sent() {
    let (dispatcher, mut session, old) = (Stage::new().await, Session::new(), Session::new());
    dispatcher.api.set_lag(Duration::from_secs(1));
    dispatcher.api.plan(vec![Rule::always(Fault::CreateThenReset)]);
    dispatcher.send(&old, 1, event("m1", "sought", "{}")).await;
    within(10, "its create", dispatcher.api.until(|books| !books.created.is_empty())).await;
    dispatcher.paused.send_replace(true);
    until_in_flight(&dispatcher, 0).await;
    drop(old);
    dispatcher.disconnected().await;
    looks_elsewhere(&dispatcher);
    dispatcher.send(&session, 2, again(event("m1", "sought", "{}"))).await;
    dispatcher.paused.send_replace(false);
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    assert_eq!(dispatcher.api.created().len(), 1, "found by the attribute that it was sent with");
}

#[tokio::test]
async fn what_was_not_found_where_it_was_sent_is_looked_up_where_its_next_create_goes() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::CreateThenReset)]);
    let elsewhere =
        Lookup { procedure: Procedure::new("lead").unwrap(), attribute: "old_key".into(), value: "m1".into() };
    let delayed_state = DelayedState { sent: Some(elsewhere), ..DelayedState::default() }.encode();
    dispatcher.send(&session, 1, Message { delayed_state: Some(delayed_state), ..event("m1", "sought", "{}") }).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    assert_eq!(dispatcher.api.created().len(), 1, "found by the attribute of its only create");
}

#[tokio::test]
async fn an_event_whose_request_is_under_way_or_waits_for_its_retry_ends_by_its_old_rule() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(423)).times(3), Rule::always(Fault::Delay { ms: 300 })]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    within(10, "its first try", dispatcher.api.until(|books| !books.requests.is_empty())).await;
    dispatcher.reload("{{ event.name }}", "new {{ event.name }}");
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    dispatcher.send(&session, 2, lead("m2", "Robin")).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    assert_eq!(names(&dispatcher), ["Ted", "new Robin"]);
}

#[tokio::test]
async fn a_rule_that_lookups_up_elsewhere_since_a_reload_is_unverified_until_its_own_create_is_found() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    let check_result = || dispatcher.metrics.text().contains("chakra_bridge_lookup_verified{rule=\"sought\"} 1");
    let proves = async || {
        while !check_result() {
            tokio::task::yield_now().await;
        }
    };
    dispatcher.send(&session, 1, event("m1", "sought", "{}")).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    within(10, "its check", proves()).await;
    dispatcher.reload("name = \"noise\"", "name = \"another\"");
    looks_elsewhere(&dispatcher);
    let unverified = async {
        while check_result() {
            tokio::task::yield_now().await;
        }
    };
    within(10, "the new rules", unverified).await;
    dispatcher.send(&session, 2, event("m2", "sought", "{}")).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    within(10, "its check", proves()).await;
}

#[tokio::test]
async fn a_rule_that_is_gone_shows_no_lookup_any_more_and_its_counts_stay() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.send(&session, 1, event("m1", "sought", "{}")).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    dispatcher.reload("name = \"sought\"", "name = \"wanted\"");
    let shown = |line: &str| dispatcher.metrics.text().contains(line);
    let renewed = async {
        while !shown("lookup_verified{rule=\"wanted\"} 0") {
            tokio::task::yield_now().await;
        }
    };
    within(10, "the new rules", renewed).await;
    assert!(!shown("lookup_verified{rule=\"sought\"}"));
    assert!(shown("settled_total{result=\"created\",rule=\"sought\",reason=\"\"} 1"));
    assert!(shown("settled_total{result=\"created\",rule=\"wanted\",reason=\"\"} 0"));
}

#[tokio::test]
async fn what_no_rule_takes_any_more_says_that_it_may_be_a_process() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    for unsure in [0, 1] {
        let progress = Progress { unsure_creates: unsure, ..Progress::default() };
        let delayed_state = DelayedState { progress, ..DelayedState::default() }.encode();
        dispatcher
            .send(&session, 1, Message { delayed_state: Some(delayed_state), ..event("m1", "of old", "{}") })
            .await;
        let dead_letter = within(10, "its letter", session.dead_letter()).await;
        assert_eq!(dead_letter.fault.reason.as_str(), "no_rule");
        assert_eq!(dead_letter.fault.text.contains("may be a process"), unsure > 0, "{}", dead_letter.fault.text);
    }
}
