//! A verdict whose dead letter cannot be published stands: it waits, travels with its event, and is never asked about again.
//!
//! Not here: the same on a real broker (`tests/broker`), and against an adversary (`tests/model`).

use super::*;
use crate::core::delivery::LettersState;
use crate::core::put_back::PutBack;

/// `count` events that the API refuses, each with its letter asked for; nothing is kept.
pub(super) fn refused_by_the_api(bench: &mut Bench, count: usize, what: &str) -> Vec<ReceiptId> {
    let mut receipts = Vec::new();
    for id in 0..count {
        let (receipt, done) = bench.event("lead", &format!("{what}{id}"));
        assert_eq!(done.creates, [receipt]);
        let done = bench.replied(receipt, json(422, Wrapper { is_api_word: true, ..Wrapper::default() }));
        assert!(done.told.is_empty(), "told before the letter is kept");
        receipts.push(receipt);
    }
    receipts
}

pub(super) fn refuse(bench: &mut Bench, receipt: ReceiptId) -> Done {
    bench.on(Input::Refused { receipt })
}

pub(super) fn keep(bench: &mut Bench, receipt: ReceiptId) -> Done {
    bench.on(Input::Kept { receipt })
}

pub(super) fn without_brake(places: usize) -> Bench {
    let mut bench = Bench::new(places);
    let mut setup = setup(places);
    setup.gate.rejections = 0;
    bench.machine = Machine::new(setup);
    drop(bench.on(Input::Connected { can_delay: true }));
    bench.keeps = false;
    bench
}

pub(super) fn is_letter(settlement: &Settlement) -> bool {
    matches!(settlement, Settlement::DeadLetter(_))
}

#[test]
fn a_dead_letter_is_counted_and_told_once_the_broker_keeps_it_and_not_before() {
    let mut bench = without_brake(8);
    let receipt = refused_by_the_api(&mut bench, 1, "m")[0];
    assert_eq!(bench.machine.held(), 1, "it is unacknowledged until then");
    assert!(refuse(&mut bench, receipt).told.is_empty());
    let done = bench.after(10 * SECOND);
    assert!(done.told.is_empty() && done.settled.iter().all(|(_, settlement)| is_letter(settlement)));
    assert_eq!(done.settled.len(), 1, "published again");
    let told = keep(&mut bench, receipt).told;
    assert_eq!((told.len(), told[0].result, told[0].reason()), (1, "dead_lettered", "refused"));
    assert_eq!(bench.machine.held(), 0);
}

#[test]
fn letters_that_nobody_takes_hold_a_quarter_of_the_places_and_the_others_are_delayed_with_their_verdict() {
    let mut bench = without_brake(8);
    let bad = refused_by_the_api(&mut bench, 8, "m");
    let mut delayed = Vec::new();
    for receipt in bad {
        delayed.extend(refuse(&mut bench, receipt).settled);
    }
    assert_eq!(delayed.len(), 6, "{delayed:?}");
    for (receipt, settlement) in delayed {
        let Settlement::Delay(_, state) = settlement else { panic!("{settlement:?}") };
        let verdict = state.verdict.as_ref().expect("a verdict");
        assert_eq!((verdict.reason.as_str(), verdict.status, verdict.attempts), ("refused", Some(422), 1));
        assert_eq!(keep(&mut bench, receipt).told[0].result, "delayed");
    }
    assert_eq!(bench.machine.held(), 2);
    let (good, done) = bench.event("ticket", "good");
    assert_eq!(done.creates, [good]);
}

