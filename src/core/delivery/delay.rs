//! Waiting: held, or delayed in a queue of the broker with all that travels along.
//!
//! Not here: how long (`progress`), in which queue (`delay_queue`), and publishing (`amqp`).

use std::cmp::Reverse;
use std::time::Duration;

use super::context::Context;
use super::event::Stage;
use super::report::{Ended, Report};
use super::{EventId, Machine};
use crate::core::delay_queue::{DELAY_QUEUES, DelayQueue, LocalDelay, delay_queue_for};
use crate::core::delayed_state::DelayedState;
use crate::core::gate::Pass;
use crate::core::process::Procedure;
use crate::core::progress::Progress;
use crate::core::reason::{Fault, Reason};

/// Why events are put into delay queues, as the log says it.
pub const DELAY_REASONS: [&str; 12] = [
    "retry",
    "gate_shut",
    "rule_held",
    "doubt",
    "no_room",
    "crashed",
    "stopping",
    "newer_version",
    "letter_refused",
    "outcome_refused",
    "claimed_elsewhere",
    "photo_source",
];

/// The text of a dead letter that is kept for a newer daemon.
const TOO_NEW: &str =
    "a newer chakra-bridge delayed it, and there is no delay queue to keep it in: let that version retry it";

/// So many events that wait for a shut gate are few.
const FEW: usize = 1000;

/// The longest that few wait for a shut gate, and that many do.
const LONGEST_OF_FEW: Duration = Duration::from_secs(60);
const LONGEST_OF_MANY: Duration = Duration::from_secs(600);

/// The delay queue in which an event that a newer daemon delayed waits for one.
const FOR_A_NEWER: usize = 1;

impl Machine {
    /// An event is to wait, of which `aged` counts towards its age: held while its budget lasts and there is room, otherwise
    /// delayed.
    pub(super) fn wait(&mut self, id: EventId, delay: Duration, aged: Duration) {
        let now = self.now.moment;
        if self.is_draining {
            // Its request has ended: nothing of it is cut off.
            self.held.stage(id, Stage::Ready);
            return self.give_back(id);
        }
        let Some(event) = self.held.get(id) else { return };
        if let Some(rule) = event.context.rule.clone().filter(|_| !delay.is_zero()) {
            self.brakes.gave_up(&rule, id);
        }
        let Some(event) = self.held.get(id) else { return };
        if !event.context.is_live {
            return self.end(id, Ended::ConnectionLost);
        }
        let is_exceeded = self.local_delay().is_exceeded(event.context.held_for(now), delay, self.held.waiting());
        if is_exceeded && self.can_delay() {
            return self.delay(id, delay, aged);
        }
        let stage = if delay.is_zero() { Stage::Ready } else { Stage::Waiting(now.saturating_add(delay)) };
        self.held.stage(id, stage);
    }

    fn local_delay(&self) -> LocalDelay {
        LocalDelay { max_local_delay: self.setup.policy.max_local_delay, places: self.setup.places }
    }

    /// Events of a failing procedure must not stand in the way of others: beyond their limit they are delayed, one of each
    /// procedure aside, which probes. That spends nothing of theirs.
    pub(super) fn make_room(&mut self) {
        if !self.can_delay() || self.gate.everything_shut_for(self.now.moment).is_some() {
            return;
        }
        self.change_hands();
        for (id, failing_for) in self.too_many() {
            if self.can_delay() {
                self.delay_while_shut(id, failing_for);
            }
        }
    }

    /// Where the probe of a procedure was refused, as a firewall may refuse it for its own words, and its events hold every place,
    /// those behind them have no chance to be the next: half of the places change hands, those that were there first.
    fn change_hands(&mut self) {
        let Some(procedure) = self.refused_probe.take() else { return };
        let Some(failing_for) = self.failing_for(&procedure).filter(|_| self.held() >= self.setup.places) else {
            return;
        };
        let lane = self.held.lanes.iter().find(|(of, _)| **of == procedure).map(|(_, lane)| lane);
        let last: Vec<EventId> =
            lane.into_iter().flat_map(|lane| lane.probes().rev()).map(|(.., Reverse(id))| id).collect();
        for id in last.into_iter().take(self.setup.places / 2) {
            if self.can_delay() {
                self.delay_while_shut(id, failing_for);
            }
        }
    }

