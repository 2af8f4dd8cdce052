//! The brake for rejections: a run of rejections of one rule, with none created between, holds that rule. A wrong mapping then
//! costs some dead letters, and not the queue.
//!
//! Not here: what a rejection is (`judge`, `mapping`), and the waits of the events (`delay`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::event::Stage;
use super::report::{Ended, Report};
use super::waiting::WaitsFor;
use super::{EventId, Machine};
use crate::core::gate::Moment;
use crate::core::mapping::rules::Rules;
use crate::core::message::Message;
use crate::core::progress::Progress;
use crate::core::reason::{Fault, Reason};

/// A held rule is asked so often at most, by another event each time.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// One rule that was rejected since an event of it was created.
#[derive(Debug, Default)]
struct Brake {
    rejections: u32,
    held: Option<HeldRule>,
}

#[derive(Debug)]
struct HeldRule {
    since: Moment,
    /// When the next event may probe.
    next: Moment,
    probe: Option<EventId>,
}

/// The brakes of all rules.
#[derive(Debug, Default)]
pub(super) struct Brakes(HashMap<Arc<str>, Brake>);

/// What a rejection comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// A dead letter.
    Counts,
    /// A dead letter, and the rule is held from now on.
    Holds,
    /// The rule is held, and it was not asked by this event: nothing was done, so it waits and is asked again.
    Waits,
}

impl Brakes {
    /// For how long a rule has been held.
    pub(super) fn held_for(&self, rule: &str, now: Moment) -> Option<Duration> {
        let held = self.0.get(rule)?.held.as_ref()?;
        Some(now.saturating_sub(held.since))
    }

    /// Whether an event may go: its rule is not held, or it is the one that probes.
    pub(super) fn lets_pass(&mut self, rule: &str, event: EventId, now: Moment) -> bool {
        let Some(held) = self.0.get_mut(rule).and_then(|brake| brake.held.as_mut()) else { return true };
        if held.probe.is_none() && now >= held.next {
            held.probe = Some(event);
            held.next = now.saturating_add(PROBE_EVERY);
        }
        held.probe == Some(event)
    }

    /// The probe of a held rule is gone, or held up by something else: another may go.
    pub(super) fn gave_up(&mut self, rule: &str, event: EventId) {
        if let Some(held) = self.0.get_mut(rule).and_then(|brake| brake.held.as_mut()) {
            held.probe = held.probe.filter(|probe| *probe != event);
        }
    }

    /// An event was rejected. `limit` is the run that holds a rule; 0 for never.
    pub(super) fn rejected(&mut self, rule: &Arc<str>, event: EventId, limit: u32, now: Moment) -> Rejection {
        let brake = self.0.entry(Arc::clone(rule)).or_default();
        if let Some(held) = &mut brake.held {
            if held.probe != Some(event) {
                return Rejection::Waits;
            }
            held.probe = None;
            return Rejection::Counts;
        }
        brake.rejections = brake.rejections.saturating_add(1);
        if limit == 0 || brake.rejections < limit {
            return Rejection::Counts;
        }
        brake.held = Some(HeldRule { since: now, next: now.saturating_add(PROBE_EVERY), probe: None });
        Rejection::Holds
    }

    /// An event was created, or an operator says so: the rule goes on. Answers for how long it was held.
    pub(super) fn release(&mut self, rule: &str, now: Moment) -> Option<Duration> {
        let held = self.0.remove(rule)?.held?;
        Some(now.saturating_sub(held.since))
    }

    /// A reload makes another mapping of each rule: nothing of before counts. Answers the rules that were held, and for how long.
    pub(super) fn renew(&mut self, now: Moment) -> Vec<(Arc<str>, Duration)> {
        let held = self.0.drain().filter_map(|(rule, brake)| Some((rule, now.saturating_sub(brake.held?.since))));
        held.collect()
    }

    /// The rules that are held.
    fn held(&self) -> Vec<Arc<str>> {
        let held = self.0.iter().filter(|(_, brake)| brake.held.is_some());
        held.map(|(rule, _)| Arc::clone(rule)).collect()
    }

    /// When a message may be opened again that waits for this rule: at once if it goes on; where it is held, after events that
    /// have a request had their turn, since only they may show that it works; none while one of them asks.
    pub(super) fn reopens(&self, rule: &str) -> Option<Moment> {
        match self.0.get(rule).and_then(|brake| brake.held.as_ref()) {
            None => Some(Moment::ZERO),
            Some(HeldRule { probe: Some(_), .. }) => None,
            Some(HeldRule { next, .. }) => Some(next.saturating_add(PROBE_EVERY)),
        }
    }
}

