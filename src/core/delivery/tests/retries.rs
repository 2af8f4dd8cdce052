//! A held rule is asked by one event at a time, and by another where that one cannot ask.
//!
//! Not here: whole queues of such events (`brake`, `waiting`).

use super::brake::refused;
use super::*;
use crate::core::delivery::brake::{Brakes, Rejection};

/// A rule that is held since 0.
fn held() -> (Brakes, Arc<str>) {
    let (mut brakes, rule): (_, Arc<str>) = (Brakes::default(), "lead".into());
    assert_eq!(brakes.rejected(&rule, 1, 2, Duration::ZERO), Rejection::Counts);
    assert_eq!(brakes.rejected(&rule, 2, 2, Duration::ZERO), Rejection::Holds);
    (brakes, rule)
}

#[test]
fn a_held_rule_is_asked_by_one_until_that_one_and_no_other_gives_up() {
    let (mut brakes, rule) = held();
    assert!(!brakes.lets_pass(&rule, 3, 5 * SECOND - SECOND / 1000));
    assert!(brakes.lets_pass(&rule, 3, 5 * SECOND) && brakes.lets_pass(&rule, 3, 6 * SECOND));
    assert!(!brakes.lets_pass(&rule, 4, 60 * SECOND), "one asks");
    brakes.gave_up(&rule, 4);
    assert!(!brakes.lets_pass(&rule, 4, 60 * SECOND) && brakes.reopens(&rule).is_none());
    brakes.gave_up(&rule, 3);
    assert_eq!(brakes.reopens(&rule), Some(15 * SECOND));
    assert!(brakes.lets_pass(&rule, 4, 60 * SECOND));
    assert_eq!(brakes.rejected(&rule, 3, 2, 60 * SECOND), Rejection::Waits);
    assert_eq!(brakes.rejected(&rule, 4, 2, 60 * SECOND), Rejection::Counts);
    assert_eq!((brakes.held_for(&rule, 60 * SECOND), brakes.held_for("ticket", SECOND)), (Some(60 * SECOND), None));
}

#[test]
fn letters_for_other_reasons_than_what_a_rule_made_hold_no_rule() {
    let mut bench = Bench::new(64);
    bench.machine.setup.gate.rejections = 2;
    bench.machine.setup.policy.on_unknown = OnUnknown::DeadLetter;
    for id in 0..5 {
        let (event, done) = bench.event("lead", &format!("m{id}"));
        assert_eq!(done.creates, [event]);
        assert_eq!(bench.replied(event, timed_out()).told[0].reason(), "unknown");
    }
    assert!(!bench.machine.holds_rule("lead"));
}

#[test]
fn an_event_that_may_not_be_sent_yet_does_not_keep_others_from_asking_for_its_rule() {
    let mut bench = Bench::new(64);
    bench.machine.setup.gate.rejections = 2;
    drop(bench.on(Input::Connected { can_delay: false }));
    let (lost, _) = bench.event("lead", "lost");
    drop(bench.replied(lost, timed_out()));
    for id in 0..2 {
        let (bad, _) = bench.event("lead", &format!("bad{id}"));
        drop(bench.replied(bad, refused()));
    }
    assert!(bench.machine.holds_rule("lead"));
    drop(bench.after(11 * SECOND));
    let mut asked = Vec::new();
    for id in 0..20 {
        asked.extend(bench.event("lead", &format!("m{id}")).1.creates);
        asked.extend(bench.after(2 * SECOND).creates);
        if let Some(event) = asked.first() {
            drop(bench.replied(*event, created()));
            break;
        }
    }
    assert!(!asked.is_empty() && !bench.machine.holds_rule("lead"), "another asked");
}

#[test]
fn a_rule_that_a_reload_removed_stays_held_while_an_event_of_it_is_there() {
    let mut bench = Bench::new(64);
    bench.machine.setup.gate.rejections = 2;
    drop(bench.on(Input::Connected { can_delay: false }));
    let receipts: Vec<_> = (0..3).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
    let others = RULES.replacen("name = \"lead\"\ntype = \"lead\"", "name = \"lead2\"\ntype = \"lead\"", 1);
    drop(bench.on(Input::Command(Command::NewRules(Arc::new(rules(&others))))));
    for receipt in &receipts[..2] {
        drop(bench.replied(*receipt, refused()));
    }
    drop(bench.after(6 * SECOND));
    assert!(bench.machine.holds_rule("lead"), "one is under way");
    drop(bench.replied(receipts[2], timed_out()));
    drop(bench.on(Input::Disconnected));
    drop(bench.after(6 * SECOND));
    assert!(!bench.machine.holds_rule("lead"), "none is there any more");
}
