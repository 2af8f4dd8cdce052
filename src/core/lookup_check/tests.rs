//! The laws of proofs.

use serde_json::json;

use super::*;
use crate::core::judge::Scope;
use crate::core::policy::{OnAbsent, OnUnknown};
use crate::core::process::Procedure;
use crate::core::reason::Trouble;

const SECOND: Duration = Duration::from_secs(1);

fn policy() -> Policy {
    Policy {
        initial: SECOND,
        multiplier: 2.0,
        max_interval: 60 * SECOND,
        in_hand: 10 * SECOND,
        give_up_after: 3600 * SECOND,
        retry_after_max: SECOND,
        on_unknown: OnUnknown::Resend,
        look_window: 45 * SECOND,
        on_absent: OnAbsent::Create,
    }
}

fn look() -> Arc<Look> {
    let procedure = Procedure::new("lead").unwrap();
    Arc::new(Look { procedure, attribute: "event_key".into(), value: json!("k") })
}

/// A rule that looks by this attribute.
fn by(attribute: &str) -> Sought {
    Sought { rule: "r".into(), procedure: Some("lead".into()), attribute: attribute.into() }
}

/// Proofs of one rule, of which an event was created at the second 1.
fn begun() -> Proofs {
    let mut proofs = Proofs::of([by("event_key")]);
    proofs.created("r", &look(), SECOND);
    proofs
}

fn ask(proofs: &mut Proofs, outcome: &Outcome, now: Moment) -> Option<Proved> {
    let (rule, _) = proofs.due(now).expect("a look is due");
    proofs.asked(&rule);
    assert_eq!(proofs.due(now), None, "one look at a time");
    proofs.answered(&rule, Some(outcome), now, &policy())
}

fn found() -> Outcome {
    Outcome::Found { process: None, copies: 1 }
}

#[test]
fn nothing_is_asked_before_the_first_create() {
    let mut proofs = Proofs::of([by("event_key")]);
    assert_eq!((proofs.due(SECOND), proofs.wake()), (None, None));
    proofs.created("another", &look(), SECOND);
    assert_eq!(proofs.due(SECOND), None);
}

#[test]
fn a_look_that_finds_what_was_created_is_proved_and_never_asked_again() {
    let mut proofs = begun();
    assert_eq!(ask(&mut proofs, &Outcome::Absent, SECOND), None);
    assert_eq!(proofs.due(SECOND), None, "not before the next wait is over");
    let then = proofs.wake().unwrap();
    assert_eq!(ask(&mut proofs, &found(), then), Some(Proved::Found { lag: then - SECOND }));
    proofs.created("r", &look(), then);
    assert_eq!((proofs.due(then), proofs.wake()), (None, None));
}

#[test]
fn what_is_not_found_for_the_whole_window_leaves_the_look_unproved_and_is_tried_on_a_later_create() {
    let mut proofs = begun();
    let mut now = SECOND;
    let ended = loop {
        if let Some(ended) = ask(&mut proofs, &Outcome::Absent, now) {
            break ended;
        }
        now = proofs.wake().unwrap();
    };
    assert_eq!(ended, Proved::NotFound);
    assert!(now - SECOND >= policy().look_window && now < 100 * SECOND, "{now:?}");
    proofs.created("r", &look(), now);
    assert_eq!(proofs.due(now), None, "not at once");
    proofs.created("r", &look(), now + AGAIN);
    assert!(proofs.due(now + AGAIN).is_some());
}

#[test]
fn a_look_that_is_not_allowed_is_told_from_one_that_finds_nothing() {
    let unavailable = Outcome::Unavailable { status: 403 };
    assert_eq!(ask(&mut begun(), &unavailable, SECOND), Some(Proved::Unavailable));
}

#[test]
fn trouble_of_the_moment_and_of_ours_decides_nothing() {
    let mut proofs = begun();
    let halt = Outcome::Halt { scope: Scope::Everything, trouble: Trouble::Unauthorized, after: None };
    assert_eq!(ask(&mut proofs, &halt, SECOND), None);
    let then = proofs.wake().unwrap();
    proofs.asked("r");
    assert_eq!(proofs.answered("r", None, then, &policy()), None);
    let late = proofs.wake().unwrap() + 1000 * SECOND;
    assert!(matches!(ask(&mut proofs, &found(), late), Some(Proved::Found { .. })));
}

#[test]
fn a_look_that_a_reload_leaves_as_it_was_stays_proved_and_one_that_looks_elsewhere_begins_anew() {
    let mut proofs = begun();
    assert_eq!(ask(&mut proofs, &found(), SECOND), Some(Proved::Found { lag: Duration::ZERO }));
    assert_eq!(proofs.follow([by("event_key")]), Followed::default());
    proofs.created("r", &look(), SECOND);
    assert_eq!(proofs.due(SECOND), None, "proved already");
    assert_eq!(proofs.follow([by("other")]), Followed { begun: vec!["r".into()], gone: Vec::new() });
    proofs.created("r", &look(), SECOND);
    assert_eq!(proofs.due(SECOND), None, "sent by the rule before");
    assert_eq!(proofs.follow([]), Followed { begun: Vec::new(), gone: vec!["r".into()] });
}

#[test]
fn an_answer_to_the_look_of_a_rule_that_is_gone_proves_nothing() {
    let mut proofs = begun();
    let (rule, asked) = proofs.due(SECOND).unwrap();
    proofs.asked(&rule);
    assert!(proofs.waits_for(&rule, &asked));
    proofs.follow([by("other")]);
    proofs.follow([by("event_key")]);
    proofs.created("r", &look(), SECOND);
    assert!(!proofs.waits_for(&rule, &asked));
}
