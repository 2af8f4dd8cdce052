//! How procedures share the places that events are held in, and who probes: a failing procedure must not stand in the way of
//! others.
//!
//! Not here: whether a procedure is shut (`gate`), and delaying what is too much (`delay`).

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::{EventId, Machine, Now};
use crate::core::gate::Moment;
use crate::core::judge::Judgement;
use crate::core::process::{CreateProcess, Procedure};

/// Procedures remembered at most; events may name them.
pub(super) const REMEMBERED_MAX: usize = 1024;

/// Events of a procedure that come are expected to come again for so long.
const LATELY: Duration = Duration::from_secs(60);

/// A procedure that fails holds all places for so long where none of others is known: the first probes may open it.
pub(super) const ALONE_FOR: Duration = Duration::from_secs(3);

/// The shortest and longest time after which requests without an answer are minded.
const STALLED: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// The same, while nothing is known of how long requests take.
const STALLED_AT_FIRST: Duration = Duration::from_secs(1);

/// Who probed last.
#[derive(Debug, Default)]
pub(super) struct Probed {
    procedure: Option<Procedure>,
    events: HashMap<Procedure, Prober>,
}

/// The event that probed a procedure last, and what its turn has asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prober {
    pub(super) event: EventId,
    asked: Asked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Create,
    Lookup,
    /// A lookup that did not find it: its create is of the same turn. By the next turn the event may have been delayed, which takes
    /// a lookup anew, and so for ever.
    NotFound,
    /// A lookup, then what came of it.
    Both,
}

impl Prober {
    /// Whether its turn began with a lookup.
    pub(super) fn looks(self) -> bool {
        self.asked != Asked::Create
    }

    /// The event whose turn it is still.
    pub(super) fn goes_on(self) -> Option<EventId> {
        (self.asked == Asked::NotFound).then_some(self.event)
    }
}

impl Probed {
    /// An event probes this procedure, with a lookup or a create.
    pub(super) fn note(&mut self, procedure: &Procedure, event: EventId, looks: bool) {
        if self.events.len() >= REMEMBERED_MAX {
            self.events.clear();
        }
        let goes_on = self.last_of(procedure).and_then(Prober::goes_on) == Some(event);
        let asked = match (goes_on, looks) {
            (true, _) => Asked::Both,
            (false, true) => Asked::Lookup,
            (false, false) => Asked::Create,
        };
        self.procedure = Some(procedure.clone());
        self.events.insert(procedure.clone(), Prober { event, asked });
    }

    /// A lookup did not find this event, whose create is next.
    pub(super) fn not_found(&mut self, procedure: &Procedure, event: EventId) {
        let last = self.events.get_mut(procedure).filter(|last| last.event == event && last.asked == Asked::Lookup);
        if let Some(last) = last {
            last.asked = Asked::NotFound;
        }
    }

    pub(super) fn last_of(&self, procedure: &Procedure) -> Option<Prober> {
        self.events.get(procedure).copied()
    }

    /// Whether an event of this procedure made the last probe of all.
    pub(super) fn is_last(&self, procedure: &Procedure) -> bool {
        self.procedure.as_ref() == Some(procedure)
    }
}

/// Which procedures events arrive for.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    latest: Option<(Procedure, Moment)>,
    /// When a message arrived last, whatever it is.
    last: Moment,
    /// When one of another procedure than the latest arrived last.
    other: Option<Moment>,
}

impl Arrivals {
    pub(super) fn came(&mut self, now: Moment) {
        self.last = now;
    }

    pub(super) fn last(&self) -> Moment {
        self.last
    }

    pub(super) fn note(&mut self, procedure: &Procedure, now: Moment) {
        match &mut self.latest {
            Some((latest, at)) if latest == procedure => *at = now,
            Some((_, at)) => {
                self.other = Some(*at);
                self.latest = Some((procedure.clone(), now));
            }
            None => self.latest = Some((procedure.clone(), now)),
        }
    }

    /// Whether events of other procedures than this arrived in the last minute.
    fn has_others(&self, procedure: &Procedure, now: Moment) -> bool {
        let is_latest = self.latest.as_ref().is_some_and(|(latest, _)| latest == procedure);
        let last = if is_latest { self.other } else { self.latest.as_ref().map(|(_, at)| *at) };
        last.is_some_and(|at| now.saturating_sub(at) < LATELY)
    }
}

/// When creates worked last, and how long they take.
#[derive(Debug, Default)]
pub(super) struct Worked {
    procedures: HashMap<Procedure, Work>,
    /// Of all procedures.
    took: Option<Duration>,
}

#[derive(Debug)]
struct Work {
    at: Now,
    took: Duration,
}

impl Worked {
    pub(super) fn note(&mut self, procedure: &Procedure, outcome: &Judgement, now: Now, took: Duration) {
        if !matches!(outcome, Judgement::Created { .. }) {
            return;
        }
        if self.procedures.len() >= REMEMBERED_MAX {
            self.procedures.clear();
        }
        self.took = Some(self.took.map_or(took, |before| smoothed(before, took)));
        match self.procedures.get_mut(procedure) {
            Some(work) => *work = Work { at: now, took: smoothed(work.took, took) },
            None => drop(self.procedures.insert(procedure.clone(), Work { at: now, took })),
        }
    }

