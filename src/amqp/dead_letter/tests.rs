//! The laws of the dead letter, over properties.

use lapin::message::Delivery;
use lapin::types::FieldTable;

use super::super::size::bytes;
use super::*;
use crate::core::reason::{Fault, Reason};

const HUGE: usize = 100 * 1024;

fn held(properties: BasicProperties) -> Held {
    let mut delivery = Delivery::mock(1, "crm".into(), "case.opened".into(), false, b"{}".to_vec());
    delivery.properties = properties;
    super::super::intake::split(delivery).1
}

fn dead_letter() -> DeadLetter {
    DeadLetter {
        fault: Fault::new(Reason::Refused, "the API answered 422: no such attribute"),
        status: Some(422),
        attempts: 2,
        first_seen_ms: 1_000,
        last_seen_ms: 2_000,
        rule: Some("case".into()),
        procedure: Some("ticket".into()),
        key: Some("/crm|1".into()),
        origin: None,
        unread: None,
    }
}

fn table(headers: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (key, value) in headers {
        table.insert((*key).into(), value.clone());
    }
    table
}

fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn headers(of: &BasicProperties) -> &BTreeMap<ShortString, AMQPValue> {
    of.headers().as_ref().unwrap().inner()
}

#[test]
fn a_dead_letter_says_why_when_how_often_and_what_the_api_said() {
    let properties = properties(&held(BasicProperties::default()), &dead_letter());
    let headers = headers(&properties);
    assert_eq!(headers["chakra-bridge-reason"], long("refused"));
    assert_eq!(headers["chakra-bridge-text"], long("the API answered 422: no such attribute"));
    assert_eq!(headers["chakra-bridge-status"], AMQPValue::LongLongInt(422));
    assert_eq!(headers["chakra-bridge-attempts"], AMQPValue::LongLongInt(2));
    assert_eq!(headers["chakra-bridge-exchange"], long("crm"));
    assert_eq!(headers["chakra-bridge-routing-key"], long("case.opened"));
    assert_eq!(headers["chakra-bridge-key"], long("/crm|1"));
    assert_eq!(*properties.delivery_mode(), Some(2));
}

#[test]
fn what_identifies_the_original_stays() {
    let original = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_message_id("m1".into())
        .with_correlation_id("c1".into())
        .with_type("case.opened".into())
        .with_app_id("crm".into())
        .with_timestamp(7)
        .with_priority(3)
        .with_headers(table(&[("tenant", long("acme"))]));
    let properties = properties(&held(original.clone()), &dead_letter());
    assert_eq!(properties.message_id(), original.message_id());
    assert_eq!(properties.content_type(), original.content_type());
    assert_eq!(properties.correlation_id(), original.correlation_id());
    assert_eq!(properties.kind(), original.kind());
    assert_eq!(properties.app_id(), original.app_id());
    assert_eq!(properties.timestamp(), original.timestamp());
    assert_eq!(properties.priority(), original.priority());
    assert_eq!(headers(&properties)["tenant"], long("acme"));
}

#[test]
fn nothing_that_acts_on_its_own_keeps_its_name() {
    let original =
        BasicProperties::default().with_expiration("1000".into()).with_user_id("guest".into()).with_headers(table(&[
            ("CC", long("a")),
            ("BCC", long("b")),
            ("x-death", long("c")),
            ("x-first-death-queue", long("d")),
        ]));
    let properties = properties(&held(original), &dead_letter());
    assert_eq!((properties.expiration(), properties.user_id()), (&None, &None));
    let headers = headers(&properties);
    for name in ["CC", "BCC", "x-death", "x-first-death-queue"] {
        assert!(!headers.contains_key(name), "{name}");
    }
    for name in ["cc", "bcc", "x-death", "x-first-death-queue", "expiration", "user-id"] {
        assert!(headers.contains_key(format!("chakra-bridge-original-{name}").as_str()), "{name}");
    }
}

#[test]
fn headers_too_large_for_one_frame_are_left_out_and_named() {
    let original =
        BasicProperties::default().with_headers(table(&[("huge", long(&"x".repeat(HUGE))), ("small", long("stays"))]));
    let properties = properties(&held(original), &dead_letter());
    let headers = headers(&properties);
    assert_eq!(headers["small"], long("stays"));
    assert!(!headers.contains_key("huge"));
    let AMQPValue::LongString(cut) = &headers["chakra-bridge-cut"] else { panic!("text") };
    assert!(cut.to_string().contains("huge"));
}

#[test]
fn however_many_and_however_long_the_headers_all_of_them_fit_one_frame() {
    let many: Vec<(String, AMQPValue)> = (0..2_000).map(|n| (format!("h{n}"), long(&"y".repeat(n)))).collect();
    let many: Vec<(&str, AMQPValue)> = many.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let mut dead_letter = dead_letter();
    dead_letter.fault.text = "é".repeat(HUGE);
    let properties = properties(&held(BasicProperties::default().with_headers(table(&many))), &dead_letter);
    let total: usize = headers(&properties).iter().map(|(key, value)| bytes(key, value)).sum();
    assert!(total < 100 * 1024, "{total}");
}

#[test]
fn a_dead_letter_sent_home_and_dead_again_tells_of_the_last_time_only() {
    let once = properties(&held(BasicProperties::default()), &dead_letter());
    let mut second = dead_letter();
    second.fault = Fault::new(Reason::NoRule, "again");
    let twice = properties(&held(once), &second);
    assert_eq!(headers(&twice)["chakra-bridge-reason"], long("no_rule"));
}

#[test]
fn the_headers_of_ours_are_those_that_are_told() {
    let huge = BasicProperties::default().with_headers(table(&[("huge", long(&"x".repeat(HUGE)))]));
    let properties = properties(&held(huge), &DeadLetter { unread: Some("{}".to_owned()), ..dead_letter() });
    let written: Vec<&str> = headers(&properties).keys().map(ShortString::as_str).collect();
    let mut told = DEAD_LETTER_HEADERS;
    told.sort_unstable();
    assert_eq!(written, told);
}

#[test]
fn a_header_that_nobody_here_reads_stays_with_the_letter_so_that_a_newer_daemon_goes_on_from_it() {
    let unread = Some(r#"{"v":9}"#.to_owned());
    let held = held(BasicProperties::default());
    let letter = properties(&held, &DeadLetter { unread: unread.clone(), ..dead_letter() });
    assert_eq!(headers::progress(&letter), unread);
    assert!(headers::was_dead_letter(&letter) && !headers::was_dead_letter(&BasicProperties::default()));
}
