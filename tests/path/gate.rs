//! Our own trouble costs an event only time.
//!
//! Not here: the laws of the gate by itself (`core::gate`).

use chakra_bridge::core::reason::Reason;
use chakra_bridge::core::settlement::Settlement;

use super::dispatcher::{Commands, Session, Stage, event, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, ErrorBody, Fault, Rule, StandIn};

/// Every event of a batch is acknowledged, and nothing is a dead letter.
async fn all_acknowledged(session: &mut Session, count: usize) {
    for _ in 0..count {
        assert_eq!(session.answer().await.1, Settlement::Ack);
    }
}

async fn batch(dispatcher: &Stage, session: &Session, count: u64) {
    for number in 0..count {
        dispatcher.send(session, number, lead(&format!("m{number}"), "Ted")).await;
    }
}

#[tokio::test]
async fn a_bad_token_never_dead_letters_and_a_good_one_lets_all_pass() {
    let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.set_tokens(&["another"]);
    batch(&dispatcher, &session, 20).await;
    dispatcher.gate(true).await;
    within(10, "some probes", dispatcher.api.until(|books| books.requests.len() >= 25)).await;
    assert!(session.answers.try_recv().is_err());
    dispatcher.api.set_tokens(&[StandIn::TOKEN]);
    within(10, "all", all_acknowledged(&mut session, 20)).await;
    assert_eq!(dispatcher.api.created().len(), 20);
    dispatcher.gate(false).await;
}

#[tokio::test]
async fn whatever_is_not_the_api_holds_and_never_dead_letters() {
    let page = || Canned::new(400).body(ErrorBody::Html);
    let faults: [Fault; 5] =
        [Fault::Redirect, Fault::SuccessHtml, page().into(), Canned::new(402).into(), Canned::new(501).into()];
    for fault in faults {
        let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
        dispatcher.api.plan(vec![Rule::always(fault.clone()).first(5)]);
        batch(&dispatcher, &session, 3).await;
        dispatcher.gate(true).await;
        within(10, &format!("{fault:?}"), all_acknowledged(&mut session, 3)).await;
        assert_eq!(dispatcher.api.created().len(), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn an_api_that_is_away_costs_only_time() {
    let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.go_dark().await;
    batch(&dispatcher, &session, 20).await;
    dispatcher.gate(true).await;
    assert!(session.answers.try_recv().is_err());
    dispatcher.api.listen().await.unwrap();
    within(10, "all", all_acknowledged(&mut session, 20)).await;
    assert_eq!(dispatcher.api.created().len(), 20);
}

#[tokio::test]
async fn an_unknown_procedure_of_the_rule_holds_its_events_and_no_others() {
    let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.set_procedures(&["ticket"]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    dispatcher.gate(true).await;
    dispatcher.send(&session, 2, event("m2", "named", r#"{"procedure": "ticket"}"#)).await;
    assert_eq!(within(10, "the ticket", session.answer()).await, (2, Settlement::Ack));
    dispatcher.api.set_procedures(&["ticket", "lead"]);
    assert_eq!(within(10, "the lead", session.answer()).await, (1, Settlement::Ack));
}

#[tokio::test]
async fn an_unknown_procedure_of_the_event_is_the_fault_of_the_event() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.send(&session, 1, event("m1", "named", r#"{"procedure": "nosuch"}"#)).await;
    let dead_letter = within(10, "its letter", session.dead_letter()).await;
    assert_eq!((dead_letter.fault.reason, dead_letter.status), (Reason::Refused, Some(404)));
}

#[tokio::test]
async fn a_gate_shut_for_long_spends_neither_age_nor_attempts() {
    let commands = Commands { retry: "give_up_after = \"300ms\"", ..Commands::default() };
    let (mut dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(401)).first(15), Rule::always(Canned::new(422))]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    dispatcher.gate(true).await;
    let dead_letter = within(20, "its letter", session.dead_letter()).await;
    assert_eq!((dead_letter.fault.reason, dead_letter.attempts), (Reason::Refused, 1));
}

#[tokio::test]
async fn too_many_requests_makes_everything_wait_as_long_as_the_api_asks() {
    let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(429).retry_after("1")).first(1)]);
    let began = std::time::Instant::now();
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    dispatcher.gate(true).await;
    dispatcher.send(&session, 2, lead("m2", "Ted")).await;
    within(10, "both", all_acknowledged(&mut session, 2)).await;
    assert!(began.elapsed() >= std::time::Duration::from_secs(1));
    assert_eq!(dispatcher.api.requests().len(), 3);
}

#[tokio::test]
async fn an_event_that_a_wall_refuses_alone_does_not_keep_the_others_from_being_created() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.connected(false).await;
    dispatcher.api.plan(vec![Rule::always(Canned::new(403).body(ErrorBody::Html)).attribute("name", "refused")]);
    dispatcher.send(&session, 0, lead("m0", "refused")).await;
    for number in 1..=40 {
        dispatcher.send(&session, number, lead(&format!("m{number}"), "Ted")).await;
    }
    within(30, "all others", all_acknowledged(&mut session, 40)).await;
    assert_eq!(dispatcher.api.created().len(), 40);
}
