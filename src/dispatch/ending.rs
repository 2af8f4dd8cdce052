//! The end of an event in the corridor: the one place that settles.
//!
//! Not here: why it ends (`core::progress`), and how the broker is told (`amqp::settle`).

use std::sync::Arc;
use std::time::Duration;

use super::dispatch::Dispatcher;
use super::hand::Slot;
use super::tell::{Fate, Told};
use crate::clock::epoch_ms;
use crate::core::delay_queue::Rung;
use crate::core::delayed_state::Travel;
use crate::core::event::Key;
use crate::core::gate::Moment;
use crate::core::lookup::Look;
use crate::core::process::Procedure;
use crate::core::progress::Journey;
use crate::core::reason::Fault;
use crate::core::recent::Known;
use crate::core::settlement::{Letter, Settlement};
use crate::handover::receipt::Receipt;

/// How an event ends here.
pub(super) enum Ending {
    /// The API created it, with this id if it told one.
    Created(Option<String>),
    /// It is a copy of one that was created before.
    Recognised(Option<String>),
    /// A rule says to skip it.
    Skipped,
    /// It can never be a process.
    Dead(Fault),
    /// A look found that it is a process, with this id if the API told it.
    Found(Option<String>),
    /// It waits in a wait queue.
    Parked(Rung, Box<Travel>),
    /// It goes back to the broker.
    Released,
}

/// What goes with an event from its receipt to its end.
pub(super) struct Papers {
    pub(super) receipt: Receipt,
    pub(super) key: Option<Key>,
    pub(super) rule: Option<Arc<str>>,
    pub(super) procedure: Option<Procedure>,
    pub(super) travel: Travel,
    received: Moment,
}

impl Papers {
    pub(super) fn new(receipt: Receipt, key: Option<Key>, travel: Travel, received: Moment) -> Self {
        let first_seen_ms = if travel.first_seen_ms == 0 { epoch_ms() } else { travel.first_seen_ms };
        let travel = Travel { first_seen_ms, ..travel };
        Self { receipt, key, rule: None, procedure: None, travel, received }
    }

    /// How long it has been in hand.
    pub(super) fn held(&self, now: Moment) -> Duration {
        now.saturating_sub(self.received)
    }

    pub(super) fn for_procedure(self, procedure: &Procedure) -> Self {
        Self { procedure: Some(procedure.clone()), ..self }
    }

    /// With the place where its event is looked for.
    fn sent(self, sent: Option<Look>) -> Self {
        Self { travel: Travel { sent, ..self.travel }, ..self }
    }

    /// The key as text; empty where the event could not be decoded.
    pub(super) fn key(&self) -> &str {
        self.key.as_ref().map_or("", |key| key.text.as_str())
    }

    /// The rule's name; empty where none matched.
    pub(super) fn rule(&self) -> &str {
        self.rule.as_deref().unwrap_or_default()
    }

    fn letter(&self, fault: Fault, journey: &Journey) -> Box<Letter> {
        Box::new(Letter {
            fault,
            status: journey.status,
            attempts: journey.attempts,
            first_seen_ms: self.travel.first_seen_ms,
            last_seen_ms: epoch_ms(),
            rule: self.rule.as_deref().map(str::to_owned),
            procedure: self.procedure.as_ref().map(ToString::to_string),
            key: self.key.as_ref().map(ToString::to_string),
            origin: Some((self.travel.exchange.clone(), self.travel.routing_key.clone())),
        })
    }
}

impl Ending {
    fn fate(&self) -> Fate {
        match self {
            Self::Created(_) => Fate::Created,
            Self::Found(_) => Fate::Found,
            Self::Parked(..) => Fate::Parked,
            Self::Recognised(_) => Fate::Recognised,
            Self::Skipped => Fate::Skipped,
            Self::Dead(_) => Fate::DeadLetter,
            Self::Released => Fate::Released,
        }
    }

    fn process(&self) -> Option<&str> {
        match self {
            Self::Created(process) | Self::Found(process) | Self::Recognised(process) => process.as_deref(),
            _ => None,
        }
    }

    /// What a copy of the event, if the broker delivers one again, is to be told by.
    fn known(&self, journey: &Journey, sent: Option<&Look>) -> Option<Known> {
        match self {
            Self::Created(process) | Self::Found(process) => Some(Known::Created(process.clone())),
            Self::Dead(fault) => Some(Known::Dead(fault.clone(), Box::new(journey.clone()))),
            Self::Parked(..) | Self::Released => {
                Some(Known::Underway(Box::new(journey.clone()), sent.cloned().map(Box::new)))
            }
            Self::Recognised(_) | Self::Skipped => None,
        }
    }

    fn settlement(&self, papers: &Papers, journey: &Journey) -> Settlement {
        match self {
            Self::Created(_) | Self::Found(_) | Self::Recognised(_) | Self::Skipped => Settlement::Ack,
            Self::Dead(fault) => Settlement::DeadLetter(papers.letter(fault.clone(), journey)),
            Self::Parked(rung, travel) => Settlement::Park(*rung, travel.clone()),
            Self::Released => Settlement::Release,
        }
    }
}

impl Dispatcher {
    /// Takes an event out of hand and settles it.
    pub(super) fn end(&mut self, slot: Slot, ending: Ending) {
        if let Some(event) = self.hand.take(slot) {
            let sent = event.look.as_deref().cloned();
            let papers = event.papers.sent(sent);
            self.settle(papers, ending, &event.journey);
        }
    }

    /// Settles: the only place where a receipt is answered.
    pub(super) fn settle(&mut self, papers: Papers, ending: Ending, journey: &Journey) {
        if let (Some(key), Some(known)) = (&papers.key, ending.known(journey, papers.travel.sent.as_ref())) {
            self.recent.remember(key, known);
        }
        let settlement = ending.settlement(&papers, journey);
        // On a dead connection nothing can be settled: the broker delivers the event again, and `recent` knows it.
        let fate = if papers.receipt.is_live() { ending.fate() } else { Fate::Redelivery };
        self.teller.fate(&Told {
            fate,
            papers: &papers,
            process: ending.process(),
            attempts: journey.attempts,
            took: papers.held(self.clock.now()),
            settlement: &settlement,
        });
        papers.receipt.settle(settlement);
    }

    /// The connection died: what no request is under way for is let go; the rest ends with its request.
    pub(super) fn disconnected(&mut self) {
        for slot in self.hand.idle() {
            if self.hand.get(slot).is_some_and(|event| !event.papers.receipt.is_live()) {
                self.end(slot, Ending::Released);
            }
        }
    }
}
