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

/// The answer of one event to a request for this procedure.
fn seen(gate: &mut Gate, procedure: &Procedure, event: u64, outcome: &Judgement, is_alone: bool) -> Vec<Change> {
    let (probe, has_others) = (Probe::default(), true);
    gate.observe(&Seen { procedure, event, outcome, probe, is_alone, has_others }, secs(1), 0.0)
}

#[test]
fn neither_one_event_that_is_refused_again_and_again_nor_those_that_are_alone_with_it_shut_what_works() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &created(), Probe::default(), secs(0), 0.0);
    for _ in 0..3 * REFUSED_MAX {
        assert_eq!(seen(&mut gate, &lead(), 1, &page(), false), []);
    }
    for event in 2..9 {
        assert_eq!(seen(&mut gate, &lead(), event, &page(), true), []);
    }
    assert_eq!(seen(&mut gate, &lead(), 10, &page(), false), [], "the second");
    assert_eq!(seen(&mut gate, &lead(), 11, &page(), false).len(), 1, "the third");
}

#[test]
fn everything_is_shut_by_what_may_concern_all_of_two_procedures_and_by_no_refusal_of_less() {
    let of_one = halt(Scope::Procedure);
    for (first, is_alone) in [(&of_one, false), (&page(), true)] {
        let mut gate = gate();
        seen(&mut gate, &ticket(), 1, first, is_alone);
        seen(&mut gate, &lead(), 2, &page(), false);
        assert_eq!(gate.everything_shut_for(secs(1)), None, "{first:?}");
        seen(&mut gate, &other(), 3, &page(), false);
        assert!(gate.everything_shut_for(secs(1)).is_some(), "{first:?}");
    }
}

#[test]
fn a_lookup_that_works_does_not_open_everything_where_creates_were_refused() {
    let mut gate = gate();
    seen(&mut gate, &ticket(), 1, &page(), false);
    seen(&mut gate, &lead(), 2, &page(), false);
    let probe = gate.begun(&other(), secs(3));
    assert_eq!(observe(&mut gate, &other(), &Judgement::Absent, probe, secs(3), 0.0), []);
    assert_eq!(gate.pass(&other(), secs(3)), Pass::Probe);
}

#[test]
fn neither_a_lookup_that_is_refused_nor_a_locked_event_opens_a_procedure() {
    for cause in [Cause::LookupRefused, Cause::Locked, Cause::TooEarly] {
        let mut gate = gate();
        observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), secs(0), 0.0);
        let probe = gate.begun(&lead(), secs(2));
        observe(&mut gate, &lead(), &Judgement::Retry { cause, after: None }, probe, secs(2), 0.0);
        assert!(gate.shut_for(&lead(), secs(2)).is_some(), "{cause:?}");
    }
}

#[test]
fn where_a_429_shuts_everything_its_procedure_is_not_shut_beside_it() {
    let mut gate = gate();
    let outcome = Judgement::Retry { cause: Cause::Throttled, after: Some(secs(7)) };
    assert_eq!(observe(&mut gate, &lead(), &outcome, Probe::default(), secs(0), 0.0).len(), 1);
    assert_eq!((gate.shut().count(), gate.shut_for(&lead(), secs(0))), (1, None));
}
