//! The laws by which evidence decides what is shut: one procedure, or everything.
//!
//! Not here: how it opens (`super`).

use super::*;

fn page() -> Judgement {
    Judgement::Halt { scope: Scope::Everything, reason: HaltReason::NotTheApi, after: None }
}

#[test]
fn what_only_one_procedure_meets_shuts_that_one_and_what_two_meet_shuts_everything() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &page(), Probe::default(), secs(0), 0.0);
    assert_eq!((gate.pass(&lead(), secs(0)), gate.pass(&ticket(), secs(0))), (Pass::Shut(Some(secs(1))), Pass::Go));
    observe(&mut gate, &ticket(), &page(), Probe::default(), secs(0), 0.0);
    assert!(gate.everything_shut_for(secs(0)).is_some());
}

#[test]
fn a_procedure_that_works_is_not_shut_by_one_event_that_is_refused() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &created(), Probe::default(), secs(0), 0.0);
    for _ in 1..REFUSED_MAX {
        assert_eq!(observe(&mut gate, &lead(), &page(), Probe::default(), secs(1), 0.0), []);
    }
    assert_eq!(observe(&mut gate, &lead(), &page(), Probe::default(), secs(1), 0.0).len(), 1);
}

#[test]
fn an_event_that_is_refused_alone_says_nothing_of_others() {
    let mut gate = gate();
    let outcome = page();
    for event in 0..20 {
        let (procedure, probe) = (&lead(), Probe::default());
        let seen = Seen { procedure, event, outcome: &outcome, probe, is_alone: true, has_others: true };
        assert_eq!(gate.observe(&seen, secs(1), 0.0), []);
    }
    assert_eq!(gate.pass(&lead(), secs(1)), Pass::Go);
}

#[test]
fn a_429_pauses_its_procedure_and_one_of_a_second_procedure_in_that_pause_everything() {
    let mut gate = gate();
    let outcome = Judgement::Retry { cause: Cause::Throttled, after: Some(secs(7)) };
    let told = |gate: &mut Gate, procedure: &Procedure| {
        let probe = Probe::default();
        let seen = Seen { procedure, event: 1, outcome: &outcome, probe, is_alone: false, has_others: true };
        gate.observe(&seen, secs(0), 0.0)
    };
    assert_eq!(told(&mut gate, &lead()).len(), 1);
    assert_eq!((gate.pass(&lead(), secs(0)), gate.pass(&ticket(), secs(0))), (Pass::Shut(Some(secs(7))), Pass::Go));
    told(&mut gate, &ticket());
    assert!(gate.everything_shut_for(secs(0)).is_some());
}

#[test]
fn a_gate_that_opened_takes_a_whole_run_of_failures_to_shut_again() {
    let mut gate = gate();
    let unreachable = Judgement::Retry { cause: Cause::Unreachable, after: None };
    for _ in 0..3 {
        observe(&mut gate, &lead(), &unreachable, Probe::default(), secs(0), 0.0);
    }
    let probe = gate.begun(&lead(), secs(2));
    assert_eq!(observe(&mut gate, &lead(), &Judgement::Absent, probe, secs(2), 0.0).len(), 1);
    for _ in 0..2 {
        assert_eq!(observe(&mut gate, &lead(), &unreachable, Probe::default(), secs(3), 0.0), []);
    }
    assert_eq!(observe(&mut gate, &lead(), &unreachable, Probe::default(), secs(3), 0.0).len(), 1);
}

#[test]
fn the_late_answer_of_a_probe_that_was_given_up_lets_no_second_one_out_beside_the_current() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(0), 0.0);
    let first = gate.begun(&lead(), secs(2));
    gate.token_changed(secs(3));
    observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(3), 0.0);
    let second = gate.begun(&lead(), secs(5));
    assert!(second.asks());
    assert_eq!(observe(&mut gate, &lead(), &created(), first, secs(5), 0.0), [], "late");
    assert_eq!(gate.pass(&ticket(), secs(60)), Pass::Shut(None), "one probe at a time");
    observe(&mut gate, &lead(), &created(), second, secs(6), 0.0);
    assert_eq!(gate.everything_shut_for(secs(6)), None);
}
