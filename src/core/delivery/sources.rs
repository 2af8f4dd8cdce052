//! The hosts that pictures are fetched from: a breaker for each, and how many are fetched at once. One that is slow, hangs or fails
//! holds up nobody else: it has a share of the fetches, and of the places while events of others come.
//!
//! Not here: what a try came to (`photos`), fetching (`crate::photos`), and making room (`sources::room`).

mod room;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::event::Stage;
use super::photo_report::PhotoReport;
use super::report::Report;
use super::{EventId, Machine};
use crate::core::backoff::{ceiling, jittered};
use crate::core::gate::Moment;
use crate::core::photo::Missed;
use crate::core::policy::{GatePolicy, PhotoPolicy};

/// Hosts remembered at most, beside those that something waits for.
const HOSTS_MAX: usize = 1024;

/// What waits for a fetch to end asks again after this at the latest.
const TURN: Duration = Duration::from_secs(30);

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sources {
    hosts: BTreeMap<Arc<str>, Host>,
    running: usize,
}

#[derive(Debug, Default)]
struct Host {
    /// Failures in a row.
    failures: u32,
    shut: Option<Shut>,
    running: BTreeMap<EventId, Moment>,
    /// May name events that are gone, or wait for something else by now.
    waiting: BTreeSet<EventId>,
    /// How long a fetch takes.
    took: Duration,
}

#[derive(Debug)]
struct Shut {
    since: Moment,
    until: Moment,
    probes: u32,
}

/// What the end of a fetch says of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'r> {
    /// It answered.
    Good,
    /// It failed like this; it asks to be left alone for so long.
    Failed(&'r Missed, Option<Duration>),
    /// Nothing.
    Nothing,
}

/// How the breaker of a host changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    Shut { wait: Duration, probes: u32 },
    Opened { after: Duration },
}

impl Host {
    fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty() && self.shut.is_none()
    }

    /// When its wait ends, if something waits for that.
    fn probed_at(&self) -> Option<Moment> {
        let waits = self.running.is_empty() && !self.waiting.is_empty();
        self.shut.as_ref().filter(|_| waits).map(|shut| shut.until)
    }
}

impl Sources {
    /// Whether a fetch from this host may begin.
    ///
    /// # Errors
    /// When to ask again; none where the end of another fetch tells.
    fn may_begin(&self, host: &str, now: Moment, policy: PhotoPolicy) -> Result<(), Option<Moment>> {
        let is_full = self.is_full(policy);
        let Some(host) = self.hosts.get(host) else { return if is_full { Err(None) } else { Ok(()) } };
        match &host.shut {
            Some(shut) if now < shut.until => Err(Some(shut.until)),
            Some(_) if !host.running.is_empty() => Err(None),
            _ if is_full || host.running.len() >= policy.of_one_host() => Err(None),
            _ => Ok(()),
        }
    }

    /// Whether there are as many fetches as there may be.
    fn is_full(&self, policy: PhotoPolicy) -> bool {
        self.running >= policy.at_once
    }

    pub(super) fn begun(&mut self, host: &str, event: EventId, now: Moment) {
        let host = self.hosts.entry(host.into()).or_default();
        host.waiting.remove(&event);
        if host.running.insert(event, now).is_none() {
            self.running += 1;
        }
    }

    fn waits(&mut self, host: &str, event: EventId) {
        self.hosts.entry(host.into()).or_default().waiting.insert(event);
    }

    /// A fetch ended. Answers how that changed the breaker of its host.
    fn ended(&mut self, host: &str, event: EventId, said: Said<'_>, turn: &Turn<'_>) -> Option<Changed> {
        let entry = self.hosts.get_mut(host)?;
        let began = entry.running.remove(&event)?;
        self.running -= 1;
        let now = turn.now;
        let changed = match said {
            Said::Nothing => None,
            Said::Good => {
                entry.failures = 0;
                entry.took = (entry.took.saturating_mul(3).saturating_add(now.saturating_sub(began))) / 4;
                entry.shut.take().map(|shut| Changed::Opened { after: now.saturating_sub(shut.since) })
            }
            Said::Failed(_, asked) => {
                entry.failures = entry.failures.saturating_add(1);
                let is_enough = entry.failures >= turn.policy.failures || asked.is_some() || entry.shut.is_some();
                is_enough.then(|| entry.shuts(asked, turn))
            }
        };
        if self.hosts.len() > HOSTS_MAX {
            self.hosts.retain(|_, host| !host.is_idle());
        }
        changed
    }

    /// Those whose wait is over, and of which one may ask.
    fn probed_now(&self, now: Moment) -> Vec<Arc<str>> {
        let may_ask = |host: &Host| host.probed_at().is_some_and(|at| at <= now);
        self.hosts.iter().filter(|(_, host)| may_ask(host)).map(|(name, _)| Arc::clone(name)).collect()
    }

