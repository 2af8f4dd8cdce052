//! Stopping: what is under way is finished, what waits goes back, what takes too long is cut off.
//!
//! Not here: signals and the broker (`shutdown.rs`).

use std::time::Duration;

use chakra_bridge::core::settlement::Settlement;
use chakra_bridge::dispatch::Drained;

use super::dispatcher::{Commands, Session, Stage, lead};
use crate::support::broker::eventually;
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

#[tokio::test]
async fn what_is_under_way_is_finished() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::Delay { ms: 300 })]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    within(10, "the request", dispatcher.api.until(|books| !books.requests.is_empty())).await;
    let (drained, api) = dispatcher.stop().await;
    assert_eq!((drained, api.created().len()), (Drained { cut_off: 0 }, 1));
    assert_eq!(session.answer().await.1, Settlement::Ack);
}

#[tokio::test]
async fn what_waits_goes_back() {
    let commands = Commands { retry: "retry_after_max = \"1h\"", ..Commands::default() };
    let (dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(423).retry_after("600"))]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    within(10, "the answer", dispatcher.api.until(|books| books.requests.iter().any(|seen| seen.over))).await;
    let (drained, _api) = dispatcher.stop().await;
    assert_eq!(drained, Drained { cut_off: 0 });
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Release);
}

#[tokio::test]
async fn what_takes_longer_than_the_deadline_is_cut_off_and_goes_back() {
    let commands = Commands { drain: Duration::from_millis(100), ..Commands::default() };
    let (dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::NeverAnswer)]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    within(10, "the request", dispatcher.api.until(|books| !books.requests.is_empty())).await;
    let (drained, _api) = dispatcher.stop().await;
    assert_eq!(drained, Drained { cut_off: 1 });
    assert_eq!(session.answer().await.1, Settlement::Release);
}

#[tokio::test]
async fn a_failure_while_stopping_goes_back_and_is_not_waited_for() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::Delay { ms: 200 }), Rule::always(Canned::new(503))]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    within(10, "the request", dispatcher.api.until(|books| !books.requests.is_empty())).await;
    let (drained, _api) = dispatcher.stop().await;
    assert_eq!(drained, Drained { cut_off: 0 });
    assert_eq!(session.answer().await.1, Settlement::Release);
}

#[tokio::test]
async fn a_request_that_ended_while_stopping_is_not_one_that_was_cut_off() {
    for status in [401, 423] {
        let (dispatcher, mut session) = (Stage::new().await, Session::new());
        dispatcher.connected(true).await;
        dispatcher.api.plan(vec![Rule::always(Fault::Delay { ms: 200 }), Rule::always(Canned::new(status))]);
        dispatcher.send(&session, 1, lead("m1", "Ted")).await;
        within(10, "the request", dispatcher.api.until(|books| !books.requests.is_empty())).await;
        let (drained, _api) = dispatcher.stop().await;
        assert_eq!(drained, Drained { cut_off: 0 });
        match session.answer().await.1 {
            Settlement::Delay(_, delayed_state) => {
                assert_eq!((delayed_state.progress.unsure_creates, delayed_state.progress.since_create), (0, None))
            }
            other => panic!("expected it to be delayed, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_gauges_follow_what_ends_while_stopping() {
    let commands = Commands { timeout: "4s", ..Commands::default() };
    let (dispatcher, session) = (Stage::with(commands).await, Session::new());
    let faults = [(1, "m1", Fault::NeverAnswer), (2, "m2", Fault::Delay { ms: 500 })];
    for (number, id, fault) in faults {
        dispatcher.api.plan(vec![Rule::always(fault)]);
        dispatcher.send(&session, number, lead(id, "Ted")).await;
        let wanted = usize::try_from(number).unwrap();
        within(10, "the request", dispatcher.api.until(|books| books.requests.len() >= wanted)).await;
    }
    dispatcher.begin_stop();
    for name in ["events_unacknowledged", "api_requests_in_flight"] {
        eventually(Duration::from_secs(10), name, async || dispatcher.level(name) == 1).await;
    }
}
