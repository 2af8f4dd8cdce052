//! Opening a message: decode, recall, map. What it is worth, before anything is sent.
//!
//! Not here: the gate, sending, settling. A panic in here is the event's fault and harms no other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::core::decode::{Limits, decode};
use crate::core::event::Key;
use crate::core::journey::Journey;
use crate::core::mapping::rules::{Mapped, Rules, map};
use crate::core::message::Message;
use crate::core::process::CreateProcess;
use crate::core::recent::{Known, Recent};
use crate::core::words::{Fault, Reason};

/// What a message turned out to be.
pub(super) struct Opened {
    /// Its key, if it could be decoded.
    pub(super) key: Option<Key>,
    pub(super) what: What,
}

/// What is to be done with it.
pub(super) enum What {
    /// It asks for a process.
    Create {
        rule: Arc<str>,
        request: Arc<CreateProcess>,
        /// Where an earlier copy of it got to in this process.
        journey: Option<Journey>,
    },
    /// A rule says to skip it.
    Skip { rule: Arc<str> },
    /// It is a copy of an event that this process created already.
    Recognised { process: Option<String> },
    /// It can never be a process.
    Dead { fault: Fault, journey: Journey },
}

/// Opens a message. Only a redelivered one is looked for in `recent`: two messages published under one key
/// are two messages, and the broker says which came back.
pub(super) fn open(message: &Message, limits: &Limits, rules: &Rules, recent: &Recent) -> Opened {
    let opened = catch_unwind(AssertUnwindSafe(|| read(message, limits, rules, recent)));
    opened.unwrap_or_else(|_| {
        let fault = Fault::new(Reason::Crashing, "decoding or mapping it panicked; please report it with this event");
        Opened { key: None, what: dead(fault) }
    })
}

fn dead(fault: Fault) -> What {
    What::Dead { fault, journey: Journey::default() }
}

fn read(message: &Message, limits: &Limits, rules: &Rules, recent: &Recent) -> Opened {
    let event = match decode(message, limits) {
        Ok(event) => event,
        Err(fault) => return Opened { key: None, what: dead(fault) },
    };
    let known = recent.recall(&event.key).filter(|_| message.redelivered);
    let what = match known {
        Some(Known::Created(process)) => What::Recognised { process: process.clone() },
        Some(Known::Dead(fault, journey)) => What::Dead { fault: fault.clone(), journey: journey.clone() },
        Some(Known::Underway(journey)) => mapped(map(&event, rules), Some(journey.clone())),
        None => mapped(map(&event, rules), None),
    };
    Opened { key: Some(event.key), what }
}

fn mapped(mapped: Result<Mapped, Fault>, journey: Option<Journey>) -> What {
    match mapped {
        Ok(Mapped::Create { rule, request }) => What::Create { rule, request: Arc::new(request), journey },
        Ok(Mapped::Skip { rule }) => What::Skip { rule },
        Err(fault) => dead(fault),
    }
}
