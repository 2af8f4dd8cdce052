//! The gate: breaker, rate-limit pause and refused credentials are one thing, a reason to wait and a time.
//! Kept for everything and for each procedure; evidence decides which of the two an answer concerns. A shut gate lets single
//! probes through, and opens by them; then what passes is held to a ramp. An operator's pause stands beside the breakers.
//!
//! Not here: clocks and randomness (`now` is time since the start, `dice` is in 0..1), and the waiting itself.

mod breaker;
mod commands;
mod evidence;
mod pause;
mod ramp;
mod verdict;

use std::collections::BTreeMap;
use std::time::Duration;

use self::breaker::{Breaker, Turn};
use self::evidence::{Evidence, Kind, Run};
use self::pause::Pause;
use crate::core::judge::Judgement;
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

/// What of the gate an attempt probes: nothing for one that passed an open gate. Each probe has its number, so that the late
/// answer of one that was given up is not taken for that of the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    everything: Option<u64>,
    procedure: Option<u64>,
}

impl Probe {
    /// Whether it probes anything.
    #[must_use]
    pub fn asks(self) -> bool {
        self.everything.is_some() || self.procedure.is_some()
    }
}

/// Why the gate is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Our own trouble.
    Halt(HaltReason),
    /// It failed like this, again and again or so that it says it of itself.
    Failing(Cause),
    /// An operator paused everything.
    Paused,
}

impl Why {
    /// The fixed word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Halt(reason) => reason.as_str(),
            Self::Failing(cause) => cause.as_str(),
            Self::Paused => "paused",
        }
    }
}

/// One answer, and what is known of the event that it came to.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The procedure that was asked.
    pub procedure: &'a Procedure,
    /// The event that it was asked for, by any number of its own.
    pub event: u64,
    /// How it was judged.
    pub outcome: &'a Judgement,
    /// What it probed.
    pub probe: Probe,
    /// Whether the event was refused like this before, and others of its procedure were created since: then the trouble is its
    /// own, and says nothing of others.
    pub is_alone: bool,
    /// Whether there are events of other procedures.
    pub has_others: bool,
}