    /// The ready events of failing procedures that are too many, and for how long their procedure has been failing.
    fn too_many(&self) -> Vec<(EventId, Duration)> {
        let (mut probes, mut held, mut limit, mut spare) = (0, 0, usize::MAX, Vec::new());
        for (procedure, lane) in self.held.lanes.iter() {
            let Some(failing_for) = self.failing_for(procedure) else { continue };
            limit = limit.min(self.limit(procedure, failing_for));
            held += match self.held.load(procedure) {
                Some(load) => load.held,
                // No event is created there: of photos those count that are ready.
                None if procedure == Procedure::uploads() => lane.probes().count(),
                None => 0,
            };
            // Each has its probe, as long as the probes themselves leave room; where there is none, one that may go now.
            let leaves_room = !self.local_delay().is_crowded(probes) && probes + 1 < self.setup.places;
            let may_go = matches!(self.gate.pass(procedure, self.now.moment), Pass::Probe);
            let kept = usize::from(leaves_room || may_go);
            probes += kept;
            spare.extend(lane.probes().skip(kept).map(|(.., Reverse(id))| (id, failing_for)));
        }
        let excess = held.saturating_sub(limit);
        spare.reverse();
        spare.truncate(excess);
        spare
    }

    /// What waits in the broker cannot be called back: a wait for a shut gate is never longer than it has been shut, nor than a
    /// minute while few wait, and ten above. A whole delay queue: what were left of the wait would be waited for in a place.
    pub(super) fn wait_of_shut(&mut self, shut_for: Duration) -> Duration {
        let is_many = self.outstanding.count(self.now.moment) > FEW;
        let longest = if is_many { LONGEST_OF_MANY } else { LONGEST_OF_FEW };
        delay_queue_for(shut_for.min(longest)).0.wait
    }

    /// Delays an event that waits for a procedure or a rule that has been shut for so long; it counts among those that wait.
    pub(super) fn delay_while_shut(&mut self, id: EventId, shut_for: Duration) {
        let queue = self.queue_of_shut(shut_for);
        self.delay(id, queue.wait, Duration::ZERO);
    }

    /// The delay queue of such an event.
    pub(super) fn queue_of_shut(&mut self, shut_for: Duration) -> DelayQueue {
        let wait = self.wait_of_shut(shut_for);
        self.outstanding.add(self.now.moment.saturating_add(wait));
        delay_queue_for(wait).0
    }

    /// Delays an event in a queue of the broker, of which `aged` counts towards its age.
    pub(super) fn delay(&mut self, id: EventId, delay: Duration, aged: Duration) {
        let now = self.now.moment;
        let Some(event) = self.held.get_mut(id) else { return };
        event.pass_time(now);
        let (queue, rest) = delay_queue_for(delay);
        let mut progress = event.progress.clone();
        progress.passed(queue.wait);
        let open_time = self.gate.open_time(&event.request.procedure, now).saturating_sub(event.open_time);
        let state = event.context.state_of(progress, event.lookup.as_deref());
        let age = state.age.saturating_add(open_time).saturating_add(aged);
        self.end(id, Ended::Delayed(queue, Box::new(DelayedState { age, remaining: rest, ..state })));
    }

    /// Why, as a fixed word ([`DELAY_REASONS`]).
    pub(super) fn why_delayed(&self, context: &Context, state: &DelayedState) -> &'static str {
        let Progress { attempts, lookups, crashes, .. } = state.progress;
        let procedure = context.procedure.as_ref();
        if state.verdict.is_some() {
            "letter_refused"
        } else if state.outcome.is_some() {
            "outcome_refused"
        } else if state.newer.is_some() {
            "newer_version"
        } else if self.is_draining {
            "stopping"
        } else if crashes > context.state.progress.crashes {
            "crashed"
        } else if context.waits_for_source {
            "photo_source"
        } else if context.claim.met > 0 {
            "claimed_elsewhere"
        } else if self.is_in_line_for_rule(context) {
            "rule_held"
        } else if procedure.is_some_and(|procedure| self.failing_for(procedure).is_some())
            || procedure.is_some_and(|procedure| !matches!(self.gate.pass(procedure, self.now.moment), Pass::Go))
        {
            "gate_shut"
        } else if state.progress.may_double() && state.sent.is_none() {
            "doubt"
        } else if attempts > 0 || lookups > 0 || state.progress.photos.tries > 0 {
            "retry"
        } else {
            "no_room"
        }
    }

    /// A newer daemon delayed it, and this one must not guess what was written: it travels on as it came.
    pub(super) fn pass_on(&mut self, context: Context) {
        self.tell(Report::FromNewer);
        let ended = if self.connection.can_delay {
            Ended::Delayed(DELAY_QUEUES[FOR_A_NEWER], Box::new(context.state.clone()))
        } else {
            Ended::DeadLettered(Fault::new(Reason::Undecodable, TOO_NEW))
        };
        self.settle(context, ended, &Progress::default());
    }
}