#[test]
fn a_verdict_that_comes_back_is_published_and_the_api_is_not_asked() {
    let mut bench = without_brake(8);
    let bad = refused_by_the_api(&mut bench, 3, "m");
    let settled: Vec<_> = bad.iter().flat_map(|receipt| refuse(&mut bench, *receipt).settled).collect();
    let Some((_, Settlement::Delay(_, state))) = settled.first() else { panic!("{settled:?}") };
    let delayed_state = Some(state.encode());
    let mut another = without_brake(8);
    let (receipt, done) = another.message(Message { delayed_state, ..event("lead", "m2") });
    assert!(done.creates.is_empty() && done.lookups.is_empty());
    let [(named, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("{done:?}") };
    assert_eq!((*named, letter.fault.reason.as_str(), letter.status), (receipt, "refused", Some(422)));
    assert_eq!((letter.key.as_deref(), letter.rule.as_deref()), (Some("m2"), Some("lead")));
    let told = keep(&mut another, receipt).told;
    assert_eq!((told[0].result, told[0].rule.as_deref()), ("dead_lettered", Some("lead")));
}

#[test]
fn one_letter_at_a_time_tries_a_queue_that_refuses_and_all_go_once_it_takes_one() {
    let mut bench = without_brake(16);
    let bad = refused_by_the_api(&mut bench, 4, "m");
    bad.iter().for_each(|receipt| drop(refuse(&mut bench, *receipt)));
    let tried = bench.after(10 * SECOND).settled;
    assert_eq!(tried.len(), 1, "{tried:?}");
    let again = refuse(&mut bench, tried[0].0).settled;
    assert!(again.is_empty(), "{again:?}");
    let tried = bench.after(10 * SECOND).settled;
    assert_eq!(tried.len(), 1, "{tried:?}");
    let mut all = keep(&mut bench, tried[0].0).settled;
    all.extend(bench.after(10 * SECOND).settled);
    assert_eq!(all.len(), 3, "{all:?}");
}

#[test]
fn where_the_delay_queues_take_nothing_either_twice_the_places_are_wanted_and_nothing_is_released() {
    let mut bench = without_brake(8);
    let bad = refused_by_the_api(&mut bench, 8, "m");
    let mut wanted = Vec::new();
    let mut states = Vec::new();
    let mut turns = bad;
    for _ in 0..40 {
        let mut next = Vec::new();
        for receipt in turns {
            let done = refuse(&mut bench, receipt);
            assert!(done.settled.iter().all(|(_, settlement)| *settlement != Settlement::Release));
            next.extend(done.settled.iter().map(|(receipt, _)| *receipt));
            wanted.extend(done.wanted);
            states.extend(done.reports.into_iter().filter_map(|report| match report {
                Report::Letters(state) => Some(state),
                _ => None,
            }));
        }
        let done = bench.after(SECOND);
        next.extend(done.settled.iter().map(|(receipt, _)| *receipt));
        wanted.extend(done.wanted);
        states.extend(done.reports.into_iter().filter_map(|report| match report {
            Report::Letters(state) => Some(state),
            _ => None,
        }));
        turns = next;
    }
    assert_eq!(wanted, [WantedPrefetch::Double]);
    assert_eq!(states, [LettersState::Waiting]);
    assert_eq!(bench.machine.held(), 8);
    let (good, done) = bench.event("ticket", "good");
    assert_eq!(done.creates, [good]);
    assert!(bench.replied(good, created()).told.iter().any(|told| told.result == "created"));
    for id in 0..8 {
        let (receipt, _) = bench.event("lead", &format!("n{id}"));
        let done = bench.replied(receipt, json(422, Wrapper { is_api_word: true, ..Wrapper::default() }));
        let settled = done.settled.iter().chain(&refuse(&mut bench, receipt).settled).count();
        assert!(settled <= 1, "it waits");
    }
    assert!(bench.machine.letters_state == LettersState::Waiting, "more may be on their way");
    drop(bench.after(SECOND));
    assert!(bench.machine.letters_state == LettersState::StandStill, "and says so");
    assert_eq!(bench.machine.held(), 16);
}

#[test]
fn a_letter_that_was_kept_as_its_connection_was_lost_is_not_published_again() {
    let mut bench = without_brake(8);
    let receipt = refused_by_the_api(&mut bench, 1, "m")[0];
    drop(bench.on(Input::Disconnected));
    let told = keep(&mut bench, receipt).told;
    assert_eq!(told[0].result, "dead_lettered", "the word of it came late");
    drop(bench.on(Input::Connected { can_delay: true }));
    let (second, done) = bench.message(again("lead", "m0"));
    assert_eq!(done.settled, [(second, Settlement::Ack)]);
    assert_eq!(done.told[0].result, "already_dead_lettered");
    assert!(done.creates.is_empty());
}

#[test]
fn a_letter_of_which_no_word_came_is_published_once_more_and_a_dead_letter_that_is_retried_too() {
    let mut bench = without_brake(8);
    let kept = refused_by_the_api(&mut bench, 2, "m");
    drop(keep(&mut bench, kept[0]));
    drop(bench.on(Input::Disconnected));
    let told = bench.on(Input::Connected { can_delay: true }).told;
    assert_eq!(told.iter().map(|told| told.result).collect::<Vec<_>>(), ["connection_lost"]);
    let (_, done) = bench.message(again("lead", "m1"));
    assert!(done.creates.is_empty() && is_letter(&done.settled[0].1), "{done:?}");
    let put_back = Some(PutBack { reason: "refused".to_owned(), ..PutBack::default() });
    let (retried, done) = bench.message(Message { put_back, ..again("lead", "m0") });
    assert_eq!(done.creates, [retried], "an operator's retry must not vanish: {done:?}");
    assert!(is_letter(
        &bench.replied(retried, json(422, Wrapper { is_api_word: true, ..Wrapper::default() })).settled[0].1
    ));
    bench.now += 600 * SECOND;
    drop(bench.on(Input::Disconnected));
    drop(bench.on(Input::Connected { can_delay: true }));
    let (_, done) = bench.message(again("lead", "m0"));
    assert!(is_letter(&done.settled[0].1), "it was acknowledged long before that loss: {done:?}");
}

#[test]
fn a_delay_that_is_refused_waits_and_nothing_is_lost_by_it() {
    let mut bench = without_brake(8);
    let (receipt, _) = bench.event("lead", "m");
    let done = bench.replied(receipt, status(503));
    let mut settled = done.settled;
    for _ in 0..600 {
        settled.extend(bench.after(SECOND).settled);
        if !settled.is_empty() {
            break;
        }
        let ids: Vec<_> = bench.machine.held.all();
        assert_eq!(ids.len(), 1);
    }
    let [(_, Settlement::Delay(..))] = &settled[..] else { panic!("{settled:?}") };
    assert!(refuse(&mut bench, receipt).told.is_empty());
    let done = bench.after(11 * SECOND);
    assert!(matches!(done.settled[..], [(_, Settlement::Delay(..))]), "{done:?}");
    assert_eq!(keep(&mut bench, receipt).told[0].result, "delayed");
}

#[test]
fn at_the_end_a_letter_that_nobody_takes_is_delayed_with_its_verdict_or_goes_back() {
    for takes_delays in [true, false] {
        let mut bench = without_brake(16);
        let receipt = refused_by_the_api(&mut bench, 1, "m")[0];
        drop(refuse(&mut bench, receipt));
        let settled = bench.on(Input::Command(Command::Drain)).settled;
        assert!(matches!(&settled[..], [(_, Settlement::Delay(_, state))] if state.verdict.is_some()), "{settled:?}");
        if takes_delays {
            drop(keep(&mut bench, receipt));
        } else {
            assert_eq!(refuse(&mut bench, receipt).settled, [(receipt, Settlement::Release)]);
        }
        assert_eq!(bench.machine.held(), 0);
    }
}

#[test]
fn an_event_of_a_newer_daemon_that_cannot_be_delayed_keeps_its_route_and_its_header() {
    let mut bench = without_brake(8);
    drop(bench.on(Input::Disconnected));
    drop(bench.on(Input::Connected { can_delay: false }));
    let header = r#"{"v":9,"exchange":"crm","routing_key":"case.opened","first_seen_ms":7,"journey":"unknown here"}"#;
    let (_, done) = bench.message(Message { delayed_state: Some(header.to_owned()), ..event("lead", "m") });
    let [(_, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("{done:?}") };
    assert_eq!(letter.origin, Some(("crm".to_owned(), "case.opened".to_owned())));
    assert_eq!((letter.unread.as_deref(), letter.first_seen_ms), (Some(header), 7));
}

#[test]
fn the_letter_of_one_message_does_not_settle_another_of_its_key_that_came_after_it() {
    let mut bench = without_brake(8);
    let receipt = refused_by_the_api(&mut bench, 1, "m")[0];
    drop(keep(&mut bench, receipt));
    // A second publish of the same event comes out of a delay queue, and its connection is lost under its request.
    let state = DelayedState { first_seen_ms: 1, ..DelayedState::default() }.encode();
    let delayed = Message { delayed_state: Some(state), ..event("lead", "m0") };
    let (second, done) = bench.message(delayed.clone());
    assert_eq!(done.creates, [second]);
    drop(bench.on(Input::Disconnected));
    drop(bench.on(Input::Connected { can_delay: true }));
    let (_, done) = bench.message(Message { redelivered: true, ..delayed });
    assert!(done.settled.iter().all(|(_, settlement)| *settlement != Settlement::Ack), "{done:?}");
}

#[test]
fn what_comes_late_over_a_lost_connection_is_no_other_message_of_its_key() {
    let mut bench = without_brake(8);
    let (receipt, done) = bench.message(again("lead", "m0"));
    assert_eq!(done.creates, [receipt]);
    let late = Box::new(event("lead", "m0"));
    drop(bench.on(Input::Message { receipt: receipt + 1, message: late, is_live: false }));
    bench.receipts += 1;
    drop(bench.replied(receipt, json(422, Wrapper { is_api_word: true, ..Wrapper::default() })));
    drop(bench.on(Input::Disconnected));
    drop(keep(&mut bench, receipt));
    drop(bench.on(Input::Connected { can_delay: true }));
    let (second, done) = bench.message(again("lead", "m0"));
    assert_eq!(done.settled, [(second, Settlement::Ack)], "its letter is kept");
}

#[test]
fn a_letter_that_is_tried_again_is_not_told_as_kept_before_the_broker_keeps_it() {
    let mut bench = without_brake(8);
    let receipt = refused_by_the_api(&mut bench, 1, "m")[0];
    let mut states = Vec::new();
    let mut letters = |done: Done| {
        states.extend(done.reports.into_iter().filter_map(|report| match report {
            Report::Letters(state) => Some(state),
            _ => None,
        }));
    };
    for _ in 0..5 {
        letters(refuse(&mut bench, receipt));
        letters(bench.after(20 * SECOND));
        assert_eq!(bench.machine.letters_waiting(bench.now), 1);
    }
    letters(keep(&mut bench, receipt));
    assert_eq!(states, [LettersState::Waiting, LettersState::Kept]);
}
