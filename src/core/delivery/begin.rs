//! What begins, and in which order: every request asks gate, rate and budget here.
//!
//! Not here: what comes back (`walk`), and who holds how many places (`places`).

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::copies::Create;
use super::event::Stage;
use super::places::Prober;
use super::report::Report;
use super::{Effect, EventId, Machine};
use crate::core::gate::{Moment, Pass};
use crate::core::process::Procedure;
use crate::core::request_limits::Try;

/// What gave way to a copy of it is asked again after this.
const GIVEN_WAY: Duration = Duration::from_millis(20);

impl Machine {
    /// Begins every request that gate, rate and budget let through; answers when to look again, if something is held back.
    pub(super) fn begin_what_may(&mut self) -> Option<Moment> {
        loop {
            match self.next_to_begin() {
                Ok(id) if self.begin(id) => {}
                Ok(id) => {
                    // It gave way to a copy; it is not asked again in this turn.
                    let until = self.now.moment.saturating_add(GIVEN_WAY);
                    self.held.stage(id, Stage::Waiting(until));
                }
                Err(until) => return until,
            }
        }
    }

    /// The next event to begin: through an open gate the oldest, so that under a limit a backlog does not starve the repeats;
    /// to probe a shut one what was asked in vain longest ago or never, of those first what looks; before all what looked, and was not
    /// found.
    ///
    /// # Errors
    /// When to look again, if some are ready and none may begin; none where only an input can change that.
    fn next_to_begin(&self) -> Result<EventId, Option<Moment>> {
        let is_open = self.gate.everything_shut_for(self.now.moment).is_none();
        let (best, until) = if is_open { self.oldest_that_may() } else { self.probe_that_may() };
        best.ok_or(until)
    }

    fn oldest_that_may(&self) -> (Option<EventId>, Option<Moment>) {
        let now = self.now.moment;
        let (mut best, mut until) = (None, None);
        for (procedure, lane) in self.held.lanes.iter() {
            if self.stalled_for(procedure).is_some() {
                until = earlier(until, self.minds_stall_at(procedure));
                continue;
            }
            let pass = self.gate.pass(procedure, now);
            let candidates = lane.oldest().map(|(id, is_first)| (id, u32::from(!is_first)));
            for (id, tries) in candidates {
                match self.request_limits.pass(pass, tries, now) {
                    // The probe of a procedure that is shut has an order of its own.
                    Pass::Probe => {
                        let probe = lane.probe(self.probed.last_of(procedure));
                        best = earlier(best, probe.map(|(.., Reverse(id))| id));
                    }
                    Pass::Go => best = earlier(best, Some(id)),
                    Pass::Shut(at) => until = earlier(until, at),
                }
            }
        }
        (best, until)
    }

    fn probe_that_may(&self) -> (Option<EventId>, Option<Moment>) {
        let now = self.now.moment;
        let (mut best, mut until) = (None, None);
        for (procedure, lane) in self.held.lanes.iter() {
            match self.request_limits.pass(self.gate.pass(procedure, now), 1, now) {
                Pass::Go | Pass::Probe => {
                    let last = self.probed.last_of(procedure);
                    let goes_on = last.and_then(Prober::goes_on);
                    // A picture may take long to come: all else probes first.
                    let is_last = self.probed.is_last(procedure) || procedure == Procedure::uploads();
                    let probe = lane.probe(last).map(|probe @ (.., Reverse(id))| (goes_on != Some(id), is_last, probe));
                    best = earlier(best, probe);
                }
                Pass::Shut(at) => until = earlier(until, at),
            }
        }
        (best.map(|(.., (.., Reverse(id)))| id), until)
    }

    /// Begins the request of an event; answers false if it gives way to a copy of its own. Nothing is begun for a connection that
    /// is gone: the broker has given the event to somebody again.
    fn begin(&mut self, id: EventId) -> bool {
        let now = self.now.moment;
        let Some(event) = self.held.get_mut(id) else { return true };
        event.pass_time(now);
        if self.minds_repeats(id) {
            self.probes_no_rule(id);
            return self.held.get(id).is_none_or(|event| event.stage != Stage::Ready);
        }
        if self.is_held_by_rule(id) {
            return true;
        }
        if self.waits_in_doubt(id) {
            self.probes_no_rule(id);
            return true;
        }
        let Some(event) = self.held.get_mut(id) else { return true };
        if event.may_have_copies() && self.gives_way(id) {
            self.probes_no_rule(id);
            return self.held.get(id).is_none_or(|event| event.stage != Stage::Ready);
        }
        if self.has_spent_its_creates(id) || self.waits_for_the_ledger(id) || self.begins_photo(id) {
            return true;
        }
        let Some(event) = self.held.get_mut(id) else { return true };
        if self.gate.wants_a_lookup(event.procedure()) || event.was_looked_up_too_long_ago(now) {
            event.look_up_first();
        }
        if let Some(doubt) = event.doubt() {
            let report = event.context.possible_duplicate(doubt);
            self.effects.push(Effect::Tell(report));
        }
        event.goes_out();
        if event.seeks().is_some() {
            (event.looked_up, event.has_begun_photo) = (Some(now), false);
        } else if let (Some(key), Some(lookup)) = (&event.context.key, &event.lookup) {
            self.creates.note(key, Create { event: id, at: now, lookup: Arc::clone(lookup), lost: None });
        }
        let probe = self.gate.begun(event.procedure(), now);
        self.request_limits.take(Try::of(event.tries(), probe.asks()), now);
        let effect = match event.seeks() {
            Some(lookup) => Effect::LookUp { event: id, lookup: Arc::clone(lookup) },
            None => {
                let (request, is_repeat) = (Arc::clone(&event.request), event.progress.unsure_creates > 0);
                let claim = event.claims(&mut self.last_ticket);
                if claim.is_some() {
                    self.away.asks(now);
                }
                Effect::Create { event: id, request, is_repeat, claim }
            }
        };
        if probe.asks() {
            event.probed_ms = self.now.epoch_ms;
            self.probed.note(event.procedure(), id, event.seeks().is_some());
            self.tell(Report::Probe);
        }
        self.held.stage(id, Stage::Running { probe, began: now });
        self.push(effect);
        true
    }
}

/// The lesser of two, where there are two.
fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
