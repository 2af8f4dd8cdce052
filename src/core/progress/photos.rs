//! What comes next after a try to bring a photo of an event up. Nothing here makes a doubt about the process.
//!
//! Not here: judging the try (`core::photo`), and which photos an event has (`mapping::photos`).

use std::time::Duration;

use super::{Progress, StepContext, is_nobodys_fault, limits};
use crate::core::backoff::{ceiling, jittered};
use crate::core::judge::Judgement;
use crate::core::photo::{OnMissing, Photo};
use crate::core::policy::Policy;
use crate::core::reason::{Cause, Fault, Reason};

/// What comes next.
#[derive(Clone, Debug, PartialEq)]
pub enum PhotoStep {
    /// It is up: the next photo, or the create.
    Next,
    /// It cannot be had, and its rule does without it, for this reason.
    Without(Reason),
    /// The same photo again after this wait.
    Wait(Duration),
    /// The same photo as soon as the gate lets it: nothing was spent.
    Hold,
    /// The event is a dead letter.
    Dead(Fault),
}

impl Progress {
    /// Takes the outcome of a try to bring this photo up in, and says what comes next.
    #[must_use]
    pub fn photo_step(&mut self, photo: &Photo, outcome: &Judgement, at: StepContext, policy: &Policy) -> PhotoStep {
        if is_nobodys_fault(outcome, at.is_probe) {
            return PhotoStep::Hold;
        }
        match outcome {
            Judgement::Created { .. } => {
                self.photos.is_up(photo.id);
                PhotoStep::Next
            }
            Judgement::Reject(fault) => self.gives_photo_up(photo, fault.clone()),
            Judgement::Retry { cause, after } => self.photo_again(photo, *cause, *after, at, policy),
            // None of the others comes of an upload.
            _ => PhotoStep::Hold,
        }
    }

    fn photo_again(
        &mut self,
        photo: &Photo,
        cause: Cause,
        after: Option<Duration>,
        at: StepContext,
        policy: &Policy,
    ) -> PhotoStep {
        if at.age >= policy.give_up_after {
            return self.gives_photo_up(photo, limits::given_up(cause.as_str(), at.age, 0));
        }
        let whole = ceiling(policy.initial, policy.multiplier, policy.max_interval, self.photos.tries);
        self.photos.tries = self.photos.tries.saturating_add(1);
        let asked = after.map_or(Duration::ZERO, |wait| wait.min(policy.retry_after_max));
        PhotoStep::Wait(asked.saturating_add(jittered(whole, at.dice)))
    }

    fn gives_photo_up(&mut self, photo: &Photo, fault: Fault) -> PhotoStep {
        if photo.on_missing == OnMissing::Without {
            self.photos.goes_without(photo.id);
            return PhotoStep::Without(fault.reason);
        }
        let text = format!("photo {}: {}", photo.name, fault.text);
        PhotoStep::Dead(self.confessed(Fault::new(fault.reason, text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::judge::Scope;
    use crate::core::photo::{Link, PhotoId, Source};
    use crate::core::policy::OnUnknown;
    use crate::core::progress::tests;
    use crate::core::reason::HaltReason;

    fn photo(on_missing: OnMissing) -> Photo {
        let source = Source::Link(Link::read("https://a.example/1").unwrap());
        Photo { id: PhotoId::of("k", "r", "site", &source), name: "site".into(), source, filename: None, on_missing }
    }

    fn policy() -> Policy {
        tests::policy(OnUnknown::Resend)
    }

    fn at(age: Duration, is_probe: bool) -> StepContext {
        StepContext { is_probe, can_look_up: true, age, dice: 1.0, refusal: None }
    }

    fn retry(cause: Cause) -> Judgement {
        Judgement::Retry { cause, after: None }
    }

    #[test]
    fn a_photo_is_tried_after_growing_waits_and_one_that_is_up_begins_the_next_anew() {
        let (mut progress, photo, policy) = (Progress::default(), photo(OnMissing::DeadLetter), policy());
        let mut step = |outcome: &Judgement| progress.photo_step(&photo, outcome, at(Duration::ZERO, false), &policy);
        let waits: Vec<PhotoStep> = (0..3).map(|_| step(&retry(Cause::Timeout))).collect();
        let [first, second, third] = &waits[..] else { panic!() };
        let length = |step: &PhotoStep| if let PhotoStep::Wait(wait) = step { *wait } else { panic!("{step:?}") };
        assert!(length(first) < length(second) && length(second) < length(third));
        assert_eq!(step(&Judgement::Created { process: None }), PhotoStep::Next);
        assert_eq!((progress.photos.tries, progress.photos.has(photo.id)), (0, true));
    }

    #[test]
    fn whatever_comes_of_an_upload_the_process_is_in_no_more_doubt_than_before() {
        let fault = Fault::new(Reason::PhotoGone, "gone");
        let halt = Judgement::Halt { scope: Scope::Procedure, reason: HaltReason::Forbidden, after: None };
        let outcomes = [Judgement::Created { process: None }, retry(Cause::Reset), Judgement::Reject(fault), halt];
        for outcome in outcomes {
            let mut progress = Progress::default();
            let _ = progress.photo_step(&photo(OnMissing::Without), &outcome, at(Duration::ZERO, false), &policy());
            let Progress { attempts, unsure_creates, since_create, next, .. } = progress;
            assert_eq!(
                (attempts, unsure_creates, since_create, next),
                (0, 0, None, crate::core::progress::Next::Create)
            );
        }
    }

    #[test]
    fn what_cannot_be_had_is_a_dead_letter_or_left_out_as_the_rule_says_and_so_is_what_never_comes() {
        let gone = Judgement::Reject(Fault::new(Reason::PhotoGone, "it is not there"));
        for (outcome, age) in [(gone, Duration::ZERO), (retry(Cause::ServerError), policy().give_up_after)] {
            let mut progress = Progress::default();
            let strict = photo(OnMissing::DeadLetter);
            let step = progress.photo_step(&strict, &outcome, at(age, false), &policy());
            assert!(matches!(&step, PhotoStep::Dead(fault) if fault.text.starts_with("photo site: ")), "{step:?}");
            assert!(!progress.photos.has(strict.id));
            let lenient = photo(OnMissing::Without);
            let step = progress.photo_step(&lenient, &outcome, at(age, false), &policy());
            assert!(matches!(step, PhotoStep::Without(_)), "{step:?}");
            assert!(progress.photos.without.contains(&lenient.id));
        }
    }

    #[test]
    fn our_own_trouble_and_a_probe_that_was_not_answered_spend_nothing() {
        let halt = Judgement::Halt { scope: Scope::Everything, reason: HaltReason::Unauthorized, after: None };
        for (outcome, is_probe) in [(halt, false), (retry(Cause::Unreachable), true), (retry(Cause::Throttled), true)] {
            let mut progress = Progress::default();
            let step =
                progress.photo_step(&photo(OnMissing::Without), &outcome, at(Duration::MAX, is_probe), &policy());
            assert_eq!((step, progress), (PhotoStep::Hold, Progress::default()));
        }
    }
}
