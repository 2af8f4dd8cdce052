//! Whose turn it is to probe what is shut.
//!
//! Not here: how many places the events of what is shut may hold (`shares`), and what an answer opens (`core::gate`).

use super::photos::bench;
use super::*;
use crate::core::delivery::places::Probed;

pub(super) fn procedure(name: &str) -> Procedure {
    Procedure::new(name).unwrap()
}

#[test]
fn everything_that_is_shut_is_probed_by_what_fetches_no_picture_first_and_by_another_procedure_than_before() {
    let mut bench = bench(8);
    let (first, _) = bench.event("lead", "m0");
    drop(bench.replied(first, status(401)));
    let (lead, _) = bench.event("lead", "m1");
    drop(bench.event("visit", "v"));
    let done = bench.after(2 * SECOND);
    assert_eq!((done.creates, done.photos.len()), (vec![lead], 0), "though the other is newer");
    let mut bench = Bench::new(8);
    let (first, _) = bench.event("lead", "m0");
    drop(bench.replied(first, status(401)));
    drop(bench.event("ticket", "t0"));
    let mut probed = Vec::new();
    while probed.len() < 4 {
        for id in bench.after(SECOND).creates {
            probed.push(id == first);
            drop(bench.replied(id, status(401)));
        }
    }
    assert_eq!(probed, [false, true, false, true], "in turn");
}

#[test]
fn a_probe_that_looks_and_finds_nothing_creates_in_the_same_turn_and_then_it_is_the_turn_of_another_procedure() {
    let mut bench = Bench::new(8);
    let (refused, _) = bench.event("ticket", "t");
    drop(bench.replied(refused, status(401)));
    bench.machine.setup.policy.lookup_window = Duration::ZERO;
    let (looks, _) = bench.message(again("found.lead", "m"));
    let mut probed = Vec::new();
    while probed.len() < 6 {
        let mut done = bench.after(SECOND);
        while let Some(id) = done.lookups.pop() {
            probed.push((id, "look"));
            done.add(bench.replied(id, absent()));
        }
        while let Some(id) = done.creates.pop() {
            probed.push((id, "create"));
            done.add(bench.replied(id, status(401)));
        }
    }
    let both = [(looks, "look"), (looks, "create")];
    assert_eq!((&probed[..2], probed[2], &probed[3..5]), (&both[..], (refused, "create"), &both[..]), "{probed:?}");
}

#[test]
fn a_turn_that_looks_and_creates_counts_as_one_that_looks_and_goes_on_once() {
    let mut probed = Probed::default();
    let mut turn = |looks: bool| {
        probed.note(&procedure("lead"), 1, looks);
        probed.not_found(&procedure("lead"), 1);
        probed.last_of(&procedure("lead")).map(|last| (last.looks(), last.goes_on()))
    };
    assert_eq!(turn(true), Some((true, Some(1))), "its create is next");
    assert_eq!(turn(true), Some((true, None)), "not if it looks again");
    assert_eq!([turn(true), turn(false)], [Some((true, Some(1))), Some((true, None))]);
    assert_eq!(turn(false), Some((false, None)));
    probed.note(&procedure("lead"), 1, true);
    probed.not_found(&procedure("lead"), 2);
    probed.not_found(&procedure("ticket"), 1);
    assert_eq!(
        probed.last_of(&procedure("lead")).and_then(|last| last.goes_on()),
        None,
        "another event, another procedure"
    );
}
