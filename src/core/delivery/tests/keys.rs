//! Events of one key with other bodies, each looked up by that key: one of them creates at a time, and the others look first.
//!
//! Not here: messages of one event, which follow each other (`repeats`).

use super::*;

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

fn found() -> Reply {
    let row = Row { process: Some("p1".to_owned()), value: Some("m1".into()) };
    json(200, Wrapper { has_data: true, rows: Some(vec![row]), ..Wrapper::default() })
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
    let done = bench.after(SECOND / 4);
    assert_eq!((done.creates.len(), done.lookups.len()), (0, 0), "while the request is under way");
    drop(bench.replied(one, created()));
    let mut done = bench.after(SECOND);
    done.add(bench.after(SECOND / 10));
    assert_eq!((done.creates.len(), done.lookups), (0, vec![other]));
    assert_eq!(bench.replied(other, found()).settled, [(other, Settlement::Ack)]);
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
