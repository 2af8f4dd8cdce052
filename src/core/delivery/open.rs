//! Opening a message: what it brought, decode, recall, map. What it is worth, before anything is sent.
//!
//! Not here: the gate, sending, settling. A panic in here is the event's fault and harms no other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::core::dead_letter::{DeadLetter, Verdict};
use crate::core::decode::{Limits, decode};
use crate::core::delayed_state::{DelayedState, Unreadable};
use crate::core::event::{Event, Key};
use crate::core::gate::Moment;
use crate::core::lookup::Lookup;
use crate::core::mapping::rules::{Mapped, Rules, map};
use crate::core::message::Message;
use crate::core::process::CreateProcess;
use crate::core::progress::Progress;
use crate::core::reason::{Fault, Reason};
use crate::core::recent::{Known, Recent};

/// What a message turned out to be.
pub(super) struct Opened {
    /// Its key, if it could be decoded.
    pub(super) key: Option<Key>,
    /// What it brought through a delay queue, or what it will take into one.
    pub(super) delayed_state: DelayedState,
    pub(super) what: What,
}

/// What is to be done with it.
pub(super) enum What {
    /// It asks for a process.
    Create { rule: Arc<str>, request: Arc<CreateProcess>, lookup: Option<Arc<Lookup>>, progress: Progress },
    /// A rule says to skip it.
    Skip { rule: Arc<str> },
    /// It is a copy of an event that this process created already.
    AlreadyCreated { process: Option<String> },
    /// It can never be a process.
    Dead { rule: Option<Arc<str>>, fault: Fault, progress: Progress },
    /// Its verdict stands, and the API is not asked again: it is a dead letter, or the letter is kept already, since then.
    Verdict { letter: Box<DeadLetter>, progress: Box<Progress>, kept: Option<Moment> },
    /// Its handling crashed, here or with the whole process.
    Crashed,
    /// A newer daemon delayed it: it waits for one.
    Newer,
}

/// Opens a message. Only a redelivered one is looked for in `recent`: two messages published under one key
/// are two messages, and the broker says which came back.
pub(super) fn open(message: &mut Message, can_delay: bool, limits: &Limits, rules: &Rules, recent: &Recent) -> Opened {
    let delayed_state = match brought(message) {
        Ok(delayed_state) => delayed_state,
        Err(Unreadable::Newer(_)) => {
            let delayed_state = DelayedState::verbatim(message.delayed_state.clone().unwrap_or_default());
            return Opened { key: None, delayed_state, what: What::Newer };
        }
        Err(Unreadable::Broken) => {
            return Opened { key: None, delayed_state: first(message), what: dead(Unreadable::fault()) };
        }
    };
    if let Some(verdict) = delayed_state.verdict.clone() {
        return judged_before(message, *verdict, delayed_state, limits, recent);
    }
    if Progress::is_suspect(message.deliveries, can_delay) {
        return Opened { key: None, delayed_state, what: What::Crashed };
    }
    let read = catch_unwind(AssertUnwindSafe(|| read(message, &delayed_state, limits, rules, recent)));
    let (key, what) = read.unwrap_or((None, What::Crashed));
    Opened { key, delayed_state, what }
}

/// It brought its verdict. What it may have crashed is not tried again.
fn judged_before(
    message: &Message,
    verdict: Verdict,
    delayed_state: DelayedState,
    limits: &Limits,
    recent: &Recent,
) -> Opened {
    let decoded = || catch_unwind(AssertUnwindSafe(|| decode(message, limits).ok())).ok().flatten();
    let key = if verdict.reason == Reason::Crashing { None } else { decoded().map(|event| event.key) };
    let origin = (delayed_state.exchange.clone(), delayed_state.routing_key.clone());
    let mut letter = verdict.letter(delayed_state.first_seen_ms, origin);
    letter.key = letter.key.or_else(|| key.as_ref().map(ToString::to_string));
    let known = key.as_ref().and_then(|key| recent.recall(key, &message.body)).filter(|_| message.redelivered);
    let kept = if let Some(Known::Dead { kept, .. }) = known { *kept } else { None };
    let what = What::Verdict { letter: Box::new(letter), progress: Box::default(), kept };
    Opened { key, delayed_state, what }
}

