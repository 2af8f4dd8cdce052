//! Laws of what producers are told, as messages.
//!
//! Not here: a broker.

use lapin::message::Delivery;

use super::*;
use crate::amqp::intake::arrived;
use crate::amqp::stage::{config, outlet};
use crate::amqp::{QueueType, Topology};
use crate::core::outcome::{OfLetter, OutcomeKind};

fn outcomes(reply_to: bool) -> Outcomes {
    let outcomes = Some(Outlet { reply_to, ..outlet() });
    Outcomes::of(&Config { outcomes, ..config(Topology::Verify, QueueType::Quorum) }).unwrap()
}

fn outcome() -> EventOutcome {
    EventOutcome {
        kind: OutcomeKind::Created,
        id: "an-id".into(),
        key: Some("k".into()),
        rule: Some("lead".into()),
        procedure: Some("p".into()),
        process: Some("a/b ä".into()),
        letter: None,
        attempts: 2,
        first_seen_ms: 1_700_000_000_000,
        at_ms: 1_700_000_000_250,
        retries: 0,
        earlier: None,
        trace: None,
    }
}

fn told(properties: BasicProperties, outcome: &EventOutcome) -> (Publish, Value) {
    let mut delivery = Delivery::mock(1, "".into(), "work".into(), false, br#"{"secret": "body"}"#.to_vec());
    delivery.properties = properties;
    let publish = outcomes(true).message(7, &arrived(delivery).held, outcome);
    let data = serde_json::from_slice(&publish.body).unwrap();
    (publish, data)
}

fn header(publish: &Publish, name: &str) -> Option<String> {
    match publish.properties.whole().headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        _ => None,
    }
}

#[test]
fn an_outcome_is_a_cloud_event_in_binary_mode_that_holds_nothing_of_the_body() {
    let (publish, data) = told(BasicProperties::default(), &outcome());
    assert_eq!((publish.exchange.as_str(), publish.queue.as_str()), ("crm.outcomes", "lead.created"));
    let wanted = [
        ("specversion", "1.0"),
        ("id", "an-id"),
        ("source", "/here"),
        ("type", "com.chakrahq.bridge.process.created"),
        ("subject", "k"),
        ("time", "2023-11-14T22:13:20.250Z"),
    ];
    for (name, value) in wanted {
        assert_eq!(header(&publish, &format!("cloudEvents_{name}")).as_deref(), Some(value));
    }
    assert_eq!(*publish.properties.whole().timestamp(), Some(1_700_000_000));
    assert_eq!(data["process_link"], "https://crm.example/p/a%2Fb%20%C3%A4");
    assert_eq!((&data["attempts"], &data["outcome"]), (&2.into(), &"created".into()));
    assert!(!data.to_string().contains("secret") && !data.to_string().contains("body"));
}

#[test]
fn a_dead_letter_tells_reason_and_text_and_names_no_process() {
    let letter = OfLetter { reason: "refused".into(), text: "why".into(), may_exist: true, status: Some(422) };
    let dead = EventOutcome { kind: OutcomeKind::DeadLettered, process: None, letter: Some(letter), ..outcome() };
    let (_, data) = told(BasicProperties::default(), &dead);
    assert_eq!((&data["reason"], &data["text"], &data["status"]), (&"refused".into(), &"why".into(), &422.into()));
    assert!(data["may_exist"] == true && data.get("process_id").is_none() && data.get("process_link").is_none());
}

#[test]
fn a_trace_is_passed_on_as_a_header_and_as_an_attribute() {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let traced = EventOutcome { trace: Some(trace.into()), ..outcome() };
    for name in ["traceparent", "cloudEvents_traceparent"] {
        assert_eq!(header(&told(BasicProperties::default(), &traced).0, name).as_deref(), Some(trace));
        assert_eq!(header(&told(BasicProperties::default(), &outcome()).0, name), None);
    }
}

#[test]
fn an_event_that_asks_is_answered_with_its_correlation_and_never_into_a_queue_of_ours() {
    let asks = |queue: &str| BasicProperties::default().with_reply_to(queue.into()).with_correlation_id("c".into());
    let (publish, _) = told(asks("theirs"), &outcome());
    let Some(Reply::To { queue, properties }) = publish.reply else { panic!("no answer") };
    assert_eq!(queue.as_str(), "theirs");
    assert_eq!(properties.whole().correlation_id().as_ref().map(ShortString::as_str), Some("c"));
    for ours in ["work", "dead", "work.wait.10s", "work.wait.1h"] {
        assert!(matches!(told(asks(ours), &outcome()).0.reply, Some(Reply::Refused)), "{ours}");
    }
    assert!(told(asks(""), &outcome()).0.reply.is_none());
    let mut delivery = Delivery::mock(1, "".into(), "work".into(), false, Vec::new());
    delivery.properties = asks("theirs");
    assert!(outcomes(false).message(7, &arrived(delivery).held, &outcome()).reply.is_none(), "it is not allowed");
}

#[test]
fn a_link_that_needs_a_procedure_is_left_out_where_none_is_known() {
    let duplicate = EventOutcome { kind: OutcomeKind::Duplicate, procedure: None, ..outcome() };
    let (_, data) = told(BasicProperties::default(), &duplicate);
    assert!(data.get("process_link").is_none() && data["process_id"] == "a/b ä", "{data}");
    let link = Some("https://crm.example/p/{process}".to_owned());
    let outcomes = Outcomes { outlet: Outlet { link, ..outlet() }, ..outcomes(true) };
    assert_eq!(outcomes.link(&duplicate).as_deref(), Some("https://crm.example/p/a%2Fb%20%C3%A4"), "it needs none");
}
