//! The events that are ready to begin, by the procedure that their next request goes to.
//!
//! Not here: whether any of them may begin (`gate`, `rate`), and the events themselves (`held`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::EventId;
use super::event::{HeldEvent, ProbeOrder};
use super::places::Prober;
use crate::core::process::Procedure;

/// Where a ready event stands: kept with it, so that it is found again whatever changes in between.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    procedure: Procedure,
    turn: Turn,
    order: ProbeOrder,
}

impl Standing {
    pub(super) fn of(event: &HeldEvent) -> Self {
        let (procedure, order) = (event.procedure().clone(), event.probe_order());
        let turn = match event.tries() {
            _ if event.progress.refused_ms > 0 => Turn::Refused,
            0 => Turn::First,
            _ => Turn::Again,
        };
        Self { procedure, turn, order }
    }
}

/// Which of its procedure's events an event goes among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It was never tried.
    First,
    /// It is tried again.
    Again,
    /// What is not the API's word refused it before: it goes after all others.
    Refused,
}

/// The ready events of one procedure.
#[derive(Debug, Default)]
pub(super) struct Lane {
    first: BTreeSet<EventId>,
    again: BTreeSet<EventId>,
    refused: BTreeSet<EventId>,
    by_order: BTreeSet<ProbeOrder>,
}

impl Lane {
    /// The oldest of those that were never tried, and the oldest of those that were; what was refused where there is no other:
    /// through an open gate. Each with whether it is a first try.
    pub(super) fn oldest(&self) -> impl Iterator<Item = (EventId, bool)> {
        let first = self.first.first().map(|event| (*event, true));
        let again = self.again.first().map(|event| (*event, false));
        let is_other = first.is_some() || again.is_some();
        let refused = self.refused.first().filter(|_| !is_other).map(|event| (*event, false));
        [first, again, refused].into_iter().flatten()
    }

    fn turns(&mut self, turn: Turn) -> &mut BTreeSet<EventId> {
        match turn {
            Turn::First => &mut self.first,
            Turn::Again => &mut self.again,
            Turn::Refused => &mut self.refused,
        }
    }

    /// The order in which they probe a shut gate.
    pub(super) fn probes(&self) -> impl DoubleEndedIterator<Item = ProbeOrder> {
        self.by_order.iter().copied()
    }

    /// The one to probe with: the one whose turn it is still, if it is ready; none for two turns in a row while another waits, and in turn one that looks and one that creates. Where
    /// each first create loses its answer, only a lookup opens the gate; where creates of before are refused, only a new one does.
    pub(super) fn probe(&self, last: Option<Prober>) -> Option<ProbeOrder> {
        let Some(last) = last else { return self.probes().next() };
        let goes_on = last.goes_on().and_then(|event| self.probes().find(|(.., Reverse(id))| *id == event));
        if goes_on.is_some() {
            return goes_on;
        }
        let is_other = |(.., Reverse(id)): &ProbeOrder| *id != last.event;
        let in_turn = self.probes().find(|probe| is_other(probe) && looks(probe) != last.looks());
        in_turn.or_else(|| self.probes().find(is_other)).or_else(|| self.probes().next())
    }

    fn is_empty(&self) -> bool {
        self.by_order.is_empty()
    }
}

fn looks((_, creates, ..): &ProbeOrder) -> bool {
    !creates
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Lanes(BTreeMap<Procedure, Lane>);

impl Lanes {
    pub(super) fn add(&mut self, event: EventId, standing: &Standing) {
        let lane = self.0.entry(standing.procedure.clone()).or_default();
        lane.by_order.insert(standing.order);
        lane.turns(standing.turn).insert(event);
    }

    pub(super) fn remove(&mut self, event: EventId, standing: &Standing) {
        let Some(lane) = self.0.get_mut(&standing.procedure) else { return };
        lane.by_order.remove(&standing.order);
        lane.turns(standing.turn).remove(&event);
        if lane.is_empty() {
            self.0.remove(&standing.procedure);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Procedure, &Lane)> {
        self.0.iter()
    }
}
