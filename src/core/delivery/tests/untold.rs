//! Outcomes that cannot be told now: what travels with its event through a delay queue, what goes back at the end, and what a lost
//! connection brings again.
//!
//! Not here: what is told, and what waits for a route (`outcomes`).

use super::outcomes::{keep, outcome, outcomes, processed, refuse, telling};
use super::*;
use crate::core::outcome::EventOutcome;

/// What travels with a refused outcome, as the header says it.
fn in_header(settlement: &Settlement) -> Option<String> {
    match settlement {
        Settlement::Delay(_, state) => state.outcome.is_some().then(|| state.encode()),
        _ => None,
    }
}

#[test]
fn at_the_end_what_is_on_its_way_is_waited_for_and_what_is_refused_is_delayed_with_its_outcome_or_goes_back() {
    for (is_kept, can_delay) in [(true, true), (false, true), (false, false)] {
        let mut bench = telling(8, true);
        drop(bench.on(Input::CanDelay(can_delay)));
        let (receipt, outcome) = processed(&mut bench, "lead", "m1");
        let (waiting, _) = processed(&mut bench, "ticket", "m2");
        drop(refuse(&mut bench, waiting));
        let done = bench.on(Input::Command(Command::Drain));
        let [(given_back, settlement)] = &done.settled[..] else { panic!("what waits, and nothing else: {done:?}") };
        assert_eq!(*given_back, waiting);
        assert_eq!((in_header(settlement).is_some(), *settlement == Settlement::Release), (can_delay, !can_delay));
        if can_delay {
            drop(keep(&mut bench, waiting));
        }
        assert_eq!(bench.machine.held(), 1, "what is on its way");
        let done = if is_kept { keep(&mut bench, receipt) } else { refuse(&mut bench, receipt) };
        match &done.settled[..] {
            [] => assert!(is_kept && done.told[0].result == "created"),
            [(_, Settlement::Delay(_, state))] => {
                assert_eq!(state.outcome.as_deref().map(|told| &told.id), Some(&outcome.id));
                assert_eq!(keep(&mut bench, receipt).told[0].result, "delayed");
            }
            [(_, Settlement::Release)] => assert!(!can_delay && done.told[0].result == "requeued"),
            _ => panic!("{done:?}"),
        }
        assert!(bench.machine.is_idle());
    }
}

#[test]
fn a_connection_that_is_lost_while_an_outcome_is_published_brings_its_event_again_and_the_same_outcome() {
    for word_comes in [true, false] {
        let mut bench = telling(8, true);
        let (receipt, first) = processed(&mut bench, "lead", "m1");
        let (waiting, _) = processed(&mut bench, "ticket", "m2");
        drop(refuse(&mut bench, waiting));
        let done = bench.on(Input::Disconnected);
        assert_eq!(done.told.iter().map(|told| told.result).collect::<Vec<_>>(), ["connection_lost"], "what waited");
        if word_comes {
            assert_eq!(keep(&mut bench, receipt).told[0].result, "created", "the word of it came late");
        }
        let told = bench.on(Input::Connected { can_delay: true }).told;
        let results: Vec<_> = told.iter().map(|told| told.result).collect();
        assert_eq!(results, if word_comes { vec![] } else { vec!["connection_lost"] });
        assert!(bench.machine.is_idle(), "no word of it will come any more");
        let (receipt, done) = bench.message(again("lead", "m1"));
        assert!(done.creates.is_empty() && done.lookups.is_empty(), "it is known here: {done:?}");
        let says = |outcome: &EventOutcome| (outcome.id.clone(), outcome.key.clone(), outcome.process.clone());
        assert_eq!(says(&outcome(&done)), says(&first));
        assert_eq!(keep(&mut bench, receipt).told[0].result, "already_created");
        let (receipt, done) = bench.message(again("ticket", "m2"));
        assert_eq!(outcome(&done).routing_key(), "ticket.created", "its route is tried anew");
        drop(keep(&mut bench, receipt));
        assert!(bench.machine.is_idle());
    }
}

#[test]
fn more_than_a_quarter_of_the_places_travels_and_comes_back_for_its_outcome_alone() {
    let mut bench = telling(8, true);
    let mut travels = Vec::new();
    for id in 0..5 {
        let (receipt, done) = bench.event("lead", &format!("m{id}"));
        assert_eq!(done.creates, [receipt]);
        let mut done = bench.replied(receipt, created());
        if id == 0 {
            done = refuse(&mut bench, receipt);
        }
        travels.extend(done.settled);
    }
    assert_eq!((travels.len(), bench.machine.outcomes_waiting()), (3, 2), "{travels:?}");
    let (receipt, settlement) = &travels[0];
    let header = in_header(settlement).expect("it travels with its outcome");
    assert_eq!(keep(&mut bench, *receipt).told[0].result, "delayed");
    let mut another = telling(8, true);
    let delayed = Message { delayed_state: Some(header), ..event("lead", &format!("m{receipt}")) };
    let (back, done) = another.message(delayed);
    assert!(done.creates.is_empty() && done.lookups.is_empty(), "the API is not asked again: {done:?}");
    let Settlement::Delay(_, state) = settlement else { panic!("{settlement:?}") };
    assert_eq!(Some(&outcome(&done).id), state.outcome.as_ref().map(|outcome| &outcome.id));
    assert_eq!(keep(&mut another, back).told[0].result, "created");
    let mut silent = Bench::new(8);
    let header = in_header(settlement);
    let (back, done) = silent.message(Message { delayed_state: header, ..event("lead", &format!("m{receipt}")) });
    assert_eq!(done.settled, [(back, Settlement::Ack)], "where nothing is told any more it is done");
}

