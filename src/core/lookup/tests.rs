//! The table of answers to a lookup.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::core::reply::{Lost, NotSent, Response};

fn lookup() -> Lookup {
    Lookup { procedure: Procedure::new("lead").unwrap(), attribute: "event_key".into(), value: json!("7") }
}

fn rows(values: &[Value]) -> Body {
    let row = |value: &Value| Row { process: Some("p".into()), value: Some(value.clone()) };
    Body::Json(Wrapper { has_data: true, rows: Some(values.iter().map(row).collect()), ..Wrapper::default() })
}

fn answer(status: u16, body: Body) -> Judgement {
    judge_lookup(&Reply::Response(Response::new(status, body)), &lookup())
}

fn found(copies: usize) -> Judgement {
    Judgement::Found { process: Some("p".into()), copies }
}

const UNTRUSTED: Judgement =
    Judgement::Halt { scope: Scope::Procedure, reason: HaltReason::LookupUntrusted, after: None };

#[test]
fn found_is_only_what_carries_the_value_asked_for() {
    assert_eq!(answer(200, rows(&[json!("7")])), found(1));
    assert_eq!(answer(200, rows(&[json!(7)])), found(1), "a number and a text that read the same");
    assert_eq!(answer(200, rows(&[json!("8"), json!("7"), json!("7")])), found(2));
    assert_eq!(answer(200, rows(&[])), Judgement::Absent);
    assert_eq!(answer(200, rows(&[json!("8")])), UNTRUSTED);
    let without = Row { process: Some("p".into()), value: None };
    let without = Wrapper { has_data: true, rows: Some(vec![without]), ..Wrapper::default() };
    assert_eq!(answer(200, Body::Json(without)), UNTRUSTED);
}

#[test]
fn rows_beside_errors_and_lists_that_are_none_prove_nothing() {
    let Body::Json(wrapper) = rows(&[]) else { panic!("JSON") };
    let errors = Body::Json(Wrapper { has_errors: true, ..wrapper });
    for body in [errors, Body::Empty, Body::Broken, Body::Json(Wrapper { has_data: true, ..Wrapper::default() })] {
        assert!(matches!(answer(200, body), Judgement::Retry { .. }));
    }
}

#[test]
fn a_lookup_that_is_not_allowed_is_unavailable_and_a_page_is_not_the_api() {
    let said = || Body::Json(Wrapper { is_api_word: true, ..Wrapper::default() });
    for status in [400, 403, 404, 422] {
        assert_eq!(answer(status, said()), Judgement::Unavailable { status });
        assert!(matches!(answer(status, Body::Html), Judgement::Halt { scope: Scope::Everything, .. }));
    }
}

#[test]
fn a_404_without_a_word_of_the_api_is_waited_out() {
    for body in [Body::Empty, Body::Broken] {
        assert_eq!(answer(404, body.clone()), Judgement::Retry { cause: Cause::LookupRefused, after: None });
        assert_eq!(answer(403, body), Judgement::Unavailable { status: 403 });
    }
    for status in [400, 404, 410, 422, 499] {
        for body in [Body::Json(Wrapper::default()), Body::Encoded("`br`".into())] {
            assert!(matches!(answer(status, body), Judgement::Retry { .. }), "{status}");
        }
    }
}

#[test]
fn a_wait_that_the_api_asks_for_is_carried_from_each_answer_that_is_waited_out() {
    let asked = Some(Duration::from_secs(30));
    for status in [400, 404, 409, 413, 429, 500, 503] {
        for body in [Body::Empty, Body::Broken, Body::Json(Wrapper::default()), rows(&[json!("8")])] {
            let reply = Reply::Response(Response { retry_after: asked, ..Response::new(status, body) });
            match judge_lookup(&reply, &lookup()) {
                Judgement::Retry { after, .. } | Judgement::Halt { after, .. } => assert_eq!(after, asked, "{status}"),
                Judgement::Unavailable { .. } => {}
                other => panic!("{status}: {other:?}"),
            }
        }
    }
}

#[test]
fn what_can_only_be_about_us_is_so_to_a_lookup_as_to_a_create() {
    for status in [431, 494, 415, 496, 498] {
        assert!(matches!(answer(status, Body::Empty), Judgement::Halt { scope: Scope::Everything, .. }), "{status}");
    }
}

#[test]
fn over_every_status_a_lookup_never_rejects_creates_or_is_unsure() {
    let mut seen = BTreeSet::new();
    for status in 0..=u16::MAX {
        for body in [Body::Empty, Body::Html, Body::Broken, rows(&[]), rows(&[json!("7")]), rows(&[json!("8")])] {
            let outcome = answer(status, body);
            if matches!(outcome, Judgement::Found { .. } | Judgement::Absent) {
                assert!((200..=299).contains(&status), "{status}");
            }
            seen.insert(outcome.as_str());
        }
    }
    assert_eq!(seen, BTreeSet::from(["absent", "found", "halt", "retry", "unavailable"]));
}

#[test]
fn our_own_trouble_and_a_rate_limit_are_what_they_are_for_a_create() {
    for status in [301, 401, 402, 405, 429] {
        let reply = Reply::Response(Response::new(status, Body::Empty));
        assert_eq!(judge_lookup(&reply, &lookup()), judge(&reply, true), "{status}");
    }
}

#[test]
fn a_lost_lookup_is_asked_again() {
    let lost = Reply::Lost { why: Lost::Timeout, detail: String::new() };
    assert_eq!(judge_lookup(&lost, &lookup()), Judgement::Retry { cause: Cause::Timeout, after: None });
    let certificate = Reply::NotSent { why: NotSent::Certificate, detail: String::new() };
    assert!(matches!(judge_lookup(&certificate, &lookup()), Judgement::Halt { .. }));
}
