//! What the ledger is told, and what waits until it has answered.
//!
//! Not here: what is asked of it (`claims`, `claimed`).

use super::claims::replica;
use super::repeats::ends;
use super::*;
use crate::core::ledger::Recorded;

/// The create of this event was granted, and answered so.
fn granted(bench: &mut Bench, event: EventId, reply: Reply) -> Done {
    bench.on(Input::Replied { event, reply, took: SECOND, epoch: Some(1) })
}

#[test]
fn what_comes_back_before_its_row_is_given_back_waits_for_that_and_no_longer() {
    let mut bench = replica(|_| {});
    let (event, _) = bench.event("lead", "m1");
    let done = granted(&mut bench, event, busy());
    let [(_, Settlement::Delay(_, state))] = &done.settled[..] else { panic!("{done:?}") };
    let record = done.records[0].0;
    let state = DelayedState { remaining: Duration::ZERO, ..DelayedState::clone(state) }.encode();
    let (back, done) = bench.message(Message { delayed_state: Some(state), ..super::event("lead", "m1") });
    assert_eq!((done.creates.len(), done.claims.len()), (0, 0));
    let (other, done) = bench.event("lead", "m2");
    assert_eq!(done.creates, [other], "another row");
    assert_eq!(granted(&mut bench, other, created()).records.len(), 1, "it is not recorded yet");
    assert!(bench.after(SECOND).creates.is_empty());
    let mut done = bench.on(Input::Recorded { record, recorded: Recorded::Yes });
    done.add(bench.after(SECOND));
    assert_eq!(done.creates, [back]);
}

#[test]
fn each_thing_that_is_told_has_a_number_of_its_own() {
    let mut bench = replica(|_| {});
    let events = ["m1", "m2"].map(|id| bench.event("lead", id).0);
    let records = events.map(|event| granted(&mut bench, event, created()).records[0].0);
    assert!(records[0] < records[1], "{records:?}");
    for (event, record) in events.into_iter().zip(records).rev() {
        let done = bench.on(Input::Recorded { record, recorded: Recorded::Yes });
        assert_eq!(done.settled, [(event, Settlement::Ack)]);
    }
    assert!(bench.machine.is_idle());
}

#[test]
fn what_is_a_process_and_not_recorded_goes_with_its_connection_and_is_told_to_the_ledger_all_the_same() {
    let mut bench = replica(|_| {});
    let (event, _) = bench.event("lead", "m1");
    let record = granted(&mut bench, event, created()).records[0].0;
    let done = bench.on(Input::Disconnected);
    assert_eq!((ends(&done), bench.machine.held()), (vec![("connection_lost", None)], 0));
    assert!(!bench.machine.is_recorded());
    let done = bench.on(Input::Recorded { record, recorded: Recorded::Yes });
    assert_eq!((done.settled.len(), bench.machine.is_recorded()), (0, true));
}
