//! No descriptor is left for a connection: that costs an event only time, and says nothing of the API.
//!
//! Not here: how it is noticed (`chakra`), and the program with a low limit (`tests/log/short.rs`).

use super::*;
use crate::core::delivery::{FailedTry, Place};

fn no_descriptors() -> Reply {
    Reply::NotSent { why: NotSent::NoDescriptors, detail: "too many open files".to_owned() }
}

fn failed(done: &Done) -> Option<&FailedTry> {
    done.reports.iter().find_map(|report| match report {
        Report::TryFailed(failed) => Some(&**failed),
        _ => None,
    })
}

#[test]
fn a_want_of_descriptors_never_dead_letters_never_doubts_and_never_shuts_the_gate() {
    for kind in ["lead", "found.lead"] {
        let mut bench = Bench::new(64);
        drop(bench.on(Input::Connected { can_delay: false }));
        let mut under_way: Vec<_> = (0..12).flat_map(|id| bench.event(kind, &format!("m{id}")).1.creates).collect();
        assert_eq!(under_way.len(), 12, "{kind}");
        for _ in 0..30 * 60 {
            let mut begun = Vec::new();
            for id in under_way.drain(..) {
                let done = bench.replied(id, no_descriptors());
                let told = done.reports.iter().all(|report| {
                    matches!(report, Report::TryFailed(_) | Report::Answered { .. } | Report::NoDescriptors)
                });
                assert!(told && done.settled.is_empty(), "{kind}: {done:?}");
                begun.extend(done.creates);
            }
            // A day of it in all.
            let done = bench.after(48 * SECOND);
            assert!(done.settled.is_empty() && done.lookups.is_empty(), "{kind}: {done:?}");
            begun.extend(done.creates);
            under_way = begun;
        }
        // Whatever fails afterwards is as young as when it came.
        let id = under_way[0];
        assert_eq!(bench.replied(id, status(423)).settled.len(), 0, "{kind}: it did not age");
        assert_eq!(bench.replied(under_way[1], created()).told[0].attempts, 1, "{kind}");
    }
}

#[test]
fn its_waits_grow_and_end() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let (id, _) = bench.event("lead", "m1");
    let mut waits = Vec::new();
    for _ in 0..12 {
        let done = bench.replied(id, no_descriptors());
        let failed = failed(&done).expect("it is told");
        assert_eq!((failed.reason, failed.place, failed.attempt), ("no_descriptors", Place::Memory, 1));
        waits.push(failed.wait);
        assert_eq!(bench.after(failed.wait).creates, [id]);
    }
    assert!(waits.is_sorted() && waits[0] < SECOND && waits[11] > 20 * SECOND && waits[11] <= 30 * SECOND, "{waits:?}");
}

#[test]
fn a_probe_that_could_not_be_sent_neither_opens_a_gate_nor_keeps_it_shut() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let (id, _) = bench.event("lead", "m1");
    drop(bench.replied(id, status(401)));
    let mut probe = Vec::new();
    for _ in 0..20 {
        probe = bench.after(SECOND).creates;
        if !probe.is_empty() {
            break;
        }
    }
    assert_eq!(probe, [id]);
    let done = bench.replied(id, no_descriptors());
    assert!(!done.reports.iter().any(|report| matches!(report, Report::Gate(_))), "{done:?}");
    let again = (0..20).flat_map(|_| bench.after(SECOND).creates).next();
    assert_eq!(again, Some(id), "the next probe goes");
    assert!(bench.replied(id, created()).reports.iter().any(|report| matches!(report, Report::Gate(_))), "it opens");
}
