//! The laws of what operators do to the gate: pausing it, and giving it a new token or new certificates.
//!
//! Not here: who may (`admin`).

use super::*;

/// A gate in which this was said of `lead` at 0.
fn shut(scope: Scope, reason: HaltReason) -> Gate {
    let mut gate = gate();
    observe(&mut gate, &lead(), &Judgement::Halt { scope, reason, after: None }, Probe::default(), secs(0), 0.0);
    gate
}

#[test]
fn while_it_is_paused_nothing_passes_not_even_a_probe() {
    for mut gate in
        [gate(), shut(Scope::Everything, HaltReason::Unauthorized), shut(Scope::Procedure, HaltReason::Forbidden)]
    {
        assert_eq!(gate.pause(secs(100)), Some(Change::Paused));
        assert_eq!(gate.shut().next(), Some((EVERYTHING, Why::Paused)));
        for procedure in [lead(), ticket()] {
            assert_eq!(gate.pass(&procedure, secs(4000)), Pass::Shut(None));
        }
    }
}

#[test]
fn a_resumed_gate_begins_with_a_ramp() {
    let mut gate = gate();
    gate.pause(secs(100));
    assert_eq!(gate.resume(secs(160)), Some(Change::Resumed { after: secs(60) }));
    assert_eq!((gate.pass(&lead(), secs(160)), gate.ramp(secs(160))), (Pass::Go, Some(2)));
    assert_eq!(gate.shut().count(), 0);
}

#[test]
fn to_pause_or_resume_twice_changes_nothing() {
    let mut gate = gate();
    assert_eq!(gate.resume(secs(1)), None);
    gate.pause(secs(10));
    assert_eq!(gate.pause(secs(20)), None);
    assert_eq!(gate.resume(secs(30)), Some(Change::Resumed { after: secs(20) }));
    assert_eq!((gate.resume(secs(40)), gate.open_time(&lead(), secs(40))), (None, secs(20)));
}

#[test]
fn a_breaker_that_was_shut_stays_shut_after_a_pause_and_is_probed() {
    let mut gate = shut(Scope::Everything, HaltReason::Unauthorized);
    gate.pause(secs(10));
    assert_eq!(
        gate.shut().collect::<Vec<_>>(),
        [(EVERYTHING, Why::Paused), (EVERYTHING, Why::Halt(HaltReason::Unauthorized))]
    );
    gate.resume(secs(20));
    assert_eq!((gate.pass(&ticket(), secs(20)), gate.ramp(secs(20))), (Pass::Probe, None));
}

#[test]
fn what_was_under_way_when_it_was_paused_still_opens_and_shuts() {
    let mut gate = shut(Scope::Everything, HaltReason::Unauthorized);
    let probe = gate.begun(&lead(), secs(5));
    gate.pause(secs(6));
    assert_eq!(observe(&mut gate, &lead(), &created(), probe, secs(7), 0.0).len(), 1);
    assert_eq!((gate.pass(&lead(), secs(7)), gate.ramp(secs(7))), (Pass::Shut(None), None));
    gate.resume(secs(90));
    assert_eq!((gate.pass(&lead(), secs(90)), gate.ramp(secs(90))), (Pass::Go, Some(2)));
}

#[test]
fn time_for_which_several_reasons_held_is_counted_once() {
    // Everything is shut 10..40, the procedure 20..60, paused 30..70: open are 0..10 and 70..100.
    let mut gate = gate();
    observe(&mut gate, &ticket(), &halt(Scope::Everything), Probe::default(), secs(10), 0.0);
    let everything = gate.begun(&ticket(), secs(20));
    observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), secs(20), 0.0);
    let own = gate.begun(&lead(), secs(25));
    gate.pause(secs(30));
    observe(&mut gate, &ticket(), &created(), everything, secs(40), 0.0);
    observe(&mut gate, &lead(), &created(), own, secs(60), 0.0);
    assert_eq!(gate.open_time(&lead(), secs(65)), secs(10));
    gate.resume(secs(70));
    assert_eq!((gate.open_time(&lead(), secs(100)), gate.open_time(&ticket(), secs(100))), (secs(40), secs(40)));
}

