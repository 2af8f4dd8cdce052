//! The query language of List, its pages, and the lag.
//!
//! Not here: faults of lists (`plan`, `faults`).

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{LEAD, ask, create, list, post, within};
use crate::support::standin::StandIn;

/// Five leads `a` to `e` with scores 1 to 5; `d` and `e` are completed, `e` has no score.
async fn with_leads() -> StandIn {
    let standin = StandIn::start().await;
    for (place, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        let mut lead = json!({"data": {"event_key": name, "score": place + 1}, "assignedTo": "ted", "state": "NEW"});
        if place >= 3 {
            lead["status"] = "COMPLETED".into();
        }
        if name == "e" {
            lead["data"] = json!({"event_key": "e", "vip": true});
        }
        assert_eq!(ask(&standin, &post(LEAD, &lead.to_string())).await.status(), 200);
    }
    standin
}

/// The keys of the rows that match.
async fn found(standin: &StandIn, filter: Value) -> String {
    let heard = list(standin, &json!({ "where": filter })).await;
    let answer = heard.json();
    let rows = answer["_data"].as_array().unwrap_or_else(|| panic!("{answer}"));
    rows.iter().map(|row| row["data"]["event_key"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_filter_finds_what_it_says() {
    let cases = [
        (json!({}), "abcde"),
        (json!({"event_key": "b"}), "b"),
        (json!({"event_key": "x"}), ""),
        (json!({"event_key": ["a", "c", "x"]}), "ac"),
        (json!({"score": 2}), "b"),
        (json!({"score": "2"}), ""),
        (json!({"score": [1, 4]}), "ad"),
        (json!({"score": {"=": 3}}), "c"),
        (json!({"score": {"!=": 3}}), "abde"),
        (json!({"score": {">": 2}}), "cd"),
        (json!({"score": {">=": 2, "<": 4}}), "bc"),
        (json!({"score": {"<=": 1}}), "a"),
        (json!({"vip": true}), "e"),
        (json!({"status": "COMPLETED"}), "de"),
        (json!({"status": "OPEN", "score": {">": 1}}), "bc"),
        (json!({"state": "NEW", "assignedTo": "ted"}), "abcde"),
        (json!({"assignedTo": "barney"}), ""),
        (json!({"or": [{"event_key": "a"}, {"status": "COMPLETED"}]}), "ade"),
        (json!({"and": [{"score": {">": 1}}, {"status": "OPEN"}]}), "bc"),
        (json!({"event_key": "a", "or": [{"score": 1}, {"score": 2}]}), "a"),
        (json!({"createdAt": {">": "2020-01-01T00:00:00+05:30"}}), "abcde"),
        (json!({"createdAt": {"<": "2020-01-01T00:00:00Z"}}), ""),
    ];
    within(async {
        let standin = with_leads().await;
        for (filter, keys) in cases {
            assert_eq!(found(&standin, filter.clone()).await, keys, "{filter}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_query_that_is_none_is_refused_with_an_error_text() {
    let cases = [
        json!({"where": []}),
        json!({"where": {"score": null}}),
        json!({"where": {"score": {"~": 1}}}),
        json!({"where": {"score": {"=": [1]}}}),
        json!({"where": {"or": {"score": 1}}}),
        json!({"where": {"createdAt": 5}}),
        json!({"limit": 0}),
        json!({"limit": 101}),
        json!({"skip": -1}),
        json!({"filter": {}}),
    ];
    within(async {
        let standin = StandIn::start().await;
        for body in cases {
            let (status, words) = list(&standin, &body).await.refusal();
            assert!(status == 422 && !words.is_empty(), "{body}: {status}");
        }
    })
    .await;
}

#[tokio::test]
async fn pages_are_ten_long_unless_asked_and_say_whether_more_follow() {
    within(async {
        let standin = StandIn::start().await;
        for number in 0..12 {
            ask(&standin, &create(&number.to_string())).await;
        }
        let cases = [
            (json!({}), 10, true),
            (json!({"skip": 2}), 10, false),
            (json!({"skip": 10}), 2, false),
            (json!({"skip": 20}), 0, false),
            (json!({"limit": 100}), 12, false),
            (json!({"limit": 11}), 11, true),
        ];
        for (body, rows, has_more) in cases {
            let answer = list(&standin, &body).await.json();
            let seen = (answer["_data"].as_array().map(Vec::len), &answer["_meta"]["hasMore"]);
            assert_eq!(seen, (Some(rows), &Value::Bool(has_more)), "{body}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_process_is_hidden_for_as_long_as_the_lag() {
    within(async {
        let standin = StandIn::start().await;
        standin.set_lag(Duration::from_secs(3600));
        ask(&standin, &create("e")).await;
        assert_eq!(found(&standin, json!({"event_key": "e"})).await, "");
        standin.set_lag(Duration::from_millis(30));
        while found(&standin, json!({"event_key": "e"})).await.is_empty() {}
        assert!(standin.created()[0].at.elapsed() >= Duration::from_millis(30));
    })
    .await;
}

#[tokio::test]
async fn a_list_keeps_to_its_procedure_and_its_token() {
    within(async {
        let standin = with_leads().await;
        let to = |procedure: &str| post(&format!("/v1/ext/procedure/{procedure}/process/list"), "{}");
        assert_eq!(ask(&standin, &to("ticket")).await.json()["_data"], json!([]));
        assert_eq!(ask(&standin, &to("nowhere")).await.status(), 404);
        standin.set_tokens(&[]);
        assert_eq!(ask(&standin, &to("lead")).await.status(), 401);
    })
    .await;
}

#[tokio::test]
async fn a_doubled_event_shows_both_its_rows() {
    within(async {
        let standin = StandIn::start().await;
        ask(&standin, &create("twice")).await;
        ask(&standin, &create("twice")).await;
        assert_eq!(found(&standin, json!({"event_key": "twice"})).await, "twicetwice");
    })
    .await;
}

#[tokio::test]
async fn another_key_attribute_finds_what_was_created_before() {
    within(async {
        let standin = with_leads().await;
        standin.set_key_attribute("order_id");
        assert_eq!(found(&standin, json!({"event_key": "b"})).await, "b");
        let order = json!({"data": {"order_id": "o-1", "event_key": "z"}});
        ask(&standin, &post(LEAD, &order.to_string())).await;
        assert_eq!(found(&standin, json!({"order_id": "o-1"})).await, "z");
        assert_eq!(standin.created().last().and_then(|created| created.key.clone()).as_deref(), Some("o-1"));
    })
    .await;
}
