//! What is given back, delayed or kept once nothing more can be done here for long, and what is told of the rules in force.
//!
//! Not here: what the broker does not take (`roads`, `letters`).

use super::repeats::ends;
use super::*;

#[test]
fn what_is_cut_off_is_given_back_whole_and_what_may_be_a_process_and_is_not_looked_up_is_announced() {
    let mut bench = Bench::new(64);
    let receipts: Vec<_> = (0..3).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
    let (looked_up, _) = bench.event("found.lead", "m3");
    let done = bench.on(Input::Command(Command::CutOff));
    let mut settled: Vec<_> = done.settled.iter().map(|(id, _)| *id).collect();
    settled.sort_unstable();
    assert_eq!(settled, [receipts, vec![looked_up]].concat());
    let announced = done.reports.iter().filter(|report| matches!(report, Report::PossibleDuplicate { .. }));
    assert_eq!((announced.count(), bench.machine.held()), (3, 0));
}

#[test]
fn while_everything_is_shut_for_long_one_is_held_and_the_others_are_delayed() {
    let mut bench = Bench::new(64);
    let receipts: Vec<_> = (0..4).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
    for receipt in &receipts {
        drop(bench.replied(*receipt, status(401)));
    }
    drop(bench.on(Input::Command(Command::Pause)));
    let done = bench.after(119 * SECOND);
    assert!(done.settled.is_empty() && done.wanted.is_empty(), "{done:?}");
    let done = bench.after(SECOND);
    assert_eq!((done.wanted.as_slice(), done.settled.len()), (&[WantedPrefetch::One][..], 4));
    drop(bench.on(Input::Command(Command::Resume)));
    assert_eq!(bench.on(Input::Command(Command::NewToken)).wanted, [WantedPrefetch::Full]);
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    drop(bench.on(Input::Command(Command::Pause)));
    let (held, _) = bench.event("lead", "m1");
    assert!(bench.after(700 * SECOND).wanted.is_empty(), "there is no delay queue to wait in");
    let done = bench.on(Input::CanDelay(true));
    assert_eq!((done.wanted.as_slice(), done.settled.len()), (&[WantedPrefetch::One][..], 1), "{held}");
}

#[test]
fn what_has_waited_for_one_procedure_for_ten_minutes_goes_to_a_delay_queue() {
    let mut bench = Bench::new(64);
    drop(bench.event("ticket", "other"));
    let (event, _) = bench.event("lead", "m1");
    let asked = Response { retry_after: Some(3000 * SECOND), ..Response::new(429, Body::Empty) };
    bench.machine.setup.policy.max_local_delay = 9999 * SECOND;
    drop(bench.replied(event, Reply::Response(asked)));
    let mut settled = Vec::new();
    for _ in 0..125 {
        let done = bench.after(5 * SECOND);
        settled.extend(done.settled.into_iter().map(|(id, _)| (id, bench.now >= 600 * SECOND)));
    }
    assert_eq!(settled, [(event, true)]);
}

#[test]
fn the_rules_in_force_are_those_that_came_last() {
    let mut bench = Bench::new(8);
    assert!(bench.machine.rules().named("found").is_some() && bench.machine.ramp(bench.now).is_none());
    let others = Arc::new(rules(&RULES.replace("name = \"found\"", "name = \"renamed\"")));
    drop(bench.on(Input::Command(Command::NewRules(others))));
    assert!(bench.machine.rules().named("found").is_none() && bench.machine.rules().named("renamed").is_some());
    drop(bench.on(Input::Command(Command::Pause)));
    drop(bench.on(Input::Command(Command::Resume)));
    assert_eq!(bench.machine.ramp(bench.now), Some(2));
    let (event, _) = bench.event("lead", "m1");
    assert_eq!(ends(&bench.replied(event, created())), [("created", Some("p1"))]);
}
