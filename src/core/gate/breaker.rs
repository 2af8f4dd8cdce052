//! One breaker of the gate: shut for a reason and a time, asked by single probes, opened by a good one, and then passed
//! by no more than its ramp allows.
//!
//! Not here: which breakers there are, and what an outcome says about each (`gate`).
//!
//! A breaker is told two times: `now`, and `outer`, which stands still while whatever stands before this breaker is shut.
//! How long it was shut is counted by the second, so that no time is counted twice.

use std::time::Duration;

use super::ramp::Ramp;
use super::{Change, Moment, Pass, Why};
use crate::core::backoff::{ceiling, jittered};
use crate::core::policy::GatePolicy;
use crate::core::reason::{Cause, HaltReason};

/// One breaker: the gate for everything, or for one procedure.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    pub(super) shut: Option<Shut>,
    ramp: Option<Ramp>,
    /// How long it has been shut in all, this time aside; by the outer clock.
    shut_before: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Shut {
    pub(super) why: Why,
    pub(super) since: Moment,
    since_outer: Duration,
    until: Moment,
    probes: u32,
    /// The number of the probe that is under way.
    probe: Option<u64>,
}

impl Breaker {
    /// The outer clock without the times at which this breaker was shut.
    pub(super) fn open_time(&self, outer: Duration) -> Duration {
        let running = self.shut.as_ref().map_or(Duration::ZERO, |shut| outer.saturating_sub(shut.since_outer));
        outer.saturating_sub(self.shut_before).saturating_sub(running)
    }

    pub(super) fn pass(&self, now: Moment) -> Pass {
        match &self.shut {
            None => self.ramp(now).and_then(Ramp::full_until).map_or(Pass::Go, |end| Pass::Shut(Some(end))),
            Some(shut) if shut.probe.is_some() => Pass::Shut(None),
            Some(shut) if now < shut.until => Pass::Shut(Some(shut.until)),
            Some(_) => Pass::Probe,
        }
    }

    /// Whether it is shut for one of these troubles.
    pub(super) fn is_shut_for(&self, reasons: &[HaltReason]) -> bool {
        matches!(&self.shut, Some(Shut { why: Why::Halt(reason), .. }) if reasons.contains(reason))
    }

    /// Whether it is shut since one of these happened again and again.
    pub(super) fn is_shut_by(&self, causes: &[Cause]) -> bool {
        matches!(&self.shut, Some(Shut { why: Why::Failing(cause), .. }) if causes.contains(cause))
    }

    /// The ramp it is on, if it is on one.
    pub(super) fn ramp(&self, now: Moment) -> Option<Ramp> {
        self.ramp?.at(now)
    }

    /// Holds what passes to a ramp that begins now; nothing if it is shut, since a ramp begins when it opens.
    pub(super) fn begin_ramp(&mut self, now: Moment) {
        self.ramp = self.shut.is_none().then(|| Ramp::new(now));
    }

    /// Notes that a request has begun; answers its number if the breaker is shut, so that it is the probe.
    pub(super) fn begun(&mut self, now: Moment, number: u64) -> Option<u64> {
        self.ramp = self.ramp(now).map(Ramp::begun);
        let shut = self.shut.as_mut()?;
        shut.probe = Some(number);
        shut.probe
    }

    /// Whether the request of this number is the probe that is under way.
    pub(super) fn is_probed_by(&self, number: Option<u64>) -> bool {
        number.is_some() && self.shut.as_ref().is_some_and(|shut| shut.probe == number)
    }

    /// Notes that a request has ended: if it was the probe, the next may go.
    pub(super) fn probe_lost(&mut self, number: Option<u64>) {
        if self.is_probed_by(number)
            && let Some(shut) = &mut self.shut
        {
            shut.probe = None;
        }
    }

    fn ended(&mut self, is_good: bool, now: Moment) {
        self.ramp = self.ramp(now).map(|ramp| ramp.ended(is_good));
    }

    /// Opens, if it was shut, and begins a ramp.
    pub(super) fn open(&mut self, scope: &str, now: Moment, outer: Duration) -> Option<Change> {
        let shut = self.shut.take()?;
        self.shut_before = self.shut_before.saturating_add(outer.saturating_sub(shut.since_outer));
        self.begin_ramp(now);
        Some(Change::Opened { scope: scope.to_owned(), after: now.saturating_sub(shut.since) })
    }
}

/// What an outcome says about a breaker.
pub(super) enum Verdict {
    /// It is to be shut, for this reason, at least as long as the API asked.
    Shut { why: Why, after: Option<Duration> },
    /// What shut it has not ended.
    Again,
    /// It says nothing of what shut it: the next probe may go at once.
    Aside,
    /// The API spoke as it should.
    Good,
}

/// What it takes to open or shut a breaker.
pub(super) struct Turn<'a> {
    pub(super) policy: &'a GatePolicy,
    pub(super) asked_max: Duration,
    pub(super) now: Moment,
    pub(super) outer: Duration,
    pub(super) dice: f64,
}

/// What a breaker keeps from before when it stays shut.
struct Before {
    since: Moment,
    since_outer: Duration,
    probes: u32,
}

impl Turn<'_> {
    /// Shuts a breaker, prolongs it after a failed probe, or opens it after a good one; an open one counts for its ramp.
    pub(super) fn of(&self, breaker: &mut Breaker, scope: &str, verdict: &Verdict, is_probe: bool) -> Option<Change> {
        let before = match &breaker.shut {
            None => Before { since: self.now, since_outer: self.outer, probes: 0 },
            Some(shut) if is_probe => {
                let probes = shut.probes.saturating_add(1);
                Before { since: shut.since, since_outer: shut.since_outer, probes }
            }
            Some(_) => return None,
        };
        match (verdict, &breaker.shut) {
            (Verdict::Shut { why, after }, _) => Some(self.shut(breaker, scope, *why, *after, &before)),
            (Verdict::Again, Some(shut)) => {
                let why = shut.why;
                Some(self.shut(breaker, scope, why, None, &before))
            }
            (Verdict::Good, Some(_)) => breaker.open(scope, self.now, self.outer),
            (Verdict::Aside, Some(_)) => None,
            (Verdict::Again | Verdict::Aside | Verdict::Good, None) => {
                breaker.ended(!matches!(verdict, Verdict::Again), self.now);
                None
            }
        }
    }

    fn shut(&self, breaker: &mut Breaker, scope: &str, why: Why, asked: Option<Duration>, before: &Before) -> Change {
        let &Before { since, since_outer, probes } = before;
        let wait = self.length(probes, asked);
        let until = self.now.saturating_add(wait);
        breaker.ramp = None;
        breaker.shut = Some(Shut { why, since, since_outer, until, probes, probe: None });
        Change::Shut { why, scope: scope.to_owned(), until, wait, probes }
    }

    /// The wait before the next probe: half of it certain, half by the dice, and at least what the API asked for.
    fn length(&self, probes: u32, asked: Option<Duration>) -> Duration {
        let whole = ceiling(self.policy.probe_initial, 2.0, self.policy.probe_max, probes);
        let own = whole / 2 + jittered(whole / 2, self.dice);
        own.max(asked.unwrap_or(Duration::ZERO).min(self.asked_max))
    }
}
