//! Tries that failed, and events that wait: what the machine tells of them, so that no retry is invisible.
//!
//! Not here: what comes next (`progress`), where it waits (`delay`), and which lines a storm leaves out (`core::thinning`).

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::event::{HeldEvent, Stage};
use super::report::Report;
use super::told::{CameBack, Delayed, FailedTry, Place};
use super::{Effect, EventId, Machine};
use crate::core::delay_queue::DelayQueue;
use crate::core::delayed_state::DelayedState;
use crate::core::gate::{Moment, Pass};
use crate::core::judge::Judgement;
use crate::core::photo::{Photo, PhotoReply};
use crate::core::progress::{Next, Progress};
use crate::core::reply::Reply;
use crate::core::settlement::Settlement;

/// So long after a connection the events that came back are counted: the broker delivers a prefetch of them in less.
const SETTLES: Duration = Duration::from_secs(2);

/// Counts them from one connection on.
#[derive(Debug, Default)]
pub(super) struct Redeliveries {
    events: u32,
    /// Those that went into a delay queue meanwhile, and the longest of their waits.
    delayed: u32,
    longest: Duration,
    due: Option<Moment>,
}

impl Redeliveries {
    /// A connection stands.
    pub(super) fn begin(&mut self, now: Moment) {
        *self = Self { due: Some(now.saturating_add(SETTLES)), ..Self::default() };
    }

    /// An event was taken in.
    pub(super) fn note(&mut self, event: &HeldEvent) {
        if self.due.is_some() && !event.context.is_new && event.seeks().is_some() {
            self.events = self.events.saturating_add(1);
        }
    }

    /// An event was delayed.
    pub(super) fn note_delay(&mut self, wait: Duration, progress: &Progress) {
        if self.due.is_some() && progress.lookups > 0 {
            self.delayed = self.delayed.saturating_add(1);
            self.longest = self.longest.max(wait);
        }
    }

    /// When they are told, if they are to be.
    pub(super) fn due(&self) -> Option<Moment> {
        self.due
    }
}

/// What came of a request that is no end, as a fixed word.
fn reason(outcome: &Judgement) -> &'static str {
    match outcome {
        Judgement::Retry { cause, .. } | Judgement::Unsure { cause, .. } => cause.as_str(),
        Judgement::Halt { reason, .. } => reason.as_str(),
        Judgement::Reject(fault) => fault.reason.as_str(),
        other => other.as_str(),
    }
}

/// A try that failed, of that step, after so many like it; what comes next is not known yet.
fn failed(event: &HeldEvent, (asked, done): (Next, u32), outcome: &Judgement, reply: Option<&Reply>) -> FailedTry {
    FailedTry {
        key: event.context.key.clone(),
        rule: event.context.rule.clone(),
        trace: event.context.trace_id(),
        asked,
        photo: None,
        attempt: done.saturating_add(1),
        reason: reason(outcome),
        status: reply.and_then(Reply::status),
        detail: reply.and_then(Reply::detail).map(str::to_owned),
        next: asked,
        place: Place::Memory,
        wait: Duration::ZERO,
    }
}

/// A try while what comes of it is still open.
pub(super) struct Try {
    failed: FailedTry,
    /// How many effects there were before.
    effects: usize,
}

impl Machine {
    /// What is known of a try before the event goes on.
    pub(super) fn tried(&self, id: EventId, outcome: &Judgement, reply: &Reply) -> Option<Try> {
        let event = self.held.get(id)?;
        let (asked, done) = match event.seeks() {
            Some(_) => (Next::Lookup, event.progress.lookups),
            None => (Next::Create, event.progress.attempts),
        };
        let failed = failed(event, (asked, done), outcome, Some(reply));
        Some(Try { failed, effects: self.effects.len() })
    }

    /// The same of a try to bring a photo up.
    pub(super) fn photo_tried(
        &self,
        id: EventId,
        photo: &Photo,
        outcome: &Judgement,
        reply: &PhotoReply,
    ) -> Option<Try> {
        let event = self.held.get(id)?;
        let asked = (Next::Create, event.progress.photos.tries);
        let failed = match reply {
            PhotoReply::Missed(missed) => {
                let (status, detail) = (missed.status(), missed.detail().map(str::to_owned));
                FailedTry { status, detail, ..failed(event, asked, outcome, None) }
            }
            PhotoReply::Asked { reply, .. } => failed(event, asked, outcome, Some(reply)),
        };
        let failed = FailedTry { photo: Some(Arc::clone(&photo.name)), ..failed };
        Some(Try { failed, effects: self.effects.len() })
    }