/// What it brought, from a delay queue or as a dead letter that was put back; and the exchange and routing key it was first published with, which rules match on.
fn brought(message: &mut Message) -> Result<DelayedState, Unreadable> {
    let delayed_state = match (&message.delayed_state, &message.put_back) {
        (Some(text), _) => DelayedState::decode(text)?,
        (None, Some(letter)) => letter.state(&message.exchange, &message.routing_key),
        (None, None) => return Ok(first(message)),
    };
    message.exchange.clone_from(&delayed_state.exchange);
    message.routing_key.clone_from(&delayed_state.routing_key);
    Ok(delayed_state)
}

fn first(message: &Message) -> DelayedState {
    let (exchange, routing_key) = (message.exchange.clone(), message.routing_key.clone());
    DelayedState { exchange, routing_key, ..DelayedState::default() }
}

fn dead(fault: Fault) -> What {
    What::Dead { rule: None, fault, progress: Progress::default() }
}

/// The rules of now have no process for it; what became of an earlier create under others is said.
fn lost(fault: Fault, progress: Progress) -> What {
    What::Dead { rule: None, fault: progress.confessed(fault), progress }
}

fn read(
    message: &Message,
    delayed_state: &DelayedState,
    limits: &Limits,
    rules: &Rules,
    recent: &Recent,
) -> (Option<Key>, What) {
    let event = match decode(message, limits) {
        Ok(event) => event,
        Err(fault) => return (None, lost(fault, delayed_state.progress.clone())),
    };
    let has_travelled = message.delayed_state.is_some() || message.put_back.is_some();
    let travelled = has_travelled.then(|| delayed_state.progress.clone());
    // Somebody retries it: that it died before says nothing of it.
    let counts = |known: &&Known| message.put_back.is_none() || !matches!(known, Known::Dead { .. });
    let known = recent.recall(&event.key, &message.body).filter(|_| message.redelivered).filter(counts);
    let what = match known {
        Some(Known::Created(process)) => What::AlreadyCreated { process: process.clone() },
        Some(Known::Dead { letter, progress, kept }) => {
            What::Verdict { letter: letter.clone(), progress: progress.clone(), kept: *kept }
        }
        Some(Known::Underway(progress, sent)) => {
            // Another replica may have gone on from where this one stood, or this one from where the header was written.
            let progress = travelled.unwrap_or_default().joined(progress);
            mapped(&event, rules, limits, Some(progress), true, sent.as_deref().or(delayed_state.sent.as_ref()))
        }
        None => mapped(&event, rules, limits, travelled, message.redelivered, delayed_state.sent.as_ref()),
    };
    (Some(event.key), what)
}

/// `sent` says where it was sent before.
fn mapped(
    event: &Event,
    rules: &Rules,
    limits: &Limits,
    progress: Option<Progress>,
    redelivered: bool,
    sent: Option<&Lookup>,
) -> What {
    match map(event, rules, limits.bounds) {
        Ok(Mapped::Create { rule, request, .. }) => {
            // Where it was sent, whatever the rules say by now.
            let lookup = sent.or(request.lookup.as_ref()).cloned().map(Arc::new);
            let progress = Progress::opened(progress, redelivered, lookup.is_some());
            What::Create { rule, request: Arc::new(request), lookup, progress }
        }
        Ok(Mapped::Skip { rule }) => What::Skip { rule },
        Err(unmapped) => {
            let progress = progress.unwrap_or_default();
            What::Dead { rule: unmapped.rule, fault: progress.confessed(unmapped.fault), progress }
        }
    }
}
