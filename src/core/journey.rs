//! Where an event stands, and its next step: the whole of the retry logic, as one function over values.
//!
//! Not here: clocks and randomness (`age` and `dice` are arguments), and the gate, which decides when.

use std::time::Duration;

use crate::core::backoff::{ceiling, jittered};
use crate::core::judge::Outcome;
use crate::core::policy::{OnUnknown, Policy};
use crate::core::words::{Cause, Fault, Reason};

/// How many creates that may have been applied an event may send without being able to look.
pub const CREATES_MAX: u32 = 2;

/// Where an event stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journey {
    /// Requests that came to an outcome of the event's or the moment's. A shut gate spends none.
    pub attempts: u32,
    /// Creates that may have been applied although no answer says so.
    pub unsure: u32,
    /// HTTP status of the last answer, if one came.
    pub status: Option<u16>,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send the create after this wait.
    Wait(Duration),
    /// Send it as soon as the gate lets it: nothing was spent.
    Hold,
    /// It is a process.
    Done {
        /// Its id, if the API told it.
        process: Option<String>,
    },
    /// It is a dead letter.
    Dead(Fault),
}

impl Journey {
    /// Whether the next create may make a second process.
    #[must_use]
    pub fn may_double(&self) -> bool {
        self.unsure > 0
    }

    /// Takes the outcome of a create in, and says what comes next.
    ///
    /// `is_probe` says that it asked a shut gate; `age` is how long the event has been in hand while the gate was
    /// open; `dice` is in 0..1.
    #[must_use]
    pub fn step(&mut self, outcome: &Outcome, is_probe: bool, age: Duration, dice: f64, policy: &Policy) -> Step {
        if is_nobodys_fault(outcome, is_probe) {
            return Step::Hold;
        }
        self.attempts = self.attempts.saturating_add(1);
        match outcome {
            Outcome::Created { process } => Step::Done { process: process.clone() },
            Outcome::Halt { .. } => Step::Hold,
            Outcome::Reject(fault) => self.dead(fault.clone()),
            Outcome::RefusedInWords { status, words } => self.dead(refused_in_words(*status, words.as_deref())),
            Outcome::Retry { cause, after } => self.again(cause.as_str(), *after, age, dice, policy),
            Outcome::Unsure { cause, after } => {
                self.unsure = self.unsure.saturating_add(1);
                self.after_unsure(cause.as_str(), *after, age, dice, policy)
            }
        }
    }

    fn after_unsure(&self, cause: &str, after: Option<Duration>, age: Duration, dice: f64, policy: &Policy) -> Step {
        if policy.on_unknown == OnUnknown::DeadLetter || self.unsure >= CREATES_MAX {
            return Step::Dead(unknown(cause, self.unsure));
        }
        self.again(cause, after, age, dice, policy)
    }

    fn again(&self, cause: &str, after: Option<Duration>, age: Duration, dice: f64, policy: &Policy) -> Step {
        if age >= policy.give_up_after {
            return if self.may_double() {
                Step::Dead(unknown(cause, self.unsure))
            } else {
                Step::Dead(exhausted(cause, age))
            };
        }
        let step = self.attempts.saturating_sub(1);
        let own = jittered(ceiling(policy.initial, policy.multiplier, policy.max_interval, step), dice);
        let asked = after.map_or(Duration::ZERO, |wait| wait.min(policy.retry_after_max));
        // Beyond what the API asked for, so that those it sent away together do not come back together.
        Step::Wait(asked.saturating_add(own))
    }

    /// Dead, and if an earlier create may have been applied all the same, the letter says so.
    fn dead(&self, mut fault: Fault) -> Step {
        if self.may_double() {
            fault.text.push_str(" An earlier create of it lost its answer: it may be a process all the same.");
        }
        Step::Dead(fault)
    }
}

/// Our own trouble, and a probe that was not sent or met a rate limit, spend nothing of the event's.
fn is_nobodys_fault(outcome: &Outcome, is_probe: bool) -> bool {
    match outcome {
        Outcome::Halt { .. } => true,
        Outcome::Retry { cause, .. } => is_probe && matches!(cause, Cause::Unreachable | Cause::Throttled),
        _ => false,
    }
}

fn unknown(cause: &str, sent: u32) -> Fault {
    let text = format!(
        "{sent} create(s) were sent and the last answer was lost ({cause}): it may be a process or not. \
         Look for it in ChakraHQ before sending it again."
    );
    Fault::new(Reason::Unknown, text)
}

fn exhausted(cause: &str, age: Duration) -> Fault {
    let hours = age.as_secs_f64() / 3600.0;
    Fault::new(Reason::Exhausted, format!("failed for {hours:.1} h of open gate, last by {cause}"))
}

fn refused_in_words(status: u16, words: Option<&str>) -> Fault {
    let words = words.unwrap_or("no words given");
    Fault::new(Reason::Refused, format!("the API answered {status}: {words}. Look whether the process exists already."))
}

#[cfg(test)]
mod tests;
