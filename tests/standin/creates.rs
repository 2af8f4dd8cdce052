//! What the stand-in creates and what it refuses.
//!
//! Not here: faults.

use std::collections::HashSet;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::client::{LEAD, ask, create, hear, hear_one, list, post, send, within};
use crate::support::standin::{Fault, Rule, StandIn};

#[tokio::test]
async fn a_create_is_answered_in_the_wrapper_and_kept_as_it_came() {
    within(async {
        let standin = StandIn::start().await;
        let heard = ask(&standin, &create("e-1")).await;
        let answer = heard.json();
        assert_eq!((heard.status(), &answer["_errors"], &answer["_meta"]), (200, &json!([]), &json!({})));
        let created = standin.created();
        assert_eq!(created.len(), 1);
        assert_eq!(answer["_data"]["id"], created[0].id.as_str());
        assert_eq!(answer["_data"]["data"]["score"], 5);
        assert_eq!((created[0].procedure.as_str(), created[0].key.as_deref()), ("lead", Some("e-1")));
        assert_eq!(Value::Object(created[0].json())["data"]["event_key"], "e-1");
    })
    .await;
}

#[tokio::test]
async fn every_id_is_a_uuid_of_its_own() {
    within(async {
        let standin = StandIn::start().await;
        for _ in 0..50 {
            ask(&standin, &create("same")).await;
        }
        let ids: HashSet<String> = standin.created().into_iter().map(|created| created.id).collect();
        assert_eq!(ids.len(), 50);
        for id in &ids {
            assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert!(id[14..].starts_with('4') && "89ab".contains(&id[19..20]), "{id}");
        }
        assert_eq!(standin.lookup(|books| books.doubled()), ["same"]);
    })
    .await;
}

#[tokio::test]
async fn only_an_accepted_token_is_let_in() {
    within(async {
        let standin = StandIn::start().await;
        let bare = create("e").replace("authorization", "x-authorization");
        for request in [bare, create("e").replace(StandIn::TOKEN, "stolen")] {
            let heard = ask(&standin, &request).await;
            assert_eq!((heard.status(), &heard.json()["_data"]), (401, &Value::Null));
        }
        assert_eq!(ask(&standin, &create("e")).await.status(), 200);
        standin.set_tokens(&["new"]);
        assert_eq!(ask(&standin, &create("e")).await.status(), 401);
        assert_eq!(ask(&standin, &create("e").replace(StandIn::TOKEN, "new")).await.status(), 200);
        let applied: Vec<bool> = standin.requests().iter().map(|seen| seen.applied).collect();
        assert_eq!(applied, [false, false, true, false, true]);
    })
    .await;
}

