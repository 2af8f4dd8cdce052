//! The one repeat of a create that lost its answer, where no lookup can tell what became of it. It must not be spent on an outage:
//! it goes as soon as another create of its procedure has worked since, and where none comes after `retry.resend_after`, once the
//! API answers a list of that procedure.
//!
//! Not here: events that can be looked up (`progress`), and announcing the repeat (`walk`).

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::event::{HeldEvent, Stage};
use super::places::REMEMBERED_MAX;
use super::{Effect, EventId, Machine};
use crate::core::gate::{Moment, Pass};
use crate::core::process::Procedure;
use crate::core::reply::Reply;
use crate::core::request_limits::Try;

/// A procedure is asked for a list so often at most.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// The events whose repeat waits, and when procedures answered a list.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// May name events that are gone or have moved on; `Stage` decides.
    waiting: BTreeSet<(Procedure, EventId)>,
    asked: HashMap<Procedure, Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    at: Moment,
    /// In epoch milliseconds; 0 for never.
    answered_ms: u64,
}

impl Doubts {
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.waiting.len(), self.asked.len())
    }

    /// A procedure is asked for a list. To forget when others were asked costs one more question each.
    pub(super) fn asks(&mut self, procedure: &Procedure, now: Moment) {
        if self.asked.len() >= REMEMBERED_MAX && !self.asked.contains_key(procedure) {
            self.asked.clear();
        }
        self.asked.entry(procedure.clone()).or_default().at = now;
    }

    /// The events of a procedure that wait: from now on they do not.
    fn released(&mut self, procedure: &Procedure) -> Vec<EventId> {
        let whole = (procedure.clone(), EventId::MIN)..=(procedure.clone(), EventId::MAX);
        let ids: Vec<EventId> = self.waiting.range(whole).map(|(_, id)| *id).collect();
        for id in &ids {
            self.waiting.remove(&(procedure.clone(), *id));
        }
        ids
    }
}

impl HeldEvent {
    /// Whether its next request is the repeat of a create that nobody can look up.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.lookup.is_none() && self.progress.may_double()
    }
}

impl Machine {
    /// Whether an event about to begin has to wait with its repeat; if so it does.
    pub(super) fn waits_in_doubt(&mut self, id: EventId) -> bool {
        let Some(event) = self.held.get(id).filter(|event| event.is_in_doubt()) else { return false };
        let (procedure, lost_ms) = (event.request.procedure.clone(), event.progress.unsure_ms);
        if self.setup.policy.resend_after.is_zero() || self.worked.created_ms(&procedure) > lost_ms {
            return false;
        }
        let waited = Duration::from_millis(self.now.epoch_ms.saturating_sub(lost_ms));
        let left = self.setup.policy.resend_after.saturating_sub(waited);
        if left.is_zero() {
            if self.doubts.asked.get(&procedure).is_some_and(|asked| asked.answered_ms > lost_ms) {
                return false;
            }
            self.ask_for_a_list(&procedure);
        }
        self.wait_in_doubt(id, procedure, waited, left.max(ASK_EVERY));
        true
    }

    /// Held as long as an event may be, so that it goes at once when a create works, and then in a delay queue, never longer
    /// than it has waited so far.
    fn wait_in_doubt(&mut self, id: EventId, procedure: Procedure, waited: Duration, left: Duration) {
        let Some(event) = self.held.get(id) else { return };
        let held_for = event.context.held_for(self.now.moment);
        if self.connection.can_delay && held_for >= self.setup.policy.max_local_delay {
            let wait = self.wait_of_shut(waited.min(left));
            return self.delay(id, wait, Duration::ZERO);
        }
        let room = self.setup.policy.max_local_delay.saturating_sub(held_for).max(ASK_EVERY / 5);
        let until = self.now.moment.saturating_add(left.min(room));
        if self.doubts.waiting.len() > 2 * self.setup.places {
            let waits = |event: &HeldEvent| matches!(event.stage, Stage::Waiting(_));
            self.doubts.waiting.retain(|(_, id)| self.held.get(*id).is_some_and(waits));
        }
        self.doubts.waiting.insert((procedure, id));
        self.held.stage(id, Stage::Waiting(until));
    }

    /// A create of this procedure worked: the repeats that wait for that may go.
    pub(super) fn clear_doubts(&mut self, procedure: &Procedure) {
        if self.doubts.waiting.is_empty() {
            return;
        }
        for id in self.doubts.released(procedure) {
            let is_waiting = self.held.get(id).is_some_and(|event| matches!(event.stage, Stage::Waiting(_)));
            if is_waiting {
                self.held.stage(id, Stage::Ready);
            }
        }
    }

    /// Asks for a list of nothing: it changes nothing, and shows that the API answers for this procedure.
    fn ask_for_a_list(&mut self, procedure: &Procedure) {
        let now = self.now.moment;
        let asked = self.doubts.asked.get(procedure).map(|asked| asked.at);
        let is_early = asked.is_some_and(|at| now.saturating_sub(at) < ASK_EVERY);
        let pass = self.request_limits.pass(Pass::Go, 1, now);
        if is_early || pass != Pass::Go {
            return;
        }
        self.request_limits.take(Try::Again, now);
        self.doubts.asks(procedure, now);
        self.push(Effect::List { procedure: procedure.clone() });
    }

    /// The list of a procedure was answered, or not.
    pub(super) fn listed(&mut self, procedure: &Procedure, reply: Option<&Reply>) {
        let is_answered = reply.and_then(Reply::status).is_some_and(|status| (200..300).contains(&status));
        if is_answered && let Some(asked) = self.doubts.asked.get_mut(procedure) {
            asked.answered_ms = self.now.epoch_ms;
            self.clear_doubts(procedure);
        }
    }
}
