//! Where an event stands, and its next step: the whole of the retry logic, as one function over values.
//!
//! Not here: clocks and randomness (ages and `dice` are arguments), the gate, which decides when, and where a wait is
//! spent (`delay_queue`).

mod copies;
mod crashes;
mod limits;
mod photos;
mod refusal;
mod remembered;
mod step;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::backoff::{ceiling, jittered};
use crate::core::judge::Judgement;
use crate::core::photo::PhotosDone;
use crate::core::policy::{OnAbsent, OnUnknown, Policy};
use crate::core::reason::{Cause, Fault};
pub use crashes::CRASHES_MAX;
pub use limits::CONFESSION;
pub use photos::PhotoStep;
pub use step::{Refusal, Step, StepContext};

/// How many creates that may have been applied an event may send.
pub const CREATES_MAX: u32 = 2;

/// How often an event must be refused alone, at the age at which it is given up, to be a dead letter: one bad node behind a
/// balancer kills nothing.
pub const REFUSALS_MAX: u32 = 10;

/// Where an event stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What is asked of the API next.
    pub next: Next,
    /// Creates that came to an outcome of the event's or the moment's. A shut gate spends none.
    pub attempts: u32,
    /// Creates that may have been applied although no answer says so.
    #[serde(rename = "unsure")]
    pub unsure_creates: u32,
    /// Lookups since the last create.
    #[serde(rename = "looks")]
    pub lookups: u32,
    /// How long it has been at least since a create of it may have been sent by anybody; none where none may have.
    #[serde(rename = "quiet")]
    pub since_create: Option<Duration>,
    /// What the API said when it refused it with an error text: it is looked up, and never created again.
    pub refused: Option<Refused>,
    /// How often its handling crashed.
    pub crashes: u32,
    /// HTTP status of the last answer, if one came.
    pub status: Option<u16>,
    /// How often it was refused by what is not the API's word, while another event of its procedure was created since the time
    /// before: then it is refused for its own words.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refusals: u32,
    /// When it was refused like this last, in epoch milliseconds; 0 for never.
    #[serde(default, skip_serializing_if = "is_never")]
    pub refused_ms: u64,
    /// When a create of it lost its answer last, in epoch milliseconds; 0 for never.
    #[serde(default, skip_serializing_if = "is_never")]
    pub unsure_ms: u64,
    /// Which photos of it are up.
    #[serde(default, skip_serializing_if = "PhotosDone::is_empty")]
    pub photos: PhotosDone,
    /// What a newer daemon added and this one does not know: it is carried along unread.
    #[serde(flatten)]
    pub unknown: serde_json::Map<String, serde_json::Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_never(epoch_ms: &u64) -> bool {
    *epoch_ms == 0
}

/// What is asked of the API next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Next {
    /// The create.
    #[default]
    Create,
    /// Whether it is a process already.
    #[serde(rename = "look")]
    Lookup,
}

/// A create that the API refused with an error text: 409, or 2xx with errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The API's own words.
    #[serde(rename = "words")]
    pub error_text: Option<String>,
}

impl Progress {
    /// Where an event stands that came with this state, or with none, and perhaps not for the first time.
    ///
    /// Whatever came through a delay queue is looked up first, since a crash between the confirm and the
    /// acknowledgement leaves two copies of it; so is whatever the broker delivers again.
    #[must_use]
    pub fn opened(brought: Option<Self>, redelivered: bool, can_look_up: bool) -> Self {
        let is_fresh = brought.is_none() && !redelivered;
        let mut progress = brought.unwrap_or_default();
        progress.next = if can_look_up && !is_fresh { Next::Lookup } else { Next::Create };
        if redelivered {
            progress.since_create = Some(Duration::ZERO);
        }
        progress
    }

    /// Whether the next create may make a second process.
    #[must_use]
    pub fn may_double(&self) -> bool {
        self.next == Next::Create && self.unsure_creates > 0
    }

    /// Time has passed. A lower bound will do: the window of a lookup is never cut short by it.
    pub fn passed(&mut self, time: Duration) {
        self.since_create = self.since_create.map(|since_create| since_create.saturating_add(time));
    }

    /// Its request was cut off: whether it was applied nobody knows.
    pub fn cut_off(&mut self) {
        if self.next == Next::Create {
            self.unsure_creates = self.unsure_creates.saturating_add(1);
            self.since_create = Some(Duration::ZERO);
        }
    }

    /// Takes the outcome of a create or a lookup in, and says what comes next.
    #[must_use]
    pub fn step(&mut self, outcome: &Judgement, at: StepContext, policy: &Policy) -> Step {
        if is_nobodys_fault(outcome, at.is_probe) {
            self.look_up_after(outcome, at.can_look_up);
            return at.refusal.map_or(Step::Hold, |refusal| self.set_aside(refusal, at, policy));
        }
        match self.next {
            Next::Create => self.attempts = self.attempts.saturating_add(1),
            Next::Lookup => self.lookups = self.lookups.saturating_add(1),
        }
        match outcome {
            Judgement::Created { process } | Judgement::Found { process, .. } => {
                Step::Done { process: process.clone() }
            }
            Judgement::Halt { .. } => Step::Hold,
            Judgement::Reject(fault) => self.dead(fault.clone()),
            Judgement::ErrorReply { status, error_text } => self.refused(*status, error_text.as_deref(), at),
            Judgement::Retry { cause, after } => self.again(cause.as_str(), *after, at, policy),
            Judgement::Unsure { cause, after } => self.unsure(cause.as_str(), *after, at, policy),
            Judgement::Absent => self.absent(at, policy),
            Judgement::Unavailable { .. } => self.unavailable(at, policy),
        }
    }