#[test]
fn the_clock_of_an_age_never_runs_backwards() {
    let mut gate = gate();
    let mut last = Duration::ZERO;
    for at in 0..400 {
        let now = secs(at);
        match at % 37 {
            3 => drop(gate.pause(now)),
            7 | 21 => drop(observe(&mut gate, &lead(), &halt(Scope::Everything), Probe::default(), now, 0.0)),
            11 => drop(gate.resume(now)),
            13 => drop(observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), now, 0.0)),
            30 => {
                let probe = gate.begun(&lead(), now);
                observe(&mut gate, &lead(), &created(), probe, now, 0.0);
            }
            _ => {}
        }
        let open = gate.open_time(&lead(), now);
        assert!(open >= last && open <= last + secs(1), "at {at}: {last:?} to {open:?}");
        last = open;
    }
    assert!(last > secs(30) && last < secs(370), "{last:?}");
}

#[test]
fn a_new_token_opens_what_was_shut_for_the_old_one_at_once_and_nothing_else() {
    let cases = [
        (Scope::Everything, HaltReason::Unauthorized, true),
        (Scope::Everything, HaltReason::TokenUnreadable, true),
        (Scope::Everything, HaltReason::PaymentRequired, false),
        (Scope::Everything, HaltReason::Certificate, false),
        (Scope::Procedure, HaltReason::Forbidden, true),
        (Scope::Procedure, HaltReason::ProcedureUnknown, false),
    ];
    for (scope, reason, opens) in cases {
        let mut gate = shut(scope, reason);
        let changes = gate.token_changed(secs(0));
        assert_eq!(changes.len(), usize::from(opens), "{reason:?}");
        assert_eq!(gate.pass(&lead(), secs(0)) == Pass::Go, opens, "{reason:?}");
    }
}

#[test]
fn what_a_new_token_opened_is_held_to_a_ramp() {
    let mut gate = shut(Scope::Everything, HaltReason::Unauthorized);
    assert_eq!(gate.token_changed(secs(9)), [Change::Opened { scope: EVERYTHING.into(), after: secs(9) }]);
    assert_eq!(gate.ramp(secs(9)), Some(2));
    assert_eq!(gate.open_time(&lead(), secs(10)), secs(1));
}

#[test]
fn new_certificates_open_what_was_shut_for_the_old_ones_at_once_and_nothing_else() {
    for reason in HaltReason::ALL {
        let opens = reason == HaltReason::Certificate;
        let mut gate = shut(Scope::Everything, reason);
        assert_eq!(gate.certificates_changed(secs(0)).len(), usize::from(opens), "{reason:?}");
        assert_eq!(gate.pass(&lead(), secs(0)) == Pass::Go, opens, "{reason:?}");
    }
}

#[test]
fn a_new_token_ends_no_pause() {
    let mut gate = shut(Scope::Everything, HaltReason::Unauthorized);
    gate.pause(secs(1));
    gate.token_changed(secs(2));
    assert_eq!(gate.shut().collect::<Vec<_>>(), [(EVERYTHING, Why::Paused)]);
    assert_eq!(gate.pass(&lead(), secs(2)), Pass::Shut(None));
}

#[test]
fn how_long_it_has_been_shut_is_told_for_each_breaker_and_by_the_longest_reason_for_everything() {
    let mut gate = gate();
    assert_eq!((gate.everything_shut_for(secs(1)), gate.shut_for(&lead(), secs(1))), (None, None));
    observe(&mut gate, &lead(), &halt(Scope::Procedure), Probe::default(), secs(10), 0.0);
    observe(&mut gate, &ticket(), &halt(Scope::Everything), Probe::default(), secs(20), 0.0);
    gate.pause(secs(30));
    assert_eq!(gate.everything_shut_for(secs(50)), Some(secs(30)));
    assert_eq!((gate.shut_for(&lead(), secs(50)), gate.shut_for(&ticket(), secs(50))), (Some(secs(40)), None));
    gate.token_changed(secs(60));
    assert_eq!(gate.everything_shut_for(secs(60)), Some(secs(30)));
    gate.resume(secs(61));
    assert_eq!(gate.everything_shut_for(secs(61)), None);
}

#[test]
fn a_failed_probe_does_not_make_it_look_shut_for_less_long() {
    let mut gate = shut(Scope::Everything, HaltReason::Unauthorized);
    let probe = gate.begun(&lead(), secs(40));
    observe(&mut gate, &lead(), &lost(), probe, secs(41), 0.0);
    assert_eq!(gate.everything_shut_for(secs(60)), Some(secs(60)));
}

#[test]
fn why_it_is_shut_is_one_of_the_fixed_words() {
    let why = [Why::Paused, Why::Halt(HaltReason::Certificate), Why::Failing(Cause::Timeout)];
    assert_eq!(why.map(Why::as_str), ["paused", HaltReason::Certificate.as_str(), Cause::Timeout.as_str()]);
}