#[test]
fn what_waits_for_longer_than_the_broker_may_be_patient_travels() {
    let mut bench = telling(8, true);
    let (receipt, _) = processed(&mut bench, "lead", "m1");
    drop(refuse(&mut bench, receipt));
    let mut travelled = None;
    for _ in 0..200 {
        let done = bench.after(bench.wake.saturating_sub(bench.now));
        if let Some(travels) = done.settled.iter().find(|(_, settlement)| in_header(settlement).is_some()) {
            travelled = Some(travels.clone());
            break;
        }
        outcomes(&done).iter().for_each(|(receipt, _)| drop(refuse(&mut bench, *receipt)));
    }
    assert_eq!(travelled.expect("it travels").0, receipt);
    assert!(bench.now >= 600 * SECOND && bench.now <= 625 * SECOND, "{:?}", bench.now);
}

/// What came round through a delay queue before.
fn travelled() -> Message {
    let mut state =
        DelayedState { first_seen_ms: 7, retries: 2, earlier: Some("before".to_owned()), ..DelayedState::default() };
    (state.exchange, state.routing_key) = ("crm".to_owned(), "lead.new".to_owned());
    state.trace = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    state.unknown.insert("newer".to_owned(), 1.into());
    Message { delayed_state: Some(state.encode()), ..event("lead", "m1") }
}

#[test]
fn what_travels_for_its_outcome_or_its_letter_takes_its_route_and_its_history_along() {
    let mut bench = telling(8, true);
    let (receipt, _) = bench.message(travelled());
    drop(bench.replied(receipt, created()));
    drop(refuse(&mut bench, receipt));
    let mut travels = bench.on(Input::Command(Command::Drain)).settled;
    let mut bench = telling(8, true);
    let (receipt, _) = bench.message(travelled());
    drop(bench.replied(receipt, super::repeats::refused()));
    drop(refuse(&mut bench, receipt));
    travels.extend(bench.on(Input::Command(Command::Drain)).settled);
    assert_eq!(travels.len(), 2);
    for (_, settlement) in travels {
        let Settlement::Delay(_, state) = settlement else { panic!("{settlement:?}") };
        assert_eq!((state.exchange.as_str(), state.routing_key.as_str(), state.first_seen_ms), ("crm", "lead.new", 7));
        assert_eq!(state.unknown.get("newer"), Some(&1.into()));
        if state.verdict.is_some() {
            assert_eq!((state.retries, state.earlier.as_deref(), state.trace.is_some()), (2, Some("before"), true));
        }
    }
}

#[test]
fn a_route_that_refuses_is_told_once_is_tried_when_the_machine_is_woken_and_is_forgotten_a_minute_after_nothing_waits()
{
    let trouble = |done: &Done| {
        let told = done.reports.iter().filter_map(|report| match report {
            Report::OutcomesWait(is_trouble) => Some(*is_trouble),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    let mut bench = telling(8, true);
    let (receipt, _) = processed(&mut bench, "lead", "m1");
    assert_eq!(trouble(&refuse(&mut bench, receipt)), [true]);
    assert_eq!(bench.wake, bench.now + SECOND / 2);
    bench.now += 601 * SECOND;
    let done = bench.on(Input::Timer);
    assert_eq!((outcomes(&done).len(), trouble(&done)), (1, vec![]));
    bench.now += 6 * SECOND;
    let done = refuse(&mut bench, receipt);
    assert!(matches!(done.settled[..], [(_, Settlement::Delay(..))]), "it was held for long: {done:?}");
    drop(keep(&mut bench, receipt));
    let mut told = Vec::new();
    for seconds in 1..=80 {
        told.extend(trouble(&bench.after(SECOND)).into_iter().map(|is_trouble| (is_trouble, seconds / 10)));
    }
    assert_eq!(told, [(false, 6)]);
    let (receipt, _) = processed(&mut bench, "lead", "m2");
    drop(refuse(&mut bench, receipt));
    assert_eq!(trouble(&bench.on(Input::Connected { can_delay: true })), [false], "it may take what comes now");
}

#[test]
fn what_no_delay_queue_takes_waits_here_for_its_outcome() {
    let mut bench = telling(4, true);
    let first = processed(&mut bench, "lead", "m1").0;
    drop(refuse(&mut bench, first));
    let (second, _) = bench.event("lead", "m2");
    let done = bench.replied(second, created());
    let [(receipt, Settlement::Delay(..))] = done.settled[..] else { panic!("more than a quarter: {done:?}") };
    drop(refuse(&mut bench, receipt));
    assert_eq!((bench.machine.outcomes_waiting(), bench.machine.held()), (2, 2));
    drop(bench.on(Input::Command(Command::CutOff)));
    assert_eq!(bench.machine.held(), 0, "nobody waits for a confirm any more");
}
