//! The laws of the dead letter, over properties.

use lapin::message::Delivery;
use lapin::types::FieldTable;

use super::super::intake::{Arrived, arrived};
use super::super::size::bytes;
use super::*;
use crate::core::procedure::Procedure;
use crate::core::reason::{Fault, Reason};

const HUGE: usize = 100 * 1024;

fn held(properties: BasicProperties) -> Held {
    let mut delivery = Delivery::mock(1, "crm".into(), "case.opened".into(), false, b"{}".to_vec());
    delivery.properties = properties;
    arrived(delivery).held
}

fn dead_letter() -> DeadLetter {
    DeadLetter {
        may_exist: true,
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
        sent: None,
        retries: 0,
        outcome: None,
        trace: None,
    }
}

fn lookup(value: &str) -> Lookup {
    let (procedure, attribute) = (Procedure::new("lead").unwrap(), "event_key".to_owned());
    Lookup { procedure, attribute, value: value.into() }
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
    assert!(!headers.contains_key("chakra-bridge-retries"), "nobody asked for it again");
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
    let half = long(&"x".repeat(32 * 1024));
    let original = table(&[("huge", long(&"x".repeat(HUGE))), ("small", long("stays")), ("half", half.clone())]);
    let properties = properties(&held(BasicProperties::default().with_headers(original)), &dead_letter());
    let headers = headers(&properties);
    assert_eq!((&headers["small"], &headers["half"]), (&long("stays"), &half));
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
    let properties = properties(
        &held(huge),
        &DeadLetter {
            unread: Some("{}".to_owned()),
            retries: 1,
            outcome: Some("id".to_owned()),
            trace: Some("00-".to_owned()),
            sent: Some(lookup("m1")),
            ..dead_letter()
        },
    );
    let written: Vec<&str> = headers(&properties).keys().map(ShortString::as_str).collect();
    let mut told = DEAD_LETTER_HEADERS;
    told.sort_unstable();
    assert_eq!(written, told);
}

/// The properties of a dead letter as they come back by one of the ways to put it on the work queue again.
fn put_back(more: &[(&str, AMQPValue)], expiration: Option<&str>) -> BasicProperties {
    let first = held(
        BasicProperties::default()
            .with_expiration("1000".into())
            .with_headers(table(&[("CC", long("elsewhere")), ("own", long("kept"))])),
    );
    let letter = properties(&first, &dead_letter());
    let mut headers = headers(&letter).clone();
    headers.extend(more.iter().map(|(key, value)| (ShortString::from(*key), value.clone())));
    let back = letter.with_headers(FieldTable::from(headers));
    expiration.map_or(back.clone(), |expiration| back.with_expiration(expiration.into()))
}

#[test]
fn a_dead_letter_that_is_put_back_is_known_by_whatever_way_it_came_and_keeps_its_route_and_what_lies_aside() {
    let shovelled = ("x-shovelled", AMQPValue::FieldArray(lapin::types::FieldArray::default()));
    let hop = ("x-death", long("of the hop"));
    for (more, expiration) in [(vec![], None), (vec![shovelled], None), (vec![hop], Some("7"))] {
        let mut delivery = Delivery::mock(2, "".into(), "work".into(), false, b"{}".to_vec());
        delivery.properties = put_back(&more, expiration);
        let Arrived { message, held, .. } = arrived(delivery);
        let back = message.put_back.expect("it is one of ours");
        assert_eq!((back.reason.as_str(), back.first_seen_ms, back.last_seen_ms), ("refused", 1_000, 2_000));
        assert!(back.may_exist, "as its letter says");
        assert_eq!((back.exchange.as_deref(), back.routing_key.as_deref()), (Some("crm"), Some("case.opened")));
        let origin = Some(("crm".to_owned(), "case.opened".to_owned()));
        let again = properties(&held, &DeadLetter { origin, ..dead_letter() });
        let headers = headers(&again);
        assert_eq!(headers["chakra-bridge-exchange"], long("crm"));
        assert_eq!(headers["chakra-bridge-original-cc"], long("elsewhere"));
        assert_eq!(headers["chakra-bridge-original-expiration"], long("1000"), "that of the event");
        assert_eq!((&headers["own"], headers.get("x-death"), again.expiration()), (&long("kept"), None, &None));
        assert!(!headers.contains_key("chakra-bridge-original-x-death"), "the hop is none of the event's");
    }
}

#[test]
fn a_message_without_the_headers_of_a_dead_letter_is_none() {
    for headers in [vec![], vec![("chakra-bridge-key", long("k"))], vec![("chakra-bridge-reason", AMQPValue::Void)]] {
        let mut delivery = Delivery::mock(1, "".into(), "work".into(), false, b"{}".to_vec());
        delivery.properties = BasicProperties::default().with_headers(table(&headers));
        assert_eq!(arrived(delivery).message.put_back, None);
    }
}

#[test]
fn a_message_that_says_again_by_its_header_is_asked_for_like_a_dead_letter_that_is_put_back() {
    for value in [long("yes"), AMQPValue::Boolean(true), AMQPValue::Void] {
        let mut delivery = Delivery::mock(1, "".into(), "work".into(), false, b"{}".to_vec());
        delivery.properties = BasicProperties::default().with_headers(table(&[("chakra-bridge-retry", value)]));
        let back = arrived(delivery).message.put_back.expect("somebody asks for it");
        assert!(!back.is_doubtful(), "nothing says that it may be a process");
    }
}

#[test]
fn a_header_that_nobody_here_reads_stays_with_the_letter_so_that_a_newer_daemon_goes_on_from_it() {
    let unread = Some(r#"{"v":9}"#.to_owned());
    let held = held(BasicProperties::default());
    let letter = properties(&held, &DeadLetter { unread: unread.clone(), ..dead_letter() });
    assert_eq!(headers::progress(&letter), unread);
}

#[test]
fn where_it_was_sent_is_read_again_from_its_letter_and_what_is_too_long_or_no_such_thing_is_none() {
    let again = |sent| {
        let properties = properties(&held(BasicProperties::default()), &DeadLetter { sent, ..dead_letter() });
        headers::put_back(&properties).unwrap().sent
    };
    let far = lookup(&"x".repeat(3 * 1024));
    assert_eq!([lookup("m1"), far.clone()].map(|sent| again(Some(sent))), [Some(lookup("m1")), Some(far)]);
    assert_eq!((again(None), again(Some(lookup(&"x".repeat(SENT_MAX))))), (None, None));
    for wrong in ["", "{}", "[]", r#"{"procedure":"../x","attribute":"a","value":"b"}"#] {
        let table = table(&[("chakra-bridge-reason", long("unknown")), ("chakra-bridge-sent", long(wrong))]);
        let read = headers::put_back(&BasicProperties::default().with_headers(table)).unwrap();
        assert_eq!(read.sent, None, "{wrong}");
    }
}
