//! A wait beyond the budget is delayed with all that travels along, and goes on from there.
//!
//! Not here: publishing to a delay queue (`broker/delays.rs`).

use chakra_bridge::core::delay_queue::{DELAY_QUEUES, DelayQueue};
use chakra_bridge::core::delayed_state::DelayedState;
use chakra_bridge::core::message::Message;
use chakra_bridge::core::settlement::Settlement;
use chakra_bridge::handover::prefetch::WantedPrefetch;

use super::dispatcher::{Commands, Session, Stage, again, event, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

async fn dispatcher() -> Stage {
    let retry = "max_local_delay = \"100ms\"";
    Stage::with(Commands { retry, ..Commands::default() }).await
}

async fn delayed(session: &mut Session) -> (DelayQueue, DelayedState) {
    match within(10, "its answer", session.answer()).await.1 {
        Settlement::Delay(delay_queue, delayed_state) => (delay_queue, *delayed_state),
        other => panic!("expected it to be delayed, got {other:?}"),
    }
}

fn locked(seconds: &str) -> Rule {
    Rule::always(Canned::new(423).retry_after(seconds))
}

#[tokio::test]
async fn a_delayed_event_goes_on_where_it_stood() {
    let (dispatcher, mut session) = (dispatcher().await, Session::new());
    dispatcher.connected(true).await;
    dispatcher.api.plan(vec![locked("70").times(1)]);
    let message = Message { exchange: "crm".into(), routing_key: "lead.new".into(), ..lead("m1", "Ted") };
    dispatcher.send(&session, 1, message.clone()).await;
    let (delay_queue, delayed_state) = delayed(&mut session).await;
    assert_eq!((delay_queue, delayed_state.progress.attempts), (DELAY_QUEUES[1], 1));
    assert_eq!((delayed_state.exchange.as_str(), delayed_state.routing_key.as_str()), ("crm", "lead.new"));
    assert!(delayed_state.age.as_secs() >= 70 && delayed_state.remaining.as_secs() >= 9, "{delayed_state:?}");
    let back = Message {
        delayed_state: Some(DelayedState { remaining: std::time::Duration::ZERO, ..delayed_state }.encode()),
        ..message
    };
    dispatcher.send(&session, 2, Message { exchange: String::new(), routing_key: "work".into(), ..back }).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    assert_eq!(dispatcher.api.created().len(), 1);
}

#[tokio::test]
async fn what_is_left_of_a_wait_after_its_delay_queue_is_waited_for() {
    let (dispatcher, mut session) = (dispatcher().await, Session::new());
    dispatcher.connected(true).await;
    let rest = std::time::Duration::from_secs(12);
    let delayed_state =
        DelayedState { remaining: rest, age: std::time::Duration::from_secs(47), ..DelayedState::default() }.encode();
    dispatcher.send(&session, 1, Message { delayed_state: Some(delayed_state), ..lead("m1", "Ted") }).await;
    let (delay_queue, delayed_state) = delayed(&mut session).await;
    assert_eq!((delay_queue, delayed_state.remaining.as_secs()), (DELAY_QUEUES[0], 2));
    assert_eq!(delayed_state.age.as_secs(), 47, "the whole wait was counted when it was delayed first");
    assert_eq!(dispatcher.api.requests().len(), 0);
}

#[tokio::test]
async fn a_rest_within_the_budget_is_spent_in_memory() {
    let (dispatcher, mut session) = (dispatcher().await, Session::new());
    dispatcher.connected(true).await;
    let (rest, began) = (std::time::Duration::from_millis(90), tokio::time::Instant::now());
    let delayed_state = DelayedState { remaining: rest, ..DelayedState::default() }.encode();
    dispatcher.send(&session, 1, Message { delayed_state: Some(delayed_state), ..lead("m1", "Ted") }).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    assert!(began.elapsed() >= rest);
}

#[tokio::test]
async fn where_nothing_can_be_delayed_the_wait_is_spent_in_memory() {
    let (dispatcher, mut session) = (dispatcher().await, Session::new());
    dispatcher.connected(false).await;
    dispatcher.api.plan(vec![locked("1").times(1)]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
}

#[tokio::test]
async fn what_a_newer_daemon_delayed_travels_on_as_it_came() {
    let (dispatcher, mut session) = (dispatcher().await, Session::new());
    dispatcher.connected(true).await;
    let newer = r#"{"v":2,"what":"nobody here knows"}"#.to_owned();
    dispatcher.send(&session, 1, Message { delayed_state: Some(newer.clone()), ..lead("m1", "Ted") }).await;
    assert_eq!(delayed(&mut session).await.1.encode(), newer);
    assert_eq!(dispatcher.api.requests().len(), 0);
}

#[tokio::test]
async fn a_header_that_nobody_of_ours_wrote_is_a_dead_letter() {
    let (dispatcher, mut session) = (dispatcher().await, Session::new());
    dispatcher.send(&session, 1, Message { delayed_state: Some("{}".to_owned()), ..lead("m1", "Ted") }).await;
    assert!(within(10, "its dead letter", session.dead_letter()).await.fault.text.contains("chakra-bridge-journey"));
}

#[tokio::test]
async fn what_the_broker_gave_back_too_often_is_delayed_and_counted_and_in_the_end_a_dead_letter() {
    let (dispatcher, mut session) = (dispatcher().await, Session::new());
    dispatcher.connected(true).await;
    let suspect = |delayed_state: Option<String>| Message {
        delayed_state,
        deliveries: Some(5),
        redelivered: true,
        ..lead("m1", "Ted")
    };
    dispatcher.send(&session, 1, suspect(None)).await;
    let (_, once) = delayed(&mut session).await;
    // Whoever died of it may have created it.
    assert_eq!(once.progress.since_create, Some(DELAY_QUEUES[0].wait));
    dispatcher.send(&session, 2, suspect(Some(once.encode()))).await;
    let (_, twice) = delayed(&mut session).await;
    assert_eq!((once.progress.crashes, twice.progress.crashes), (1, 2));
    dispatcher.send(&session, 3, suspect(Some(twice.encode()))).await;
    assert_eq!(within(10, "its dead letter", session.dead_letter()).await.fault.reason.as_str(), "crashing");
    assert_eq!(dispatcher.api.requests().len(), 0);
}

#[tokio::test]
async fn at_the_end_what_has_a_progress_is_delayed() {
    let (dispatcher, mut session) = (dispatcher().await, Session::new());
    dispatcher.connected(true).await;
    dispatcher.api.plan(vec![locked("0").attribute("name", "Ted"), Rule::always(Canned::new(401))]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    within(10, "an attempt", dispatcher.api.until(|books| !books.requests.is_empty())).await;
    dispatcher.stop().await;
    assert!(delayed(&mut session).await.1.progress.attempts >= 1);
}

#[tokio::test]
async fn while_everything_is_shut_for_long_one_event_is_wanted_and_the_others_are_delayed_unspent() {
    let gate = "probe_initial = \"20ms\"\nprobe_max = \"60ms\"\nrelease_after = \"300ms\"";
    let (dispatcher, mut session) = (Stage::with(Commands { gate, ..Commands::default() }).await, Session::new());
    let mut wanted_prefetch = dispatcher.wanted_prefetch.clone();
    dispatcher.connected(true).await;
    dispatcher.api.plan(vec![Rule::always(Canned::new(401))]);
    for number in 0..5 {
        dispatcher.send(&session, number, lead(&format!("m{number}"), "Ted")).await;
    }
    within(10, "the word", wanted_prefetch.wait_for(|wanted| *wanted == WantedPrefetch::One)).await.unwrap();
    for _ in 0..4 {
        let (delay_queue, delayed_state) = delayed(&mut session).await;
        assert_eq!(
            (delay_queue, delayed_state.progress.attempts, delayed_state.age.as_secs()),
            (DELAY_QUEUES[0], 0, 0)
        );
    }
    dispatcher.api.plan(Vec::new());
    dispatcher.send(&session, 9, lead("m9", "Ted")).await;
    within(10, "the word", wanted_prefetch.wait_for(|wanted| *wanted == WantedPrefetch::Full)).await.unwrap();
}

fn forbidden() -> Rule {
    Rule::always(Canned::new(403)).attribute("name", "Ted")
}

#[tokio::test]
async fn what_waits_for_one_procedure_goes_before_the_broker_takes_it_back() {
    let gate = "probe_initial = \"30s\"\nprobe_max = \"30s\"\nrelease_after = \"20ms\"";
    let (dispatcher, mut session) = (Stage::with(Commands { gate, ..Commands::default() }).await, Session::new());
    dispatcher.connected(true).await;
    dispatcher.api.plan(vec![forbidden()]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    let (delay_queue, delayed_state) = delayed(&mut session).await;
    assert_eq!((delay_queue, delayed_state.progress.attempts, delayed_state.age.as_secs()), (DELAY_QUEUES[0], 0, 0));
}

#[tokio::test]
async fn what_may_be_sent_is_sent_however_soon_it_would_be_released() {
    let gate = "release_after = \"1ms\"";
    let (dispatcher, mut session) = (Stage::with(Commands { gate, ..Commands::default() }).await, Session::new());
    dispatcher.connected(true).await;
    dispatcher.api.plan(vec![Rule::always(Fault::Delay { ms: 50 })]);
    // It looks, is not found, and is created.
    dispatcher
        .send(
            &session,
            1,
            Message { delayed_state: Some(DelayedState::default().encode()), ..event("m1", "sought", "{}") },
        )
        .await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    assert_eq!(dispatcher.api.created().len(), 1);
}

#[tokio::test]
async fn in_a_hand_of_one_place_a_shut_procedure_stands_in_nobodys_way_and_is_asked_all_the_same() {
    let (dispatcher, mut session) = (Stage::with(Commands { places: 1, ..Commands::default() }).await, Session::new());
    dispatcher.connected(true).await;
    dispatcher.api.plan(vec![forbidden()]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    let (_, mut delayed_state) = delayed(&mut session).await;
    dispatcher.send(&session, 2, event("m2", "shaped", r#"{"name": "Ned"}"#)).await;
    assert_eq!(within(10, "the other's answer", session.answer()).await, (2, Settlement::Ack));
    dispatcher.api.plan(Vec::new());
    for number in 3.. {
        let back = Message { delayed_state: Some(delayed_state.encode()), ..lead("m1", "Ted") };
        dispatcher.send(&session, number, back).await;
        delayed_state = match within(10, "its answer", session.answer()).await.1 {
            Settlement::Delay(_, delayed_state) => *delayed_state,
            Settlement::Ack => break,
            other => panic!("expected a process, got {other:?}"),
        };
    }
    assert_eq!(dispatcher.api.created().len(), 2);
}

#[tokio::test]
async fn what_is_cut_off_at_the_deadline_is_delayed_as_one_that_may_be_a_process() {
    let commands = Commands { drain: std::time::Duration::from_millis(100), ..Commands::default() };
    let (dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    dispatcher.connected(true).await;
    dispatcher.api.plan(vec![Rule::always(Fault::NeverAnswer)]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    within(10, "the request", dispatcher.api.until(|books| !books.requests.is_empty())).await;
    let _ended = dispatcher.stop().await;
    assert_eq!(delayed(&mut session).await.1.progress.unsure_creates, 1);
}

#[tokio::test]
async fn a_doubt_that_could_not_be_said_before_an_event_was_delayed_is_said_before_it_is_sent() {
    let (mut before, mut session) = (dispatcher().await, Session::new());
    before.connected(true).await;
    before.api.plan(vec![Rule::always(Canned::new(401))]);
    before.send(&session, 1, lead("other", "Ted")).await;
    before.gate(true).await;
    before.send(&session, 2, again(lead("m1", "Ted"))).await;
    before.stop().await;
    let mut delayed_states = vec![delayed(&mut session).await.1, delayed(&mut session).await.1];
    delayed_states.retain(|delayed_state| delayed_state.progress.since_create.is_some());
    let [delayed_state] = &delayed_states[..] else { panic!("one of them was delivered again: {delayed_states:?}") };
    let after = dispatcher().await;
    after.send(&session, 3, Message { delayed_state: Some(delayed_state.encode()), ..lead("m1", "Ted") }).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    let metrics = after.metrics.text();
    assert!(metrics.contains(r#"possible_duplicates_total{cause="redelivered"} 1"#), "{metrics}");
}

#[tokio::test]
async fn a_connection_that_is_lost_again_and_again_is_no_crash_of_what_it_delivered() {
    let (mut dispatcher, mut session) = (dispatcher().await, Session::new());
    dispatcher.connected(false).await;
    dispatcher.api.plan(vec![Rule::always(Canned::new(401))]);
    for returns in 0..20 {
        let message = Message { deliveries: Some(returns), redelivered: returns > 0, ..lead("m1", "Ted") };
        dispatcher.send(&session, u64::from(returns), message).await;
        dispatcher.gate(true).await;
        drop(std::mem::replace(&mut session, Session::new()));
        dispatcher.disconnected().await;
        dispatcher.connected(false).await;
    }
    dispatcher.api.plan(Vec::new());
    dispatcher.send(&session, 99, Message { deliveries: Some(20), ..again(lead("m1", "Ted")) }).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
}
