//! The laws of progress, over values.

use super::*;
use crate::core::judge::Scope;
use crate::core::policy::NotProcessed;
use crate::core::reason::{Cause, HaltReason, Reason};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn policy(on_unknown: OnUnknown) -> Policy {
    Policy {
        initial: Duration::from_secs(1),
        multiplier: 2.0,
        max_interval: Duration::from_secs(60),
        resend_after: Duration::ZERO,
        give_up_after: 24 * HOUR,
        retry_after_max: HOUR,
        not_processed: NotProcessed::default(),
        on_unknown,
        max_local_delay: Duration::from_secs(10),
        lookup_window: Duration::from_secs(45),
        on_absent: OnAbsent::Create,
    }
}

/// A request through an open gate, of an event of that age.
fn at(age: Duration) -> StepContext {
    StepContext { age, ..FRESH }
}

const FRESH: StepContext =
    StepContext { is_probe: false, can_look_up: false, age: Duration::ZERO, dice: 1.0, refusal: None };

const WITH_LOOKUP: StepContext = StepContext { can_look_up: true, ..FRESH };

fn retry(after: Option<Duration>) -> Judgement {
    Judgement::Retry { cause: Cause::Unreachable, after }
}

fn unsure() -> Judgement {
    Judgement::Unsure { cause: Cause::Timeout, after: None }
}

fn walk(outcomes: &[Judgement], policy: &Policy) -> (Progress, Step) {
    let mut progress = Progress::default();
    let step = outcomes.iter().fold(Step::Hold, |_, outcome| progress.step(outcome, FRESH, policy));
    (progress, step)
}

#[test]
fn waits_double_with_each_attempt() {
    let (policy, mut progress) = (policy(OnUnknown::Resend), Progress::default());
    let waits: Vec<Step> = (0..4).map(|_| progress.step(&retry(None), FRESH, &policy)).collect();
    assert_eq!(waits, [1, 2, 4, 8].map(|seconds| Step::Wait(Duration::from_secs(seconds))));
    assert_eq!(progress.attempts, 4);
}

#[test]
fn a_halt_spends_no_attempt_and_never_dead_letters_however_old_the_event() {
    let (policy, mut progress) = (policy(OnUnknown::DeadLetter), Progress::default());
    for scope in [Scope::Everything, Scope::Procedure] {
        let halt = Judgement::Halt { scope, reason: HaltReason::Unauthorized, after: None };
        assert_eq!(progress.step(&halt, at(10_000 * HOUR), &policy), Step::Hold);
    }
    assert_eq!(progress, Progress::default());
}

#[test]
fn an_unsure_create_is_sent_once_more_and_no_further() {
    let policy = policy(OnUnknown::Resend);
    let (progress, step) = walk(&[unsure()], &policy);
    assert!(matches!(step, Step::Wait(_)));
    assert!(progress.may_double());
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
    let mut progress = Progress::default();
    let step = progress.step(&retry(None), at(24 * HOUR), &policy);
    assert!(matches!(step, Step::Dead(Fault { reason: Reason::Exhausted, .. })));
}

#[test]
fn a_create_that_succeeds_at_any_age_is_done() {
    let policy = policy(OnUnknown::DeadLetter);
    let created = Judgement::Created { process: Some("p".into()) };
    let step = Progress::default().step(&created, at(1000 * HOUR), &policy);
    assert_eq!(step, Step::Done { process: Some("p".into()) });
}

#[test]
fn what_the_api_refused_with_an_error_text_is_never_created_again() {
    let refused = Judgement::ErrorReply { status: 409, error_text: Some("exists".into()) };
    let (_, step) = walk(&[refused], &policy(OnUnknown::Resend));
    assert!(matches!(step, Step::Dead(Fault { reason: Reason::Refused, text }) if text.contains("exists")));
}

#[test]
fn a_probe_that_is_sent_away_spends_nothing_and_one_whose_answer_is_lost_does() {
    let policy = policy(OnUnknown::Resend);
    let mut progress = Progress::default();
    assert_eq!(progress.step(&retry(None), StepContext { is_probe: true, ..at(1000 * HOUR) }, &policy), Step::Hold);
    assert_eq!(progress, Progress::default());
    assert!(matches!(progress.step(&unsure(), StepContext { is_probe: true, ..FRESH }, &policy), Step::Wait(_)));
    assert_eq!((progress.attempts, progress.unsure_creates), (1, 1));
}

