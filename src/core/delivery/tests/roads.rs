//! The ways to the dead-letter queue and to the delay queues: when what they do not take is tried again, and where it waits meanwhile.
//!
//! Not here: that a verdict stands (`letters`).

use super::letters::{is_letter, keep, refuse, refused_by_the_api, without_brake};
use super::tries::failed;
use super::*;
use crate::core::delivery::LettersState;

/// The clock goes on to when the machine is woken.
fn woken(bench: &mut Bench) -> Done {
    bench.now = bench.wake;
    bench.on(Input::Timer)
}

/// `count` letters that nobody takes, and no delay queue.
fn waiting(count: usize) -> (Bench, Vec<ReceiptId>) {
    let mut bench = without_brake(8);
    drop(bench.on(Input::CanDelay(false)));
    let receipts = refused_by_the_api(&mut bench, count, "m");
    receipts.iter().for_each(|receipt| assert!(refuse(&mut bench, *receipt).settled.is_empty()));
    (bench, receipts)
}

#[test]
fn what_is_refused_is_tried_again_at_the_moment_that_the_machine_is_woken_for() {
    let (mut bench, _) = waiting(2);
    let began = bench.now;
    assert_eq!(woken(&mut bench).settled.len(), 1, "one tries");
    assert_eq!(bench.now - began, SECOND / 2);
    let mut bench = without_brake(8);
    let (receipt, _) = bench.event("lead", "m1");
    drop(bench.replied(receipt, busy()));
    let began = bench.now;
    drop(refuse(&mut bench, receipt));
    assert!(matches!(woken(&mut bench).settled[..], [(_, Settlement::Delay(..))]));
    assert_eq!(bench.now - began, SECOND / 2);
}

#[test]
fn letters_beyond_a_quarter_are_delayed_once_there_are_delay_queues_and_wait_as_letters_where_those_refuse_too() {
    let (mut bench, _) = waiting(8);
    for _ in 0..6 {
        let tried = woken(&mut bench).settled;
        tried.iter().for_each(|(receipt, _)| drop(refuse(&mut bench, *receipt)));
    }
    let delayed = bench.on(Input::CanDelay(true)).settled;
    assert!(
        delayed
            .iter()
            .all(|(_, settlement)| matches!(settlement, Settlement::Delay(_, state) if state.verdict.is_some()))
    );
    assert_eq!(delayed.len(), 6, "{delayed:?}");
    let again: Vec<_> = delayed.iter().flat_map(|(receipt, _)| refuse(&mut bench, *receipt).settled).collect();
    assert_eq!((again.len(), bench.machine.letters_waiting(bench.now)), (0, 8), "{again:?}");
    assert_eq!(bench.wake, bench.now + SECOND / 2, "then a delay queue is tried again");
    let tried = woken(&mut bench).settled;
    let [(receipt, Settlement::Delay(..))] = tried[..] else { panic!("one at a time: {tried:?}") };
    assert_eq!(keep(&mut bench, receipt).settled.len(), 5, "it takes one, and so it takes the others");
}

#[test]
fn a_letter_beyond_the_quarter_that_waits_is_delayed_without_being_tried_as_long_as_letters_have_been_refused() {
    let mut bench = without_brake(8);
    let first = refused_by_the_api(&mut bench, 1, "a")[0];
    drop(refuse(&mut bench, first));
    for (receipt, _) in bench.after(70 * SECOND).settled {
        drop(refuse(&mut bench, receipt));
    }
    let (second, _) = bench.event("lead", "b");
    let refused = || json(422, Wrapper { is_api_word: true, ..Wrapper::default() });
    let done = bench.replied(second, refused());
    assert!(matches!(&done.settled[..], [(_, settlement)] if is_letter(settlement)), "one waits: {done:?}");
    drop(refuse(&mut bench, second));
    let (third, _) = bench.event("lead", "c");
    let done = bench.replied(third, refused());
    let [(_, Settlement::Delay(queue, state))] = &done.settled[..] else { panic!("two wait: {done:?}") };
    assert_eq!((queue.label, state.verdict.is_some()), ("1m", true));
    assert!(failed(&done).is_empty(), "its verdict stands: {:?}", failed(&done));
}

#[test]
fn while_a_delay_is_not_confirmed_for_two_seconds_no_other_event_is_delayed() {
    for (patience, delays) in [(SECOND, 1), (2 * SECOND, 0)] {
        let mut bench = without_brake(8);
        let (first, _) = bench.event("lead", "m1");
        assert_eq!(bench.replied(first, busy()).settled.len(), 1);
        drop(bench.after(patience));
        let (second, _) = bench.event("lead", "m2");
        assert_eq!(bench.replied(second, busy()).settled.len(), delays, "{patience:?}");
    }
}

#[test]
fn what_is_refused_or_waits_as_its_connection_is_lost_goes_with_it_and_is_published_no_more() {
    let mut bench = without_brake(8);
    let receipts = refused_by_the_api(&mut bench, 2, "m");
    drop(refuse(&mut bench, receipts[0]));
    let lost = |done: &Done| done.told.iter().map(|told| told.result).collect::<Vec<_>>();
    let done = bench.on(Input::Disconnected);
    assert_eq!((lost(&done), &done.settled[..]), (vec!["connection_lost"], &[(receipts[0], Settlement::Release)][..]));
    let done = refuse(&mut bench, receipts[1]);
    assert_eq!((lost(&done), &done.settled[..]), (vec!["connection_lost"], &[(receipts[1], Settlement::Release)][..]));
    drop(bench.on(Input::Connected { can_delay: true }));
    assert_eq!(bench.machine.held(), 0);
    assert!(bench.after(60 * SECOND).settled.is_empty());
}

