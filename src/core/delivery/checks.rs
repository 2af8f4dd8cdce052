//! The lookups that are checked on what was just created, beside the walk of the events: no event waits for them.
//!
//! Not here: when a check is due and what it shows (`lookup_check`).

use std::sync::Arc;

use super::report::Report;
use super::{Effect, Machine};
use crate::core::gate::{Moment, Pass, Probe, Seen};
use crate::core::lookup::{Lookup, judge_lookup};
use crate::core::reply::Reply;
use crate::core::request_limits::Try;

impl Machine {
    /// Sends the lookups that are due, as far as gate and limits let them; never as a probe, since no event is behind them.
    /// Answers when to look again.
    pub(super) fn check_what_may(&mut self) -> Option<Moment> {
        let now = self.now.moment;
        let mut is_held_back = false;
        for (rule, lookup) in self.lookup_checks.due(now) {
            // A procedure that is shut holds back its own checks, and no others.
            let pass = self.gate.pass(&lookup.procedure, now);
            if !matches!(self.request_limits.pass(pass, 1, now), Pass::Go) {
                is_held_back = true;
                continue;
            }
            // Through an open gate it probes nothing.
            let _: Probe = self.gate.begun(&lookup.procedure, now);
            self.request_limits.take(Try::Again, now);
            self.lookup_checks.asked(&rule);
            self.push(Effect::Check { rule, lookup });
        }
        let next = self.lookup_checks.wake();
        // What is held back is looked at again at the next input or tick.
        next.filter(|due| *due > now || !is_held_back)
    }

    /// Takes the answer in: the gate hears of it as of any other. One that ended by a panic is asked again.
    pub(super) fn checked(&mut self, rule: &Arc<str>, lookup: &Arc<Lookup>, reply: Option<&Reply>) {
        let now = self.now.moment;
        // What says nothing of the API is asked again, as after a panic.
        let reply = reply.filter(|reply| !reply.is_for_want_of_descriptors());
        let outcome = reply.map(|reply| judge_lookup(reply, lookup));
        if let (Some(outcome), Some(reply)) = (&outcome, reply) {
            let (procedure, has_others) = (&lookup.procedure, self.has_others(&lookup.procedure));
            let seen =
                Seen { procedure, event: u64::MAX, outcome, probe: Probe::default(), is_alone: false, has_others };
            let changes = self.gate.observe(&seen, now, self.dice);
            self.tell_gate(changes, Some(reply));
        }
        // Other rules may have come meanwhile.
        if self.lookup_checks.waits_for(rule, lookup)
            && let Some(result) = self.lookup_checks.answered(rule, outcome.as_ref(), now, &self.setup.policy)
        {
            self.tell(Report::Checked { rule: Arc::clone(rule), result });
        }
    }
}