    /// Tells that a request was answered, and what about its answer is worth a word.
    pub(super) fn tell_answer(&mut self, id: EventId, outcome: &Judgement, reply: &Reply, took: Duration) {
        self.tell(Report::Answered { outcome: outcome.as_str(), status: reply.status(), took });
        let Some(event) = self.held.get(id) else { return };
        let told = || (event.context.key.clone(), event.context.rule.clone());
        let trace = event.context.trace_id();
        let report = match outcome {
            Judgement::Found { copies, .. } if *copies > 1 => {
                let (key, rule) = told();
                Report::Duplicates { key, rule, trace, copies: *copies }
            }
            Judgement::Unavailable { status } => {
                let (key, rule) = told();
                Report::LookupRefused { key, rule, trace, status: *status }
            }
            _ => return,
        };
        self.tell(report);
    }

    /// Tells a try that failed, before whatever it led to.
    pub(super) fn tell_try(&mut self, id: EventId, tried: Option<Try>) {
        let Some(Try { failed, effects }) = tried else { return };
        let settled = self.effects[effects..].iter().find_map(|effect| match effect {
            Effect::Settle { receipt, settlement } if *receipt == id => Some(settlement),
            _ => None,
        });
        let (next, place, wait) = match (settled, self.held.get(id)) {
            // Its verdict stands: the line of its end says so, once the letter is kept.
            (Some(Settlement::Delay(_, state)), _) if state.verdict.is_some() => return,
            (Some(Settlement::Delay(queue, state)), _) => (next_of(state), in_queue(*queue), whole(*queue, state)),
            (Some(Settlement::Release), _) => (failed.asked, Place::WorkQueue, Duration::ZERO),
            (_, Some(event)) => self.place_of(event),
            // It is a dead letter: the line of its end says so.
            (_, None) => return,
        };
        let report = Report::TryFailed(Box::new(FailedTry { next, place, wait, ..failed }));
        self.effects.insert(effects, Effect::Tell(report));
    }

    /// What a held event asks next, where it waits, and how long at least.
    fn place_of(&self, event: &HeldEvent) -> (Next, Place, Duration) {
        let now = self.now.moment;
        let wait = if let Stage::Waiting(until) = event.stage { until.saturating_sub(now) } else { Duration::ZERO };
        let next = if event.seeks().is_some() { Next::Lookup } else { Next::Create };
        let place = if self.is_in_line_for_rule(&event.context) {
            Place::Rule
        } else if !matches!(self.gate.pass(event.procedure(), now), Pass::Go) {
            Place::Gate
        } else if event.is_in_doubt() && !self.setup.policy.resend_after.is_zero() {
            Place::Doubt
        } else {
            Place::Memory
        };
        (next, place, wait)
    }

    pub(super) fn is_in_line_for_rule(&self, context: &Context) -> bool {
        context.rule.as_deref().is_some_and(|rule| self.holds_rule(rule))
    }

    /// Tells how many events came back since the connection stands, once they are here.
    pub(super) fn tell_redeliveries(&mut self) {
        if self.redeliveries.due.is_none_or(|due| self.now.moment < due) {
            return;
        }
        let Redeliveries { events, delayed, longest, .. } = std::mem::take(&mut self.redeliveries);
        if events == 0 {
            return;
        }
        let (window, now) = (self.setup.policy.lookup_window, self.now.moment);
        let left = self.held.iter().filter(|event| event.seeks().is_some()).map(|event| event.window_left(window, now));
        let (waiting, longest) =
            left.fold((delayed, longest), |(count, longest), left| (count.saturating_add(1), left.max(longest)));
        let until_ms = self.epoch_ms_after(longest);
        self.tell(Report::CameBack(CameBack { events, waiting, longest, until_ms }));
    }

    /// What is told of a wait in a delay queue, of an event that stood so before.
    pub(super) fn delayed(&self, context: &Context, queue: DelayQueue, state: &DelayedState) -> Delayed {
        let (why, wait) = (self.why_delayed(context, state), whole(queue, state));
        Delayed { queue: queue.label, why, wait, until_ms: self.epoch_ms_after(wait) }
    }

    fn epoch_ms_after(&self, wait: Duration) -> u64 {
        self.now.epoch_ms.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Whatever can be looked up is, once it comes back from a delay queue.
fn next_of(state: &DelayedState) -> Next {
    if state.sent.is_some() { Next::Lookup } else { state.progress.next }
}

fn in_queue(queue: DelayQueue) -> Place {
    Place::DelayQueue(queue.label)
}

fn whole(queue: DelayQueue, state: &DelayedState) -> Duration {
    queue.wait.saturating_add(state.remaining)
}
