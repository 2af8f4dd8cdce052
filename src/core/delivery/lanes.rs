//! The events that are ready to begin, by the procedure that their next request goes to.
//!
//! Not here: whether any of them may begin (`gate`, `rate`), and the events themselves (`held`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::EventId;
use super::event::{HeldEvent, ProbeOrder};
use crate::core::process::Procedure;

/// Where a ready event stands: kept with it, so that it is found again whatever changes in between.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    procedure: Procedure,
    is_first_try: bool,
    order: ProbeOrder,
}

impl Standing {
    pub(super) fn of(event: &HeldEvent) -> Self {
        let (procedure, order) = (event.procedure().clone(), event.probe_order());
        Self { procedure, is_first_try: event.tries() == 0, order }
    }
}

/// The ready events of one procedure.
#[derive(Debug, Default)]
pub(super) struct Lane {
    first: BTreeSet<EventId>,
    again: BTreeSet<EventId>,
    by_order: BTreeSet<ProbeOrder>,
}

impl Lane {
    /// The oldest of those that were never tried, and the oldest of those that were: through an open gate.
    pub(super) fn oldest(&self) -> impl Iterator<Item = (EventId, bool)> {
        let first = self.first.first().map(|event| (*event, true));
        first.into_iter().chain(self.again.first().map(|event| (*event, false)))
    }

    /// The order in which they probe a shut gate.
    pub(super) fn probes(&self) -> impl DoubleEndedIterator<Item = ProbeOrder> {
        self.by_order.iter().copied()
    }

    /// The one to probe with: none twice in a row while another waits.
    pub(super) fn probe(&self, last: Option<EventId>) -> Option<ProbeOrder> {
        let other = self.probes().find(|(.., Reverse(id))| Some(*id) != last);
        other.or_else(|| self.probes().next())
    }

    fn is_empty(&self) -> bool {
        self.by_order.is_empty()
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Lanes(BTreeMap<Procedure, Lane>);

impl Lanes {
    pub(super) fn add(&mut self, event: EventId, standing: &Standing) {
        let lane = self.0.entry(standing.procedure.clone()).or_default();
        lane.by_order.insert(standing.order);
        if standing.is_first_try {
            lane.first.insert(event)
        } else {
            lane.again.insert(event)
        };
    }

    pub(super) fn remove(&mut self, event: EventId, standing: &Standing) {
        let Some(lane) = self.0.get_mut(&standing.procedure) else { return };
        lane.by_order.remove(&standing.order);
        if standing.is_first_try {
            lane.first.remove(&event)
        } else {
            lane.again.remove(&event)
        };
        if lane.is_empty() {
            self.0.remove(&standing.procedure);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Procedure, &Lane)> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