#[test]
fn at_the_end_a_letter_goes_back_where_nothing_can_be_delayed_and_a_delay_that_was_refused_too() {
    let (mut bench, receipts) = waiting(1);
    assert_eq!(bench.on(Input::Command(Command::Drain)).settled, [(receipts[0], Settlement::Release)]);
    let mut bench = without_brake(8);
    let (receipt, _) = bench.event("lead", "m1");
    drop(bench.replied(receipt, busy()));
    drop(refuse(&mut bench, receipt));
    bench.now += 20 * SECOND;
    assert_eq!(bench.on(Input::Command(Command::Drain)).settled, [(receipt, Settlement::Release)]);
    let (mut bench, _) = waiting(1);
    refused_by_the_api(&mut bench, 1, "n");
    drop(bench.on(Input::Command(Command::CutOff)));
    assert_eq!(bench.machine.held(), 0, "nobody waits for a confirm any more");
}

#[test]
fn twice_as_many_are_wanted_while_more_than_a_quarter_is_stuck_until_less_than_half_of_it_is() {
    let mut bench = without_brake(8);
    drop(bench.on(Input::CanDelay(false)));
    let receipts = refused_by_the_api(&mut bench, 3, "m");
    let wanted: Vec<_> = receipts.iter().map(|receipt| refuse(&mut bench, *receipt).wanted).collect();
    assert_eq!(wanted, [vec![], vec![], vec![WantedPrefetch::Double]]);
    assert_eq!(keep(&mut bench, receipts[0]).wanted, []);
    assert_eq!(keep(&mut bench, receipts[1]).wanted, [WantedPrefetch::Full]);
}

#[test]
fn no_more_are_wanted_where_the_bodies_that_are_stuck_are_as_large_as_those_of_a_quarter_may_be() {
    let mut bench = without_brake(8);
    drop(bench.on(Input::CanDelay(false)));
    let receipts = refused_by_the_api(&mut bench, 4, "m");
    bench.machine.setup.limits.bounds.max_bytes = 8;
    let wanted: Vec<_> = receipts.iter().flat_map(|receipt| refuse(&mut bench, *receipt).wanted).collect();
    assert_eq!(wanted, []);
}

#[test]
fn that_letters_hold_every_place_is_told_a_second_after_the_last_message_and_not_while_another_event_is_held() {
    for is_other_held in [false, true] {
        let (mut bench, _) = waiting(9 + usize::from(is_other_held));
        let (receipt, _) = bench.event("lead", "last");
        if !is_other_held {
            drop(bench.replied(receipt, json(422, Wrapper { is_api_word: true, ..Wrapper::default() })));
            drop(refuse(&mut bench, receipt));
        }
        let (last, mut told) = (bench.now, Vec::new());
        for _ in 0..20 {
            let mut done = woken(&mut bench);
            for (receipt, _) in std::mem::take(&mut done.settled) {
                done.add(refuse(&mut bench, receipt));
            }
            let at = bench.now - last;
            told.extend(done.reports.iter().filter_map(|report| match report {
                Report::Letters(state) => Some((*state, at)),
                _ => None,
            }));
        }
        let expected = if is_other_held { vec![] } else { vec![(LettersState::StandStill, SECOND)] };
        assert_eq!(told, expected, "once, though one is tried now and then");
    }
    assert_eq!(without_brake(8).machine.letters_waiting(SECOND), 0);
}

#[test]
fn what_is_tried_again_is_counted_once_whether_it_is_new_on_its_way_or_hangs() {
    let (mut bench, _) = waiting(1);
    assert_eq!(woken(&mut bench).settled.len(), 1);
    for on_its_way in [Duration::ZERO, SECOND, 2 * SECOND, 3 * SECOND] {
        assert_eq!(bench.machine.letters_waiting(bench.now + on_its_way), 1, "{on_its_way:?}");
    }
}

#[test]
fn a_delay_that_nobody_takes_holds_a_place_beside_the_letters_though_it_is_tried_now_and_then() {
    let mut bench = without_brake(8);
    let (delayed, _) = bench.event("lead", "delayed");
    assert_eq!(bench.replied(delayed, busy()).settled.len(), 1);
    drop(refuse(&mut bench, delayed));
    drop(bench.on(Input::CanDelay(false)));
    for receipt in refused_by_the_api(&mut bench, 9, "m") {
        drop(refuse(&mut bench, receipt));
    }
    let mut told = Vec::new();
    for _ in 0..20 {
        let mut done = woken(&mut bench);
        for (receipt, _) in std::mem::take(&mut done.settled) {
            done.add(refuse(&mut bench, receipt));
        }
        told.extend(done.reports.iter().filter_map(|report| match report {
            Report::Letters(state) => Some(*state),
            _ => None,
        }));
    }
    assert_eq!(told, [LettersState::StandStill]);
}
