//! How fast it goes: the ramp after an outage, a pause, a new token, the limits of rate and retries.
//!
//! Not here: the laws of each by itself (`core::gate`, `core::request_limits`).

use std::time::{Duration, Instant};

use chakra_bridge::core::settlement::Settlement;

use super::corridor::{Corridor, Shore, Wishes, lead};
use crate::support::broker::eventually;
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule, StandIn};

const DEADLINE: Duration = Duration::from_secs(10);

async fn all_acknowledged(shore: &mut Shore, count: usize) {
    for _ in 0..count {
        assert_eq!(shore.answer().await.1, Settlement::Ack);
    }
}

async fn batch(corridor: &Corridor, shore: &Shore, numbers: std::ops::Range<u64>) {
    for number in numbers {
        corridor.send(shore, number, lead(&format!("m{number}"), "Ted")).await;
    }
}

/// No second begins more than it may on a ramp: 2, 4, 8 ... and the probe that began it; an edge may cut a second.
fn grew_no_faster_than_a_ramp(api: &StandIn) {
    let created = api.created();
    let first = created[0].at;
    for second in 1..=4_u32 {
        let until = first + Duration::from_secs(second.into()) - Duration::from_millis(100);
        let count = created.iter().filter(|process| process.at < until).count();
        assert!(count <= 1 + (2 << second) - 2, "{count} in the first {second} s");
    }
}

#[tokio::test]
async fn after_an_outage_it_begins_again_step_by_step() {
    let (mut corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.go_dark().await;
    batch(&corridor, &shore, 0..40).await;
    corridor.gate(true).await;
    assert_eq!(corridor.level("ramp_requests_per_second"), 0);
    corridor.api.listen().await.unwrap();
    eventually(DEADLINE, "the ramp in the metrics", async || corridor.level("ramp_requests_per_second") >= 4).await;
    within(20, "all", all_acknowledged(&mut shore, 40)).await;
    assert_eq!(corridor.api.created().len(), 40);
    grew_no_faster_than_a_ramp(&corridor.api);
}

#[tokio::test]
async fn while_it_is_paused_nothing_is_sent_and_once_resumed_all_is() {
    let (mut corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.paused.send_replace(true);
    corridor.gate(true).await;
    assert_eq!(*corridor.shut.borrow(), ["everything: paused"]);
    batch(&corridor, &shore, 0..10).await;
    eventually(DEADLINE, "all in hand", async || corridor.level("events_in_hand") == 10).await;
    assert_eq!(corridor.api.requests().len(), 0);
    assert!(corridor.metrics.text().contains(r#"gate_shut{scope="everything"} 1"#));
    corridor.paused.send_replace(false);
    within(20, "all", all_acknowledged(&mut shore, 10)).await;
    assert!(corridor.shut.borrow().is_empty());
    assert!(corridor.metrics.text().contains(r#"gate_shut{scope="everything"} 0"#));
    grew_no_faster_than_a_ramp(&corridor.api);
}

#[tokio::test]
async fn what_waits_in_a_paused_corridor_goes_back_when_it_stops() {
    let (mut corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.paused.send_replace(true);
    corridor.gate(true).await;
    batch(&corridor, &shore, 0..3).await;
    eventually(DEADLINE, "all in hand", async || corridor.level("events_in_hand") == 3).await;
    let (drained, api) = corridor.stop().await;
    assert_eq!((drained.cut_off, api.requests().len()), (0, 0));
    for _ in 0..3 {
        assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Release);
    }
}

#[tokio::test]
async fn a_new_token_in_its_file_opens_the_gate_long_before_the_next_probe() {
    let wishes = Wishes { gate: "probe_initial = \"1h\"\nprobe_max = \"1h\"", ..Wishes::default() };
    let (mut corridor, mut shore) = (Corridor::with(wishes).await, Shore::new());
    corridor.api.set_tokens(&["another"]);
    batch(&corridor, &shore, 0..5).await;
    corridor.gate(true).await;
    eventually(DEADLINE, "all refused", async || corridor.level("api_requests_in_flight") == 0).await;
    let refused = corridor.api.requests().len();
    corridor.rotate("another");
    within(30, "all", all_acknowledged(&mut shore, 5)).await;
    assert_eq!((corridor.api.created().len(), corridor.api.requests().len()), (5, refused + 5));
    corridor.gate(false).await;
}

#[tokio::test]
async fn no_more_are_sent_in_a_second_than_wished() {
    let wishes = Wishes { api: "max_requests_per_second = 10", ..Wishes::default() };
    let (corridor, mut shore) = (Corridor::with(wishes).await, Shore::new());
    let began = Instant::now();
    batch(&corridor, &shore, 0..30).await;
    within(20, "all", all_acknowledged(&mut shore, 30)).await;
    assert!(began.elapsed() >= Duration::from_millis(1900), "{:?}", began.elapsed());
    assert_eq!(corridor.api.requests().len(), 30);
}

#[tokio::test]
async fn retries_are_held_to_their_budget_and_first_tries_are_not() {
    let wishes = Wishes { retry: "budget = 0.0", ..Wishes::default() };
    let (corridor, mut shore) = (Corridor::with(wishes).await, Shore::new());
    corridor.api.plan(vec![Rule {
        value: Some("Zoe".into()),
        attribute: Some("name".into()),
        ..Rule::always(Canned::new(423))
    }]);
    for number in 0..20 {
        corridor.send(&shore, number, lead(&format!("z{number}"), "Zoe")).await;
    }
    within(20, "the budget is spent", corridor.api.until(|books| books.requests.len() >= 120)).await;
    let (began, before) = (Instant::now(), corridor.api.requests().len());
    batch(&corridor, &shore, 20..50).await;
    within(10, "the first tries", all_acknowledged(&mut shore, 30)).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    within(20, "more retries", corridor.api.until(|books| books.requests.len() >= before + 30 + 20)).await;
    assert!(began.elapsed() > Duration::from_secs(1), "the floor is ten a second: {:?}", began.elapsed());
}
