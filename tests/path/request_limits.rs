//! How fast it goes: the ramp after an outage, a pause, a new token, the limits of rate and retries.
//!
//! Not here: the laws of each by itself (`core::gate`, `core::request_limits`).

use std::time::{Duration, Instant};

use chakra_bridge::core::settlement::Settlement;

use super::dispatcher::{Commands, Session, Stage, lead};
use crate::support::broker::eventually;
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule, StandIn};

const DEADLINE: Duration = Duration::from_secs(10);

async fn all_acknowledged(session: &mut Session, count: usize) {
    for _ in 0..count {
        assert_eq!(session.answer().await.1, Settlement::Ack);
    }
}

async fn batch(dispatcher: &Stage, session: &Session, numbers: std::ops::Range<u64>) {
    for number in numbers {
        dispatcher.send(session, number, lead(&format!("m{number}"), "Ted")).await;
    }
}

/// No second begins more than it may on a ramp: 2, 4, 8 ... and the probe that began it. A busy machine may note the probe up to a
/// second late; without a ramp all of them would come at once.
fn grew_no_faster_than_a_ramp(api: &StandIn) {
    let created = api.created();
    let first = created[0].at;
    for second in 2..=4_u32 {
        let until = first + Duration::from_secs(u64::from(second) - 1);
        let count = created.iter().filter(|process| process.at < until).count();
        assert!(count <= 1 + (2 << second) - 2, "{count} in the first {second} s");
    }
}

#[tokio::test]
async fn after_an_outage_it_begins_again_step_by_step() {
    let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.go_dark().await;
    batch(&dispatcher, &session, 0..40).await;
    dispatcher.gate(true).await;
    assert_eq!(dispatcher.level("gate_ramp_requests_per_second"), 0);
    dispatcher.api.listen().await.unwrap();
    eventually(DEADLINE, "the ramp in the metrics", async || dispatcher.level("gate_ramp_requests_per_second") >= 4)
        .await;
    within(20, "all", all_acknowledged(&mut session, 40)).await;
    assert_eq!(dispatcher.api.created().len(), 40);
    grew_no_faster_than_a_ramp(&dispatcher.api);
}

#[tokio::test]
async fn while_it_is_paused_nothing_is_sent_and_once_resumed_all_is() {
    let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.paused.send_replace(true);
    dispatcher.gate(true).await;
    assert_eq!(*dispatcher.shut.borrow(), ["everything: paused"]);
    batch(&dispatcher, &session, 0..10).await;
    eventually(DEADLINE, "all unacknowledged", async || dispatcher.level("events_unacknowledged") == 10).await;
    assert_eq!(dispatcher.api.requests().len(), 0);
    assert!(dispatcher.metrics.text().contains(r#"gate_shut{scope="everything",reason="paused"} 1"#));
    dispatcher.paused.send_replace(false);
    within(20, "all", all_acknowledged(&mut session, 10)).await;
    assert!(dispatcher.shut.borrow().is_empty());
    assert!(dispatcher.metrics.text().contains(r#"gate_shut{scope="everything",reason=""} 0"#));
    grew_no_faster_than_a_ramp(&dispatcher.api);
}

#[tokio::test]
async fn what_waits_in_a_paused_dispatcher_goes_back_when_it_stops() {
    let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.paused.send_replace(true);
    dispatcher.gate(true).await;
    batch(&dispatcher, &session, 0..3).await;
    eventually(DEADLINE, "all unacknowledged", async || dispatcher.level("events_unacknowledged") == 3).await;
    let (drained, api) = dispatcher.stop().await;
    assert_eq!((drained.cut_off, api.requests().len()), (0, 0));
    for _ in 0..3 {
        assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Release);
    }
}

#[tokio::test]
async fn a_new_token_in_its_file_opens_the_gate_long_before_the_next_probe() {
    let commands = Commands { gate: "probe_initial = \"1h\"\nprobe_max = \"1h\"", ..Commands::default() };
    let (mut dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    dispatcher.api.set_tokens(&["another"]);
    batch(&dispatcher, &session, 0..5).await;
    dispatcher.gate(true).await;
    eventually(DEADLINE, "all refused", async || dispatcher.level("api_requests_in_flight") == 0).await;
    let refused = dispatcher.api.requests().len();
    dispatcher.rotate("another");
    within(30, "all", all_acknowledged(&mut session, 5)).await;
    assert_eq!((dispatcher.api.created().len(), dispatcher.api.requests().len()), (5, refused + 5));
    dispatcher.gate(false).await;
}

#[tokio::test]
async fn no_more_are_sent_in_a_second_than_wished() {
    let commands = Commands { api: "max_requests_per_second = 10", ..Commands::default() };
    let (dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    let began = Instant::now();
    batch(&dispatcher, &session, 0..30).await;
    within(20, "all", all_acknowledged(&mut session, 30)).await;
    assert!(began.elapsed() >= Duration::from_millis(1900), "{:?}", began.elapsed());
    assert_eq!(dispatcher.api.requests().len(), 30);
}

#[tokio::test]
async fn retries_are_held_to_their_budget_and_first_tries_are_not() {
    let commands = Commands { retry: "budget = 0.0", ..Commands::default() };
    let (dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    dispatcher.api.plan(vec![Rule {
        value: Some("Zoe".into()),
        attribute: Some("name".into()),
        ..Rule::always(Canned::new(423))
    }]);
    for number in 0..20 {
        dispatcher.send(&session, number, lead(&format!("z{number}"), "Zoe")).await;
    }
    within(20, "the budget is spent", dispatcher.api.until(|books| books.requests.len() >= 120)).await;
    let (began, before) = (Instant::now(), dispatcher.api.requests().len());
    batch(&dispatcher, &session, 20..50).await;
    within(10, "the first tries", all_acknowledged(&mut session, 30)).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    within(20, "more retries", dispatcher.api.until(|books| books.requests.len() >= before + 30 + 20)).await;
    assert!(began.elapsed() > Duration::from_secs(1), "the floor is ten a second: {:?}", began.elapsed());
}