    /// When a create of this procedure worked last, in epoch milliseconds; 0 for never.
    pub(super) fn created_ms(&self, procedure: &Procedure) -> u64 {
        self.procedures.get(procedure).map_or(0, |work| work.at.epoch_ms)
    }

    /// Requests of this procedure without an answer are minded after so long: a few times as long as they take.
    fn minded_after(&self, procedure: &Procedure) -> Duration {
        let own = self.procedures.get(procedure).map(|work| work.took);
        let usual = own.or(self.took).map(|took| took.saturating_mul(4).clamp(STALLED.0, STALLED.1));
        usual.unwrap_or(STALLED_AT_FIRST)
    }
}

fn smoothed(before: Duration, now: Duration) -> Duration {
    (before.saturating_mul(7)).saturating_add(now) / 8
}

impl Machine {
    /// The places that events of failing procedures may take: a quarter, one at least.
    pub(super) fn quarter(&self) -> usize {
        (self.setup.places / 4).max(1)
    }

    /// The places that a failing procedure may take where none of others is known.
    pub(super) fn most_alone(&self) -> usize {
        self.setup.places * 3 / 4
    }

    /// Whether there are events of other procedures, or were lately: alone a procedure stands in nobody's way.
    pub(super) fn has_others(&self, procedure: &Procedure) -> bool {
        self.arrivals.has_others(procedure, self.now.moment)
    }

    /// The same, or all places are taken, so that none of others can arrive.
    pub(super) fn may_have_others(&self, procedure: &Procedure) -> bool {
        let is_full = self.held() >= self.setup.places;
        self.has_others(procedure) || (self.has_procedures && is_full)
    }

    /// How many places the events of failing procedures may take: a quarter while events of others arrive. Where none do, that may
    /// be since there is no place for them: after a while a quarter is left free, unless all rules go to one procedure.
    pub(super) fn limit(&self, procedure: &Procedure, failing_for: Duration) -> usize {
        let is_full = self.held() >= self.setup.places;
        if self.has_others(procedure) {
            self.quarter()
        } else if is_full && self.has_procedures && failing_for >= ALONE_FOR {
            self.most_alone()
        } else {
            usize::MAX
        }
    }

    /// Notes whether an event that came has a picture to be fetched, and from where.
    pub(super) fn note_source(&mut self, request: &CreateProcess) {
        let host = request.photos.iter().find_map(|photo| photo.source.host());
        if host.is_none() && self.sources.is_empty() {
            return;
        }
        let of = host.map_or_else(|| Procedure::uploads().clone(), Procedure::of_host);
        self.source_arrivals.note(&of, self.now.moment);
    }

    /// How many places events may take whose pictures come from this host, which is shut or slow; `is_minded` where it has been for so
    /// long that it makes room though none of others is known.
    pub(super) fn limit_of_source(&self, host: &Procedure, is_minded: bool) -> usize {
        if self.source_arrivals.has_others(host, self.now.moment) {
            self.quarter()
        } else if self.held() >= self.setup.places && is_minded {
            // None of others may have arrived since these stand before them.
            self.most_alone()
        } else {
            usize::MAX
        }
    }

    /// For how long a procedure has had requests on as many places as it may take without an answer to show that creates work: until one
    /// comes it begins no more.
    pub(super) fn stalled_for(&self, procedure: &Procedure) -> Option<Duration> {
        let most = if self.has_others(procedure) {
            // Of few places a quarter is too little for answers that overlap.
            self.quarter().max(4).min(self.setup.places.saturating_sub(1).max(1))
        } else if self.has_procedures {
            // None of others may have arrived since these stand before them.
            self.most_alone()
        } else {
            return None;
        };
        let load = self.held.load(procedure).filter(|load| load.running() >= most)?;
        let oldest = load.oldest()?;
        let work = self.worked.procedures.get(procedure);
        let has_worked_since = work.is_some_and(|work| work.at.moment >= oldest);
        (!has_worked_since).then(|| self.now.moment.saturating_sub(oldest))
    }

    /// When a stalled procedure is to be minded: then its events make room.
    pub(super) fn minds_stall_at(&self, procedure: &Procedure) -> Option<Moment> {
        let oldest = self.held.load(procedure)?.oldest()?;
        let at = oldest.saturating_add(self.worked.minded_after(procedure));
        (at > self.now.moment).then_some(at)
    }

    /// For how long a procedure has been failing: shut, or stalled for longer than is usual.
    pub(super) fn failing_for(&self, procedure: &Procedure) -> Option<Duration> {
        let shut_for = self.gate.shut_for(procedure, self.now.moment);
        let is_minded = |stalled: &Duration| *stalled >= self.worked.minded_after(procedure);
        shut_for.or_else(|| self.stalled_for(procedure).filter(is_minded))
    }
}

/// How many of the events that were delayed to make room still wait, by the second in which their wait ends.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    by_second: BTreeMap<u64, usize>,
    total: usize,
}

impl Outstanding {
    pub(super) fn add(&mut self, until: Moment) {
        *self.by_second.entry(until.as_secs()).or_default() += 1;
        self.total += 1;
    }

    pub(super) fn count(&mut self, now: Moment) -> usize {
        while let Some(entry) = self.by_second.first_entry().filter(|entry| *entry.key() < now.as_secs()) {
            self.total -= entry.remove();
        }
        self.total
    }
}
