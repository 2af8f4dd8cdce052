//! Stopping: what is under way is finished, what waits goes back, what takes too long is cut off.
//!
//! Not here: signals and the broker (`shutdown.rs`).

use std::time::Duration;

use chakra_bridge::core::settlement::Settlement;
use chakra_bridge::dispatch::Drained;

use super::corridor::{Corridor, Shore, Wishes, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

#[tokio::test]
async fn what_is_under_way_is_finished() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.plan(vec![Rule::always(Fault::Delay { ms: 300 })]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    within(10, "the request", corridor.api.until(|books| !books.requests.is_empty())).await;
    let (drained, api) = corridor.stop().await;
    assert_eq!((drained, api.created().len()), (Drained { cut_off: 0 }, 1));
    assert_eq!(shore.answer().await.1, Settlement::Ack);
}

#[tokio::test]
async fn what_waits_goes_back() {
    let wishes = Wishes { retry: "retry_after_max = \"1h\"", ..Wishes::default() };
    let (corridor, mut shore) = (Corridor::with(wishes).await, Shore::new());
    corridor.api.plan(vec![Rule::always(Canned::new(423).retry_after("600"))]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    within(10, "the answer", corridor.api.until(|books| books.requests.iter().any(|seen| seen.over))).await;
    let (drained, _api) = corridor.stop().await;
    assert_eq!(drained, Drained { cut_off: 0 });
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Release);
}

#[tokio::test]
async fn what_takes_longer_than_the_deadline_is_cut_off_and_goes_back() {
    let wishes = Wishes { drain: Duration::from_millis(100), ..Wishes::default() };
    let (corridor, mut shore) = (Corridor::with(wishes).await, Shore::new());
    corridor.api.plan(vec![Rule::always(Fault::NeverAnswer)]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    within(10, "the request", corridor.api.until(|books| !books.requests.is_empty())).await;
    let (drained, _api) = corridor.stop().await;
    assert_eq!(drained, Drained { cut_off: 1 });
    assert_eq!(shore.answer().await.1, Settlement::Release);
}

#[tokio::test]
async fn a_failure_while_stopping_goes_back_and_is_not_waited_for() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.plan(vec![Rule::always(Fault::Delay { ms: 200 }), Rule::always(Canned::new(503))]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    within(10, "the request", corridor.api.until(|books| !books.requests.is_empty())).await;
    let (drained, _api) = corridor.stop().await;
    assert_eq!(drained, Drained { cut_off: 0 });
    assert_eq!(shore.answer().await.1, Settlement::Release);
}

#[tokio::test]
async fn a_request_that_ended_while_stopping_is_not_one_that_was_cut_off() {
    for status in [401, 423] {
        let (corridor, mut shore) = (Corridor::new().await, Shore::new());
        corridor.connected(true).await;
        corridor.api.plan(vec![Rule::always(Fault::Delay { ms: 200 }), Rule::always(Canned::new(status))]);
        corridor.send(&shore, 1, lead("m1", "Ted")).await;
        within(10, "the request", corridor.api.until(|books| !books.requests.is_empty())).await;
        let (drained, _api) = corridor.stop().await;
        assert_eq!(drained, Drained { cut_off: 0 });
        match shore.answer().await.1 {
            Settlement::Park(_, travel) => assert_eq!((travel.journey.unsure, travel.journey.quiet), (0, None)),
            other => panic!("expected it to be parked, got {other:?}"),
        }
    }
}
