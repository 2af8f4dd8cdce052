//! A wait beyond the budget is parked with all that travels along, and goes on from there.
//!
//! Not here: publishing to a wait queue (`broker/parks.rs`).

use chakra_bridge::core::delay_queue::{RUNGS, Rung};
use chakra_bridge::core::delayed_state::Travel;
use chakra_bridge::core::message::Message;
use chakra_bridge::core::settlement::Settlement;
use chakra_bridge::handover::prefetch::Appetite;

use super::corridor::{Corridor, Shore, Wishes, again, event, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

async fn corridor() -> Corridor {
    let retry = "in_hand = \"100ms\"";
    Corridor::with(Wishes { retry, ..Wishes::default() }).await
}

async fn parked(shore: &mut Shore) -> (Rung, Travel) {
    match within(10, "its answer", shore.answer()).await.1 {
        Settlement::Park(rung, travel) => (rung, *travel),
        other => panic!("expected it to be parked, got {other:?}"),
    }
}

fn locked(seconds: &str) -> Rule {
    Rule::always(Canned::new(423).retry_after(seconds))
}

#[tokio::test]
async fn a_parked_event_goes_on_where_it_stood() {
    let (corridor, mut shore) = (corridor().await, Shore::new());
    corridor.connected(true).await;
    corridor.api.plan(vec![locked("70").times(1)]);
    let message = Message { exchange: "crm".into(), routing_key: "lead.new".into(), ..lead("m1", "Ted") };
    corridor.send(&shore, 1, message.clone()).await;
    let (rung, travel) = parked(&mut shore).await;
    assert_eq!((rung, travel.journey.attempts), (RUNGS[1], 1));
    assert_eq!((travel.exchange.as_str(), travel.routing_key.as_str()), ("crm", "lead.new"));
    assert!(travel.age.as_secs() >= 70 && travel.rest.as_secs() >= 9, "{travel:?}");
    let back = Message { travel: Some(Travel { rest: std::time::Duration::ZERO, ..travel }.encode()), ..message };
    corridor.send(&shore, 2, Message { exchange: String::new(), routing_key: "work".into(), ..back }).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    assert_eq!(corridor.api.created().len(), 1);
}

#[tokio::test]
async fn what_is_left_of_a_wait_after_its_rung_is_waited_for() {
    let (corridor, mut shore) = (corridor().await, Shore::new());
    corridor.connected(true).await;
    let rest = std::time::Duration::from_secs(12);
    let travel = Travel { rest, age: std::time::Duration::from_secs(47), ..Travel::default() }.encode();
    corridor.send(&shore, 1, Message { travel: Some(travel), ..lead("m1", "Ted") }).await;
    let (rung, travel) = parked(&mut shore).await;
    assert_eq!((rung, travel.rest.as_secs()), (RUNGS[0], 2));
    assert_eq!(travel.age.as_secs(), 47, "the whole wait was counted when it was parked first");
    assert_eq!(corridor.api.requests().len(), 0);
}

#[tokio::test]
async fn a_rest_within_the_budget_is_waited_for_in_hand() {
    let (corridor, mut shore) = (corridor().await, Shore::new());
    corridor.connected(true).await;
    let (rest, began) = (std::time::Duration::from_millis(90), tokio::time::Instant::now());
    let travel = Travel { rest, ..Travel::default() }.encode();
    corridor.send(&shore, 1, Message { travel: Some(travel), ..lead("m1", "Ted") }).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    assert!(began.elapsed() >= rest);
}

#[tokio::test]
async fn where_nothing_can_be_parked_the_wait_is_spent_in_hand() {
    let (corridor, mut shore) = (corridor().await, Shore::new());
    corridor.connected(false).await;
    corridor.api.plan(vec![locked("1").times(1)]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
}

#[tokio::test]
async fn what_a_newer_daemon_parked_travels_on_as_it_came() {
    let (corridor, mut shore) = (corridor().await, Shore::new());
    corridor.connected(true).await;
    let newer = r#"{"v":2,"what":"nobody here knows"}"#.to_owned();
    corridor.send(&shore, 1, Message { travel: Some(newer.clone()), ..lead("m1", "Ted") }).await;
    assert_eq!(parked(&mut shore).await.1.encode(), newer);
    assert_eq!(corridor.api.requests().len(), 0);
}

#[tokio::test]
async fn a_header_that_nobody_of_ours_wrote_is_a_dead_letter() {
    let (corridor, mut shore) = (corridor().await, Shore::new());
    corridor.send(&shore, 1, Message { travel: Some("{}".to_owned()), ..lead("m1", "Ted") }).await;
    assert!(within(10, "its letter", shore.dead_letter()).await.fault.text.contains("chakra-bridge-journey"));
}

#[tokio::test]
async fn what_the_broker_gave_back_too_often_is_parked_and_counted_and_in_the_end_a_dead_letter() {
    let (corridor, mut shore) = (corridor().await, Shore::new());
    corridor.connected(true).await;
    let suspect =
        |travel: Option<String>| Message { travel, deliveries: Some(5), redelivered: true, ..lead("m1", "Ted") };
    corridor.send(&shore, 1, suspect(None)).await;
    let (_, once) = parked(&mut shore).await;
    // Whoever died of it may have created it.
    assert_eq!(once.journey.quiet, Some(RUNGS[0].wait));
    corridor.send(&shore, 2, suspect(Some(once.encode()))).await;
    let (_, twice) = parked(&mut shore).await;
    assert_eq!((once.journey.crashes, twice.journey.crashes), (1, 2));
    corridor.send(&shore, 3, suspect(Some(twice.encode()))).await;
    assert_eq!(within(10, "its letter", shore.dead_letter()).await.fault.reason.as_str(), "crashing");
    assert_eq!(corridor.api.requests().len(), 0);
}

#[tokio::test]
async fn at_the_end_what_has_a_journey_is_parked() {
    let (corridor, mut shore) = (corridor().await, Shore::new());
    corridor.connected(true).await;
    corridor.api.plan(vec![locked("0").attribute("name", "Ted"), Rule::always(Canned::new(401))]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    within(10, "an attempt", corridor.api.until(|books| !books.requests.is_empty())).await;
    corridor.stop().await;
    assert!(parked(&mut shore).await.1.journey.attempts >= 1);
}

#[tokio::test]
async fn while_everything_is_shut_for_long_one_event_is_wanted_and_the_others_are_parked_unspent() {
    let gate = "probe_initial = \"20ms\"\nprobe_max = \"60ms\"\nlet_go_after = \"300ms\"";
    let (corridor, mut shore) = (Corridor::with(Wishes { gate, ..Wishes::default() }).await, Shore::new());
    let mut appetite = corridor.appetite.clone();
    corridor.connected(true).await;
    corridor.api.plan(vec![Rule::always(Canned::new(401))]);
    for number in 0..5 {
        corridor.send(&shore, number, lead(&format!("m{number}"), "Ted")).await;
    }
    within(10, "the word", appetite.wait_for(|wanted| *wanted == Appetite::One)).await.unwrap();
    for _ in 0..4 {
        let (rung, travel) = parked(&mut shore).await;
        assert_eq!((rung, travel.journey.attempts, travel.age.as_secs()), (RUNGS[0], 0, 0));
    }
    corridor.api.plan(Vec::new());
    corridor.send(&shore, 9, lead("m9", "Ted")).await;
    within(10, "the word", appetite.wait_for(|wanted| *wanted == Appetite::Full)).await.unwrap();
}

fn forbidden() -> Rule {
    Rule::always(Canned::new(403)).attribute("name", "Ted")
}

#[tokio::test]
async fn what_waits_for_one_procedure_goes_before_the_broker_takes_it_back() {
    let gate = "probe_initial = \"10s\"\nprobe_max = \"10s\"\nlet_go_after = \"20ms\"";
    let (corridor, mut shore) = (Corridor::with(Wishes { gate, ..Wishes::default() }).await, Shore::new());
    corridor.connected(true).await;
    corridor.api.plan(vec![forbidden()]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    let (rung, travel) = parked(&mut shore).await;
    assert_eq!((rung, travel.journey.attempts, travel.age.as_secs()), (RUNGS[0], 0, 0));
}

#[tokio::test]
async fn what_may_go_goes_however_soon_it_is_let_go_of() {
    let gate = "let_go_after = \"1ms\"";
    let (corridor, mut shore) = (Corridor::with(Wishes { gate, ..Wishes::default() }).await, Shore::new());
    corridor.connected(true).await;
    corridor.api.plan(vec![Rule::always(Fault::Delay { ms: 50 })]);
    // It looks, is not found, and is created.
    corridor.send(&shore, 1, Message { travel: Some(Travel::default().encode()), ..event("m1", "sought", "{}") }).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    assert_eq!(corridor.api.created().len(), 1);
}

#[tokio::test]
async fn in_a_hand_of_one_place_a_shut_procedure_stands_in_nobodys_way_and_is_asked_all_the_same() {
    let (corridor, mut shore) = (Corridor::with(Wishes { places: 1, ..Wishes::default() }).await, Shore::new());
    corridor.connected(true).await;
    corridor.api.plan(vec![forbidden()]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    let (_, mut travel) = parked(&mut shore).await;
    corridor.send(&shore, 2, event("m2", "shaped", r#"{"name": "Ned"}"#)).await;
    assert_eq!(within(10, "the other's answer", shore.answer()).await, (2, Settlement::Ack));
    corridor.api.plan(Vec::new());
    for number in 3.. {
        let back = Message { travel: Some(travel.encode()), ..lead("m1", "Ted") };
        corridor.send(&shore, number, back).await;
        travel = match within(10, "its answer", shore.answer()).await.1 {
            Settlement::Park(_, travel) => *travel,
            Settlement::Ack => break,
            other => panic!("expected a process, got {other:?}"),
        };
    }
    assert_eq!(corridor.api.created().len(), 2);
}

#[tokio::test]
async fn what_is_cut_off_at_the_deadline_is_parked_as_one_that_may_be_a_process() {
    let wishes = Wishes { drain: std::time::Duration::from_millis(100), ..Wishes::default() };
    let (corridor, mut shore) = (Corridor::with(wishes).await, Shore::new());
    corridor.connected(true).await;
    corridor.api.plan(vec![Rule::always(Fault::NeverAnswer)]);
    corridor.send(&shore, 1, lead("m1", "Ted")).await;
    within(10, "the request", corridor.api.until(|books| !books.requests.is_empty())).await;
    let _ended = corridor.stop().await;
    assert_eq!(parked(&mut shore).await.1.journey.unsure, 1);
}

#[tokio::test]
async fn a_doubt_that_could_not_be_said_before_an_event_was_parked_is_said_before_it_is_sent() {
    let (mut before, mut shore) = (corridor().await, Shore::new());
    before.connected(true).await;
    before.api.plan(vec![Rule::always(Canned::new(401))]);
    before.send(&shore, 1, lead("other", "Ted")).await;
    before.gate(true).await;
    before.send(&shore, 2, again(lead("m1", "Ted"))).await;
    before.stop().await;
    let mut travels = vec![parked(&mut shore).await.1, parked(&mut shore).await.1];
    travels.retain(|travel| travel.journey.quiet.is_some());
    let [travel] = &travels[..] else { panic!("one of them was delivered again: {travels:?}") };
    let after = corridor().await;
    after.send(&shore, 3, Message { travel: Some(travel.encode()), ..lead("m1", "Ted") }).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
    let metrics = after.metrics.text();
    assert!(metrics.contains(r#"possible_duplicates_total{cause="redelivered"} 1"#), "{metrics}");
}

#[tokio::test]
async fn a_connection_that_is_lost_again_and_again_is_no_crash_of_what_it_delivered() {
    let (mut corridor, mut shore) = (corridor().await, Shore::new());
    corridor.connected(false).await;
    corridor.api.plan(vec![Rule::always(Canned::new(401))]);
    for returns in 0..20 {
        let message = Message { deliveries: Some(returns), redelivered: returns > 0, ..lead("m1", "Ted") };
        corridor.send(&shore, u64::from(returns), message).await;
        corridor.gate(true).await;
        drop(std::mem::replace(&mut shore, Shore::new()));
        corridor.disconnected().await;
        corridor.connected(false).await;
    }
    corridor.api.plan(Vec::new());
    corridor.send(&shore, 99, Message { deliveries: Some(20), ..again(lead("m1", "Ted")) }).await;
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
}
