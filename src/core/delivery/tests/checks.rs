//! The lookup of a rule is checked on what was just created, and no event waits for that.
//!
//! Not here: what a check shows, and when the next is due (`core::lookup_check`).

use super::*;
use crate::core::lookup_check::CheckResult;

/// What the checks came to.
fn results(done: &Done) -> Vec<CheckResult> {
    let results = done.reports.iter().filter_map(|report| match report {
        Report::Checked { rule, result } if &**rule == "found" => Some(*result),
        _ => None,
    });
    results.collect()
}

/// Its first event was created; answers what is checked on it.
fn created_one(bench: &mut Bench) -> (Arc<str>, Arc<Lookup>) {
    let (id, _) = bench.event("found.lead", "m1");
    bench.replied(id, created()).checks.remove(0)
}

#[test]
fn what_was_just_created_is_looked_up_until_it_is_found_and_that_is_told_once() {
    let mut bench = Bench::new(64);
    let (rule, lookup) = created_one(&mut bench);
    assert!(bench.after(30 * SECOND).checks.is_empty(), "one at a time");
    let answered = |reply| Input::Checked { rule: Arc::clone(&rule), lookup: Arc::clone(&lookup), reply };
    let done = bench.on(answered(Some(absent())));
    assert!(results(&done).is_empty() && done.checks.is_empty());
    assert!(bench.wake > bench.now && bench.wake < bench.now + 5 * SECOND, "it is woken for the next");
    bench.now = bench.wake;
    assert_eq!(bench.on(Input::Timer).checks.len(), 1, "at that very moment");
    let done = bench.on(answered(Some(found("m1"))));
    assert!(matches!(results(&done)[..], [CheckResult::Found { .. }]), "{done:?}");
    let (id, _) = bench.event("found.lead", "m2");
    assert!(bench.replied(id, created()).checks.is_empty(), "it is known by now");
}

#[test]
fn a_check_that_panicked_or_had_no_descriptor_left_says_nothing_and_is_asked_again() {
    let none_left = Reply::NotSent { why: NotSent::NoDescriptors, detail: String::new() };
    for reply in [None, Some(none_left)] {
        let mut bench = Bench::new(64);
        let (rule, lookup) = created_one(&mut bench);
        let done = bench.on(Input::Checked { rule, lookup, reply });
        assert!(results(&done).is_empty() && !done.reports.iter().any(|report| matches!(report, Report::Gate(_))));
        assert_eq!(bench.after(SECOND).checks.len(), 1);
    }
}

#[test]
fn the_gate_hears_of_the_answer_to_a_check_as_of_any_other() {
    let mut bench = Bench::new(64);
    let (rule, lookup) = created_one(&mut bench);
    let done = bench.on(Input::Checked { rule, lookup, reply: Some(status(401)) });
    assert!(done.reports.iter().any(|report| matches!(report, Report::Gate(_))), "{done:?}");
    assert!(bench.event("lead", "m2").1.creates.is_empty());
}

#[test]
fn no_check_probes_a_shut_gate_and_one_that_is_held_back_keeps_nobody_awake() {
    let mut bench = Bench::new(64);
    let (rule, lookup) = created_one(&mut bench);
    drop(bench.on(Input::Checked { rule, lookup, reply: Some(status(401)) }));
    for _ in 0..20 {
        assert!(bench.after(SECOND).checks.is_empty());
        assert!(bench.wake > bench.now, "it is looked at again with the next input or tick");
    }
    assert_eq!(bench.on(Input::Command(Command::NewToken)).checks.len(), 1);
}

#[test]
fn the_answer_to_a_check_of_rules_that_are_gone_is_told_of_none() {
    let mut bench = Bench::new(64);
    let (rule, lookup) = created_one(&mut bench);
    let others = RULES.replace("reconcile_by = \"event_key\"\n", "");
    drop(bench.on(Input::Command(Command::NewRules(Arc::new(rules(&others))))));
    assert!(results(&bench.on(Input::Checked { rule, lookup, reply: Some(found("m1")) })).is_empty());
}
