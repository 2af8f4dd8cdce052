//! The gate: breaker, rate-limit pause and refused credentials are one thing, a reason to wait and a time.
//! Kept for everything and for each procedure. A shut gate lets single probes through, and opens by them; then what
//! passes is held to a ramp. An operator's pause stands beside the breakers.
//!
//! Not here: clocks and randomness (`now` is time since the start, `dice` is in 0..1), and the waiting itself.

mod breaker;
mod commands;
mod pause;
mod ramp;

use std::collections::BTreeMap;
use std::time::Duration;

use self::breaker::{Breaker, Turn, Verdict};
use self::pause::Pause;
use crate::core::judge::{Outcome, Scope};
use crate::core::policy::GatePolicy;
use crate::core::process::Procedure;
use crate::core::reason::{Cause, HaltReason};

/// Time since the daemon started.
pub type Moment = Duration;

/// Whether an attempt may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// It may.
    Go,
    /// It may, alone: its outcome decides whether the gate opens.
    Probe,
    /// It may not before this moment; none while a probe is under way, and while the daemon is paused.
    Shut(Option<Moment>),
}

/// Which breakers an attempt asks: none for one that passed an open gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    everything: bool,
    procedure: bool,
}

impl Probe {
    /// Whether it asks any breaker.
    #[must_use]
    pub fn asks(self) -> bool {
        self.everything || self.procedure
    }
}

/// What an outcome did to the gate, for the log and the metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It shut, or stays shut after a probe; the next probe goes at this moment.
    Shut {
        /// Why: a fixed word.
        why: &'static str,
        /// What for: `everything` or a procedure.
        scope: String,
        /// When the next probe may go.
        until: Moment,
        /// How long that is from now.
        wait: Duration,
        /// How many probes failed so far.
        probes: u32,
    },
    /// It opened.
    Opened {
        /// What for: `everything` or a procedure.
        scope: String,
        /// How long it was shut.
        after: Duration,
    },
    /// An operator paused everything.
    Paused,
    /// An operator ended the pause.
    Resumed {
        /// How long it was.
        after: Duration,
    },
}

impl Change {
    /// What it is about: [`EVERYTHING`] or a procedure.
    #[must_use]
    pub fn scope(&self) -> &str {
        match self {
            Self::Shut { scope, .. } | Self::Opened { scope, .. } => scope,
            Self::Paused | Self::Resumed { .. } => EVERYTHING,
        }
    }
}

/// Breakers of procedures kept at most, beside those that are shut.
const BREAKERS_MAX: usize = 1024;

/// The name of the scope that holds for the whole API.
pub const EVERYTHING: &str = "everything";

/// The word for an operator's pause.
pub const PAUSED: &str = "paused";

/// The gate. See the head of this file.
#[derive(Clone, Debug)]
pub struct Gate {
    policy: GatePolicy,
    retry_after_max: Duration,
    pause: Pause,
    everything: Breaker,
    procedures: BTreeMap<Procedure, Breaker>,
    /// Failures of the moment without a word from the API between them.
    failures: u32,
    openings: u32,
}

impl Gate {
    /// An open gate, which waits for a `Retry-After` up to `retry_after_max`.
    #[must_use]
    pub fn new(policy: GatePolicy, retry_after_max: Duration) -> Self {
        let (pause, everything, procedures) = (Pause::default(), Breaker::default(), BTreeMap::new());
        Self { policy, retry_after_max, pause, everything, procedures, failures: 0, openings: 0 }
    }

    /// Whether an attempt for `procedure` may begin now.
    #[must_use]
    pub fn pass(&self, procedure: &Procedure, now: Moment) -> Pass {
        if self.is_paused() {
            return Pass::Shut(None);
        }
        let own = self.procedures.get(procedure).map_or(Pass::Go, |breaker| breaker.pass(now));
        match (self.everything.pass(now), own) {
            (Pass::Shut(until), _) | (_, Pass::Shut(until)) => Pass::Shut(until),
            (Pass::Go, Pass::Go) => Pass::Go,
            _ => Pass::Probe,
        }
    }

    /// Whether the procedure is shut since a lookup of it could not be trusted: another lookup is the probe to send.
    #[must_use]
    pub fn wants_a_lookup(&self, procedure: &Procedure) -> bool {
        self.procedures.get(procedure).is_some_and(|breaker| breaker.is_shut_for(&[HaltReason::LookupUntrusted]))
    }

    /// Notes that a request for `procedure` has begun, and says which breakers it asks. While it asks one, no other goes
    /// until [`Gate::observe`] or [`Gate::lost`]; through an open breaker it counts for the ramp.
    pub fn begun(&mut self, procedure: &Procedure, now: Moment) -> Probe {
        let everything = self.everything.begun(now);
        let procedure = self.procedures.get_mut(procedure).is_some_and(|breaker| breaker.begun(now));
        Probe { everything, procedure }
    }

    /// Notes that a request for `procedure` ended without an outcome: if it was a probe, the next may go.
    pub fn lost(&mut self, procedure: &Procedure, probe: Probe) {
        if probe.everything {
            self.everything.probe_lost();
        }
        if let Some(breaker) = self.procedures.get_mut(procedure).filter(|_| probe.procedure) {
            breaker.probe_lost();
        }
    }

