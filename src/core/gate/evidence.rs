//! What answers say of a procedure, and of everything: the evidence by which the gate decides what to shut.
//!
//! Not here: shutting it (`gate`), and what an answer means for its event (`progress`).

use super::Seen;
use crate::core::judge::{Judgement, Scope};
use crate::core::process::Procedure;
use crate::core::reason::{Cause, HaltReason};

/// So many events of a procedure that has just worked must be refused, with none created between, before it is shut: one may be
/// refused for its own words. A procedure that has not worked since it was shut last is shut by the first.
pub(super) const REFUSED_MAX: usize = 3;

/// What an outcome speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The API spoke as it should.
    Good,
    /// Only a lookup comes to it: it says little of creates.
    OfLookups,
    /// The API speaks of this event alone (423, 425).
    OfTheEvent,
    /// What concerns every request: the token, the certificate, the proxy.
    OfEverything,
    /// A lookup that cannot be trusted, or an answer that is not the API's: of everything, of the procedure, or of this event's
    /// words. Which, only other answers tell.
    Refusal,
    /// 429
    Throttled,
    /// It failed, for a moment.
    Failure,
}

impl Kind {
    pub(super) fn of(outcome: &Judgement) -> Self {
        match outcome {
            Judgement::Created { .. } | Judgement::Reject(_) | Judgement::ErrorReply { .. } => Self::Good,
            Judgement::Found { .. } | Judgement::Absent | Judgement::Unavailable { .. } => Self::OfLookups,
            // Of the second the gate never hears: it says nothing of the API.
            Judgement::Retry { cause: Cause::LookupRefused | Cause::NoDescriptors, .. } => Self::OfLookups,
            Judgement::Retry { cause: Cause::Locked | Cause::TooEarly, .. } => Self::OfTheEvent,
            Judgement::Retry { cause: Cause::Throttled, .. } => Self::Throttled,
            Judgement::Retry { .. } | Judgement::Unsure { .. } => Self::Failure,
            Judgement::Halt { reason, .. } => Self::of_trouble(*reason),
        }
    }

    fn of_trouble(reason: HaltReason) -> Self {
        match reason {
            HaltReason::HeadersTooLarge
            | HaltReason::Unauthorized
            | HaltReason::TokenUnreadable
            | HaltReason::Certificate
            | HaltReason::Proxy => Self::OfEverything,
            HaltReason::PaymentRequired
            | HaltReason::Redirected
            | HaltReason::NotTheApi
            | HaltReason::Forbidden
            | HaltReason::ProcedureUnknown
            | HaltReason::LookupUntrusted
            | HaltReason::Unsupported => Self::Refusal,
        }
    }
}

/// What a procedure met since something good.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// Failures of the moment, without a word of the API between.
    pub(super) failures: u32,
    /// Events that were refused, [`REFUSED_MAX`] at most.
    refused: Vec<u64>,
    /// Whether something good came since it was refused enough last.
    has_worked: bool,
    is_untrusted: bool,
}

impl Evidence {
    pub(super) fn note(&mut self, kind: Kind, seen: &Seen<'_>) {
        self.is_untrusted = matches!(seen.outcome, Judgement::Halt { reason: HaltReason::LookupUntrusted, .. });
        match kind {
            Kind::Good => *self = Self { has_worked: true, ..Self::default() },
            Kind::OfLookups => {}
            Kind::Failure => self.failures = self.failures.saturating_add(1),
            Kind::OfTheEvent | Kind::OfEverything | Kind::Throttled => self.failures = 0,
            Kind::Refusal => self.refused(seen),
        }
    }

    fn refused(&mut self, seen: &Seen<'_>) {
        self.failures = 0;
        if !seen.is_alone && !self.refused.contains(&seen.event) && self.refused.len() < REFUSED_MAX {
            self.refused.push(seen.event);
        }
    }

    /// Whether that is enough to shut the procedure, by a run of `failures` or by refusals.
    pub(super) fn is_enough(&self, failures: u32) -> bool {
        let refused_max = if self.has_worked { REFUSED_MAX } else { 1 };
        self.failures >= failures || self.refused.len() >= refused_max || self.is_untrusted
    }
}

/// What all procedures together met, with nothing good between.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    failures: u32,
    failed: Spread,
    refused: Spread,
}

/// Whether something happened to more than one procedure.
#[derive(Clone, Debug, Default)]
enum Spread {
    #[default]
    None,
    One(Procedure),
    More,
}

impl Spread {
    fn note(&mut self, procedure: &Procedure) {
        match self {
            Self::None => *self = Self::One(procedure.clone()),
            Self::One(one) if one != procedure => *self = Self::More,
            Self::One(_) | Self::More => {}
        }
    }
}

impl Run {
    pub(super) fn note(&mut self, kind: Kind, seen: &Seen<'_>) {
        let is_of_all = matches!(seen.outcome, Judgement::Halt { scope: Scope::Everything, .. });
        match kind {
            Kind::Good => *self = Self::default(),
            Kind::OfLookups => {}
            Kind::Failure => {
                self.failures = self.failures.saturating_add(1);
                self.failed.note(seen.procedure);
            }
            Kind::Refusal if is_of_all && !seen.is_alone => self.refused.note(seen.procedure),
            Kind::OfTheEvent | Kind::OfEverything | Kind::Throttled | Kind::Refusal => {
                (self.failures, self.failed) = (0, Spread::None);
            }
        }
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether more than one procedure failed.
    pub(super) fn is_wide(&self) -> bool {
        matches!(self.failed, Spread::More)
    }

    /// Whether events of more than one procedure met what may concern everything.
    pub(super) fn is_refused_widely(&self) -> bool {
        matches!(self.refused, Spread::More)
    }
}