#[test]
fn an_event_that_may_be_a_process_is_never_called_exhausted_and_its_refusal_says_so() {
    let policy = policy(OnUnknown::Resend);
    let (mut progress, _) = walk(&[unsure()], &policy);
    let step = progress.clone().step(&retry(None), at(24 * HOUR), &policy);
    assert!(matches!(step, Step::Dead(Fault { reason: Reason::Unknown, .. })));
    let refused = Judgement::Reject(Fault::new(Reason::Refused, "422."));
    let Step::Dead(fault) = progress.step(&refused, FRESH, &policy) else { panic!("dead") };
    assert!(fault.text.contains("may be a process"), "{}", fault.text);
}

/// What the API says to a lookup that sees nothing, and time passing before the next.
fn absent_after(progress: &mut Progress, time: u64, policy: &Policy) -> Step {
    progress.passed(Duration::from_secs(time));
    progress.step(&Judgement::Absent, WITH_LOOKUP, policy)
}

#[test]
fn a_lost_answer_is_looked_up_and_created_again_only_when_absent_for_the_whole_window() {
    let policy = policy(OnUnknown::DeadLetter);
    let mut progress = Progress::default();
    assert_eq!(progress.step(&unsure(), WITH_LOOKUP, &policy), Step::Wait(Duration::ZERO));
    assert_eq!((progress.next, progress.unsure_creates), (Next::Lookup, 1));
    for (time, wait) in [(0, 1), (1, 2), (2, 4), (4, 8), (8, 16), (16, 14)] {
        assert_eq!(absent_after(&mut progress, time, &policy), Step::Wait(Duration::from_secs(wait)));
        assert_eq!(progress.next, Next::Lookup);
    }
    assert_eq!(absent_after(&mut progress, 14, &policy), Step::Wait(Duration::ZERO));
    assert_eq!(progress.next, Next::Create);
}

#[test]
fn a_lookup_that_finds_it_is_a_process() {
    let policy = policy(OnUnknown::DeadLetter);
    let mut progress = Progress::default();
    let _ = progress.step(&unsure(), WITH_LOOKUP, &policy);
    let found = Judgement::Found { process: Some("p".into()), copies: 1 };
    assert_eq!(progress.step(&found, WITH_LOOKUP, &policy), Step::Done { process: Some("p".into()) });
}

#[test]
fn two_creates_are_the_most_and_then_it_is_unknown() {
    let policy = policy(OnUnknown::Resend);
    let mut progress = Progress::default();
    for _ in 0..CREATES_MAX {
        assert_eq!(progress.next, Next::Create);
        let _ = progress.step(&unsure(), WITH_LOOKUP, &policy);
        let step = absent_after(&mut progress, 45, &policy);
        if progress.unsure_creates == CREATES_MAX {
            assert!(matches!(step, Step::Dead(Fault { reason: Reason::Unknown, .. })));
        }
    }
    assert_eq!(progress.unsure_creates, CREATES_MAX);
}

#[test]
fn on_absent_may_say_that_a_lost_answer_is_never_followed_by_another_create() {
    let policy = Policy { on_absent: OnAbsent::DeadLetter, ..policy(OnUnknown::Resend) };
    let mut progress = Progress::default();
    let _ = progress.step(&unsure(), WITH_LOOKUP, &policy);
    assert!(matches!(absent_after(&mut progress, 45, &policy), Step::Dead(Fault { reason: Reason::Unknown, .. })));
    let mut redelivered = Progress::opened(None, true, true);
    assert_eq!(absent_after(&mut redelivered, 45, &policy), Step::Wait(Duration::ZERO), "it was never sent by us");
    assert_eq!(redelivered.next, Next::Create);
}

#[test]
fn what_comes_again_is_looked_up_first_where_it_can_be() {
    assert_eq!(Progress::opened(None, false, true).next, Next::Create);
    assert_eq!(Progress::opened(None, true, true).next, Next::Lookup);
    assert_eq!(Progress::opened(Some(Progress::default()), false, true).next, Next::Lookup);
    assert_eq!(Progress::opened(Some(Progress::default()), true, false).next, Next::Create);
}

