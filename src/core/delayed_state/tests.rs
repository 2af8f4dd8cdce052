//! Laws of what travels through a delay queue.
//!
//! Not here: where an event goes (`delay_queue`).

use serde_json::json;

use super::*;
use crate::core::dead_letter::DeadLetter;
use crate::core::process::Procedure;
use crate::core::progress::{Next, Refused};

fn delayed_state() -> DelayedState {
    DelayedState {
        progress: Progress {
            next: Next::Lookup,
            attempts: 3,
            unsure_creates: 1,
            lookups: 2,
            since_create: Some(Duration::from_millis(1500)),
            refused: Some(Refused { status: 409, error_text: Some("there".into()) }),
            crashes: 1,
            status: Some(503),
            ..Progress::default()
        },
        age: Duration::from_secs(90),
        remaining: Duration::from_millis(700),
        exchange: "crm".into(),
        routing_key: "case.opened".into(),
        first_seen_ms: 1_700_000_000_000,
        sent: Some(Lookup {
            procedure: Procedure::new("ticket").unwrap(),
            attribute: "event_key".into(),
            value: json!("a/1"),
        }),
        newer: None,
        ..DelayedState::default()
    }
}

fn verdict() -> Verdict {
    Verdict {
        reason: Reason::NoRule,
        text: "why".into(),
        may_exist: false,
        status: Some(422),
        attempts: 1,
        at_ms: 1_700_000_000_001,
        rule: None,
        procedure: None,
        key: Some("a/1".into()),
        unknown: Map::new(),
    }
}

#[test]
fn what_travels_comes_back_as_it_went() {
    assert_eq!(DelayedState::decode(&delayed_state().encode()), Ok(delayed_state()));
    assert_eq!(DelayedState::decode(&DelayedState::default().encode()), Ok(DelayedState::default()));
}

/// Headers as release 0.1.0 wrote them. They lie in delay queues for up to an hour, and longer while a queue is stuck:
/// every later release reads them.
#[test]
fn a_header_that_release_0_1_0_stored_is_read() {
    let plain = include_str!("../../../tests/image/parked-by-0.1.0.json");
    let read = DelayedState::decode(plain.trim()).unwrap();
    assert_eq!((read.progress.attempts, read.progress.status, read.progress.next), (1, Some(423), Next::Create));
    let full = concat!(
        r#"{"v":1,"journey":{"next":"look","attempts":3,"unsure":1,"looks":2,"quiet":{"secs":1,"nanos":500000000},"#,
        r#""refused":{"status":409,"words":"there"},"crashes":1,"status":503},"age":{"secs":90,"nanos":0},"#,
        r#""rest":{"secs":0,"nanos":700000000},"exchange":"crm","routing_key":"case.opened","#,
        r#""first_seen_ms":1700000000000,"#,
        r#""sent":{"procedure":"ticket","attribute":"event_key","value":"a/1"}}"#,
    );
    assert_eq!(DelayedState::decode(full), Ok(delayed_state()));
    assert_eq!(delayed_state().encode(), full, "and an older daemon reads what this one writes");
}

#[test]
fn a_newer_version_is_told_from_a_broken_text() {
    let newer = delayed_state().encode().replacen("\"v\":1", "\"v\":4", 1);
    assert_eq!(DelayedState::decode(&newer), Err(Unreadable::Newer(4)));
    let kept = DelayedState::verbatim(newer.clone());
    assert_eq!(kept.encode(), newer);
    assert_eq!((kept.exchange.as_str(), kept.routing_key.as_str()), ("crm", "case.opened"), "its route is read");
    assert_eq!(kept.first_seen_ms, 1_700_000_000_000);
    assert_eq!(DelayedState::verbatim("[]".into()).exchange, "");
    for broken in ["", "null", "[]", "{}", r#"{"v":0}"#, r#"{"v":1}"#, r#"{"v":"1"}"#, r#"{"v":1,"x":1}"#] {
        assert_eq!(DelayedState::decode(broken), Err(Unreadable::Broken), "{broken}");
    }
}

#[test]
fn a_procedure_in_it_cannot_leave_its_path_segment() {
    let bent = delayed_state().encode().replacen("\"ticket\"", "\"../admin\"", 1);
    assert_eq!(DelayedState::decode(&bent), Err(Unreadable::Broken));
}

#[test]
fn a_text_beyond_the_limit_is_not_read() {
    let long = DelayedState { exchange: "x".repeat(BYTES_MAX), ..delayed_state() };
    assert_eq!(DelayedState::decode(&long.encode()), Err(Unreadable::Broken));
}

#[test]
fn what_a_newer_daemon_added_is_carried_along_unread() {
    let text = delayed_state().encode();
    let text = text.replacen("\"age\":", "\"trace\":\"t1\",\"age\":", 1).replacen(
        "\"crashes\":",
        "\"sounds\":[1],\"crashes\":",
        1,
    );
    let back = DelayedState::decode(&text).unwrap().encode();
    assert!(back.contains("\"trace\":\"t1\"") && back.contains("\"sounds\":[1]"), "{back}");
}

#[test]
fn a_verdict_travels_and_a_daemon_that_knows_none_takes_it_for_newer() {
    let state = DelayedState { verdict: Some(Box::new(verdict())), ..delayed_state() };
    let text = state.encode();
    assert!(text.starts_with("{\"v\":2,"), "an older daemon must not act on it: {text}");
    assert_eq!(DelayedState::decode(&text), Ok(state));
    assert!(delayed_state().encode().starts_with("{\"v\":1,"), "all else is read by older ones");
}

#[test]
fn a_verdict_that_cannot_be_read_is_kept_for_a_newer_daemon_and_never_asked_again() {
    let state = DelayedState { verdict: Some(Box::new(verdict())), ..delayed_state() };
    let of_newer = state.encode().replacen("no_rule", "a_word_of_later", 1);
    assert_eq!(DelayedState::decode(&of_newer), Err(Unreadable::Newer(2)));
    let without = delayed_state().encode().replacen("\"v\":1", "\"v\":2", 1);
    assert_eq!(DelayedState::decode(&without), Err(Unreadable::Newer(2)));
}

#[test]
fn the_longest_verdict_fits_into_a_header_that_is_read() {
    let text = "\u{1}".repeat(10_000);
    let letter = verdict().letter(0, (String::new(), String::new()));
    let letter = DeadLetter { fault: Fault::new(Reason::Refused, text), key: Some("\u{1}".repeat(512)), ..letter };
    let verdict = Some(Box::new(Verdict::of(&letter)));
    let state = DelayedState { verdict, exchange: "\u{1}".repeat(255), ..DelayedState::default() };
    assert!(DelayedState::decode(&state.encode()).is_ok(), "{} bytes", state.encode().len());
}
