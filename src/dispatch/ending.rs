//! The end of an event in the dispatcher: the one place that settles.
//!
//! Not here: why it ends (`core::progress`), and how the broker is told (`amqp::settle`).

use std::sync::Arc;
use std::time::Duration;

use super::dispatcher::Dispatcher;
use super::hand::Slot;
use super::tell::{Report, SettledAs};
use crate::clock::epoch_ms;
use crate::core::delay_queue::DelayQueue;
use crate::core::delayed_state::DelayedState;
use crate::core::event::Key;
use crate::core::gate::Moment;
use crate::core::lookup::Lookup;
use crate::core::process::Procedure;
use crate::core::progress::Progress;
use crate::core::reason::Fault;
use crate::core::recent::Known;
use crate::core::settlement::{DeadLetter, Settlement};
use crate::handover::receipt::Receipt;

/// How an event ends here.
pub(super) enum Ending {
    /// The API created it, with this id if it told one.
    Created(Option<String>),
    /// It is a copy of one that was created before.
    AlreadyCreated(Option<String>),
    /// A rule says to skip it.
    Skipped,
    /// It can never be a process.
    Dead(Fault),
    /// A lookup found that it is a process, with this id if the API told it.
    Found(Option<String>),
    /// It waits in a delay queue.
    Delayed(DelayQueue, Box<DelayedState>),
    /// It goes back to the broker.
    Released,
}

/// What goes with an event from its receipt to its end.
pub(super) struct EventContext {
    pub(super) receipt: Receipt,
    pub(super) key: Option<Key>,
    pub(super) rule: Option<Arc<str>>,
    pub(super) procedure: Option<Procedure>,
    pub(super) delayed_state: DelayedState,
    received: Moment,
}

impl EventContext {
    pub(super) fn new(receipt: Receipt, key: Option<Key>, delayed_state: DelayedState, received: Moment) -> Self {
        let first_seen_ms = if delayed_state.first_seen_ms == 0 { epoch_ms() } else { delayed_state.first_seen_ms };
        let delayed_state = DelayedState { first_seen_ms, ..delayed_state };
        Self { receipt, key, rule: None, procedure: None, delayed_state, received }
    }

    /// How long it has been unacknowledged.
    pub(super) fn held(&self, now: Moment) -> Duration {
        now.saturating_sub(self.received)
    }

    pub(super) fn for_procedure(self, procedure: &Procedure) -> Self {
        Self { procedure: Some(procedure.clone()), ..self }
    }

    /// With the place where its event is looked up.
    fn sent(self, sent: Option<Lookup>) -> Self {
        Self { delayed_state: DelayedState { sent, ..self.delayed_state }, ..self }
    }

    /// The key as text; empty where the event could not be decoded.
    pub(super) fn key(&self) -> &str {
        self.key.as_ref().map_or("", |key| key.text.as_str())
    }

    /// The rule's name; empty where none matched.
    pub(super) fn rule(&self) -> &str {
        self.rule.as_deref().unwrap_or_default()
    }

    fn dead_letter(&self, fault: Fault, progress: &Progress) -> Box<DeadLetter> {
        Box::new(DeadLetter {
            fault,
            status: progress.status,
            attempts: progress.attempts,
            first_seen_ms: self.delayed_state.first_seen_ms,
            last_seen_ms: epoch_ms(),
            rule: self.rule.as_deref().map(str::to_owned),
            procedure: self.procedure.as_ref().map(ToString::to_string),
            key: self.key.as_ref().map(ToString::to_string),
            origin: Some((self.delayed_state.exchange.clone(), self.delayed_state.routing_key.clone())),
        })
    }
}

impl Ending {
    fn result(&self) -> SettledAs {
        match self {
            Self::Created(_) => SettledAs::Created,
            Self::Found(_) => SettledAs::Found,
            Self::Delayed(..) => SettledAs::Delayed,
            Self::AlreadyCreated(_) => SettledAs::AlreadyCreated,
            Self::Skipped => SettledAs::Skipped,
            Self::Dead(_) => SettledAs::DeadLetter,
            Self::Released => SettledAs::Released,
        }
    }

    fn process(&self) -> Option<&str> {
        match self {
            Self::Created(process) | Self::Found(process) | Self::AlreadyCreated(process) => process.as_deref(),
            _ => None,
        }
    }

    /// What a copy of the event, if the broker delivers one again, is to be told by.
    fn known(&self, progress: &Progress, sent: Option<&Lookup>) -> Option<Known> {
        match self {
            Self::Created(process) | Self::Found(process) => Some(Known::Created(process.clone())),
            Self::Dead(fault) => Some(Known::Dead(fault.clone(), Box::new(progress.clone()))),
            Self::Delayed(..) | Self::Released => {
                Some(Known::Underway(Box::new(progress.clone()), sent.cloned().map(Box::new)))
            }
            Self::AlreadyCreated(_) | Self::Skipped => None,
        }
    }

    fn settlement(&self, context: &EventContext, progress: &Progress) -> Settlement {
        match self {
            Self::Created(_) | Self::Found(_) | Self::AlreadyCreated(_) | Self::Skipped => Settlement::Ack,
            Self::Dead(fault) => Settlement::DeadLetter(context.dead_letter(fault.clone(), progress)),
            Self::Delayed(delay_queue, delayed_state) => Settlement::Delay(*delay_queue, delayed_state.clone()),
            Self::Released => Settlement::Release,
        }
    }
}

impl Dispatcher {
    /// Takes an event out of hand and settles it.
    pub(super) fn end(&mut self, slot: Slot, ending: Ending) {
        if let Some(event) = self.hand.take(slot) {
            let sent = event.lookup.as_deref().cloned();
            let context = event.context.sent(sent);
            self.settle(context, ending, &event.progress);
        }
    }

    /// Settles: the only place where a receipt is answered.
    pub(super) fn settle(&mut self, context: EventContext, ending: Ending, progress: &Progress) {
        if let (Some(key), Some(known)) = (&context.key, ending.known(progress, context.delayed_state.sent.as_ref())) {
            self.recent.remember(key, known);
        }
        let settlement = ending.settlement(&context, progress);
        // On a dead connection nothing can be settled: the broker delivers the event again, and `recent` knows it.
        let result = if context.receipt.is_live() { ending.result() } else { SettledAs::Redelivery };
        self.reporter.result(&Report {
            result,
            context: &context,
            process: ending.process(),
            attempts: progress.attempts,
            took: context.held(self.clock.now()),
            settlement: &settlement,
        });
        context.receipt.settle(settlement);
    }

    /// The connection died: what no request is under way for is released; the rest ends with its request.
    pub(super) fn disconnected(&mut self) {
        for slot in self.hand.idle() {
            if self.hand.get(slot).is_some_and(|event| !event.context.receipt.is_live()) {
                self.end(slot, Ending::Released);
            }
        }
    }
}
