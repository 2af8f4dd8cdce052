//! The laws of proofs.

use serde_json::json;

use super::*;
use crate::core::judge::Scope;
use crate::core::policy::{NotProcessed, OnAbsent, OnUnknown};
use crate::core::process::Procedure;
use crate::core::reason::HaltReason;

const SECOND: Duration = Duration::from_secs(1);

fn policy() -> Policy {
    Policy {
        initial: SECOND,
        multiplier: 2.0,
        max_interval: 60 * SECOND,
        max_local_delay: 10 * SECOND,
        resend_after: Duration::ZERO,
        give_up_after: 3600 * SECOND,
        retry_after_max: SECOND,
        not_processed: NotProcessed::default(),
        on_unknown: OnUnknown::Resend,
        lookup_window: 45 * SECOND,
        on_absent: OnAbsent::Create,
    }
}

fn lookup() -> Arc<Lookup> {
    let procedure = Procedure::new("lead").unwrap();
    Arc::new(Lookup { procedure, attribute: "event_key".into(), value: json!("k") })
}

/// A rule that looks up by this attribute.
fn by(attribute: &str) -> LookupTarget {
    LookupTarget { rule: "r".into(), procedure: Some("lead".into()), attribute: attribute.into() }
}

/// Proofs of one rule, of which an event was created at the second 1.
fn begun() -> LookupChecks {
    let mut lookup_checks = LookupChecks::of([by("event_key")]);
    lookup_checks.created("r", &lookup(), SECOND);
    lookup_checks
}

fn ask(lookup_checks: &mut LookupChecks, outcome: &Judgement, now: Moment) -> Option<CheckResult> {
    let (rule, _) = lookup_checks.due(now).into_iter().next().expect("a lookup is due");
    lookup_checks.asked(&rule);
    assert_eq!(lookup_checks.due(now).into_iter().next(), None, "one lookup at a time");
    lookup_checks.answered(&rule, Some(outcome), now, &policy())
}

fn found() -> Judgement {
    Judgement::Found { process: None, copies: 1 }
}

#[test]
fn nothing_is_asked_before_the_first_create() {
    let mut lookup_checks = LookupChecks::of([by("event_key")]);
    assert_eq!((lookup_checks.due(SECOND).into_iter().next(), lookup_checks.wake()), (None, None));
    lookup_checks.created("another", &lookup(), SECOND);
    assert_eq!(lookup_checks.due(SECOND).into_iter().next(), None);
}

#[test]
fn a_lookup_that_finds_what_was_created_is_verified_and_never_asked_again() {
    let mut lookup_checks = begun();
    assert_eq!(ask(&mut lookup_checks, &Judgement::Absent, SECOND), None);
    assert_eq!(lookup_checks.due(SECOND).into_iter().next(), None, "not before the next wait is over");
    let then = lookup_checks.wake().unwrap();
    assert_eq!(ask(&mut lookup_checks, &found(), then), Some(CheckResult::Found { lag: then - SECOND }));
    lookup_checks.created("r", &lookup(), then);
    assert_eq!((lookup_checks.due(then).into_iter().next(), lookup_checks.wake()), (None, None));
}

#[test]
fn what_is_not_found_for_the_whole_window_leaves_the_lookup_unverified_and_is_tried_on_a_later_create() {
    let mut lookup_checks = begun();
    let mut now = SECOND;
    let ended = loop {
        if let Some(ended) = ask(&mut lookup_checks, &Judgement::Absent, now) {
            break ended;
        }
        now = lookup_checks.wake().unwrap();
    };
    assert_eq!(ended, CheckResult::NotFound);
    assert!(now - SECOND >= policy().lookup_window && now < 100 * SECOND, "{now:?}");
    lookup_checks.created("r", &lookup(), now);
    assert_eq!(lookup_checks.due(now).into_iter().next(), None, "not at once");
    lookup_checks.created("r", &lookup(), now + AGAIN);
    assert!(lookup_checks.due(now + AGAIN).into_iter().next().is_some());
}

#[test]
fn a_lookup_that_is_not_allowed_is_told_from_one_that_finds_nothing() {
    let unavailable = Judgement::Unavailable { status: 403 };
    assert_eq!(ask(&mut begun(), &unavailable, SECOND), Some(CheckResult::Unavailable));
}

#[test]
fn trouble_of_the_moment_and_of_ours_decides_nothing() {
    let mut lookup_checks = begun();
    let halt = Judgement::Halt { scope: Scope::Everything, reason: HaltReason::Unauthorized, after: None };
    assert_eq!(ask(&mut lookup_checks, &halt, SECOND), None);
    let then = lookup_checks.wake().unwrap();
    lookup_checks.asked("r");
    assert_eq!(lookup_checks.answered("r", None, then, &policy()), None);
    let late = lookup_checks.wake().unwrap() + 1000 * SECOND;
    assert!(matches!(ask(&mut lookup_checks, &found(), late), Some(CheckResult::Found { .. })));
}

#[test]
fn a_lookup_that_a_reload_leaves_as_it_was_stays_verified_and_one_that_lookups_up_elsewhere_begins_anew() {
    let mut lookup_checks = begun();
    assert_eq!(ask(&mut lookup_checks, &found(), SECOND), Some(CheckResult::Found { lag: Duration::ZERO }));
    assert_eq!(lookup_checks.replace([by("event_key")]), Replaced::default());
    lookup_checks.created("r", &lookup(), SECOND);
    assert_eq!(lookup_checks.due(SECOND).into_iter().next(), None, "verified already");
    assert_eq!(lookup_checks.replace([by("other")]), Replaced { begun: vec!["r".into()], gone: Vec::new() });
    lookup_checks.created("r", &lookup(), SECOND);
    assert_eq!(lookup_checks.due(SECOND).into_iter().next(), None, "sent by the rule before");
    assert_eq!(lookup_checks.replace([]), Replaced { begun: Vec::new(), gone: vec!["r".into()] });
}

#[test]
fn an_answer_to_the_lookup_of_a_rule_that_is_gone_proves_nothing() {
    let mut lookup_checks = begun();
    let (rule, asked) = lookup_checks.due(SECOND).into_iter().next().unwrap();
    lookup_checks.asked(&rule);
    assert!(lookup_checks.waits_for(&rule, &asked));
    lookup_checks.replace([by("other")]);
    lookup_checks.replace([by("event_key")]);
    lookup_checks.created("r", &lookup(), SECOND);
    assert!(!lookup_checks.waits_for(&rule, &asked));
}

#[test]
fn a_question_that_ends_by_a_panic_is_asked_again() {
    let mut lookup_checks = begun();
    lookup_checks.asked("r");
    assert_eq!(lookup_checks.answered("r", None, SECOND, &policy()), None);
    let then = lookup_checks.wake().expect("it is due again");
    assert_eq!(ask(&mut lookup_checks, &found(), then), Some(CheckResult::Found { lag: then - SECOND }));
}
