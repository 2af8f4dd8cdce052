//! The laws of the ramps: after a breaker has opened, what passes grows no faster than the API answers.
//!
//! Not here: one ramp by itself (`gate::ramp`).

use super::*;

/// A gate whose everything was shut at 0 and is opened by a probe at this second.
fn reopened(at: u64) -> Gate {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(0), 0.0);
    open(&mut gate, &lead(), secs(at));
    gate
}

fn open(gate: &mut Gate, procedure: &Procedure, now: Moment) {
    assert_eq!(gate.pass(procedure, now), Pass::Probe);
    let probe = gate.begun(procedure, now);
    assert!(matches!(&observe(gate, procedure, &created(), probe, now, 0.0)[..], [Change::Opened { .. }]));
}

/// Begins what may begin now, and lets each end so at once; answers how many those were.
fn burst(gate: &mut Gate, procedure: &Procedure, outcome: &Judgement, now: Moment) -> u32 {
    let mut begun = 0;
    while begun < 5000 && gate.pass(procedure, now) == Pass::Go {
        let probe = gate.begun(procedure, now);
        observe(gate, procedure, outcome, probe, now, 0.0);
        begun += 1;
    }
    begun
}

#[test]
fn a_gate_that_never_shut_holds_nothing_back() {
    assert_eq!(burst(&mut gate(), &lead(), &created(), secs(1)), 5000);
}

#[test]
fn after_everything_opened_each_second_lets_at_most_twice_as_many_through() {
    let mut gate = reopened(10);
    let bursts: Vec<u32> = (10..20).map(|at| burst(&mut gate, &lead(), &created(), secs(at))).collect();
    assert_eq!(bursts, [2, 4, 8, 16, 32, 64, 128, 256, 512, 5000]);
}

#[test]
fn who_comes_too_early_is_told_the_end_of_the_step() {
    let mut gate = reopened(10);
    burst(&mut gate, &lead(), &created(), secs(10));
    let early = Duration::from_millis(10_900);
    assert_eq!(gate.pass(&ticket(), early), Pass::Shut(Some(secs(11))));
    assert_eq!(gate.pass(&ticket(), secs(11)), Pass::Go);
}

#[test]
fn a_step_with_a_failure_of_the_moment_does_not_grow() {
    let mut gate = reopened(10);
    for at in 10..13 {
        burst(&mut gate, &lead(), &created(), secs(at));
    }
    for outcome in [lost(), created(), created()] {
        let probe = gate.begun(&lead(), secs(13));
        observe(&mut gate, &lead(), &outcome, probe, secs(13), 0.0);
    }
    assert_eq!(gate.ramp(secs(13)), Some(16));
    assert_eq!(gate.ramp(secs(14)), Some(4));
}

#[test]
fn the_ramp_of_a_procedure_holds_nobody_else_up() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), secs(0), 0.0);
    open(&mut gate, &lead(), secs(5));
    assert_eq!(burst(&mut gate, &ticket(), &created(), secs(5)), 5000);
    let bursts: Vec<u32> = (5..9).map(|at| burst(&mut gate, &lead(), &created(), secs(at))).collect();
    assert_eq!((bursts, gate.ramp(secs(9))), (vec![2, 4, 8, 16], None));
}

#[test]
fn a_probe_of_a_procedure_counts_for_the_ramp_of_everything() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), secs(0), 0.0);
    observe(&mut gate, &ticket(), &halt(Scope::Everything), Probe::default(), secs(0), 0.0);
    open(&mut gate, &ticket(), secs(10));
    assert_eq!(gate.pass(&lead(), secs(10)), Pass::Probe);
    gate.begun(&lead(), secs(10));
    gate.begun(&ticket(), secs(10));
    assert_eq!(gate.pass(&ticket(), secs(10)), Pass::Shut(Some(secs(11))));
}

#[test]
fn a_gate_that_shuts_again_begins_its_next_ramp_from_the_bottom() {
    let mut gate = reopened(10);
    for at in 10..14 {
        burst(&mut gate, &lead(), &created(), secs(at));
    }
    let probe = gate.begun(&lead(), secs(14));
    observe(&mut gate, &lead(), &halt(Scope::Everything), probe, secs(14), 0.0);
    assert_eq!(gate.ramp(secs(14)), None);
    open(&mut gate, &lead(), secs(20));
    assert_eq!(gate.ramp(secs(20)), Some(2));
}

#[test]
fn the_ramp_is_shown_while_it_lasts() {
    let gate = reopened(10);
    assert_eq!((gate.ramp(secs(10)), gate.ramp(secs(69)), gate.ramp(secs(70))), (Some(2), Some(2), None));
}

#[test]
fn a_procedures_ramp_grows_by_what_is_said_of_one_event_alone_and_not_by_what_fails() {
    let locked = Judgement::Retry { cause: Cause::Locked, after: None };
    let page = Judgement::Halt { scope: Scope::Everything, reason: HaltReason::NotTheApi, after: None };
    for (outcome, is_alone, allowed) in [(locked, false, 4), (page.clone(), true, 4), (page, false, 2)] {
        let mut gate = gate();
        observe(&mut gate, &lead(), &created(), Probe::default(), secs(0), 0.0);
        let procedure = &lead();
        gate.procedures.get_mut(procedure).unwrap().breaker.begin_ramp(secs(1));
        for event in 0..2 {
            let probe = gate.begun(procedure, secs(1));
            let seen = Seen { procedure, event: event / 2, outcome: &outcome, probe, is_alone, has_others: true };
            assert_eq!(gate.observe(&seen, secs(1), 0.0), []);
        }
        let ramp = gate.procedures[procedure].breaker.ramp(secs(2)).unwrap();
        assert_eq!(ramp.allowance(), allowed, "{outcome:?}");
    }
}