    fn refused(&mut self, status: u16, error_text: Option<&str>, at: StepContext) -> Step {
        let refused = Refused { status, error_text: error_text.map(str::to_owned) };
        if !at.can_look_up {
            return self.dead(limits::error_reply(&refused));
        }
        self.refused = Some(refused);
        self.look_up_now()
    }

    fn unsure(&mut self, cause: &str, after: Option<Duration>, at: StepContext, policy: &Policy) -> Step {
        self.unsure_creates = self.unsure_creates.saturating_add(1);
        if !at.can_look_up {
            return self.blindly(cause, after, at, policy);
        }
        let asked = after.map_or(Duration::ZERO, |wait| wait.min(policy.retry_after_max));
        match self.look_up_now() {
            // Beyond what the API asked for, so that those it sent away together do not come back together.
            Step::Wait(_) if !asked.is_zero() => Step::Wait(asked.saturating_add(jittered(policy.initial, at.dice))),
            step => step,
        }
    }

    /// What shut the gate may have kept a lookup from seeing an earlier create: it is looked up again after it.
    fn look_up_after(&mut self, outcome: &Judgement, can_look_up: bool) {
        if can_look_up
            && matches!(outcome, Judgement::Halt { .. })
            && (self.unsure_creates > 0 || self.since_create.is_some())
        {
            self.next = Next::Lookup;
        }
    }

    fn look_up_now(&mut self) -> Step {
        self.next = Next::Lookup;
        self.lookups = 0;
        self.since_create = Some(Duration::ZERO);
        Step::Wait(Duration::ZERO)
    }

    /// After a create of unknown outcome, where there is no lookup.
    fn blindly(&mut self, cause: &str, after: Option<Duration>, at: StepContext, policy: &Policy) -> Step {
        if policy.on_unknown == OnUnknown::DeadLetter || self.unsure_creates >= CREATES_MAX {
            return Step::Dead(limits::unknown(cause, self.unsure_creates));
        }
        self.next = Next::Create;
        self.again(cause, after, at, policy)
    }

    /// A lookup did not see it. That counts once no create can be under way or hidden any more.
    fn absent(&mut self, at: StepContext, policy: &Policy) -> Step {
        let left =
            self.since_create.map_or(Duration::ZERO, |since_create| policy.lookup_window.saturating_sub(since_create));
        if !left.is_zero() {
            return self.look_up_again(left, at, policy);
        }
        if let Some(refused) = &self.refused {
            return self.dead(limits::error_reply(refused));
        }
        if self.unsure_creates >= CREATES_MAX || (self.unsure_creates > 0 && policy.on_absent == OnAbsent::DeadLetter) {
            return Step::Dead(limits::absent(self.unsure_creates, policy.lookup_window));
        }
        self.next = Next::Create;
        Step::Wait(Duration::ZERO)
    }

    /// A growing wait, half of it certain, and never beyond the end of the window: the lookup there decides.
    fn look_up_again(&self, left: Duration, at: StepContext, policy: &Policy) -> Step {
        let whole = ceiling(policy.initial, policy.multiplier, policy.max_interval, self.lookups.saturating_sub(1));
        Step::Wait((whole / 2 + jittered(whole / 2, at.dice)).min(left))
    }

    /// The API does not allow the lookup: the event goes the way of those without one.
    fn unavailable(&mut self, at: StepContext, policy: &Policy) -> Step {
        if let Some(refused) = &self.refused {
            return self.dead(limits::error_reply(refused));
        }
        if self.unsure_creates > 0 {
            self.lookups = 0;
            return self.blindly("the API does not allow the lookup", None, at, policy);
        }
        self.next = Next::Create;
        Step::Wait(Duration::ZERO)
    }

    fn again(&self, cause: &str, after: Option<Duration>, at: StepContext, policy: &Policy) -> Step {
        if at.age >= policy.give_up_after {
            return Step::Dead(limits::given_up(cause, at.age, self.unsure_creates));
        }
        let step = if self.next == Next::Lookup { self.lookups } else { self.attempts };
        let whole = ceiling(policy.initial, policy.multiplier, policy.max_interval, step.saturating_sub(1));
        let asked = after.map_or(Duration::ZERO, |wait| wait.min(policy.retry_after_max));
        // Beyond what the API asked for, so that those it sent away together do not come back together.
        Step::Wait(asked.saturating_add(jittered(whole, at.dice)))
    }

    fn dead(&self, fault: Fault) -> Step {
        Step::Dead(self.confessed(fault))
    }

    /// A fault that makes a dead letter: if an earlier create may have been applied all the same, the dead letter says so.
    #[must_use]
    pub fn confessed(&self, mut fault: Fault) -> Fault {
        if self.unsure_creates > 0 {
            fault.text.push(' ');
            fault.text.push_str(CONFESSION);
        }
        fault
    }
}

/// Our own fault, and a probe that was not sent or met a rate limit, spend nothing of the event's.
fn is_nobodys_fault(outcome: &Judgement, is_probe: bool) -> bool {
    match outcome {
        Judgement::Halt { .. } => true,
        Judgement::Retry { cause, .. } => is_probe && matches!(cause, Cause::Unreachable | Cause::Throttled),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
