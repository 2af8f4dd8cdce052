//! Our own trouble costs an event only time.
//!
//! Not here: the laws of the gate by itself (`core::gate`).

use chakra_bridge::core::reason::Reason;
use chakra_bridge::core::settlement::Settlement;

use super::corridor::{Corridor, Shore, Wishes, event, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, ErrorBody, Fault, Rule, StandIn};

/// Every event of a batch is acknowledged, and nothing is a dead letter.
async fn all_acknowledged(shore: &mut Shore, count: usize) {
    for _ in 0..count {
        assert_eq!(shore.answer().await.1, Settlement::Ack);
    }
}

async fn batch(corridor: &Corridor, shore: &Shore, count: u64) {
    for number in 0..count {
        corridor.send(shore, number, lead(&format!("m{number}"), "Ted")).await;
    }
}

#[tokio::test]
async fn a_bad_token_never_dead_letters_and_a_good_one_lets_all_pass() {
    let (mut corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.set_tokens(&["another"]);
    batch(&corridor, &shore, 20).await;
    corridor.gate(true).await;
    within(10, "some probes", corridor.api.until(|books| books.requests.len() >= 25)).await;
    assert!(shore.answers.try_recv().is_err());
    corridor.api.set_tokens(&[StandIn::TOKEN]);
    within(10, "all", all_acknowledged(&mut shore, 20)).await;
    assert_eq!(corridor.api.created().len(), 20);
    corridor.gate(false).await;
}

#[tokio::test]
async fn whatever_is_not_the_api_holds_and_never_dead_letters() {
    let page = || Canned::new(400).body(ErrorBody::Html);
    let faults: [Fault; 5] =
        [Fault::Redirect, Fault::SuccessHtml, page().into(), Canned::new(402).into(), Canned::new(501).into()];
    for fault in faults {
        let (mut corridor, mut shore) = (Corridor::new().await, Shore::new());
        corridor.api.plan(vec![Rule::always(fault.clone()).first(5)]);
        batch(&corridor, &shore, 3).await;
        corridor.gate(true).await;
        within(10, &format!("{fault:?}"), all_acknowledged(&mut shore, 3)).await;
        assert_eq!(corridor.api.created().len(), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn an_api_that_is_away_costs_only_time() {
    let (mut corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.go_dark().await;
    batch(&corridor, &shore, 20).await;
    corridor.gate(true).await;
    assert!(shore.answers.try_recv().is_err());
    corridor.api.listen().await.unwrap();
    within(10, "all", all_acknowledged(&mut shore, 20)).await;
    assert_eq!(corridor.api.created().len(), 20);
}

#[tokio::test]
async fn an_unknown_procedure_of_the_rule_holds_its_events_and_no_others() {
    let (mut corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.set_procedures(&["ticket"]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    corridor.gate(true).await;
    corridor.send(&shore, 2, event("m2", "named", r#"{"procedure": "ticket"}"#)).await;
    assert_eq!(within(10, "the ticket", shore.answer()).await, (2, Settlement::Ack));
    corridor.api.set_procedures(&["ticket", "lead"]);
    assert_eq!(within(10, "the lead", shore.answer()).await, (1, Settlement::Ack));
}

#[tokio::test]
async fn an_unknown_procedure_of_the_event_is_the_fault_of_the_event() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.send(&shore, 1, event("m1", "named", r#"{"procedure": "nosuch"}"#)).await;
    let letter = within(10, "its letter", shore.dead_letter()).await;
    assert_eq!((letter.fault.reason, letter.status), (Reason::Refused, Some(404)));
}

#[tokio::test]
async fn a_gate_shut_for_long_spends_neither_age_nor_attempts() {
    let wishes = Wishes { retry: "give_up_after = \"300ms\"", ..Wishes::default() };
    let (mut corridor, mut shore) = (Corridor::with(wishes).await, Shore::new());
    corridor.api.plan(vec![Rule::always(Canned::new(401)).first(15), Rule::always(Canned::new(422))]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    corridor.gate(true).await;
    let letter = within(20, "its letter", shore.dead_letter()).await;
    assert_eq!((letter.fault.reason, letter.attempts), (Reason::Refused, 1));
}

#[tokio::test]
async fn too_many_requests_makes_everything_wait_as_long_as_the_api_asks() {
    let (mut corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.plan(vec![Rule::always(Canned::new(429).retry_after("1")).first(1)]);
    let began = std::time::Instant::now();
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    corridor.gate(true).await;
    corridor.send(&shore, 2, lead("m2", "Ted")).await;
    within(10, "both", all_acknowledged(&mut shore, 2)).await;
    assert!(began.elapsed() >= std::time::Duration::from_secs(1));
    assert_eq!(corridor.api.requests().len(), 3);
}

#[tokio::test]
async fn an_event_that_a_wall_refuses_alone_does_not_keep_the_others_from_being_created() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.connected(false).await;
    corridor.api.plan(vec![Rule::always(Canned::new(403).body(ErrorBody::Html)).attribute("name", "refused")]);
    corridor.send(&shore, 0, lead("m0", "refused")).await;
    for number in 1..=40 {
        corridor.send(&shore, number, lead(&format!("m{number}"), "Ted")).await;
    }
    within(30, "all others", all_acknowledged(&mut shore, 40)).await;
    assert_eq!(corridor.api.created().len(), 40);
}
