//! What one answer does to the breakers: that of its procedure, and that of everything.
//!
//! Not here: the evidence that is kept (`evidence`), and how long a breaker stays shut (`breaker`).

use super::breaker::{Breaker, Verdict};
use super::evidence::Kind;
use super::{Gate, Seen, Why};
use crate::core::judge::{Judgement, Scope};
use crate::core::reason::{Cause, HaltReason};

impl Gate {
    /// What a lookup says of a breaker depends on why it is shut: it clears up a lookup that could not be trusted, and says
    /// nothing of what a create was refused for.
    pub(super) fn verdict_on_procedure(&self, seen: &Seen<'_>, on_everything: &Verdict) -> Verdict {
        let own = self.procedures.get(seen.procedure);
        let is_open = own.is_none_or(|own| own.breaker.shut.is_none());
        let is_enough = own.is_some_and(|own| own.evidence.is_enough(self.policy.failures));
        let clears = is_open || self.wants_a_lookup(seen.procedure);
        match (Kind::of(seen.outcome), seen.outcome) {
            (Kind::OfLookups, Judgement::Found { .. } | Judgement::Absent | Judgement::Unavailable { .. })
                if clears =>
            {
                Verdict::Good
            }
            (Kind::OfLookups, outcome) => own.map_or(Verdict::Aside, |own| said_by_a_lookup(&own.breaker, outcome)),
            (Kind::Good, _) => Verdict::Good,
            // It speaks of the event, and the procedure is there: a ramp may grow by it.
            (Kind::OfTheEvent, _) if is_open => Verdict::Good,
            (Kind::Refusal, _) if seen.is_alone && is_open => Verdict::Aside,
            (Kind::Refusal, Judgement::Halt { reason, after, .. }) if is_enough || !is_open => {
                Verdict::Shut { why: Why::Halt(*reason), after: *after }
            }
            (Kind::Throttled, Judgement::Retry { cause, after }) if !matches!(on_everything, Verdict::Shut { .. }) => {
                Verdict::Shut { why: Why::Failing(*cause), after: *after }
            }
            (Kind::Failure, Judgement::Retry { cause, after } | Judgement::Unsure { cause, after })
                if is_enough && *cause != Cause::Unreachable =>
            {
                Verdict::Shut { why: Why::Failing(*cause), after: *after }
            }
            _ => Verdict::Again,
        }
    }

    /// Everything is shut for what concerns everything, or what more than one procedure meets with nothing good between.
    pub(super) fn verdict_on_everything(&self, seen: &Seen<'_>) -> Verdict {
        match (Kind::of(seen.outcome), seen.outcome) {
            (Kind::OfLookups, outcome) => said_by_a_lookup(&self.everything, outcome),
            (Kind::OfEverything, Judgement::Halt { reason, after, .. }) => {
                Verdict::Shut { why: Why::Halt(*reason), after: *after }
            }
            (Kind::Refusal, Judgement::Halt { scope: Scope::Everything, reason, after }) => {
                if self.run.is_refused_widely() {
                    Verdict::Shut { why: Why::Halt(*reason), after: *after }
                } else {
                    Verdict::Again
                }
            }
            (Kind::Throttled, Judgement::Retry { cause, after }) if self.is_throttled_widely(seen) => {
                Verdict::Shut { why: Why::Failing(*cause), after: *after }
            }
            (Kind::Failure, Judgement::Retry { cause, after } | Judgement::Unsure { cause, after }) => {
                let is_of_all = *cause == Cause::Unreachable || self.run.is_wide();
                if is_of_all && self.run.failures() >= self.policy.failures {
                    Verdict::Shut { why: Why::Failing(*cause), after: *after }
                } else {
                    Verdict::Again
                }
            }
            _ => Verdict::Good,
        }
    }

    /// A 429 is about all that we send where only one procedure has events, and where another was told the same in its pause.
    fn is_throttled_widely(&self, seen: &Seen<'_>) -> bool {
        let mut others = self.procedures.iter().filter(|(procedure, _)| *procedure != seen.procedure);
        !seen.has_others || others.any(|(_, own)| own.breaker.is_shut_by(&[Cause::Throttled]))
    }
}

/// What keeps the API from answering anything.
const OF_ALL: [HaltReason; 5] = [
    HaltReason::HeadersTooLarge,
    HaltReason::Unauthorized,
    HaltReason::TokenUnreadable,
    HaltReason::Certificate,
    HaltReason::Proxy,
];

/// What leaves open whether creates are applied.
const OF_ANSWERS: [Cause; 4] = [Cause::Timeout, Cause::Reset, Cause::EmptyAnswer, Cause::BrokenAnswer];

/// A lookup that the API answers clears up what would have kept it from answering that too. What creates are refused for, or
/// fail by while looks work, only a create can clear up; or a find, where all that was lost are answers.
fn said_by_a_lookup(breaker: &Breaker, outcome: &Judgement) -> Verdict {
    let is_found = matches!(outcome, Judgement::Found { .. });
    let is_of_all = breaker.is_shut_for(&OF_ALL) || breaker.is_shut_by(&[Cause::Unreachable, Cause::Throttled]);
    if is_of_all || (is_found && breaker.is_shut_by(&OF_ANSWERS)) { Verdict::Good } else { Verdict::Aside }
}
