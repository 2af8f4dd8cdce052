//! Opening a message: what it brought, decode, recall, map. What it is worth, before anything is sent.
//!
//! Not here: the gate, sending, settling. A panic in here is the event's fault and harms no other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::core::decode::{Limits, decode};
use crate::core::delayed_state::{Travel, Unreadable};
use crate::core::event::{Event, Key};
use crate::core::lookup::Look;
use crate::core::mapping::rules::{Mapped, Rules, map};
use crate::core::message::Message;
use crate::core::process::CreateProcess;
use crate::core::progress::Journey;
use crate::core::reason::Fault;
use crate::core::recent::{Known, Recent};

/// What a message turned out to be.
pub(super) struct Opened {
    /// Its key, if it could be decoded.
    pub(super) key: Option<Key>,
    /// What it brought through a wait queue, or what it will take into one.
    pub(super) travel: Travel,
    pub(super) what: What,
}

/// What is to be done with it.
pub(super) enum What {
    /// It asks for a process.
    Create { rule: Arc<str>, request: Arc<CreateProcess>, look: Option<Arc<Look>>, journey: Journey },
    /// A rule says to skip it.
    Skip { rule: Arc<str> },
    /// It is a copy of an event that this process created already.
    Recognised { process: Option<String> },
    /// It can never be a process.
    Dead { fault: Fault, journey: Journey },
    /// Its handling crashed, here or with the whole process.
    Crashed,
    /// A newer daemon parked it: it waits for one.
    Newer,
}

/// Opens a message. Only a redelivered one is looked for in `recent`: two messages published under one key
/// are two messages, and the broker says which came back.
pub(super) fn open(mut message: Message, can_park: bool, limits: &Limits, rules: &Rules, recent: &Recent) -> Opened {
    let travel = match brought(&mut message) {
        Ok(travel) => travel,
        Err(Unreadable::Newer(_)) => {
            let travel = Travel::verbatim(message.travel.unwrap_or_default());
            return Opened { key: None, travel, what: What::Newer };
        }
        Err(Unreadable::Broken) => {
            return Opened { key: None, travel: first(&message), what: dead(Unreadable::fault()) };
        }
    };
    if Journey::is_suspect(message.deliveries, can_park) {
        return Opened { key: None, travel, what: What::Crashed };
    }
    let read = catch_unwind(AssertUnwindSafe(|| read(&message, &travel, limits, rules, recent)));
    let (key, what) = read.unwrap_or((None, What::Crashed));
    Opened { key, travel, what }
}

/// What it brought; and the exchange and routing key it was first published with, which rules match on.
fn brought(message: &mut Message) -> Result<Travel, Unreadable> {
    let Some(text) = &message.travel else { return Ok(first(message)) };
    let travel = Travel::decode(text)?;
    message.exchange.clone_from(&travel.exchange);
    message.routing_key.clone_from(&travel.routing_key);
    Ok(travel)
}

fn first(message: &Message) -> Travel {
    let (exchange, routing_key) = (message.exchange.clone(), message.routing_key.clone());
    Travel { exchange, routing_key, ..Travel::default() }
}

fn dead(fault: Fault) -> What {
    What::Dead { fault, journey: Journey::default() }
}

/// The rules of now have no process for it; what became of an earlier create under others is said.
fn lost(fault: Fault, journey: Journey) -> What {
    What::Dead { fault: journey.confessed(fault), journey }
}

fn read(message: &Message, travel: &Travel, limits: &Limits, rules: &Rules, recent: &Recent) -> (Option<Key>, What) {
    let event = match decode(message, limits) {
        Ok(event) => event,
        Err(fault) => return (None, lost(fault, travel.journey.clone())),
    };
    let travelled = message.travel.is_some().then(|| travel.journey.clone());
    let what = match recent.recall(&event.key).filter(|_| message.redelivered) {
        Some(Known::Created(process)) => What::Recognised { process: process.clone() },
        Some(Known::Dead(fault, journey)) => What::Dead { fault: fault.clone(), journey: Journey::clone(journey) },
        Some(Known::Underway(journey, sent)) => {
            // Another replica may have gone on from where this one stood, or this one from where the header was written.
            let journey = travelled.unwrap_or_default().joined(journey);
            mapped(&event, rules, Some(journey), true, sent.as_deref().or(travel.sent.as_ref()))
        }
        None => mapped(&event, rules, travelled, message.redelivered, travel.sent.as_ref()),
    };
    (Some(event.key), what)
}

/// `sent` says where it was sent before.
fn mapped(event: &Event, rules: &Rules, journey: Option<Journey>, redelivered: bool, sent: Option<&Look>) -> What {
    match map(event, rules) {
        Ok(Mapped::Create { rule, request }) => {
            // Where it was sent, whatever the rules say by now.
            let look = sent.or(request.look.as_ref()).cloned().map(Arc::new);
            let journey = Journey::opened(journey, redelivered, look.is_some());
            What::Create { rule, request: Arc::new(request), look, journey }
        }
        Ok(Mapped::Skip { rule }) => What::Skip { rule },
        Err(fault) => lost(fault, journey.unwrap_or_default()),
    }
}