#[tokio::test]
async fn what_the_api_refuses_is_refused_with_the_name_of_the_field() {
    let cases = [
        ("[]", "JSON object"),
        ("{", "JSON object"),
        (r#"{"data": []}"#, "data"),
        (r#"{"record": "r"}"#, "record"),
        (r#"{"status": "DONE"}"#, "status"),
        (r#"{"nextActionAt": "1618558867539"}"#, "nextActionAt"),
        (r#"{"nextActionAt": 1.5}"#, "nextActionAt"),
        (r#"{"state": 5}"#, "state"),
        (r#"{"assignedTo": {}}"#, "assignedTo"),
        (r#"{"assignedTo": null}"#, "assignedTo"),
        (r#"{"data": {"phone": null}}"#, "data.phone"),
        (r#"{"record": {"data": {"tags": ["a", null]}}}"#, "record.data.tags"),
        (r#"{"priority": 3}"#, "priority"),
    ];
    within(async {
        let standin = StandIn::start().await;
        for (body, field) in cases {
            let (status, words) = ask(&standin, &post(LEAD, body)).await.refusal();
            assert!(status == 422 && words.contains(field), "{body}: {status} {words}");
        }
        assert_eq!(standin.created().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_documented_example_is_taken_and_so_is_an_empty_object() {
    let example = json!({
        "data": {"firstname": "Ted", "lastname": "Mosby", "score": 5},
        "record": {"data": {"phone_number": "7701214822", "email": "ted.mosby@yahoo.com"}},
        "status": "COMPLETED",
        "state": "CONVERTED",
        "nextActionAt": 1_618_558_867_539_i64,
        "assignedTo": "bcc42c4f-3e9c-4eaa-8728-c1edd7c7be5c",
    });
    within(async {
        let standin = StandIn::start().await;
        for body in [example, json!({})] {
            assert_eq!(ask(&standin, &post(LEAD, &body.to_string())).await.status(), 200);
        }
    })
    .await;
}

#[tokio::test]
async fn only_its_own_procedures_and_their_states_are_known() {
    within(async {
        let standin = StandIn::start().await;
        let to = |procedure: &str, body: &str| post(&format!("/v1/ext/procedure/{procedure}/process"), body);
        for procedure in ["lead", "ticket", "fieldvisit"] {
            assert_eq!(ask(&standin, &to(procedure, "{}")).await.status(), 200);
        }
        assert_eq!(ask(&standin, &to("visit", "{}")).await.refusal().0, 404);
        standin.set_procedures(&["visit"]);
        assert_eq!(ask(&standin, &to("lead", "{}")).await.status(), 404);
        standin.set_states("visit", &["NEW"]);
        assert_eq!(ask(&standin, &to("visit", r#"{"state": "NEW"}"#)).await.status(), 200);
        assert_eq!(ask(&standin, &to("visit", r#"{"state": "OLD"}"#)).await.status(), 422);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_proper_request_is_refused_by_its_status() {
    let proper = create("e");
    let cases = [
        (proper.replace("content-length", "x-length"), 411),
        (proper.replace("application/json", "text/plain"), 415),
        (proper.replace("content-length: ", "content-length: 9999999"), 413),
        (proper.replace("POST", "PUT"), 405),
        (proper.replace("/process", "/nothing"), 404),
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET /v1/health HTTP/1.1\r\n\r\n".to_owned(), 200),
    ];
    within(async {
        let standin = StandIn::start().await;
        for (request, status) in cases {
            assert_eq!(ask(&standin, &request).await.status(), status, "{request}");
        }
        assert_eq!(standin.created().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn one_connection_carries_thousands_of_creates_in_order() {
    within(async {
        let standin = StandIn::start().await;
        let (mut stream, mut bytes) = (send(&standin, &create("0")).await, Vec::new());
        for number in 1..2000 {
            hear_one(&mut stream, &mut bytes).await;
            stream.write_all(create(&number.to_string()).as_bytes()).await.unwrap();
        }
        standin.until(|books| books.created.len() == 2000).await;
        standin.lookup(|books| {
            assert!(books.created.iter().enumerate().all(|(place, it)| it.key == Some(place.to_string())));
            assert!(books.doubled().is_empty());
        });
        let found = list(&standin, &json!({"where": {"event_key": "1234"}})).await;
        assert_eq!(found.json()["_data"].as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test]
async fn gone_dark_it_is_not_there_and_comes_back_with_its_memory() {
    within(async {
        let mut standin = StandIn::start().await;
        ask(&standin, &create("before")).await;
        standin.go_dark().await;
        assert!(tokio::net::TcpStream::connect(standin.address()).await.is_err());
        standin.listen().await.unwrap();
        ask(&standin, &create("after")).await;
        let keys: Vec<_> = standin.created().into_iter().filter_map(|created| created.key).collect();
        assert_eq!(keys, ["before", "after"]);
    })
    .await;
}

#[tokio::test]
async fn dropped_it_ends_the_connections_it_holds() {
    within(async {
        let standin = StandIn::start().await;
        standin.fault(Rule::always(Fault::NeverAnswer));
        let stream = send(&standin, &create("e")).await;
        standin.until(|books| books.requests.len() == 1).await;
        drop(standin);
        assert_eq!(hear(stream).await.text, "");
    })
    .await;
}