/// What an outcome did to the gate, for the log and the metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It shut, or stays shut after a probe; the next probe goes at this moment.
    Shut {
        /// Why.
        why: Why,
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

/// The gate. See the head of this file.
#[derive(Clone, Debug)]
pub struct Gate {
    policy: GatePolicy,
    retry_after_max: Duration,
    pause: Pause,
    everything: Breaker,
    procedures: BTreeMap<Procedure, Own>,
    /// What happened, whatever the procedure, with nothing good between.
    run: Run,
    probes: u64,
}

/// What is known of one procedure.
#[derive(Clone, Debug, Default)]
struct Own {
    breaker: Breaker,
    evidence: Evidence,
}

impl Gate {
    /// An open gate, which waits for a `Retry-After` up to `retry_after_max`.
    #[must_use]
    pub fn new(policy: GatePolicy, retry_after_max: Duration) -> Self {
        let (pause, everything, procedures) = (Pause::default(), Breaker::default(), BTreeMap::new());
        Self { policy, retry_after_max, pause, everything, procedures, run: Run::default(), probes: 0 }
    }

    /// Whether an attempt for `procedure` may begin now.
    #[must_use]
    pub fn pass(&self, procedure: &Procedure, now: Moment) -> Pass {
        if self.is_paused() {
            return Pass::Shut(None);
        }
        let own = self.breaker(procedure).map_or(Pass::Go, |breaker| breaker.pass(now));
        match (self.everything.pass(now), own) {
            (Pass::Shut(until), _) | (_, Pass::Shut(until)) => Pass::Shut(until),
            (Pass::Go, Pass::Go) => Pass::Go,
            _ => Pass::Probe,
        }
    }

    fn breaker(&self, procedure: &Procedure) -> Option<&Breaker> {
        self.procedures.get(procedure).map(|own| &own.breaker)
    }

    /// Whether the procedure is shut since a lookup in it could not be trusted: another lookup is the probe to send.
    #[must_use]
    pub fn wants_a_lookup(&self, procedure: &Procedure) -> bool {
        self.breaker(procedure).is_some_and(|breaker| breaker.is_shut_for(&[HaltReason::LookupUntrusted]))
    }

    /// Notes that a request for `procedure` has begun, and says what it probes. While it probes, no other goes until
    /// [`Gate::observe`] or [`Gate::lost`]; through an open breaker it counts for the ramp.
    pub fn begun(&mut self, procedure: &Procedure, now: Moment) -> Probe {
        self.probes += 1;
        let everything = self.everything.begun(now, self.probes);
        let procedure = self.procedures.get_mut(procedure).and_then(|own| own.breaker.begun(now, self.probes));
        Probe { everything, procedure }
    }

    /// Notes that a request for `procedure` ended without an outcome: if it was the probe, the next may go.
    pub fn lost(&mut self, procedure: &Procedure, probe: Probe) {
        self.everything.probe_lost(probe.everything);
        if let Some(own) = self.procedures.get_mut(procedure) {
            own.breaker.probe_lost(probe.procedure);
        }
    }

    /// Takes the outcome of a request in. Only a probe opens a shut breaker or prolongs it; others that began before it
    /// shut do neither.
    pub fn observe(&mut self, seen: &Seen<'_>, now: Moment, dice: f64) -> Vec<Change> {
        let procedure = seen.procedure;
        let probes_everything = self.everything.is_probed_by(seen.probe.everything);
        let probes_procedure =
            self.breaker(procedure).is_some_and(|breaker| breaker.is_probed_by(seen.probe.procedure));
        self.lost(procedure, seen.probe);
        self.note(seen);
        let on_everything = self.verdict_on_everything(seen);
        let on_procedure = self.verdict_on_procedure(seen, &on_everything);
        let outer = self.pause.open_time(now);
        let turn = Turn { policy: &self.policy, asked_max: self.retry_after_max, now, outer, dice };
        let mut changes: Vec<Change> =
            turn.of(&mut self.everything, EVERYTHING, &on_everything, probes_everything).into_iter().collect();
        let turn = Turn { outer: self.everything.open_time(outer), ..turn };
        let own = self.procedures.entry(procedure.clone()).or_default();
        changes.extend(turn.of(&mut own.breaker, procedure.as_str(), &on_procedure, probes_procedure));
        self.forget_what_ended(&changes);
        self.forget_open_breakers(now);
        changes
    }

    /// What opens begins anew: no failure from before counts towards the next run.
    fn forget_what_ended(&mut self, changes: &[Change]) {
        for change in changes.iter().filter(|change| matches!(change, Change::Opened { .. })) {
            if change.scope() == EVERYTHING {
                self.run = Run::default();
            }
            let is_of = |procedure: &Procedure| change.scope() == EVERYTHING || change.scope() == procedure.as_str();
            let opened = self.procedures.iter_mut().filter(|(procedure, _)| is_of(procedure));
            opened.for_each(|(_, own)| own.evidence.failures = 0);
        }
    }

    /// Events may name procedures: what is open and long forgotten must not pile up.
    fn forget_open_breakers(&mut self, now: Moment) {
        if self.procedures.len() > BREAKERS_MAX {
            self.procedures.retain(|_, own| own.breaker.shut.is_some() || own.breaker.ramp(now).is_some());
        }
    }

    fn note(&mut self, seen: &Seen<'_>) {
        let kind = Kind::of(seen.outcome);
        self.run.note(kind, seen);
        self.procedures.entry(seen.procedure.clone()).or_default().evidence.note(kind, seen);
    }
}

/// Whether an outcome is a refusal that may concern everything, the procedure, or this event's words alone.
#[must_use]
pub fn is_refusal(outcome: &Judgement) -> bool {
    Kind::of(outcome) == Kind::Refusal
}

#[cfg(test)]
mod tests;