    /// Takes the outcome of a request in. Only a probe opens a shut breaker or prolongs it; others that began before it
    /// shut do neither.
    pub fn observe(
        &mut self,
        procedure: &Procedure,
        outcome: &Outcome,
        probe: Probe,
        now: Moment,
        dice: f64,
    ) -> Vec<Change> {
        self.lost(procedure, probe);
        self.count(outcome);
        let (unpaused, verdict) = (self.pause.open_time(now), self.verdict_on_everything(outcome));
        let turn = Turn { policy: &self.policy, asked_max: self.retry_after_max, now, outer: unpaused, dice };
        let mut changes: Vec<Change> =
            turn.of(&mut self.everything, EVERYTHING, &verdict, probe.everything).into_iter().collect();
        let verdict = self.verdict_on_procedure(procedure, outcome);
        if matches!(verdict, Verdict::Shut { .. }) || self.procedures.contains_key(procedure) {
            let turn = Turn { outer: self.everything.open_time(unpaused), ..turn };
            let breaker = self.procedures.entry(procedure.clone()).or_default();
            changes.extend(turn.of(breaker, procedure.as_str(), &verdict, probe.procedure));
        }
        self.forget_open_breakers(now);
        if changes.iter().any(|change| matches!(change, Change::Opened { .. })) {
            self.openings = self.openings.saturating_add(1);
        }
        changes
    }

    /// How often an outcome has opened a breaker of it.
    #[must_use]
    pub fn openings(&self) -> u32 {
        self.openings
    }

    /// Events may name procedures: what is open and long forgotten must not pile up.
    fn forget_open_breakers(&mut self, now: Moment) {
        if self.procedures.len() > BREAKERS_MAX {
            self.procedures.retain(|_, breaker| breaker.shut.is_some() || breaker.ramp(now).is_some());
        }
    }

    /// A lookup that works says nothing of creates, nor does one that is refused.
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            outcome if is_of_lookups_alone(outcome) => {}
            Outcome::Retry { .. } | Outcome::Unsure { .. } if !is_a_word(outcome) => {
                self.failures = self.failures.saturating_add(1);
            }
            _ => self.failures = 0,
        }
    }

    /// What a lookup says of a breaker depends on why it is shut: it clears up a lookup that could not be trusted, and says
    /// nothing of what a create was refused for.
    fn verdict_on_procedure(&self, procedure: &Procedure, outcome: &Outcome) -> Verdict {
        let breaker = self.procedures.get(procedure);
        let is_open = breaker.is_none_or(|breaker| breaker.shut.is_none());
        match outcome {
            Outcome::Halt { scope: Scope::Procedure, reason, after } => {
                Verdict::Shut { why: reason.as_str(), after: *after }
            }
            Outcome::Created { .. } | Outcome::Reject(_) | Outcome::ErrorReply { .. } => Verdict::Good,
            Outcome::Found { .. } | Outcome::Absent if is_open || self.wants_a_lookup(procedure) => Verdict::Good,
            Outcome::Unavailable { .. } if is_open || self.wants_a_lookup(procedure) => Verdict::Good,
            outcome if is_of_lookups_alone(outcome) => Verdict::Aside,
            // It speaks of the event, and the procedure is there: a ramp may grow by it.
            outcome if is_open && is_a_word(outcome) => Verdict::Good,
            _ => Verdict::Again,
        }
    }

    /// A lookup that the API answers clears up what would have kept it from answering that too. What creates are refused for, or
    /// fail by while lookups work, only a create can clear up; or a find, where all that was lost are answers.
    fn said_by_a_lookup(&self, outcome: &Outcome) -> Verdict {
        let is_found = matches!(outcome, Outcome::Found { .. });
        let breaker = &self.everything;
        let is_of_all = breaker.is_shut_for(&OF_ALL) || breaker.is_shut_by(&[Cause::Unreachable, Cause::Throttled]);
        if is_of_all || (is_found && breaker.is_shut_by(&OF_ANSWERS)) { Verdict::Good } else { Verdict::Aside }
    }

    fn verdict_on_everything(&self, outcome: &Outcome) -> Verdict {
        match outcome {
            outcome if is_of_lookups_alone(outcome) => self.said_by_a_lookup(outcome),
            Outcome::Halt { scope: Scope::Everything, reason, after } => {
                Verdict::Shut { why: reason.as_str(), after: *after }
            }
            outcome if is_a_word(outcome) => Verdict::Good,
            Outcome::Retry { cause, after } | Outcome::Unsure { cause, after } => {
                // 429 is about all that we send; of other failures, it takes a run.
                let is_enough = *cause == Cause::Throttled || self.failures >= self.policy.failures;
                if is_enough { Verdict::Shut { why: cause.as_str(), after: *after } } else { Verdict::Again }
            }
            _ => Verdict::Good,
        }
    }
}

/// What keeps the API from answering anything.
const OF_ALL: [HaltReason; 4] =
    [HaltReason::Unauthorized, HaltReason::TokenUnreadable, HaltReason::Certificate, HaltReason::Proxy];

/// What leaves open whether creates are applied.
const OF_ANSWERS: [Cause; 4] = [Cause::Timeout, Cause::Reset, Cause::EmptyAnswer, Cause::BrokenAnswer];

/// What only a lookup comes to.
fn is_of_lookups_alone(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Found { .. } | Outcome::Absent | Outcome::Unavailable { .. } => true,
        Outcome::Retry { cause, .. } => *cause == Cause::LookupRefused,
        _ => false,
    }
}

/// 423 and 425 are about one event, a refused look about looks, and the API said them: no sign that it is away.
fn is_a_word(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Retry { cause: Cause::Locked | Cause::TooEarly | Cause::LookupRefused, .. })
}

#[cfg(test)]
mod tests;
