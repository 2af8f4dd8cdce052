//! Why and for how long an event goes to a delay queue.
//!
//! Not here: whether it does (`neighbours`, `brake`), and the queues themselves (`core::delay_queue`).

use super::*;
use crate::core::delivery::DELAY_REASONS;
use crate::core::delivery::places::Outstanding;
use crate::core::lookup::Lookup;
use crate::core::progress::Progress;

/// Why an event is told to be delayed that stands so.
fn why(bench: &Bench, event: EventId, progress: Progress, sent: Option<Lookup>) -> &'static str {
    let context = &bench.machine.held.get(event).unwrap().context;
    let state = DelayedState { progress, sent, ..DelayedState::default() };
    let why = bench.machine.why_delayed(context, &state);
    assert!(DELAY_REASONS.contains(&why), "{why}");
    why
}

#[test]
fn each_delay_is_told_with_what_caused_it() {
    let mut bench = Bench::new(64);
    let (event, _) = bench.event("lead", "m1");
    let lookup = Lookup { procedure: Procedure::new("lead").unwrap(), attribute: "key".to_owned(), value: "m1".into() };
    let one = Progress { attempts: 1, ..Progress::default() };
    assert_eq!(why(&bench, event, Progress::default(), None), "no_room");
    assert_eq!(why(&bench, event, Progress::default(), Some(lookup.clone())), "no_room");
    assert_eq!(why(&bench, event, one.clone(), None), "retry");
    assert_eq!(why(&bench, event, Progress { lookups: 1, ..Progress::default() }, None), "retry");
    let mut of_photos = Progress::default();
    of_photos.photos.tries = 1;
    assert_eq!(why(&bench, event, of_photos, None), "retry");
    let unsure = Progress { unsure_creates: 1, ..one.clone() };
    assert_eq!(why(&bench, event, unsure.clone(), None), "doubt");
    assert_eq!(why(&bench, event, unsure, Some(lookup)), "retry", "it can be looked up");
    assert_eq!(why(&bench, event, Progress { crashes: 1, ..Progress::default() }, None), "crashed");
    bench.machine.held.get_mut(event).unwrap().context.state.progress.crashes = 1;
    assert_eq!(
        why(&bench, event, Progress { crashes: 1, ..Progress::default() }, None),
        "no_room",
        "it crashed before"
    );
    drop(bench.on(Input::Command(Command::Pause)));
    assert_eq!(why(&bench, event, one.clone(), None), "gate_shut");
    drop(bench.on(Input::Command(Command::Resume)));
    let (other, _) = bench.event("ticket", "m2");
    drop(bench.replied(other, status(403)));
    assert_eq!(why(&bench, event, Progress::default(), None), "no_room", "another procedure is shut");
    assert_eq!(why(&bench, other, one, None), "gate_shut");
}

#[test]
fn a_wait_for_a_shut_gate_is_no_longer_than_it_was_shut_nor_than_a_minute_or_where_many_wait_ten() {
    let mut bench = Bench::new(64);
    let waits = |bench: &mut Bench| {
        [1, 59, 60, 599, 600, 9999].map(|shut_for| bench.machine.wait_of_shut(shut_for * SECOND).as_secs())
    };
    assert_eq!(waits(&mut bench), [10, 10, 60, 60, 60, 60]);
    (0..1000).for_each(|_| bench.machine.outstanding.add(bench.now + SECOND));
    assert_eq!(waits(&mut bench), [10, 10, 60, 60, 60, 60], "a thousand are few");
    bench.machine.outstanding.add(bench.now + 5 * SECOND);
    assert_eq!(waits(&mut bench), [10, 10, 60, 60, 600, 600]);
    drop(bench.after(3 * SECOND));
    assert_eq!(waits(&mut bench), [10, 10, 60, 60, 60, 60], "those waits are over");
}

#[test]
fn what_waits_in_a_delay_queue_is_counted_until_the_second_in_which_it_comes_back_is_over() {
    let mut outstanding = Outstanding::default();
    for until in [10_200, 10_900, 20_000] {
        outstanding.add(Duration::from_millis(until));
    }
    let counts = [0, 10_999, 11_000, 20_999, 21_000].map(|now| outstanding.count(Duration::from_millis(now)));
    assert_eq!(counts, [3, 3, 1, 1, 0]);
}

#[test]
fn while_everything_is_shut_nothing_is_delayed_to_make_room() {
    let mut bench = Bench::new(8);
    drop(bench.event("ticket", "t0"));
    let (first, _) = bench.event("lead", "m0");
    drop(bench.replied(first, status(403)));
    let (other, _) = bench.event("ticket", "t1");
    drop(bench.replied(other, status(401)));
    let mut settled = Vec::new();
    for id in 1..6 {
        settled.extend(bench.event("lead", &format!("m{id}")).1.settled);
    }
    settled.extend(bench.after(SECOND / 2).settled);
    assert_eq!(settled, []);
    settled.extend(bench.on(Input::Command(Command::NewToken)).settled);
    assert!(!settled.is_empty(), "then those of the procedure that is shut make room");
}
