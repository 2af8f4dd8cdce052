//! Who made a letter, where its event was published, and whether it may be a process.

use std::sync::Arc;

use super::*;
use crate::core::bounds::Bounds;

const WORK: &str = "crm.events";

fn limits() -> Limits {
    Limits { bounds: Bounds::DEFAULT, key: None }
}

/// What a letter of the daemon says.
pub(in crate::core) fn died(reason: &str, rule: &str, at_ms: u64) -> (PutBack, Told) {
    let back = PutBack { reason: reason.to_owned(), text: "why".to_owned(), last_seen_ms: at_ms, ..PutBack::default() };
    (back, Told { rule: Some(rule.to_owned()), ..Told::default() })
}

/// A letter with this body and message id; none if that is empty.
pub(in crate::core) fn read_of((back, told): (PutBack, Told), body: &str, id: &str) -> Read {
    read(message(Some(back), body, id), told, WORK, &limits())
}

fn message(put_back: Option<PutBack>, body: &str, id: &str) -> Message {
    Message {
        body: Arc::new(body.as_bytes().to_vec()),
        message_id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        exchange: String::new(),
        routing_key: "crm.events.dead".to_owned(),
        put_back,
        ..Message::default()
    }
}

fn death(queue: &str, cause: &str, routing_key: &str, at_ms: u64) -> Death {
    let [queue, cause, routing_key] = [queue, cause, routing_key].map(str::to_owned);
    Death { queue, cause, exchange: "crm".to_owned(), routing_key, at_ms }
}

#[test]
fn a_letter_of_the_daemon_says_itself_whether_it_may_be_a_process() {
    let read = read_of(died("refused", "lead", 5), "{}", "m1");
    assert_eq!((read.letter.reason().as_str(), read.letter.rule(), read.letter.may_exist), ("refused", "lead", false));
    assert_eq!((read.letter.died_ms, read.letter.key.as_deref()), (5, Some("m1")));
    assert!(read_of(died("unknown", "lead", 5), "{}", "m1").letter.may_exist);
}

#[test]
fn what_the_broker_gave_up_is_known_as_such_and_in_doubt_and_has_the_route_of_its_event() {
    let deaths = vec![
        death("crm.events", "delivery_limit", "crm.events", 9_000),
        death("crm.events.wait.1m", "expired", "crm.events.wait.1m", 7_000),
        death("crm.events", "rejected", "lead.new", 3_000),
    ];
    let read = read(message(None, "{}", "m1"), Told { deaths, ..Told::default() }, WORK, &limits());
    assert_eq!((read.letter.reason().as_str(), read.letter.may_exist), ("broker:delivery_limit", true));
    assert_eq!(
        (read.message.exchange.as_str(), read.message.routing_key.as_str()),
        ("crm", "lead.new"),
        "the first of them"
    );
    assert_eq!(read.letter.died_ms, 9_000);
}

#[test]
fn a_letter_of_ours_that_the_broker_gave_up_after_a_retry_is_the_brokers() {
    let (back, told) = died("refused", "lead", 5_500);
    let with = |at_ms| Told { deaths: vec![death(WORK, "delivery_limit", "lead.new", at_ms)], ..told.clone() };
    assert_eq!(read_of((back.clone(), with(5_000)), "{}", "m1").letter.reason(), "broker:delivery_limit");
    assert_eq!(read_of((back, with(4_000)), "{}", "m1").letter.reason(), "refused", "it died of that before");
}

#[test]
fn what_others_put_there_is_foreign_and_in_doubt() {
    let read = read(message(None, "{}", "m1"), Told::default(), WORK, &limits());
    assert_eq!((read.letter.reason().as_str(), read.letter.may_exist, read.letter.died_ms), ("foreign", true, 0));
    assert_eq!(read.message.routing_key, "crm.events.dead", "as it came");
}

#[test]
fn a_delayed_state_tells_the_route_whoever_made_the_letter() {
    let state = DelayedState { exchange: "crm".into(), routing_key: "case.opened".into(), ..DelayedState::default() };
    let newer = state.encode().replacen("\"v\":1", "\"v\":9", 1);
    for text in [state.encode(), newer] {
        let message = Message { delayed_state: Some(text), ..message(None, "{}", "m1") };
        let told = Told { deaths: vec![death(WORK, "delivery_limit", "crm.events", 9)], ..Told::default() };
        let read = read(message, told, WORK, &limits());
        assert_eq!((read.message.exchange.as_str(), read.message.routing_key.as_str()), ("crm", "case.opened"));
    }
}

#[test]
fn two_letters_are_of_one_event_by_key_and_body_and_never_by_a_hash_alone() {
    let of = |body: &str, id: &str| read_of(died("refused", "lead", 5), body, id).letter.identity;
    assert!(of("{}", "m1").is_some() && of("{}", "m1") == of("{}", "m1"));
    assert_ne!(of("{}", "m1"), of("{}", "m2"));
    assert_ne!(of("{}", "m1"), of(r#"{"a": 1}"#, "m1"));
    assert_eq!(of("{}", ""), None);
    assert_eq!(of("no json", "m1"), None, "it cannot be read");
}
