//! The laws of the gate, on a hand-wound clock.
//!
//! Not here: what of the API an answer is evidence of (`scope`), ramps (`ramps`), and what operators do (`commands`).

mod commands;
mod ramps;
mod scope;

use std::sync::atomic::{AtomicU64, Ordering};

use super::evidence::REFUSED_MAX;
use super::*;
use crate::core::judge::Scope;
use crate::core::reason::{Fault, HaltReason, Reason};

const MINUTE: Duration = Duration::from_secs(60);

fn gate() -> Gate {
    let policy = GatePolicy {
        rejections: 20,
        failures: 3,
        probe_initial: secs(2),
        probe_max: secs(30),
        release_after: secs(120),
    };
    Gate::new(policy, 10 * MINUTE)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn lead() -> Procedure {
    Procedure::new("lead").unwrap()
}

fn ticket() -> Procedure {
    Procedure::new("ticket").unwrap()
}

fn created() -> Judgement {
    Judgement::Created { process: None }
}

fn halt(scope: Scope) -> Judgement {
    let reason = if scope == Scope::Everything { HaltReason::Unauthorized } else { HaltReason::Forbidden };
    Judgement::Halt { scope, reason, after: None }
}

static EVENTS: AtomicU64 = AtomicU64::new(0);

/// The outcome of another event each time, the only procedure being this one.
fn observe(
    gate: &mut Gate,
    procedure: &Procedure,
    outcome: &Judgement,
    probe: Probe,
    now: Moment,
    dice: f64,
) -> Vec<Change> {
    let event = EVENTS.fetch_add(1, Ordering::Relaxed);
    let seen = Seen { procedure, event, outcome, probe, is_alone: false, has_others: false };
    gate.observe(&seen, now, dice)
}

fn lost() -> Judgement {
    Judgement::Unsure { cause: Cause::Timeout, after: None }
}

#[test]
fn a_bad_token_shuts_everything_at_once_and_one_probe_at_a_time_asks_again() {
    let mut gate = gate();
    let changes = observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(10), 0.0);
    assert!(matches!(&changes[..], [Change::Shut { scope, until, probes: 0, .. }]
        if scope == EVERYTHING && *until == secs(11)));
    assert_eq!(gate.pass(&ticket(), secs(10)), Pass::Shut(Some(secs(11))));
    assert_eq!(gate.pass(&ticket(), secs(11)), Pass::Probe);
    let probe = gate.begun(&ticket(), secs(11));
    assert_eq!(gate.pass(&lead(), secs(11)), Pass::Shut(None));
    let changes = observe(&mut gate, &ticket(), &created(), probe, secs(12), 0.0);
    assert_eq!(changes, [Change::Opened { scope: EVERYTHING.into(), after: secs(2) }]);
    assert_eq!(gate.pass(&lead(), secs(12)), Pass::Go);
}

#[test]
fn failed_probes_come_rarer_up_to_the_cap() {
    let mut gate = gate();
    let mut now = secs(0);
    observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), now, 1.0);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let Pass::Shut(Some(until)) = gate.pass(&lead(), now) else { panic!("shut") };
        waits.push((until - now).as_secs());
        now = until;
        let probe = gate.begun(&lead(), now);
        observe(&mut gate, &lead(), &halt(Scope::Everything), probe, now, 1.0);
    }
    assert_eq!(waits, [2, 4, 8, 16, 30, 30]);
}

#[test]
fn those_that_began_before_the_gate_shut_neither_open_nor_prolong_it() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(0), 0.0);
    assert_eq!(observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(1), 0.0), []);
    assert_eq!(observe(&mut gate, &lead(), &created(), Probe::default(), secs(1), 0.0), []);
    assert_eq!(gate.shut().collect::<Vec<_>>(), [(EVERYTHING, Why::Halt(HaltReason::Unauthorized))]);
}

#[test]
fn it_takes_a_run_of_failures_to_shut_and_a_word_from_the_api_ends_the_run() {
    let mut gate = gate();
    for outcome in [lost(), lost(), created(), lost(), lost()] {
        assert_eq!(observe(&mut gate, &lead(), &outcome, Probe::default(), secs(1), 0.0), []);
    }
    assert_eq!(observe(&mut gate, &lead(), &lost(), Probe::default(), secs(1), 0.0).len(), 1);
    assert_eq!(gate.pass(&lead(), secs(1)), Pass::Shut(Some(secs(2))));
    assert_eq!(gate.pass(&ticket(), secs(1)), Pass::Go, "of one procedure");
    assert_eq!(observe(&mut gate, &ticket(), &lost(), Probe::default(), secs(1), 0.0).len(), 1);
    assert_eq!(gate.pass(&ticket(), secs(1)), Pass::Shut(Some(secs(2))), "nothing good between: of everything");
}

