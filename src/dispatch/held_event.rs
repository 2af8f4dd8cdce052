//! One unacknowledged event: what it asks next, what its answer means, what comes of it.
//!
//! Not here: which of many goes first (`hand`), and carrying any of it out (`dispatch`).

use std::sync::Arc;
use std::time::Duration;

use super::ending::EventContext;
use super::tell::Doubt;
use crate::chakra::Client;
use crate::core::backoff::ceiling;
use crate::core::gate::{Gate, Moment, Probe};
use crate::core::judge::{Outcome, judge};
use crate::core::lookup::{Lookup, judge_lookup};
use crate::core::lookup_check::LookupChecks;
use crate::core::policy::Policy;
use crate::core::process::{CreateProcess, Procedure};
use crate::core::progress::{Next, Progress, Step, StepContext};
use crate::core::reason::Cause;
use crate::core::reply::Reply;
use crate::handover::receipt::Receipt;

/// One unacknowledged event.
pub(super) struct HeldEvent {
    pub(super) context: EventContext,
    pub(super) request: Arc<CreateProcess>,
    /// Where it is looked up, if it can be.
    pub(super) lookup: Option<Arc<Lookup>>,
    pub(super) progress: Progress,
    /// Whether it came back, from the broker or a delay queue, so that another copy of it may be about.
    pub(super) is_copy: bool,
    /// Whether it may have been created before it came here, and that was not said yet.
    pub(super) is_doubtful: bool,
    /// How often it met our own trouble although the gate had opened for others since the time before.
    pub(super) halts: u32,
    /// How often the gate had opened when it met our own trouble last.
    pub(super) halted_at: Option<u32>,
    /// How long the gate had been open when it was received: its age counts from here.
    pub(super) open_time: Duration,
    /// Until when time has been told to its progress.
    pub(super) told: Moment,
    pub(super) stage: Stage,
}

/// What an unacknowledged event is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It may begin as soon as the gate lets it.
    Ready,
    /// It waits until this moment.
    Delayed(Moment),
    /// Its request is under way.
    Running {
        /// Which breakers of the gate it asks.
        probe: Probe,
    },
}

/// What is asked of the API for an event.
pub(super) enum Asked {
    Create(Arc<CreateProcess>),
    Lookup(Arc<Lookup>),
}

impl Asked {
    pub(super) async fn of(self, client: &Client) -> Reply {
        match self {
            Self::Create(request) => client.create(&request).await,
            Self::Lookup(lookup) => client.look_up(&lookup).await,
        }
    }
}

impl HeldEvent {
    /// One that has just come, its time counted from now.
    pub(super) fn new(
        context: EventContext,
        request: Arc<CreateProcess>,
        lookup: Option<Arc<Lookup>>,
        progress: Progress,
        now: Moment,
    ) -> Self {
        let is_copy = progress.next == Next::Lookup;
        // Until a lookup has cleared it. Where none can: it was delayed before its doubt could be said.
        let is_doubtful = is_copy || (lookup.is_none() && progress.since_create.is_some());
        let (open_time, told, stage) = (Duration::ZERO, now, Stage::Ready);
        let (halts, halted_at) = (0, None);
        Self { context, request, lookup, progress, is_copy, is_doubtful, halts, halted_at, open_time, told, stage }
    }

    /// What it asks next.
    pub(super) fn asked(&self) -> Asked {
        match self.seeks() {
            Some(lookup) => Asked::Lookup(Arc::clone(lookup)),
            None => Asked::Create(Arc::clone(&self.request)),
        }
    }

    /// How often it was tried before, for the pace: a lookup is never a first try.
    pub(super) fn tries(&self) -> u32 {
        self.progress.attempts.max(u32::from(self.seeks().is_some()))
    }

    /// It looks before anything else, if it can.
    pub(super) fn look_up_first(&mut self) {
        // A lookup that goes elsewhere asks another breaker.
        if self.lookup.as_ref().is_some_and(|lookup| lookup.procedure == self.request.procedure) {
            self.progress.next = Next::Lookup;
        }
    }

    /// Its create is sent: from now on it is looked up where that one goes. It was elsewhere if it came back to other rules than
    /// it was sent by, and was not found there.
    pub(super) fn goes_out(&mut self) {
        if self.seeks().is_some() {
            return;
        }
        let own = self.request.lookup.as_ref();
        if self.lookup.as_deref() != own {
            self.lookup = own.cloned().map(Arc::new);
        }
    }

