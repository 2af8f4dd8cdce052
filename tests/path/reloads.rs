//! Other rules come while events are on their way: what is in hand ends by the rules that it began with.
//!
//! Not here: reading them from a file (`reload`), and a real daemon (`reload.rs`).

use std::time::Duration;

use chakra_bridge::core::delayed_state::Travel;
use chakra_bridge::core::lookup::Look;
use chakra_bridge::core::message::Message;
use chakra_bridge::core::process::Procedure;
use chakra_bridge::core::progress::Journey;
use chakra_bridge::core::settlement::Settlement;

use super::corridor::{Corridor, Shore, again, event, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

/// The name that each created process carries, in their order.
fn names(corridor: &Corridor) -> Vec<String> {
    let bodies = corridor.api.created().into_iter().map(|created| created.body);
    let names = bodies.map(|body| serde_json::from_str::<serde_json::Value>(&body).unwrap()["data"]["name"].clone());
    names.map(|name| name.as_str().unwrap_or_default().to_owned()).collect()
}

/// The rule `sought` looks by another attribute from now on.
fn looks_elsewhere(corridor: &Corridor) {
    corridor.reload(
        "reconcile_by = \"event_key\"\ndata = { event_key = \"{{ key }}\" }",
        "reconcile_by = \"id\"\ndata = { id = \"{{ key }}\", event_key = \"{{ key }}\" }",
    );
}

/// Waits until so many requests are under way.
async fn until_in_flight(corridor: &Corridor, count: u64) {
    let reached = async {
        while corridor.level("api_requests_in_flight") != count {
            tokio::task::yield_now().await;
        }
    };
    within(10, "its requests", reached).await;
}

#[tokio::test]
async fn what_comes_back_to_other_rules_is_looked_for_where_it_was_sent() {
    let (corridor, mut shore, old) = (Corridor::new().await, Shore::new(), Shore::new());
    corridor.api.set_lag(Duration::from_secs(1));
    corridor.api.plan(vec![Rule::always(Fault::CreateThenReset)]);
    corridor.send(&old, 1, event("m1", "sought", "{}")).await;
    within(10, "its create", corridor.api.until(|books| !books.created.is_empty())).await;
    corridor.paused.send_replace(true);
    until_in_flight(&corridor, 0).await;
    drop(old);
    corridor.disconnected().await;
    looks_elsewhere(&corridor);
    corridor.send(&shore, 2, again(event("m1", "sought", "{}"))).await;
    corridor.paused.send_replace(false);
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    assert_eq!(corridor.api.created().len(), 1, "found by the attribute that it was sent with");
}

#[tokio::test]
async fn what_was_not_found_where_it_was_sent_is_looked_for_where_its_next_create_goes() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.plan(vec![Rule::always(Fault::CreateThenReset)]);
    let elsewhere =
        Look { procedure: Procedure::new("lead").unwrap(), attribute: "old_key".into(), value: "m1".into() };
    let travel = Travel { sent: Some(elsewhere), ..Travel::default() }.encode();
    corridor.send(&shore, 1, Message { travel: Some(travel), ..event("m1", "sought", "{}") }).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    assert_eq!(corridor.api.created().len(), 1, "found by the attribute of its only create");
}

#[tokio::test]
async fn an_event_whose_request_is_under_way_or_waits_for_its_retry_ends_by_its_old_rule() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.plan(vec![Rule::always(Canned::new(423)).times(3), Rule::always(Fault::Delay { ms: 300 })]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    within(10, "its first try", corridor.api.until(|books| !books.requests.is_empty())).await;
    corridor.reload("{{ event.name }}", "new {{ event.name }}");
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    corridor.send(&shore, 2, lead("m2", "Robin")).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    assert_eq!(names(&corridor), ["Ted", "new Robin"]);
}

#[tokio::test]
async fn a_rule_that_looks_elsewhere_since_a_reload_is_unproved_until_its_own_create_is_found() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    let proved = || corridor.metrics.text().contains("chakra_bridge_look_proved{rule=\"sought\"} 1");
    let proves = async || {
        while !proved() {
            tokio::task::yield_now().await;
        }
    };
    corridor.send(&shore, 1, event("m1", "sought", "{}")).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    within(10, "its proof", proves()).await;
    corridor.reload("name = \"noise\"", "name = \"another\"");
    looks_elsewhere(&corridor);
    let unproved = async {
        while proved() {
            tokio::task::yield_now().await;
        }
    };
    within(10, "the new rules", unproved).await;
    corridor.send(&shore, 2, event("m2", "sought", "{}")).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    within(10, "its proof", proves()).await;
}

#[tokio::test]
async fn a_rule_that_is_gone_shows_no_look_any_more_and_its_counts_stay() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.send(&shore, 1, event("m1", "sought", "{}")).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    corridor.reload("name = \"sought\"", "name = \"wanted\"");
    let shown = |line: &str| corridor.metrics.text().contains(line);
    let renewed = async {
        while !shown("look_proved{rule=\"wanted\"} 0") {
            tokio::task::yield_now().await;
        }
    };
    within(10, "the new rules", renewed).await;
    assert!(!shown("look_proved{rule=\"sought\"}"));
    assert!(shown("settled_total{fate=\"created\",rule=\"sought\",reason=\"\"} 1"));
    assert!(shown("settled_total{fate=\"created\",rule=\"wanted\",reason=\"\"} 0"));
}

#[tokio::test]
async fn what_no_rule_takes_any_more_says_that_it_may_be_a_process() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    for unsure in [0, 1] {
        let journey = Journey { unsure, ..Journey::default() };
        let travel = Travel { journey, ..Travel::default() }.encode();
        corridor.send(&shore, 1, Message { travel: Some(travel), ..event("m1", "of old", "{}") }).await;
        let letter = within(10, "its letter", shore.dead_letter()).await;
        assert_eq!(letter.fault.reason.as_str(), "no_rule");
        assert_eq!(letter.fault.text.contains("may be a process"), unsure > 0, "{}", letter.fault.text);
    }
}
