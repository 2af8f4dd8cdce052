//! The ledger is away: our trouble. No create is sent and nothing is dead-lettered for it. One question at a time is asked until one
//! is answered; all else waits until then.
//!
//! Not here: what is asked (`claims`, `records`), and telling that it is away (`crate::ledger`, which knows why).

use std::time::Duration;

use super::event::Stage;
use super::{EventId, Machine};
use crate::core::backoff::{ceiling, jittered};
use crate::core::gate::Moment;

/// The ceilings of the waits between two questions. What waits goes on within two of the longest once the ledger can be asked.
const AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Away {
    is_away: bool,
    /// Whether the one question that is asked meanwhile is under way.
    asks: bool,
    /// Questions without an answer in a row; those that were asked before it was known to be away are one.
    failures: u32,
    /// When the next may be asked.
    next: Moment,
}

impl Away {
    /// Until when nothing may be asked.
    pub(super) fn until(&self, now: Moment) -> Option<Moment> {
        Some(self.next).filter(|next| self.is_away && *next > now)
    }

    /// One question is asked: while it is away, the next is not before this one can have been answered.
    pub(super) fn asks(&mut self, now: Moment) {
        if self.is_away {
            (self.asks, self.next) = (true, now.saturating_add(AGAIN.1));
        }
    }
}

impl Machine {
    /// A question to the ledger was not answered. All that were under way when it went tell the same.
    pub(super) fn ledger_failed(&mut self) {
        let now = self.now.moment;
        if self.away.is_away && !self.away.asks {
            return;
        }
        let whole = ceiling(AGAIN.0, 2.0, AGAIN.1, self.away.failures);
        self.away.failures = self.away.failures.saturating_add(1);
        self.away.next = now.saturating_add(whole / 2 + jittered(whole / 2, self.dice));
        (self.away.is_away, self.away.asks) = (true, false);
    }

    /// A question to the ledger was answered: whatever waited for that goes on.
    pub(super) fn ledger_answered(&mut self) {
        let was_away = std::mem::take(&mut self.away).is_away;
        if was_away {
            let waiting = self.held.iter().filter(|event| event.awaits_ledger).map(|event| event.id);
            let waiting: Vec<EventId> = waiting.collect();
            waiting.into_iter().for_each(|id| self.goes_on_with_the_ledger(id));
        }
    }

    fn goes_on_with_the_ledger(&mut self, id: EventId) {
        let now = self.now.moment;
        if let Some(event) = self.held.get_mut(id)
            && let Stage::Waiting(until) = event.stage
        {
            event.open_time = event.open_time.saturating_sub(until.saturating_sub(now));
            self.held.stage(id, Stage::Waiting(now));
        }
    }

    /// Whether a create that is about to be asked for has to wait, since the ledger is away; if so it does, and it does not age.
    pub(super) fn waits_for_the_ledger(&mut self, id: EventId) -> bool {
        let now = self.now.moment;
        let Some(event) = self.held.get(id).filter(|event| event.context.claim.is_used && event.seeks().is_none())
        else {
            return false;
        };
        let is_told = self.waits_for_its_record(&event.context);
        let told = is_told.then(|| now.saturating_add(AGAIN.0));
        let Some(until) = self.away.until(now).or(told) else { return false };
        self.hold_for_the_ledger(id, until);
        self.probes_no_rule(id);
        true
    }

    /// It waits here, and does not age meanwhile.
    pub(super) fn hold_for_the_ledger(&mut self, id: EventId, until: Moment) {
        if let Some(event) = self.held.get_mut(id) {
            event.open_time = event.open_time.saturating_add(until.saturating_sub(self.now.moment));
        }
        self.held.stage(id, Stage::Waiting(until));
        if let Some(event) = self.held.get_mut(id) {
            event.awaits_ledger = true;
        }
    }
}