#[test]
fn a_probe_that_fails_by_the_moment_keeps_the_gate_shut() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(0), 0.0);
    let probe = gate.begun(&lead(), secs(5));
    let changes = observe(&mut gate, &lead(), &lost(), probe, secs(5), 0.0);
    assert!(
        matches!(&changes[..], [Change::Shut { probes: 1, why, .. }] if *why == Why::Halt(HaltReason::Unauthorized))
    );
}

#[test]
fn a_refusal_is_a_word_from_the_api_and_opens_the_gate() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(0), 0.0);
    let probe = gate.begun(&lead(), secs(5));
    let refused = Judgement::Reject(Fault::new(Reason::Refused, "422"));
    assert!(matches!(&observe(&mut gate, &lead(), &refused, probe, secs(5), 0.0)[..], [Change::Opened { .. }]));
}

#[test]
fn a_procedure_that_is_shut_holds_nobody_else_up() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), secs(0), 0.0);
    assert_eq!(gate.pass(&ticket(), secs(0)), Pass::Go);
    assert_eq!(gate.pass(&lead(), secs(0)), Pass::Shut(Some(secs(1))));
}

#[test]
fn a_lost_answer_to_the_probe_of_a_procedure_shuts_nothing_else_and_opens_nothing() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), secs(0), 0.0);
    let probe = gate.begun(&lead(), secs(2));
    let changes = observe(&mut gate, &lead(), &lost(), probe, secs(2), 0.0);
    assert!(matches!(&changes[..], [Change::Shut { scope, probes: 1, .. }] if scope == "lead"));
    assert_eq!(gate.pass(&ticket(), secs(2)), Pass::Go);
}

#[test]
fn a_throttled_answer_shuts_everything_for_as_long_as_the_api_asks_up_to_the_ceiling() {
    let mut gate = gate();
    let asked = |after| Judgement::Retry { cause: Cause::Throttled, after: Some(after) };
    observe(&mut gate, &lead(), &asked(secs(90)), Probe::default(), secs(0), 0.5);
    assert_eq!(gate.pass(&ticket(), secs(0)), Pass::Shut(Some(secs(90))));
    let probe = gate.begun(&lead(), secs(90));
    observe(&mut gate, &lead(), &asked(24 * 60 * MINUTE), probe, secs(90), 0.5);
    assert_eq!(gate.pass(&lead(), secs(90)), Pass::Shut(Some(secs(90) + 10 * MINUTE)));
}

#[test]
fn time_at_a_shut_gate_is_nobodys_age() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(10), 0.0);
    assert_eq!(gate.open_time(&lead(), secs(3600)), secs(10));
    let probe = gate.begun(&lead(), secs(3600));
    observe(&mut gate, &lead(), &created(), probe, secs(3600), 0.0);
    for _ in 0..REFUSED_MAX {
        observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), secs(3610), 0.0);
    }
    assert_eq!(gate.open_time(&lead(), secs(3650)), secs(20));
    assert_eq!(gate.open_time(&ticket(), secs(3650)), secs(60));
}

#[test]
fn a_probe_that_vanished_lets_the_next_go() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), secs(0), 0.0);
    let probe = gate.begun(&lead(), secs(5));
    gate.lost(&lead(), probe);
    assert_eq!(gate.pass(&lead(), secs(5)), Pass::Probe);
}

#[test]
fn locked_events_alone_never_shut_the_gate_for_the_others() {
    let mut gate = gate();
    for _ in 0..100 {
        let locked = Judgement::Retry { cause: Cause::Locked, after: None };
        assert_eq!(observe(&mut gate, &lead(), &locked, Probe::default(), secs(1), 0.0), []);
    }
    assert_eq!(gate.pass(&ticket(), secs(1)), Pass::Go);
}

