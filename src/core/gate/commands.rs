//! What an operator does to the gate, and what may be asked of it.
//!
//! Not here: what outcomes do to it (`gate`).

use std::time::Duration;

use super::ramp::Ramp;
use super::{Change, EVERYTHING, Gate, Moment, Why};
use crate::core::process::Procedure;
use crate::core::reason::HaltReason;

impl Gate {
    /// Pauses everything until [`Gate::resume`]: nothing passes, not even a probe. What is under way ends as it would.
    pub fn pause(&mut self, now: Moment) -> Option<Change> {
        self.pause.begin(now).then_some(Change::Paused)
    }

    /// Ends a pause, with a ramp. A breaker that is shut stays shut.
    pub fn resume(&mut self, now: Moment) -> Option<Change> {
        let after = self.pause.end(now)?;
        self.everything.begin_ramp(now);
        Some(Change::Resumed { after })
    }

    /// Whether an operator paused everything.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.pause.since().is_some()
    }

    /// There are new certificates: what was shut for the old ones opens at once, with a ramp.
    pub fn certificates_changed(&mut self, now: Moment) -> Vec<Change> {
        self.everything_opens_for(&[HaltReason::Certificate], now).into_iter().collect()
    }

    fn everything_opens_for(&mut self, reasons: &[HaltReason], now: Moment) -> Option<Change> {
        let unpaused = self.pause.open_time(now);
        if self.everything.is_shut_for(reasons) { self.everything.open(EVERYTHING, now, unpaused) } else { None }
    }

    /// There is a new token: what was shut for the old one opens at once, with a ramp.
    pub fn token_changed(&mut self, now: Moment) -> Vec<Change> {
        let unpaused = self.pause.open_time(now);
        let reasons = [HaltReason::Unauthorized, HaltReason::TokenUnreadable];
        let mut changes: Vec<Change> = self.everything_opens_for(&reasons, now).into_iter().collect();
        let outer = self.everything.open_time(unpaused);
        for (procedure, own) in &mut self.procedures {
            if own.breaker.is_shut_for(&[HaltReason::Forbidden]) {
                changes.extend(own.breaker.open(procedure.as_str(), now, outer));
            }
        }
        changes
    }

    /// How long the gate has been open for `procedure`: the clock by which an event's age is told. Time during which
    /// several reasons held counts once.
    #[must_use]
    pub fn open_time(&self, procedure: &Procedure, now: Moment) -> Duration {
        let everything = self.everything.open_time(self.pause.open_time(now));
        self.breaker(procedure).map_or(everything, |breaker| breaker.open_time(everything))
    }

    /// How long the breaker of this procedure has been shut; none while it is open, whatever holds for everything.
    #[must_use]
    pub fn shut_for(&self, procedure: &Procedure, now: Moment) -> Option<Duration> {
        let shut = self.breaker(procedure)?.shut.as_ref()?;
        Some(now.saturating_sub(shut.since))
    }

    /// How long everything has been shut or paused, by whichever holds longer; none while it is neither.
    #[must_use]
    pub fn everything_shut_for(&self, now: Moment) -> Option<Duration> {
        let shut = self.everything.shut.as_ref().map(|shut| shut.since);
        let since = shut.into_iter().chain(self.pause.since()).min()?;
        Some(now.saturating_sub(since))
    }

    /// Requests a second that the ramp of everything allows now; none while there is no such ramp.
    #[must_use]
    pub fn ramp(&self, now: Moment) -> Option<u32> {
        let ramp = self.everything.ramp(now).filter(|_| !self.is_paused());
        ramp.map(Ramp::allowance)
    }

    /// What is shut, and why: the scope and the reason. A pause stands first.
    pub fn shut(&self) -> impl Iterator<Item = (&str, Why)> {
        let paused = self.is_paused().then_some((EVERYTHING, Why::Paused));
        let everything = std::iter::once((EVERYTHING, &self.everything));
        let procedures = self.procedures.iter().map(|(procedure, own)| (procedure.as_str(), &own.breaker));
        let breakers = everything.chain(procedures);
        let shut = breakers.filter_map(|(scope, breaker)| breaker.shut.as_ref().map(|shut| (scope, shut.why)));
        paused.into_iter().chain(shut)
    }
}
