//! One door of the gate: shut for a reason and a time, asked by single probes, opened by a good one.
//!
//! Not here: which doors there are, and what an outcome says about each (`gate`).

use std::time::Duration;

use super::{Change, Moment, Pass};
use crate::core::backoff::{ceiling, jittered};
use crate::core::policy::GatePolicy;

/// One door: the gate for everything, or for one procedure.
#[derive(Clone, Debug, Default)]
pub(super) struct Door {
    pub(super) shut: Option<Shut>,
    /// How long it has been shut in all, this time aside.
    shut_before: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Shut {
    pub(super) why: &'static str,
    since: Moment,
    until: Moment,
    probes: u32,
    is_probing: bool,
}

impl Door {
    pub(super) fn shut_in_all(&self, now: Moment) -> Duration {
        let running = self.shut.as_ref().map_or(Duration::ZERO, |shut| now.saturating_sub(shut.since));
        self.shut_before.saturating_add(running)
    }

    pub(super) fn pass(&self, now: Moment) -> Pass {
        match &self.shut {
            None => Pass::Go,
            Some(shut) if shut.is_probing => Pass::Shut(None),
            Some(shut) if now < shut.until => Pass::Shut(Some(shut.until)),
            Some(_) => Pass::Probe,
        }
    }

    /// Sets whether a probe is under way; answers whether the door is shut, so that one is worth anything.
    pub(super) fn set_probing(&mut self, is_probing: bool) -> bool {
        self.shut.as_mut().map(|shut| shut.is_probing = is_probing).is_some()
    }

    fn open(&mut self, scope: &str, now: Moment) -> Option<Change> {
        let shut = self.shut.take()?;
        let after = now.saturating_sub(shut.since);
        self.shut_before = self.shut_before.saturating_add(after);
        Some(Change::Opened { scope: scope.to_owned(), after })
    }
}

/// What an outcome says about a door.
pub(super) enum Verdict {
    /// It is to be shut, for this reason, at least as long as the API asked.
    Shut { why: &'static str, after: Option<Duration> },
    /// What shut it has not ended.
    Again,
    /// The API spoke as it should.
    Good,
}

/// What it takes to shut a door for a while.
pub(super) struct Pause<'a> {
    pub(super) policy: &'a GatePolicy,
    pub(super) asked_max: Duration,
    pub(super) now: Moment,
    pub(super) dice: f64,
}

impl Pause<'_> {
    /// Shuts a door, prolongs it after a failed probe, or opens it after a good one.
    pub(super) fn turn(&self, door: &mut Door, scope: &str, verdict: &Verdict, is_probe: bool) -> Option<Change> {
        let since_and_probes = match &door.shut {
            None => (self.now, 0),
            Some(shut) if is_probe => (shut.since, shut.probes.saturating_add(1)),
            Some(_) => return None,
        };
        match (verdict, &door.shut) {
            (Verdict::Shut { why, after }, _) => Some(self.shut(door, scope, why, *after, since_and_probes)),
            (Verdict::Again, Some(shut)) => {
                let why = shut.why;
                Some(self.shut(door, scope, why, None, since_and_probes))
            }
            (Verdict::Good, Some(_)) => door.open(scope, self.now),
            (Verdict::Again | Verdict::Good, None) => None,
        }
    }

    fn shut(
        &self,
        door: &mut Door,
        scope: &str,
        why: &'static str,
        asked: Option<Duration>,
        (since, probes): (Moment, u32),
    ) -> Change {
        let until = self.now.saturating_add(self.length(probes, asked));
        door.shut = Some(Shut { why, since, until, probes, is_probing: false });
        Change::Shut { why, scope: scope.to_owned(), until, probes }
    }

    /// The wait before the next probe: half of it certain, half by the dice, and at least what the API asked for.
    fn length(&self, probes: u32, asked: Option<Duration>) -> Duration {
        let whole = ceiling(self.policy.probe_initial, 2.0, self.policy.probe_max, probes);
        let own = whole / 2 + jittered(whole / 2, self.dice);
        own.max(asked.unwrap_or(Duration::ZERO).min(self.asked_max))
    }
}