    /// Whether it is about to create what another copy of it may be creating: one that can be looked up, so that its
    /// key names one process.
    pub(super) fn may_have_a_copy(&self) -> bool {
        self.is_copy && self.lookup.is_some() && self.seeks().is_none()
    }

    /// Whether a lookup is next.
    pub(super) fn is_looking_up(&self) -> bool {
        self.seeks().is_some()
    }

    /// Where it looks next, if a lookup is next.
    fn seeks(&self) -> Option<&Arc<Lookup>> {
        self.lookup.as_ref().filter(|_| self.progress.next == Next::Lookup)
    }

    /// The procedure whose breaker it asks at.
    pub(super) fn procedure(&self) -> &Procedure {
        self.seeks().map_or(&self.request.procedure, |lookup| &lookup.procedure)
    }

    /// Why its next request may make a second process, told once.
    pub(super) fn doubt(&mut self) -> Option<Doubt> {
        if self.seeks().is_some() {
            return None;
        }
        let is_doubtful = std::mem::take(&mut self.is_doubtful);
        match (self.progress.may_double(), self.progress.lookups) {
            (true, 0) => Some(Doubt::Resent),
            (true, _) => Some(Doubt::Absent),
            (false, _) => is_doubtful.then_some(Doubt::Redelivered),
        }
    }

    /// What a reply to its request means. A lookup that was allowed before and is refused now is waited for.
    pub(super) fn judge(&mut self, reply: &Reply, lookup_checks: &LookupChecks) -> Outcome {
        self.progress.status = reply.status().or(self.progress.status);
        let Some(lookup) = self.seeks() else { return judge(reply, self.request.procedure_is_literal) };
        match judge_lookup(reply, lookup) {
            Outcome::Unavailable { .. } if lookup_checks.is_verified(self.context.rule()) => {
                Outcome::Retry { cause: Cause::LookupRefused, after: None }
            }
            outcome => outcome,
        }
    }

    /// Takes the outcome in, and says what comes next.
    pub(super) fn decide(&mut self, outcome: &Outcome, gate: &Gate, now: Moment, dice: f64, policy: &Policy) -> Step {
        let was_create = self.seeks().is_none();
        if was_create {
            // An unsure create may have been applied until now.
            self.pass_time(now);
        }
        let open = gate.open_time(&self.request.procedure, now).saturating_sub(self.open_time);
        let age = self.context.delayed_state.age.saturating_add(open);
        let at = StepContext { is_probe: self.probe().asks(), can_look_up: self.lookup.is_some(), age, dice };
        let step = self.progress.step(outcome, at, policy);
        match outcome {
            Outcome::Absent if self.progress.next == Next::Create => self.is_doubtful = false,
            // Whatever an earlier look cleared: a copy of it may have been created since.
            Outcome::Unavailable { .. } => self.is_doubtful = true,
            _ => {}
        }
        if was_create && self.is_doubtful && self.lookup.is_some() {
            // Adopted while its create was under way.
            self.progress.next = Next::Lookup;
        }
        step
    }

    /// How long it holds back after our own trouble. Not at all, unless the gate opened for others since the last time: then the
    /// trouble may be of this event alone, such as a wall that refuses its words, and it must not shut the gate again and
    /// again.
    pub(super) fn held_back(&mut self, outcome: &Outcome, openings: u32, policy: &Policy) -> Duration {
        if !matches!(outcome, Outcome::Halt { .. }) {
            return Duration::ZERO;
        }
        if self.halted_at.replace(openings).is_none_or(|before| before == openings) {
            return Duration::ZERO;
        }
        self.halts = self.halts.saturating_add(1);
        ceiling(policy.initial, policy.multiplier, policy.max_interval, self.halts)
    }

    /// A copy takes the place of this one, whose connection died under its request. Another replica may have had it
    /// meanwhile: it is looked up before it is sent again, or that is said.
    pub(super) fn adopted(&mut self, receipt: Receipt, now: Moment) {
        self.context.receipt = receipt;
        self.is_copy = true;
        self.is_doubtful = true;
        self.progress.since_create = Some(Duration::ZERO);
        self.told = now;
    }

    /// Tells its progress that time has passed.
    pub(super) fn pass_time(&mut self, now: Moment) {
        self.progress.passed(now.saturating_sub(self.told));
        self.told = now;
    }

    /// Which breakers of the gate its request asks; none while none is under way.
    pub(super) fn probe(&self) -> Probe {
        match self.stage {
            Stage::Running { probe } => probe,
            Stage::Ready | Stage::Delayed(_) => Probe::default(),
        }
    }
}
