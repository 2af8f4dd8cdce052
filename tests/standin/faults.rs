//! Every fault, seen on the wire and in the books.
//!
//! Not here: when a fault is played (`plan`).

use std::time::{Duration, Instant};

use flate2::read::{GzDecoder, ZlibDecoder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{End, Heard, ask, create, hear, hear_one, list, send, within};
use crate::support::standin::{Canned, ErrorBody, Fault, Rule, StandIn};

/// What was heard of one create under a fault, and how many processes it made.
async fn under(fault: impl Into<Fault>) -> (Heard, usize) {
    under_rule(Rule::always(fault)).await
}

async fn under_rule(rule: Rule) -> (Heard, usize) {
    within(async {
        let standin = StandIn::start().await;
        standin.plan(vec![rule]);
        let heard = ask(&standin, &create("e")).await;
        (heard, standin.created().len())
    })
    .await
}

#[tokio::test]
async fn a_status_comes_with_its_words_and_creates_nothing() {
    for status in [400, 401, 402, 403, 409, 429, 500, 503] {
        let (heard, created) = under(Canned::new(status)).await;
        assert_eq!((heard.refusal().0, created), (status, 0));
        assert!(heard.refusal().1.contains(&status.to_string()));
        assert!(!heard.text.contains("retry-after"));
    }
}

#[tokio::test]
async fn retry_after_is_sent_as_it_is_written() {
    for text in ["7", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"] {
        let (heard, _) = under(Canned::new(429).retry_after(text)).await;
        assert!(heard.text.contains(&format!("\r\nretry-after: {text}\r\n")));
    }
}

#[tokio::test]
async fn each_error_body_has_its_shape() {
    let member = |heard: &Heard, pointer: &str| heard.json().pointer(pointer).cloned();
    let shapes = [
        (ErrorBody::Wrapper, "/_errors/0"),
        (ErrorBody::ErrorObject, "/error/message"),
        (ErrorBody::ErrorText, "/error"),
        (ErrorBody::Message, "/message"),
        (ErrorBody::Errors, "/errors/0/message"),
        (ErrorBody::Nested, "/_errors/marker/0"),
    ];
    for (body, pointer) in shapes {
        let (heard, _) = under(Canned::new(422).body(body)).await;
        assert!(member(&heard, pointer).is_some_and(|words| words.is_string()), "{body:?}");
    }
    let (html, _) = under(Canned::new(502).body(ErrorBody::Html)).await;
    assert!(html.text.contains("content-type: text/html") && html.body().starts_with("<!DOCTYPE"));
    let (text, _) = under(Canned::new(400).body(ErrorBody::Text)).await;
    assert!(text.text.contains("content-type: text/plain") && text.body().contains("400"));
    let (empty, _) = under(Canned::new(502).body(ErrorBody::Empty)).await;
    assert_eq!((empty.status(), empty.body()), (502, ""));
    let (broken, _) = under(Canned::new(502).body(ErrorBody::BrokenJson)).await;
    assert!(!broken.body().is_empty() && serde_json::from_str::<Value>(broken.body()).is_err());
}

#[tokio::test]
async fn a_reset_in_place_of_an_answer_leaves_no_byte() {
    for (fault, made) in [(Fault::ResetBeforeReply, 0), (Fault::CreateThenReset, 1)] {
        let (heard, created) = under(fault).await;
        assert_eq!((heard.text.as_str(), heard.end, created), ("", End::Reset, made));
    }
}

#[tokio::test]
async fn a_reset_in_mid_answer_leaves_a_part_of_it_and_the_process() {
    let (heard, created) = under(Fault::ResetMidReply).await;
    assert!(heard.text.starts_with("HTTP/1.1 200 ") && heard.text.len() < 250, "{}", heard.text);
    assert_eq!((heard.end, created), (End::Reset, 1));
}

#[tokio::test]
async fn a_silent_close_is_in_order_and_without_a_byte() {
    let (heard, created) = under(Fault::CloseSilently).await;
    assert_eq!((heard.text.as_str(), heard.end, created), ("", End::Closed, 0));
}

#[tokio::test]
async fn a_request_never_answered_is_over_when_the_client_goes() {
    for (fault, made) in [(Fault::NeverAnswer, 0), (Fault::CreateThenNeverAnswer, 1)] {
        within(async {
            let standin = StandIn::start().await;
            standin.fault(Rule::always(fault));
            let stream = send(&standin, &create("e")).await;
            standin.until(|books| books.requests.len() == 1 && books.created.len() == made).await;
            assert!(!standin.requests()[0].over);
            drop(stream);
            standin.until(|books| books.requests[0].over).await;
            let seen = &standin.requests()[0];
            assert_eq!((seen.status, seen.applied, standin.created().len()), (None, made == 1, made));
        })
        .await;
    }
}

#[tokio::test]
async fn a_late_create_happens_although_the_client_has_gone() {
    within(async {
        let standin = StandIn::start().await;
        standin.fault(Rule::always(Fault::CreateLate { ms: 300 }));
        let stream = send(&standin, &create("e")).await;
        standin.until(|books| books.requests.len() == 1).await;
        drop(stream);
        assert_eq!(standin.created().len(), 0);
        standin.until(|books| books.created.len() == 1 && books.requests[0].applied).await;
    })
    .await;
}

#[tokio::test]
async fn a_late_create_is_answered_to_a_client_that_stays() {
    let asked = Instant::now();
    let (heard, created) = under(Fault::CreateLate { ms: 40 }).await;
    assert_eq!((heard.status(), created), (200, 1));
    assert!(asked.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn a_reset_of_the_books_drops_a_create_that_is_still_to_come() {
    within(async {
        let standin = StandIn::start().await;
        standin.fault(Rule::always(Fault::CreateLate { ms: 300 }));
        let stream = send(&standin, &create("e").replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")).await;
        standin.until(|books| books.requests.len() == 1).await;
        standin.reset();
        assert_eq!(crate::client::hear(stream).await.status(), 500);
        assert!(standin.created().is_empty() && standin.requests().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_delay_ends_in_the_next_rule() {
    within(async {
        let standin = StandIn::start().await;
        let delay = Rule::always(Fault::Delay { ms: 40 });
        standin.plan(vec![delay, Rule::always(Canned::new(503)).times(1)]);
        for status in [503, 200] {
            let asked = Instant::now();
            assert_eq!(ask(&standin, &create("e")).await.status(), status);
            assert!(asked.elapsed() >= Duration::from_millis(40));
        }
    })
    .await;
}

#[tokio::test]
async fn a_delay_that_the_client_does_not_wait_for_creates_nothing() {
    within(async {
        let standin = StandIn::start().await;
        standin.fault(Rule::always(Fault::Delay { ms: 3_600_000 }));
        let stream = send(&standin, &create("e")).await;
        standin.until(|books| books.requests.len() == 1).await;
        drop(stream);
        standin.until(|books| books.requests[0].over).await;
        assert_eq!(standin.created().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn each_strange_success_is_a_200_with_its_own_body() {
    let (bare, created) = under(Fault::SuccessBare).await;
    assert_eq!((bare.status(), bare.body(), created), (200, "{}", 1));
    let (empty, created) = under(Fault::SuccessEmpty).await;
    assert_eq!((empty.status(), empty.body(), created), (200, "", 1));
    let (html, created) = under(Fault::SuccessHtml).await;
    assert!(html.text.contains("content-type: text/html"));
    assert_eq!((html.status(), created), (200, 0));
    let (words, created) = under(Fault::SuccessWithErrors).await;
    assert_eq!((words.status(), created), (200, 0));
    assert!(!words.refusal().1.is_empty());
}

#[tokio::test]
async fn a_redirect_names_a_place_that_would_be_noticed() {
    let (heard, created) = under(Fault::Redirect).await;
    assert!(heard.text.contains("\r\nlocation: /elsewhere\r\n"));
    assert_eq!((heard.status(), created), (302, 0));
}

#[tokio::test]
async fn a_redirect_names_the_place_it_is_told_to() {
    let location = "https://login.example/in?next=x";
    let (heard, created) = under(Fault::RedirectTo { location: location.to_owned() }).await;
    assert!(heard.text.contains(&format!("\r\nlocation: {location}\r\n")));
    assert_eq!((heard.status(), created), (302, 0));
}

#[tokio::test]
async fn an_id_may_be_a_number() {
    let (heard, created) = under(Fault::SuccessNumericId).await;
    assert_eq!((heard.json()["_data"]["id"].clone(), created), (json!(4711), 1));
}

#[tokio::test]
async fn an_answer_may_be_encoded_although_nobody_asked() {
    for coding in ["gzip", "deflate", "br"] {
        within(async {
            let standin = StandIn::start().await;
            standin.fault(Rule::always(Fault::Encoded { coding: coding.to_owned() }));
            let closing = create("e").replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1);
            let mut bytes = Vec::new();
            send(&standin, &closing).await.read_to_end(&mut bytes).await.unwrap();
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            assert!(head.contains(&format!("\r\ncontent-encoding: {coding}\r\n")), "{head}");
            assert_eq!(standin.created().len(), 1);
            assert_eq!(decoded(coding, &bytes[end..]).is_some(), coding != "br");
        })
        .await;
    }
}

/// The JSON within, if it can be read.
fn decoded(coding: &str, bytes: &[u8]) -> Option<Value> {
    match coding {
        "gzip" => serde_json::from_reader(GzDecoder::new(bytes)).ok(),
        _ => serde_json::from_reader(ZlibDecoder::new(bytes)).ok(),
    }
}

#[tokio::test]
async fn a_connection_that_is_used_again_may_be_cut_and_nothing_is_done() {
    within(async {
        let standin = StandIn::start().await;
        standin.fault(Rule::always(Fault::CutReused));
        let (mut stream, mut bytes) = (send(&standin, &create("a")).await, Vec::new());
        assert!(hear_one(&mut stream, &mut bytes).await.starts_with("HTTP/1.1 200 "));
        stream.write_all(create("b").as_bytes()).await.unwrap();
        let heard = hear(stream).await;
        assert_eq!((heard.text.as_str(), heard.end, standin.created().len()), ("", End::Reset, 1));
        assert_eq!(ask(&standin, &create("b")).await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn a_slow_drip_comes_whole_in_many_pieces() {
    let (heard, created) = under(Fault::SlowDrip { ms: 1 }).await;
    assert!(heard.pieces > 20, "{} pieces", heard.pieces);
    assert_eq!((heard.json()["_errors"].clone(), heard.end, created), (json!([]), End::Closed, 1));
}

#[tokio::test]
async fn a_rule_may_create_all_the_same_or_not_at_all() {
    let (heard, created) = under_rule(Rule::always(Canned::new(500)).applied(true)).await;
    assert_eq!((heard.status(), created), (500, 1));
    let (heard, created) = under_rule(Rule::always(Fault::SuccessEmpty).applied(false)).await;
    assert_eq!((heard.status(), heard.body(), created), (200, "", 0));
}

#[tokio::test]
async fn what_the_api_refuses_is_refused_under_a_fault_that_creates() {
    within(async {
        let standin = StandIn::start().await;
        standin.fault(Rule::always(Fault::SuccessBare));
        assert_eq!(ask(&standin, &create("e").replace("OPEN", "SHUT")).await.status(), 422);
        assert_eq!(standin.created().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_list_that_ignores_its_filter_shows_any_row() {
    within(async {
        let standin = StandIn::start().await;
        ask(&standin, &create("e")).await;
        let other = json!({"where": {"event_key": "other"}});
        assert_eq!(list(&standin, &other).await.json()["_data"], json!([]));
        standin.fault(Rule::at_list(Fault::IgnoreWhere));
        assert_eq!(list(&standin, &other).await.json()["_data"][0]["data"]["event_key"], "e");
    })
    .await;
}
