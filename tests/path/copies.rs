//! Copies: what the broker delivers again after a lost connection becomes no second process.
//!
//! Not here: a broker that really loses one (`broker.rs`).

use chakra_bridge::core::settlement::Settlement;

use super::dispatcher::{Session, Stage, again, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule, StandIn};

#[tokio::test]
async fn a_copy_of_what_was_created_is_acknowledged_without_asking_again() {
    let (dispatcher, mut first, mut second) = (Stage::new().await, Session::new(), Session::new());
    dispatcher.send(&first, 1, lead("m1", "Ted")).await;
    assert_eq!(within(10, "its answer", first.answer()).await.1, Settlement::Ack);
    dispatcher.disconnected().await;
    dispatcher.send(&second, 1, again(lead("m1", "Ted"))).await;
    assert_eq!(second.answer().await.1, Settlement::Ack);
    assert_eq!(dispatcher.api.created().len(), 1);
}

#[tokio::test]
async fn a_copy_takes_the_place_of_the_one_whose_connection_died_under_its_request() {
    let (dispatcher, first, mut second) = (Stage::new().await, Session::new(), Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::Delay { ms: 300 })]);
    dispatcher.send(&first, 1, lead("m1", "Ted")).await;
    within(10, "the request", dispatcher.api.until(|books| !books.requests.is_empty())).await;
    drop(first);
    dispatcher.disconnected().await;
    dispatcher.send(&second, 1, again(lead("m1", "Ted"))).await;
    assert_eq!(within(10, "its answer", second.answer()).await.1, Settlement::Ack);
    assert_eq!(dispatcher.api.created().len(), 1);
}

#[tokio::test]
async fn a_copy_goes_on_where_the_lost_one_stood_and_repeats_no_repeat() {
    let (dispatcher, first, mut second) = (Stage::new().await, Session::new(), Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::CreateThenReset)]);
    dispatcher.send(&first, 1, lead("m1", "Ted")).await;
    within(10, "both creates", dispatcher.api.until(|books| books.created.len() == 2)).await;
    drop(first);
    dispatcher.disconnected().await;
    dispatcher.send(&second, 1, again(lead("m1", "Ted"))).await;
    assert!(matches!(within(10, "its answer", second.answer()).await.1, Settlement::DeadLetter(_)));
    assert_eq!(dispatcher.api.created().len(), 2);
}

#[tokio::test]
async fn a_copy_of_a_dead_letter_is_one_again_without_asking() {
    let (dispatcher, mut first, mut second) = (Stage::new().await, Session::new(), Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(422))]);
    dispatcher.send(&first, 1, lead("m1", "Ted")).await;
    let dead_letter = within(10, "its letter", first.dead_letter()).await;
    dispatcher.send(&second, 1, again(lead("m1", "Ted"))).await;
    let copy = second.dead_letter().await;
    assert_eq!((copy.fault, copy.attempts), (dead_letter.fault, dead_letter.attempts));
    assert_eq!(dispatcher.api.requests().len(), 1);
}

#[tokio::test]
async fn what_was_published_twice_under_one_key_is_one_process_and_counted_by_its_rule() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    for number in [1, 2] {
        dispatcher.send(&session, number, lead("m1", "Ted")).await;
        assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    }
    dispatcher.send(&session, 3, lead("m1", "Ada")).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    assert_eq!(dispatcher.api.created().len(), 2, "another body under its message id is another event");
    let metrics = dispatcher.metrics.text();
    assert!(metrics.contains(r#"events_settled_total{result="duplicate",rule="lead",reason=""} 1"#), "{metrics}");
}

#[tokio::test]
async fn what_is_published_twice_at_once_is_one_process() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::Delay { ms: 300 })]);
    for number in [1, 2, 3] {
        dispatcher.send(&session, number, lead("m1", "Ted")).await;
    }
    for _ in 0..3 {
        assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    }
    assert_eq!(dispatcher.api.created().len(), 1);
}

#[tokio::test]
async fn a_redelivered_event_that_nobody_here_knows_is_announced_even_after_another_lost_connection() {
    let (mut dispatcher, first, mut second) = (Stage::new().await, Session::new(), Session::new());
    dispatcher.api.set_tokens(&["another"]);
    dispatcher.send(&first, 1, lead("m0", "Ted")).await;
    dispatcher.gate(true).await;
    dispatcher.send(&first, 2, again(lead("m1", "Ted"))).await;
    drop(first);
    dispatcher.disconnected().await;
    dispatcher.send(&second, 1, again(lead("m1", "Ted"))).await;
    dispatcher.api.set_tokens(&[StandIn::TOKEN]);
    assert_eq!(within(10, "its answer", second.answer()).await.1, Settlement::Ack);
    let metrics = dispatcher.metrics.text();
    assert!(metrics.contains(r#"possible_duplicates_total{cause="redelivered"} 1"#), "{metrics}");
}
