//! The control endpoints.
//!
//! Not here: what the settings do to creates and lists.

use serde_json::{Value, json};

use crate::client::{ask, create, list, post, within};
use crate::support::standin::StandIn;

async fn control(standin: &StandIn, path: &str, body: &Value) -> u16 {
    ask(standin, &post(&format!("/control/{path}"), &body.to_string())).await.status()
}

async fn show(standin: &StandIn, path: &str) -> Value {
    ask(standin, &format!("GET /control/{path} HTTP/1.1\r\nhost: api\r\n\r\n")).await.json()
}

#[tokio::test]
async fn control_shows_processes_and_requests_and_is_none_itself() {
    within(async {
        let standin = StandIn::start().await;
        ask(&standin, &create("e")).await;
        let created = show(&standin, "created").await;
        assert_eq!((&created[0]["key"], &created[0]["procedure"]), (&json!("e"), &json!("lead")));
        assert_eq!(created[0]["id"].as_str(), Some(standin.created()[0].id.as_str()));
        let requests = show(&standin, "requests").await;
        assert_eq!(requests.as_array().map(Vec::len), Some(1));
        assert_eq!((&requests[0]["status"], &requests[0]["applied"]), (&json!(200), &json!(true)));
        assert!(!requests.to_string().contains(StandIn::TOKEN));
    })
    .await;
}

#[tokio::test]
async fn control_adds_a_rule_and_replaces_a_plan() {
    within(async {
        let standin = StandIn::start().await;
        let rule = json!({"attribute": "event_key", "value": "bad", "fault": {"kind": "status", "status": 503}});
        assert_eq!(control(&standin, "fault", &rule).await, 200);
        assert_eq!(ask(&standin, &create("bad")).await.status(), 503);
        assert_eq!(ask(&standin, &create("good")).await.status(), 200);
        assert_eq!(control(&standin, "fault", &json!([])).await, 200);
        assert_eq!(ask(&standin, &create("bad")).await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn control_sets_tokens_lag_and_procedures() {
    within(async {
        let standin = StandIn::start().await;
        assert_eq!(control(&standin, "procedures", &json!({"lead": ["NEW"], "visit": []})).await, 200);
        assert_eq!(ask(&standin, &create("e").replace("lead", "ticket")).await.status(), 404);
        assert_eq!(ask(&standin, &create("e")).await.status(), 200);
        assert_eq!(control(&standin, "lag", &json!({"ms": 3_600_000})).await, 200);
        assert_eq!(list(&standin, &json!({})).await.json()["_data"], json!([]));
        assert_eq!(control(&standin, "tokens", &json!(["new"])).await, 200);
        assert_eq!(ask(&standin, &create("e")).await.status(), 401);
    })
    .await;
}

#[tokio::test]
async fn a_reset_forgets_what_happened_and_keeps_the_settings() {
    within(async {
        let standin = StandIn::start().await;
        standin.set_procedures(&["lead"]);
        let rule = json!({"nth": 2, "fault": {"kind": "reset-before-reply"}});
        control(&standin, "fault", &rule).await;
        ask(&standin, &create("e")).await;
        assert_eq!(control(&standin, "reset", &Value::Null).await, 200);
        assert_eq!((show(&standin, "created").await, show(&standin, "requests").await), (json!([]), json!([])));
        for _ in 0..2 {
            assert_eq!(ask(&standin, &create("e")).await.status(), 200);
        }
        assert_eq!(ask(&standin, &create("e").replace("lead", "ticket")).await.status(), 404);
    })
    .await;
}

#[tokio::test]
async fn control_refuses_what_it_does_not_understand() {
    within(async {
        let standin = StandIn::start().await;
        assert_eq!(control(&standin, "fault", &json!({"fault": {"kind": "earthquake"}})).await, 422);
        assert_eq!(control(&standin, "fault", &json!({"fault": {"kind": "redirect"}, "nht": 2})).await, 422);
        assert_eq!(control(&standin, "lag", &json!(5)).await, 422);
        assert_eq!(control(&standin, "weather", &json!({})).await, 404);
    })
    .await;
}