#[test]
fn a_probe_decides_only_the_breakers_it_was_sent_to_ask() {
    let mut gate = gate();
    observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), secs(0), 0.0);
    let own = gate.begun(&lead(), secs(2));
    observe(&mut gate, &ticket(), &halt(Scope::Everything), Probe::default(), secs(2), 0.0);
    let outer = gate.begun(&ticket(), secs(4));
    let changes = observe(&mut gate, &lead(), &created(), own, secs(4), 0.0);
    assert!(matches!(&changes[..], [Change::Opened { scope, .. }] if scope == "lead"), "{changes:?}");
    assert_eq!(gate.pass(&ticket(), secs(60)), Pass::Shut(None));
    assert_eq!(observe(&mut gate, &ticket(), &created(), outer, secs(61), 0.0).len(), 1);
}

#[test]
fn lookups_that_work_neither_break_a_run_of_failed_creates_nor_open_what_it_shut() {
    let mut gate = gate();
    for _ in 0..3 {
        assert_eq!(gate.pass(&lead(), secs(0)), Pass::Go);
        observe(&mut gate, &lead(), &lost(), Probe::default(), secs(0), 0.0);
        observe(&mut gate, &lead(), &Judgement::Absent, Probe::default(), secs(0), 0.0);
    }
    let probe = gate.begun(&lead(), secs(2));
    observe(&mut gate, &lead(), &Judgement::Absent, probe, secs(2), 0.0);
    assert!(gate.shut_for(&lead(), secs(2)).is_some(), "only a create shows that creates do not fail");
    assert_eq!(gate.pass(&lead(), secs(2)), Pass::Probe, "and one may try at once");
    let probe = gate.begun(&lead(), secs(30));
    observe(&mut gate, &lead(), &created(), probe, secs(30), 0.0);
    assert_eq!(gate.shut_for(&lead(), secs(30)), None);
}

#[test]
fn a_lookup_that_is_refused_is_no_sign_that_the_api_is_away() {
    let mut gate = gate();
    let refused = Judgement::Retry { cause: Cause::LookupRefused, after: None };
    for _ in 0..10 {
        observe(&mut gate, &lead(), &refused, Probe::default(), secs(0), 0.0);
    }
    assert_eq!(gate.pass(&lead(), secs(0)), Pass::Go);
}

#[test]
fn a_lookup_that_works_opens_what_an_unreachable_api_shut() {
    let mut gate = gate();
    let unreachable = Judgement::Retry { cause: Cause::Unreachable, after: None };
    for _ in 0..3 {
        observe(&mut gate, &lead(), &unreachable, Probe::default(), secs(0), 0.0);
    }
    let probe = gate.begun(&lead(), secs(2));
    observe(&mut gate, &lead(), &Judgement::Absent, probe, secs(2), 0.0);
    assert_eq!(gate.everything_shut_for(secs(2)), None);
}

#[test]
fn a_lookup_that_finds_what_lost_its_answer_shows_that_creates_are_applied() {
    let mut gate = gate();
    for _ in 0..3 {
        observe(&mut gate, &lead(), &lost(), Probe::default(), secs(0), 0.0);
    }
    let probe = gate.begun(&lead(), secs(2));
    assert!(gate.shut_for(&lead(), secs(2)).is_some());
    observe(&mut gate, &lead(), &Judgement::Found { process: None, copies: 1 }, probe, secs(2), 0.0);
    assert_eq!(gate.shut_for(&lead(), secs(2)), None);
}

#[test]
fn a_lookup_that_works_does_not_open_what_creates_were_refused_for() {
    let refused = Judgement::Halt { scope: Scope::Everything, reason: HaltReason::PaymentRequired, after: None };
    for (outcome, opens) in [(refused, false), (halt(Scope::Everything), true)] {
        let mut gate = gate();
        observe(&mut gate, &lead(), &outcome, Probe::default(), secs(0), 0.0);
        let probe = gate.begun(&lead(), secs(2));
        observe(&mut gate, &lead(), &Judgement::Absent, probe, secs(2), 0.0);
        assert_eq!(gate.pass(&lead(), secs(2)) == Pass::Go, opens, "{outcome:?}");
        let probe = gate.begun(&lead(), secs(2));
        observe(&mut gate, &lead(), &outcome, probe, secs(2), 0.0);
        if !opens {
            assert_eq!(gate.pass(&lead(), secs(3)), Pass::Shut(Some(secs(4))), "the waits for creates grow");
        }
    }
}
