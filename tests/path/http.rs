//! HTTP as servers and proxies speak it: what a dispatcher makes of each.
//!
//! Not here: the reading of one answer (`chakra::tests`).

use std::time::{Duration, Instant};

use chakra_bridge::core::reason::Reason;
use chakra_bridge::core::settlement::Settlement;

use crate::dispatcher::{Commands, Session, Stage, event, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, ErrorBody, Fault, Rule};

async fn batch(dispatcher: &Stage, session: &Session, count: u64) {
    for number in 1..=count {
        dispatcher.send(session, number, lead(&format!("m{number}"), "Ted")).await;
    }
}

async fn all_acknowledged(session: &mut Session, count: usize) {
    for _ in 0..count {
        assert_eq!(session.answer().await.1, Settlement::Ack);
    }
}

#[tokio::test]
async fn an_answer_that_a_proxy_encodes_unasked_is_one_create() {
    for coding in ["gzip", "deflate"] {
        let (dispatcher, mut session) = (Stage::new().await, Session::new());
        dispatcher.api.plan(vec![Rule::always(Fault::Encoded { coding: coding.to_owned() })]);
        batch(&dispatcher, &session, 3).await;
        within(10, coding, all_acknowledged(&mut session, 3)).await;
        assert_eq!(dispatcher.api.requests().len(), 3, "{coding}");
    }
}

#[tokio::test]
async fn events_before_a_server_that_cuts_each_reused_connection_are_all_created_once() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.connected(false).await;
    dispatcher.api.plan(vec![Rule::anywhere(Fault::CutReused)]);
    for number in 1..=6 {
        dispatcher.send(&session, number, lead(&format!("m{number}"), "Ted")).await;
        assert_eq!(within(10, "its answer", session.answer()).await, (number, Settlement::Ack));
    }
    assert_eq!((dispatcher.api.created().len(), dispatcher.api.requests().len()), (6, 7), "one create was in doubt");
}

#[tokio::test]
async fn events_that_come_at_once_before_such_a_server_are_all_created_once() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.connected(false).await;
    dispatcher.api.plan(vec![Rule::anywhere(Fault::CutReused)]);
    for round in 0..4 {
        for number in 1..=12 {
            dispatcher.send(&session, number, lead(&format!("m{round}-{number}"), "Ted")).await;
        }
        within(10, "all", all_acknowledged(&mut session, 12)).await;
    }
    assert_eq!(dispatcher.api.created().len(), 48);
}

#[tokio::test]
async fn a_gate_that_a_503_shuts_holds_the_lookup_that_follows_for_as_long_as_it_asks() {
    let commands =
        Commands { gate: "failures = 1\nprobe_initial = \"20ms\"\nprobe_max = \"60ms\"", ..Commands::default() };
    let (dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    dispatcher.api.plan(vec![Rule::anywhere(Canned::new(503).retry_after("0.2")).first(1)]);
    let began = Instant::now();
    dispatcher.send(&session, 1, event("m1", "sought", "{}")).await;
    within(10, "its answer", session.answer()).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "a part of a second is a whole one: {:?}", began.elapsed());
}

#[tokio::test]
async fn what_can_only_be_about_us_shuts_and_dead_letters_nothing() {
    for status in [431, 494, 415, 496] {
        let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
        dispatcher.api.plan(vec![Rule::always(Canned::new(status)).first(10)]);
        batch(&dispatcher, &session, 5).await;
        dispatcher.gate(true).await;
        within(10, "all", all_acknowledged(&mut session, 5)).await;
        assert_eq!(dispatcher.api.created().len(), 5, "{status}");
    }
}

#[tokio::test]
async fn a_gateways_refusal_in_plain_text_shuts_and_dead_letters_nothing() {
    for body in [ErrorBody::Text, ErrorBody::Empty, ErrorBody::BrokenJson] {
        let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
        dispatcher.api.plan(vec![Rule::always(Canned::new(400).body(body)).first(10)]);
        batch(&dispatcher, &session, 5).await;
        dispatcher.gate(true).await;
        within(10, "all", all_acknowledged(&mut session, 5)).await;
        assert_eq!(dispatcher.api.created().len(), 5, "{body:?}");
    }
}

#[tokio::test]
async fn whatever_shape_the_api_says_it_in_a_dead_letter_holds_its_words() {
    for body in [ErrorBody::Nested, ErrorBody::Wrapper, ErrorBody::ErrorObject, ErrorBody::Errors, ErrorBody::Message] {
        let (dispatcher, mut session) = (Stage::new().await, Session::new());
        dispatcher.api.plan(vec![Rule::always(Canned::new(422).body(body))]);
        dispatcher.send(&session, 1, lead("m1", "Ted")).await;
        let dead_letter = within(10, "its letter", session.dead_letter()).await;
        assert_eq!(dead_letter.fault.reason, Reason::Refused);
        assert!(
            dead_letter.fault.text.contains("the stand-in was told to answer 422"),
            "{body:?}: {}",
            dead_letter.fault.text
        );
    }
}