/// Whether a dead letter says that what the rule made was rejected.
fn is_rejection(fault: &Fault) -> bool {
    matches!(fault.reason, Reason::Refused | Reason::Schema | Reason::Unmappable) || fault.reason.is_of_a_photo()
}

impl Machine {
    /// Whether a run of rejections holds this rule.
    #[must_use]
    pub fn holds_rule(&self, rule: &str) -> bool {
        self.brakes.0.get(rule).is_some_and(|brake| brake.held.is_some())
    }

    /// The rules that it maps by.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.setup.rules
    }

    /// What was rejected before it was held: a dead letter, unless its rule is held and it does not probe.
    pub(super) fn reject_unmapped(&mut self, context: Context, message: Message, fault: Fault, progress: &Progress) {
        let (receipt, now) = (context.receipt, self.now.moment);
        if let Some(rule) = context.rule.clone().filter(|_| is_rejection(&fault)) {
            let is_allowed = self.brakes.lets_pass(&rule, receipt, now);
            let rejection = if is_allowed { self.rejected(&rule, receipt) } else { Rejection::Waits };
            match rejection {
                Rejection::Waits if self.connection.can_delay => {
                    let ended = self.set_aside(&context, &rule);
                    return self.settle(context, ended, progress);
                }
                Rejection::Waits => return self.wait_unopened(context, message, WaitsFor::Rule(rule)),
                Rejection::Counts | Rejection::Holds => {}
            }
        }
        self.settle(context, Ended::DeadLettered(fault), progress);
    }

    /// A message whose rule is held waits in a delay queue as it came.
    fn set_aside(&mut self, context: &Context, rule: &str) -> Ended {
        let held_for = self.brakes.held_for(rule, self.now.moment).unwrap_or_default();
        let queue = self.queue_of_shut(held_for);
        Ended::Delayed(queue, Box::new(context.state.clone()))
    }

    /// An event that was held is rejected: answers whether it is a dead letter. Otherwise it waits.
    pub(super) fn is_dead(&mut self, id: EventId, fault: &Fault) -> bool {
        let Some(rule) = self.held.get(id).and_then(|event| event.context.rule.clone()) else { return true };
        if !is_rejection(fault) || self.rejected(&rule, id) != Rejection::Waits {
            return true;
        }
        self.hold_for_rule(id, &rule);
        false
    }

    fn rejected(&mut self, rule: &Arc<str>, id: EventId) -> Rejection {
        let rejection = self.brakes.rejected(rule, id, self.setup.gate.rejections, self.now.moment);
        if rejection == Rejection::Holds {
            self.tell(Report::RuleHeld { rule: Arc::clone(rule), rejections: self.setup.gate.rejections });
        }
        rejection
    }

    /// Whether an event about to begin is held up by its rule; if so it waits.
    pub(super) fn is_held_by_rule(&mut self, id: EventId) -> bool {
        let Some(rule) = self.held.get(id).and_then(|event| event.context.rule.clone()) else { return false };
        if self.brakes.lets_pass(&rule, id, self.now.moment) {
            return false;
        }
        self.hold_for_rule(id, &rule);
        true
    }

    /// An event waits for its rule: in a delay queue, or where there is none held until after the next probe.
    fn hold_for_rule(&mut self, id: EventId, rule: &str) {
        let held_for = self.brakes.held_for(rule, self.now.moment).unwrap_or_default();
        if self.can_delay() {
            return self.delay_while_shut(id, held_for);
        }
        let until = self.now.moment.saturating_add(PROBE_EVERY);
        self.held.stage(id, Stage::Waiting(until));
    }

    /// An event that may probe its rule does not begin: another may.
    pub(super) fn probes_no_rule(&mut self, id: EventId) {
        if let Some(rule) = self.held.get(id).and_then(|event| event.context.rule.clone()) {
            self.brakes.gave_up(&rule, id);
        }
    }

    /// Events that are held keep their rule, and may be rejected after a reload removed it: that rule is forgotten with the last
    /// of them.
    pub(super) fn forget_removed_rules(&mut self) {
        for rule in self.brakes.held() {
            let is_gone = self.setup.rules.named(&rule).is_none();
            if is_gone && !self.held.iter().any(|event| event.context.rule() == &*rule) {
                self.release_rule(&rule);
            }
        }
    }

    /// An event of this rule was created, or somebody says that it goes on.
    pub(super) fn release_rule(&mut self, rule: &str) {
        if let Some(after) = self.brakes.release(rule, self.now.moment) {
            self.tell(Report::RuleReleased { rule: rule.into(), after });
        }
    }
}
