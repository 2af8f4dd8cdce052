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

fn other() -> Procedure {
    Procedure::new("other").unwrap()
}

#[test]
fn a_procedure_that_opened_takes_a_whole_run_of_failures_to_shut_again_and_the_runs_of_others_go_on() {
    let mut gate = gate();
    for procedure in [ticket(), ticket(), other()] {
        let outcome = if procedure == ticket() { lost() } else { created() };
        assert_eq!(observe(&mut gate, &procedure, &outcome, Probe::default(), secs(0), 0.0), []);
    }
    for _ in 0..3 {
        observe(&mut gate, &lead(), &lost(), Probe::default(), secs(0), 0.0);
    }
    let probe = gate.begun(&lead(), secs(2));
    let found = Judgement::Found { process: None, copies: 1 };
    assert_eq!(observe(&mut gate, &lead(), &found, probe, secs(2), 0.0).len(), 1, "it opens");
    observe(&mut gate, &other(), &created(), Probe::default(), secs(3), 0.0);
    let changes = observe(&mut gate, &ticket(), &lost(), Probe::default(), secs(3), 0.0);
    assert!(matches!(&changes[..], [Change::Shut { scope, .. }] if scope == "ticket"), "the third: {changes:?}");
    observe(&mut gate, &other(), &created(), Probe::default(), secs(3), 0.0);
    for _ in 0..2 {
        assert_eq!(observe(&mut gate, &lead(), &lost(), Probe::default(), secs(3), 0.0), []);
    }
    assert_eq!(observe(&mut gate, &lead(), &lost(), Probe::default(), secs(3), 0.0).len(), 1);
}

#[test]
fn when_everything_opens_the_runs_of_all_procedures_begin_anew() {
    let mut gate = gate();
    for _ in 0..2 {
        observe(&mut gate, &ticket(), &lost(), Probe::default(), secs(0), 0.0);
    }
    observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(0), 0.0);
    let probe = gate.begun(&lead(), secs(2));
    assert_eq!(observe(&mut gate, &lead(), &Judgement::Absent, probe, secs(2), 0.0).len(), 1);
    for _ in 0..2 {
        assert_eq!(observe(&mut gate, &ticket(), &lost(), Probe::default(), secs(3), 0.0), []);
    }
    assert_eq!(observe(&mut gate, &ticket(), &lost(), Probe::default(), secs(3), 0.0).len(), 1);
}

#[test]
fn open_procedures_are_remembered_up_to_a_bound_and_those_that_are_shut_or_on_a_ramp_beyond_it() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), secs(0), 0.0);
    observe(&mut gate, &ticket(), &halt(Scope::Procedure), Probe::default(), secs(0), 0.0);
    let probe = gate.begun(&ticket(), secs(2));
    observe(&mut gate, &ticket(), &created(), probe, secs(2), 0.0);
    for number in 2..BREAKERS_MAX {
        let procedure = Procedure::new(&format!("p{number}")).unwrap();
        observe(&mut gate, &procedure, &created(), Probe::default(), secs(2), 0.0);
    }
    assert_eq!(gate.procedures.len(), BREAKERS_MAX);
    observe(&mut gate, &other(), &created(), Probe::default(), secs(2), 0.0);
    let left: Vec<&str> = gate.procedures.keys().map(Procedure::as_str).collect();
    assert_eq!(left, ["lead", "ticket"]);
}

#[test]
fn a_lookup_that_could_not_be_trusted_is_what_probes_its_procedure_and_a_good_one_opens_it() {
    for (reason, looks) in [(HaltReason::LookupUntrusted, true), (HaltReason::Forbidden, false)] {
        let mut gate = gate();
        assert!(!gate.wants_a_lookup(&lead()), "it is open");
        let untrusted = Judgement::Halt { scope: Scope::Procedure, reason, after: None };
        observe(&mut gate, &lead(), &untrusted, Probe::default(), secs(0), 0.0);
        assert_eq!((gate.wants_a_lookup(&lead()), gate.wants_a_lookup(&ticket())), (looks, false), "{reason:?}");
        let probe = gate.begun(&lead(), secs(2));
        observe(&mut gate, &lead(), &Judgement::Absent, probe, secs(2), 0.0);
        assert_eq!(gate.shut_for(&lead(), secs(2)).is_none(), looks, "{reason:?}");
    }
}

#[test]
fn a_refusal_is_what_may_concern_everything_the_procedure_or_this_events_words_alone() {
    assert!(is_refusal(&page()) && is_refusal(&halt(Scope::Procedure)));
    let throttled = Judgement::Retry { cause: Cause::Throttled, after: None };
    for outcome in [created(), lost(), throttled, halt(Scope::Everything), Judgement::Absent] {
        assert!(!is_refusal(&outcome), "{outcome:?}");
    }
}
