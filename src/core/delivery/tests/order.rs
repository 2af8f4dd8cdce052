//! Which of several events goes first, and that each goes.
//!
//! Not here: what the gate makes of their answers (`core::gate`).

use super::*;

#[test]
fn through_an_open_gate_each_event_goes_at_once() {
    let mut bench = Bench::new(64);
    for id in 0..10 {
        let (receipt, done) = bench.event("lead", &format!("m{id}"));
        assert_eq!(done.creates, [receipt]);
    }
    assert_eq!((bench.machine.held(), bench.machine.running()), (10, 10));
}

#[test]
fn while_paused_nothing_goes_and_after_it_the_oldest_go_first() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Command(Command::Pause)));
    let receipts: Vec<_> = (0..3).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
    assert!(bench.after(SECOND).creates.is_empty());
    let done = bench.on(Input::Command(Command::Resume));
    assert_eq!(done.creates, receipts[..2], "a ramp begins with two");
    assert_eq!(bench.after(SECOND).creates, receipts[2..]);
}

#[test]
fn a_wait_is_as_long_as_it_was_drawn_and_the_machine_asks_to_be_woken_for_it() {
    let mut bench = Bench::new(64);
    let (receipt, _) = bench.event("lead", "m1");
    let unreachable = Reply::NotSent { why: NotSent::Unreachable, detail: String::new() };
    let done = bench.replied(receipt, unreachable);
    assert!(done.creates.is_empty() && done.settled.is_empty());
    assert_eq!(bench.wake, bench.now + SECOND / 4, "half of the ceiling, by the dice");
    assert!(bench.after(SECOND / 5).creates.is_empty());
    assert_eq!(bench.after(SECOND / 5).creates, [receipt]);
}

#[test]
fn a_lookup_that_finds_an_event_acknowledges_it_without_a_create() {
    let mut bench = Bench::new(64);
    let (receipt, done) = bench.message(again("found.lead", "m1"));
    assert_eq!((done.lookups, done.creates), (vec![receipt], vec![]));
    let row = Row { process: Some("p7".to_owned()), value: Some("m1".into()) };
    let found = json(200, Wrapper { has_data: true, rows: Some(vec![row]), ..Wrapper::default() });
    let done = bench.replied(receipt, found);
    assert_eq!(done.settled, [(receipt, Settlement::Ack)]);
    assert_eq!((done.told[0].result, done.told[0].process.as_deref()), ("found", Some("p7")));
}