#[test]
fn what_was_delayed_without_a_doubt_is_created_after_one_lookup_and_what_was_redelivered_after_the_window() {
    let policy = policy(OnUnknown::Resend);
    let mut delayed = Progress::opened(Some(Progress::default()), false, true);
    assert_eq!(absent_after(&mut delayed, 0, &policy), Step::Wait(Duration::ZERO));
    assert_eq!(delayed.next, Next::Create);
    let mut redelivered = Progress::opened(None, true, true);
    assert!(matches!(absent_after(&mut redelivered, 44, &policy), Step::Wait(wait) if !wait.is_zero()));
    assert_eq!(redelivered.next, Next::Lookup);
}

#[test]
fn what_was_refused_with_an_error_text_is_looked_up_and_never_created_again() {
    let policy = policy(OnUnknown::Resend);
    let refused = Judgement::ErrorReply { status: 409, error_text: Some("exists".into()) };
    let mut progress = Progress::default();
    let _ = progress.step(&refused, WITH_LOOKUP, &policy);
    assert_eq!(progress.next, Next::Lookup);
    assert!(matches!(absent_after(&mut progress, 44, &policy), Step::Wait(_)));
    let step = absent_after(&mut progress, 1, &policy);
    assert!(matches!(step, Step::Dead(Fault { reason: Reason::Refused, text }) if text.contains("exists")));
}

#[test]
fn without_the_right_to_look_a_lost_answer_goes_the_way_of_those_that_cannot_be_looked_up() {
    let unavailable = Judgement::Unavailable { status: 403 };
    for (on_unknown, is_dead) in [(OnUnknown::Resend, false), (OnUnknown::DeadLetter, true)] {
        let policy = policy(on_unknown);
        let mut progress = Progress::default();
        let _ = progress.step(&unsure(), WITH_LOOKUP, &policy);
        let step = progress.step(&unavailable, WITH_LOOKUP, &policy);
        assert_eq!(matches!(step, Step::Dead(_)), is_dead);
        let mut first = Progress::opened(None, true, true);
        assert_eq!(first.step(&unavailable, WITH_LOOKUP, &policy), Step::Wait(Duration::ZERO), "first creates flow on");
        assert_eq!(first.next, Next::Create);
    }
}

#[test]
fn a_lookup_that_fails_is_asked_again_and_spends_no_create() {
    let policy = policy(OnUnknown::DeadLetter);
    let mut progress = Progress::opened(None, true, true);
    for wait in [1, 2, 4] {
        assert_eq!(progress.step(&retry(None), WITH_LOOKUP, &policy), Step::Wait(Duration::from_secs(wait)));
    }
    assert_eq!((progress.next, progress.attempts, progress.unsure_creates), (Next::Lookup, 0, 0));
}

#[test]
fn crashes_are_counted_and_the_returns_of_a_queue_that_counts_them_are_a_crash() {
    let mut progress = Progress::default();
    assert!(!progress.crashed() && !progress.crashed() && progress.crashed());
    assert!(!Progress::is_suspect(None, true) && !Progress::is_suspect(Some(4), true));
    assert!(Progress::is_suspect(Some(5), true) && !Progress::is_suspect(Some(14), false));
    assert!(Progress::is_suspect(Some(15), false));
}

#[test]
fn a_create_that_is_cut_off_may_have_been_applied_and_a_lookup_changes_nothing() {
    let mut progress = Progress::default();
    progress.cut_off();
    assert_eq!((progress.unsure_creates, progress.since_create), (1, Some(Duration::ZERO)));
    let mut looking = Progress::opened(Some(Progress::default()), false, true);
    let before = looking.clone();
    looking.cut_off();
    assert_eq!(looking, before);
}

#[test]
fn what_may_be_a_process_is_looked_up_again_after_the_gate_was_shut_on_its_create() {
    let halt = Judgement::Halt { scope: Scope::Procedure, reason: HaltReason::ProcedureUnknown, after: None };
    let policy = policy(OnUnknown::Resend);
    let mut progress = Progress { unsure_creates: 1, ..Progress::default() };
    assert_eq!(progress.step(&halt, WITH_LOOKUP, &policy), Step::Hold);
    assert_eq!(progress.next, Next::Lookup);
    let mut fresh = Progress::default();
    assert_eq!(fresh.step(&halt, WITH_LOOKUP, &policy), Step::Hold);
    assert_eq!(fresh.next, Next::Create, "nobody has sent it");
}
