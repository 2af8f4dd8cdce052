//! Events of one key with other bodies, each looked up by that key: one of them creates at a time, and the others look first.
//!
//! Not here: messages of one event, which follow each other (`repeats`).

use super::*;
use crate::core::delivery::copies::{Create, Creates};
use crate::core::delivery::event::Stage;
use crate::core::event::{Key, KeyOrigin};
use crate::core::lookup::Lookup;
use crate::core::progress::{Next, Progress};

/// A message of this body that the broker delivers again, under the key that all of these have.
fn returned(of: u32) -> Message {
    Message { body: Arc::new(format!(r#"{{"of":{of}}}"#).into_bytes()), ..again("found.lead", "m1") }
}

/// A machine whose lookups are believed at once.
fn bench() -> Bench {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.lookup_window = Duration::ZERO;
    bench
}

#[test]
fn of_two_that_looked_one_creates_and_the_other_looks_again_once_that_one_is_answered() {
    let mut bench = bench();
    let (one, done) = bench.message(returned(1));
    assert_eq!(done.lookups, [one]);
    let (other, done) = bench.message(returned(2));
    assert_eq!(done.lookups, [other]);
    assert_eq!(bench.replied(one, absent()).creates, [one]);
    let done = bench.replied(other, absent());
    assert_eq!((done.creates.len(), done.lookups.len()), (0, 0), "it gives way");
    let stage = bench.machine.held.get(other).map(|event| event.stage);
    assert_eq!(stage, Some(Stage::Waiting(bench.now + SECOND / 2)), "for as long as a request may take");
    let done = bench.after(SECOND / 4);
    assert_eq!((done.creates.len(), done.lookups.len()), (0, 0), "while the request is under way");
    drop(bench.replied(one, created()));
    let mut done = bench.after(SECOND / 4);
    done.add(bench.after(SECOND / 10));
    assert_eq!((done.creates.len(), done.lookups), (0, vec![other]));
    assert_eq!(bench.replied(other, found("m1")).settled, [(other, Settlement::Ack)]);
}

#[test]
fn one_that_looked_while_anothers_create_was_under_way_looks_again_where_its_answer_was_lost() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.max_local_delay = Duration::ZERO;
    let (first, done) = bench.event("found.lead", "m1");
    assert_eq!(done.creates, [first]);
    bench.machine.setup.policy.lookup_window = Duration::ZERO;
    let (other, done) = bench.message(returned(2));
    assert_eq!(done.lookups, [other]);
    bench.machine.setup.policy.lookup_window = 45 * SECOND;
    bench.machine.held.get_mut(other).unwrap().progress.since_create = Some(44 * SECOND);
    drop(bench.after(SECOND));
    drop(bench.replied(first, timed_out()));
    let lost = bench.replied(first, absent());
    assert!(lost.settled.iter().any(|(id, _)| *id == first), "it went to a delay queue: {lost:?}");
    bench.machine.setup.policy.max_local_delay = 600 * SECOND;
    let began = bench.now;
    let mut done = bench.replied(other, absent());
    while done.creates.is_empty() {
        done = if done.lookups.is_empty() { bench.after(SECOND / 4) } else { bench.replied(other, absent()) };
        assert!(bench.now < began + 100 * SECOND);
    }
    let waited = bench.now - began;
    assert!(waited >= 44 * SECOND && waited < 60 * SECOND, "{waited:?} since the answer was lost");
}

#[test]
fn one_whose_create_was_not_sent_keeps_nobody_waiting() {
    let mut bench = super::claims::replica(|setup| setup.policy.lookup_window = Duration::ZERO);
    let (first, _) = bench.event("found.lead", "m1");
    let withheld = crate::core::ledger::Claimed::Away;
    drop(bench.on(Input::Withheld { event: first, claimed: withheld }));
    let key = bench.machine.held.get(first).and_then(|event| event.context.key.clone()).unwrap();
    assert!(bench.machine.creates.since(&key, first + 1, None).is_none());
}

#[test]
fn what_a_copy_that_is_held_may_have_created_is_looked_for_where_it_was_sent_before_another_creates() {
    let mut bench = bench();
    let progress =
        Progress { next: Next::Lookup, unsure_creates: 1, since_create: Some(SECOND), ..Progress::default() };
    let state = DelayedState { progress, sent: Some(sent::before()), first_seen_ms: 1, ..DelayedState::default() };
    let (doubtful, done) =
        bench.message(Message { delayed_state: Some(state.encode()), redelivered: false, ..returned(1) });
    assert_eq!(done.lookups, [doubtful]);
    let (other, done) = bench.message(returned(2));
    assert_eq!(done.lookups, [other]);
    let mut done = bench.replied(other, absent());
    done.add(bench.after(SECOND / 10));
    assert_eq!((done.creates.len(), done.lookups), (0, vec![other]));
    let event = bench.machine.held.get(other).unwrap();
    assert_eq!((event.lookup.as_ref().unwrap().attribute.as_str(), event.progress.unsure_creates), ("old", 1));
}

#[test]
fn an_event_that_comes_for_the_first_time_waits_for_no_other_of_its_key() {
    let mut bench = Bench::new(64);
    let (first, done) = bench.event("found.lead", "m1");
    assert_eq!(done.creates, [first]);
    let (other, done) = bench.message(Message { redelivered: false, ..returned(2) });
    assert_eq!(done.creates, [other], "a message id may restart at 1");
}

#[test]
fn the_last_creates_of_keys_are_remembered_up_to_a_bound_and_one_that_was_sent_again_among_the_newest() {
    let mut creates = Creates::default();
    let lookup =
        Arc::new(Lookup { procedure: Procedure::new("lead").unwrap(), attribute: String::new(), value: 1.into() });
    let key = |number: u64| Key { text: number.to_string(), origin: KeyOrigin::MessageId };
    let mut note = |number: u64, at: u64| {
        let create = Create { event: number, at: Duration::from_millis(at), lookup: Arc::clone(&lookup), lost: None };
        creates.note(&key(number), create);
        let is_known = |number: u64| creates.since(&key(number), EventId::MAX, None).is_some();
        [is_known(0), is_known(1), is_known(2), is_known(3)]
    };
    for number in 0..16_383 {
        note(number, number);
    }
    assert_eq!(note(1, 20_000), [true; 4], "as many as are remembered");
    assert_eq!(note(20_000, 20_001), [false, true, true, true]);
    assert_eq!(note(20_001, 20_002), [false, true, true, true], "it was sent again");
    assert_eq!(note(20_002, 20_003), [false, true, false, true]);
}
