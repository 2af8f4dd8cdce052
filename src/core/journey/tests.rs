//! The laws of the journey, over values.

use super::*;
use crate::core::judge::Scope;
use crate::core::words::{Cause, Trouble};

const HOUR: Duration = Duration::from_secs(3600);

fn policy(on_unknown: OnUnknown) -> Policy {
    Policy {
        initial: Duration::from_secs(1),
        multiplier: 2.0,
        max_interval: Duration::from_secs(60),
        give_up_after: 24 * HOUR,
        retry_after_max: HOUR,
        on_unknown,
    }
}

fn retry(after: Option<Duration>) -> Outcome {
    Outcome::Retry { cause: Cause::Unreachable, after }
}

fn unsure() -> Outcome {
    Outcome::Unsure { cause: Cause::Timeout, after: None }
}

fn walk(outcomes: &[Outcome], policy: &Policy) -> (Journey, Step) {
    let mut journey = Journey::default();
    let mut step = Step::Hold;
    for outcome in outcomes {
        step = journey.step(outcome, false, Duration::ZERO, 1.0, policy);
    }
    (journey, step)
}

#[test]
fn waits_double_with_each_attempt() {
    let policy = policy(OnUnknown::Resend);
    let mut journey = Journey::default();
    let waits: Vec<Step> = (0..4).map(|_| journey.step(&retry(None), false, Duration::ZERO, 1.0, &policy)).collect();
    assert_eq!(waits, [1, 2, 4, 8].map(|seconds| Step::Wait(Duration::from_secs(seconds))));
    assert_eq!(journey.attempts, 4);
}

#[test]
fn a_halt_spends_no_attempt_and_never_dead_letters_however_old_the_event() {
    let policy = policy(OnUnknown::DeadLetter);
    let mut journey = Journey::default();
    for scope in [Scope::Everything, Scope::Procedure] {
        let halt = Outcome::Halt { scope, trouble: Trouble::Unauthorized, after: None };
        assert_eq!(journey.step(&halt, false, 10_000 * HOUR, 0.5, &policy), Step::Hold);
    }
    assert_eq!(journey, Journey::default());
}

#[test]
fn an_unsure_create_is_sent_once_more_and_no_further() {
    let policy = policy(OnUnknown::Resend);
    let (journey, step) = walk(&[unsure()], &policy);
    assert!(matches!(step, Step::Wait(_)));
    assert!(journey.may_double());
    let (_, step) = walk(&[unsure(), retry(None), unsure()], &policy);
    assert!(matches!(step, Step::Dead(Fault { reason: Reason::Unknown, .. })));
}

#[test]
fn an_unsure_create_is_dead_at_once_where_the_configuration_says_so() {
    let (_, step) = walk(&[unsure()], &policy(OnUnknown::DeadLetter));
    assert!(matches!(step, Step::Dead(Fault { reason: Reason::Unknown, .. })));
}

#[test]
fn retry_after_is_waited_for_and_held_to_its_ceiling() {
    let policy = policy(OnUnknown::Resend);
    let (_, step) = walk(&[retry(Some(Duration::from_secs(30)))], &policy);
    assert_eq!(step, Step::Wait(Duration::from_secs(31)));
    let (_, step) = walk(&[retry(Some(100 * HOUR))], &policy);
    assert_eq!(step, Step::Wait(HOUR + Duration::from_secs(1)));
}

#[test]
fn an_event_that_fails_beyond_its_age_is_exhausted() {
    let policy = policy(OnUnknown::Resend);
    let mut journey = Journey::default();
    let step = journey.step(&retry(None), false, 24 * HOUR, 0.5, &policy);
    assert!(matches!(step, Step::Dead(Fault { reason: Reason::Exhausted, .. })));
}

#[test]
fn a_create_that_succeeds_at_any_age_is_done() {
    let policy = policy(OnUnknown::DeadLetter);
    let created = Outcome::Created { process: Some("p".into()) };
    let step = Journey::default().step(&created, false, 1000 * HOUR, 0.5, &policy);
    assert_eq!(step, Step::Done { process: Some("p".into()) });
}

#[test]
fn what_the_api_refused_in_words_is_never_created_again() {
    let refused = Outcome::RefusedInWords { status: 409, words: Some("exists".into()) };
    let (_, step) = walk(&[refused], &policy(OnUnknown::Resend));
    assert!(matches!(step, Step::Dead(Fault { reason: Reason::Refused, text }) if text.contains("exists")));
}

#[test]
fn a_probe_that_is_sent_away_spends_nothing_and_one_whose_answer_is_lost_does() {
    let policy = policy(OnUnknown::Resend);
    let mut journey = Journey::default();
    assert_eq!(journey.step(&retry(None), true, 1000 * HOUR, 0.5, &policy), Step::Hold);
    assert_eq!(journey, Journey::default());
    assert!(matches!(journey.step(&unsure(), true, Duration::ZERO, 0.5, &policy), Step::Wait(_)));
    assert_eq!((journey.attempts, journey.unsure), (1, 1));
}

#[test]
fn an_event_that_may_be_a_process_is_never_called_exhausted_and_its_refusal_says_so() {
    let policy = policy(OnUnknown::Resend);
    let (mut journey, _) = walk(&[unsure()], &policy);
    let step = journey.clone().step(&retry(None), false, 24 * HOUR, 0.5, &policy);
    assert!(matches!(step, Step::Dead(Fault { reason: Reason::Unknown, .. })));
    let refused = Outcome::Reject(Fault::new(Reason::Refused, "422."));
    let Step::Dead(fault) = journey.step(&refused, false, Duration::ZERO, 0.5, &policy) else { panic!("dead") };
    assert!(fault.text.contains("may be a process"), "{}", fault.text);
}
