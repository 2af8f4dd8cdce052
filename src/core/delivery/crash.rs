//! Events whose handling crashed: a fault of ours, which costs an event time, and in the end a dead letter that says so.
//!
//! Not here: what catches a panic (`open`, the dispatcher), and how many crashes are enough (`progress`).

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::event::Stage;
use super::report::{Ended, Report};
use super::told::{FailedTry, Place};
use super::waiting::WaitsFor;
use super::{EventId, Machine};
use crate::core::delay_queue::DELAY_QUEUES;
use crate::core::delayed_state::DelayedState;
use crate::core::lookup::Lookup;
use crate::core::message::Message;
use crate::core::progress::{Next, Progress};
use crate::core::reason::{Fault, Reason};

/// The text of a dead letter whose handling crashed.
const CRASHED: &str = "its handling crashed too often, and it may be a process or not: look for it in \
     ChakraHQ before sending it again, and please report it";

/// Within this they come back that may be what a process died of.
const APART: Duration = Duration::from_secs(60);

impl Machine {
    /// The handling of an event crashed: it is delayed, so that its neighbours go on without it, and counted. Where the whole
    /// process died, nobody knows of which of those that it held: they come back apart from each other.
    pub(super) fn crashed(&mut self, mut context: Context, mut progress: Progress, lookup: Option<&Lookup>) {
        let is_enough = progress.crashed();
        context.state.sent = lookup.cloned();
        let ended = if self.connection.can_delay && !is_enough {
            // What is remembered of it here has not waited.
            let mut waited = progress.clone();
            waited.passed(DELAY_QUEUES[0].wait);
            let state = context.state_of(waited, lookup);
            Ended::Delayed(DELAY_QUEUES[0], Box::new(DelayedState { remaining: self.apart(), ..state }))
        } else {
            Ended::DeadLettered(Fault::new(Reason::Crashing, CRASHED))
        };
        self.settle(context, ended, &progress);
    }

    /// Its handling crashed before it was held, or with a whole process before this one.
    pub(super) fn crashed_before(&mut self, context: Context, message: Message) {
        let (progress, sent) = (context.state.progress.clone(), context.state.sent.clone());
        // Whoever died of it may have created it a moment ago.
        let since_create = if message.redelivered { Some(Duration::ZERO) } else { progress.since_create };
        let mut progress = Progress { since_create, ..progress };
        // Returns that make it suspect where nothing can be delayed are those of all crashes.
        let has_killed = Progress::is_suspect(message.deliveries, false);
        if self.connection.can_delay || has_killed || !progress.may_crash_again() {
            return self.crashed(context, progress, sent.as_ref());
        }
        let wait = self.wait_after_crash();
        let _ = progress.crashed();
        self.tell(crash_of(&context, progress.next, progress.crashes, wait));
        // It comes back as from a delay queue.
        let delayed_state = Some(context.state_of(progress, sent.as_ref()).encode());
        let until = self.now.moment.saturating_add(wait);
        self.wait_unopened(context, Message { delayed_state, ..message }, WaitsFor::Moment(until));
    }

    /// Whether an event whose request panicked waits here, since there is no delay queue, as if it came out of one.
    pub(super) fn waits_after_crash(&mut self, id: EventId) -> bool {
        let wait = self.wait_after_crash();
        let can_delay = self.connection.can_delay;
        let Some(event) = self.held.get_mut(id).filter(|_| !can_delay) else { return false };
        if !event.progress.may_crash_again() {
            return false;
        }
        let _ = event.progress.crashed();
        event.came_back();
        if !event.context.is_live {
            // The broker delivers it again, and what is remembered of it counts the crash.
            self.end(id, Ended::ConnectionLost);
            return true;
        }
        let failed = crash_of(&event.context, event.progress.next, event.progress.crashes, wait);
        self.held.stage(id, Stage::Waiting(self.now.moment.saturating_add(wait)));
        self.probes_no_rule(id);
        self.tell(failed);
        true
    }

    /// As long as one that goes through a delay queue.
    fn wait_after_crash(&self) -> Duration {
        DELAY_QUEUES[0].wait.saturating_add(self.apart())
    }

    /// What keeps it apart from its neighbours, of which one may be what a process dies of.
    fn apart(&self) -> Duration {
        APART.mul_f64(self.dice.clamp(0.0, 1.0))
    }
}

/// What is told of an event that waits here after a crash.
fn crash_of(context: &Context, next: Next, crashes: u32, wait: Duration) -> Report {
    Report::TryFailed(Box::new(FailedTry {
        key: context.key.clone(),
        trace: context.trace_id(),
        rule: context.rule.as_ref().map(Arc::clone),
        asked: Next::Create,
        photo: None,
        attempt: crashes,
        reason: Reason::Crashing.as_str(),
        status: None,
        detail: None,
        next,
        place: Place::Memory,
        wait,
    }))
}