    /// When to look again: the wait of a host ends for which something waits, or one of which more events are held than `least` is slow.
    /// While there are as many fetches as there may be, the end of one tells.
    pub(super) fn next_due(&self, now: Moment, least: usize, policy: PhotoPolicy) -> Option<Moment> {
        let probed_at = |host: &Host| host.probed_at().filter(|_| !self.is_full(policy));
        self.hosts.values().flat_map(|host| [probed_at(host), host.minded_at(now, least)]).flatten().min()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether nothing is known of any host: no event had a picture to be fetched.
    pub(super) fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }
}

/// What it takes to shut the breaker of a host.
struct Turn<'a> {
    policy: &'a GatePolicy,
    asked_max: Duration,
    now: Moment,
    dice: f64,
}

impl Host {
    fn shuts(&mut self, asked: Option<Duration>, turn: &Turn<'_>) -> Changed {
        let (since, probes) =
            self.shut.as_ref().map_or((turn.now, 0), |shut| (shut.since, shut.probes.saturating_add(1)));
        let whole = ceiling(turn.policy.probe_initial, 2.0, turn.policy.probe_max, probes);
        let own = whole / 2 + jittered(whole / 2, turn.dice);
        let wait = own.max(asked.unwrap_or_default().min(turn.asked_max));
        self.shut = Some(Shut { since, until: turn.now.saturating_add(wait), probes });
        Changed::Shut { wait, probes }
    }
}

impl Machine {
    /// Whether an event about to fetch a picture has to wait for its host; if so it does. It ages all the same.
    pub(super) fn waits_for_its_source(&mut self, id: EventId) -> bool {
        let now = self.now.moment;
        let Some(host) = self.held.get(id).and_then(|event| event.source()) else { return false };
        let Err(until) = self.sources.may_begin(&host, now, self.setup.photos) else { return false };
        self.sources.waits(&host, id);
        self.probes_no_rule(id);
        let until = until.unwrap_or_else(|| now.saturating_add(TURN));
        self.held.stage(id, Stage::Waiting(until));
        true
    }

    /// The fetch of an event has ended: others may go.
    pub(super) fn source_said(&mut self, id: EventId, said: Said<'_>) {
        let Some(host) = self.held.get(id).and_then(|event| event.source()) else { return };
        let (policy, asked_max) = (self.setup.gate, self.setup.policy.retry_after_max);
        let turn = Turn { policy: &policy, asked_max, now: self.now.moment, dice: self.dice };
        match (self.sources.ended(&host, id, said, &turn), said) {
            (Some(Changed::Shut { wait, probes }), Said::Failed(missed, _)) => {
                let (why, status, detail) = (missed.as_str(), missed.status(), missed.detail().map(str::to_owned));
                self.tell(Report::Photos(PhotoReport::SourceShut { host, why, status, detail, wait, probes }));
            }
            (Some(Changed::Opened { after }), _) => {
                self.tell(Report::Photos(PhotoReport::SourceOpened { host, after }));
            }
            (Some(Changed::Shut { .. }) | None, _) => {}
        }
        self.wake_for_sources();
    }

    /// The wait of a host is over: one may ask.
    pub(super) fn wake_probes_of_sources(&mut self) {
        if !self.sources.is_empty() {
            let hosts = self.sources.probed_now(self.now.moment);
            self.wake_for(hosts);
        }
    }

    /// Those that waited longest for a fetch to end, as many as may begin now: the oldest of each host.
    fn wake_for_sources(&mut self) {
        let hosts = self.sources.hosts.keys().cloned().collect();
        self.wake_for(hosts);
    }

    fn wake_for(&mut self, hosts: Vec<Arc<str>>) {
        let (now, policy) = (self.now.moment, self.setup.photos);
        let mut woken = Vec::new();
        for name in hosts {
            if self.sources.may_begin(&name, now, policy).is_err() {
                continue;
            }
            let Some(host) = self.sources.hosts.get_mut(&name) else { continue };
            // Of a shut host one will ask and the others wait again: which of them may go, only gate and limits know.
            let most =
                if host.shut.is_some() { usize::MAX } else { policy.of_one_host().saturating_sub(host.running.len()) };
            while woken.len() < most.max(1)
                && let Some(id) = host.waiting.pop_first()
            {
                let waits = self.held.get(id).is_some_and(|event| matches!(event.stage, Stage::Waiting(_)));
                if waits && self.held.get(id).and_then(|event| event.source()).as_deref() == Some(&*name) {
                    woken.push(id);
                }
            }
            woken.drain(..).for_each(|id| self.held.stage(id, Stage::Ready));
        }
    }
}
