//! Which request a rule takes.
//!
//! Not here: what its fault looks like (`faults`).

use serde_json::json;

use crate::client::{LEAD, ask, create, list, post, within};
use crate::support::standin::{Canned, Fault, Rule, StandIn};

/// The statuses of creates with these keys, under this plan.
async fn statuses(plan: Vec<Rule>, keys: &[&str]) -> Vec<u16> {
    within(async {
        let standin = StandIn::start().await;
        standin.plan(plan);
        let mut statuses = Vec::new();
        for key in keys {
            statuses.push(ask(&standin, &create(key)).await.status());
        }
        statuses
    })
    .await
}

fn busy() -> Rule {
    Rule::always(Canned::new(503))
}

#[tokio::test]
async fn an_empty_plan_leaves_everything_be() {
    assert_eq!(statuses(vec![], &["a", "b"]).await, [200, 200]);
}

#[tokio::test]
async fn the_nth_the_every_nth_and_the_first_requests_are_counted() {
    let keys = ["a", "b", "c", "d"];
    assert_eq!(statuses(vec![busy().nth(2)], &keys).await, [200, 503, 200, 200]);
    assert_eq!(statuses(vec![busy().every(2)], &keys).await, [200, 503, 200, 503]);
    assert_eq!(statuses(vec![busy().first(3)], &keys).await, [503, 503, 503, 200]);
}

#[tokio::test]
async fn times_are_counted_for_each_event() {
    let keys = ["a", "b", "a", "b", "a", "b"];
    assert_eq!(statuses(vec![busy().times(2)], &keys).await, [503, 503, 503, 503, 200, 200]);
}

#[tokio::test]
async fn an_event_without_a_key_is_known_by_its_body() {
    within(async {
        let standin = StandIn::start().await;
        standin.fault(busy().times(1));
        let requests = ["one", "two", "one", "two"].map(|name| post(LEAD, &json!({"data": {"n": name}}).to_string()));
        let mut statuses = Vec::new();
        for request in &requests {
            statuses.push(ask(&standin, request).await.status());
        }
        assert_eq!(statuses, [503, 503, 200, 200]);
    })
    .await;
}

#[tokio::test]
async fn a_rule_is_held_to_its_attribute_and_value() {
    assert_eq!(statuses(vec![busy().attribute("event_key", "b")], &["a", "b"]).await, [200, 503]);
    assert_eq!(statuses(vec![busy().attribute("score", 5)], &["a"]).await, [503]);
    assert_eq!(statuses(vec![busy().attribute("score", "5")], &["a"]).await, [200]);
    assert_eq!(statuses(vec![busy().marker("score")], &["a"]).await, [503]);
    assert_eq!(statuses(vec![busy().marker("absent")], &["a"]).await, [200]);
}

#[tokio::test]
async fn a_rule_is_held_to_its_procedure() {
    assert_eq!(statuses(vec![busy().procedure("ticket")], &["a"]).await, [200]);
    assert_eq!(statuses(vec![busy().procedure("lead")], &["a"]).await, [503]);
}

#[tokio::test]
async fn the_first_rule_that_takes_a_request_plays() {
    let plan = vec![busy().nth(1), Rule::always(Canned::new(429))];
    assert_eq!(statuses(plan, &["a", "b"]).await, [503, 429]);
}

#[tokio::test]
async fn lists_have_rules_of_their_own() {
    within(async {
        let standin = StandIn::start().await;
        standin.plan(vec![Rule::at_list(Canned::new(403)).attribute("event_key", "e")]);
        assert_eq!(ask(&standin, &create("e")).await.status(), 200);
        assert_eq!(list(&standin, &json!({"where": {"event_key": "e"}})).await.status(), 403);
        assert_eq!(list(&standin, &json!({"where": {"event_key": "f"}})).await.status(), 200);
        standin.plan(vec![Rule::anywhere(Canned::new(500))]);
        assert_eq!(ask(&standin, &create("e")).await.status(), 500);
        assert_eq!(list(&standin, &json!({})).await.status(), 500);
    })
    .await;
}

#[test]
fn a_rule_is_the_same_after_a_trip_through_json() {
    let rule = Rule::anywhere(Canned::new(429).retry_after("1")).attribute("a", 1).times(2).applied(true);
    let text = serde_json::to_string(&rule).unwrap();
    assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), rule);
    let written = r#"{"every": 3, "fault": {"kind": "create-late", "ms": 5}}"#;
    let read: Rule = serde_json::from_str(written).unwrap();
    assert_eq!(read, Rule::always(Fault::CreateLate { ms: 5 }).every(3));
}
