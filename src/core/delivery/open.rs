//! Opening a message: what it brought, decode, recall, map. What it is worth, before anything is sent.
//!
//! Not here: the gate, sending, settling. A panic in here is the event's fault and harms no other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::core::dead_letter::{DeadLetter, Verdict};
use crate::core::decode::{Limits, decode};
use crate::core::delayed_state::{DelayedState, Unreadable};
use crate::core::event::{Event, Identity, Key};
use crate::core::gate::Moment;
use crate::core::lookup::Lookup;
use crate::core::mapping::rules::{Mapped, Rules, map};
use crate::core::message::Message;
use crate::core::outcome::{EventOutcome, is_outcome};
use crate::core::process::CreateProcess;
use crate::core::process_id::ProcessId;
use crate::core::progress::{CREATES_MAX, Next, Progress};
use crate::core::reason::{Fault, Reason};
use crate::core::recent::{Dead, Known, Recent, Slot};
use crate::core::trace_context::TraceContext;

/// What a message turned out to be.
pub(super) struct Opened {
    /// Its key, if it could be decoded.
    pub(super) key: Option<Key>,
    /// What it is known by, if its key identifies it.
    pub(super) identity: Option<Identity>,
    /// What it brought through a delay queue, or what it will take into one.
    pub(super) delayed_state: DelayedState,
    /// Whether it is an outcome that was told.
    pub(super) is_outcome: bool,
    /// The trace that it says it belongs to.
    pub(super) trace: Option<TraceContext>,
    pub(super) what: What,
}

/// What is to be done with it.
pub(super) enum What {
    /// It asks for a process.
    Create { rule: Arc<str>, request: Arc<CreateProcess>, lookup: Option<Arc<Lookup>>, progress: Progress },
    /// A rule says to skip it.
    Skip { rule: Arc<str> },
    /// This process created it already, by this rule: it is a copy, or the producer repeats itself.
    AlreadyCreated { process: Option<String>, rule: Option<Arc<str>> },
    /// It can never be a process.
    Dead { rule: Option<Arc<str>>, fault: Fault, progress: Progress },
    /// Its verdict stands, and the API is not asked again: it is a dead letter, or the letter is kept already, since then.
    Verdict { letter: Box<DeadLetter>, progress: Box<Progress>, kept: Option<Moment> },
    /// It has ended, and its producer is to be told this.
    Tell { outcome: Box<EventOutcome> },
    /// Its handling crashed, here or with the whole process.
    Crashed,
    /// A newer daemon delayed it: it waits for one.
    Newer,
}

impl What {
    /// The rule that matched, if one did.
    pub(super) fn rule(&self) -> Option<&Arc<str>> {
        match self {
            Self::Create { rule, .. } | Self::Skip { rule } => Some(rule),
            Self::AlreadyCreated { rule, .. } | Self::Dead { rule, .. } => rule.as_ref(),
            Self::Verdict { .. } | Self::Tell { .. } | Self::Crashed | Self::Newer => None,
        }
    }
}

/// Opens a message.
pub(super) fn open(message: &mut Message, can_delay: bool, limits: &Limits, rules: &Rules, recent: &Recent) -> Opened {
    let delayed_state = match brought(message) {
        Ok(delayed_state) => delayed_state,
        Err(Unreadable::Newer(_)) => {
            let delayed_state = DelayedState::verbatim(message.delayed_state.clone().unwrap_or_default());
            return unread(message, delayed_state, What::Newer);
        }
        Err(Unreadable::Broken) => {
            return unread(message, first(message), dead(Unreadable::fault()));
        }
    };
    if let Some(outcome) = delayed_state.outcome.clone() {
        return ended_before(message, outcome, delayed_state, limits);
    }
    if let Some(verdict) = delayed_state.verdict.clone() {
        return judged_before(message, *verdict, delayed_state, limits, recent);
    }
    if Progress::is_suspect(message.deliveries, can_delay) {
        return unread(message, delayed_state, What::Crashed);
    }
    let read = catch_unwind(AssertUnwindSafe(|| read(message, &delayed_state, limits, rules, recent)));
    let (known_by, what) = read.unwrap_or((None, What::Crashed));
    let Some(KnownBy { key, identity, is_outcome, trace }) = known_by else {
        return Opened { is_outcome: says_outcome(message), ..unread(message, delayed_state, what) };
    };
    Opened { key: Some(key), identity, delayed_state, is_outcome, trace, what }
}

/// Whether what cannot be decoded says that it is an outcome.
fn says_outcome(message: &Message) -> bool {
    let headers = message.headers.open();
    let is_type = |name: &str| ["cloudEvents:type", "cloudEvents_type"].contains(&name);
    let mut types = headers.iter().filter(|(name, _)| is_type(name)).filter_map(|(_, kind)| kind.as_str());
    message.kind.as_deref().is_some_and(is_outcome) || types.any(is_outcome)
}

fn unread(message: &Message, delayed_state: DelayedState, what: What) -> Opened {
    Opened { key: None, identity: None, delayed_state, is_outcome: false, trace: trace_of(message), what }
}

/// What the headers of a message say of its trace.
fn trace_of(message: &Message) -> Option<TraceContext> {
    TraceContext::of_headers(&message.headers.open())
}

/// It brought its verdict. What it may have crashed is not tried again.
fn judged_before(
    message: &Message,
    verdict: Verdict,
    delayed_state: DelayedState,
    limits: &Limits,
    recent: &Recent,
) -> Opened {
    let event = if verdict.reason == Reason::Crashing { None } else { decoded(message, limits) };
    let is_outcome = event.as_ref().map_or_else(|| says_outcome(message), |event| is_outcome(&event.kind));
    let key = event.map(|event| event.key);
    let origin = (delayed_state.exchange.clone(), delayed_state.routing_key.clone());
    let mut letter = verdict.letter(delayed_state.first_seen_ms, origin);
    letter.sent = delayed_state.sent.clone().filter(|_| letter.may_exist);
    letter.key = letter.key.or_else(|| key.as_ref().map(ToString::to_string));
    let identity = key.as_ref().and_then(|key| Identity::of(key, &message.body));
    let known = identity.and_then(|identity| recent.recall(identity)).filter(|_| message.redelivered);
    let kept = if let Some(Known::Dead(dead)) = known.map(|slot| &slot.known) { dead.kept } else { None };
    // What may be a process stays in doubt for whoever publishes it again.
    let progress = if letter.may_exist { Progress::doubtful(letter.last_seen_ms) } else { Progress::default() };
    let what = What::Verdict { letter: Box::new(letter), progress: Box::new(progress), kept };
    Opened { key, identity, delayed_state, is_outcome, trace: trace_of(message), what }
}

/// It ended before, and comes back for its outcome alone.
fn ended_before(message: &Message, outcome: Box<EventOutcome>, delayed_state: DelayedState, limits: &Limits) -> Opened {
    let key = decoded(message, limits).map(|event| event.key);
    let identity = key.as_ref().and_then(|key| Identity::of(key, &message.body));
    let (trace, what) = (trace_of(message), What::Tell { outcome });
    Opened { key, identity, delayed_state, is_outcome: false, trace, what }
}

fn decoded(message: &Message, limits: &Limits) -> Option<Event> {
    catch_unwind(AssertUnwindSafe(|| decode(message, limits).ok())).ok().flatten()
}

/// What it brought, from a delay queue or as a dead letter that was put back; and the exchange and routing key it was first published
/// with, which rules match on.
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

/// An event's key, what it is known by, whether it is an outcome that was told, and its trace.
struct KnownBy {
    key: Key,
    identity: Option<Identity>,
    is_outcome: bool,
    trace: Option<TraceContext>,
}

fn read(
    message: &Message,
    delayed_state: &DelayedState,
    limits: &Limits,
    rules: &Rules,
    recent: &Recent,
) -> (Option<KnownBy>, What) {
    let event = match decode(message, limits) {
        Ok(event) => event,
        Err(fault) => return (None, lost(fault, delayed_state.progress.clone())),
    };
    let identity = Identity::of(&event.key, &message.body);
    let known = identity.and_then(|identity| recent.recall(identity));
    let what = known.and_then(|slot| ended(message, delayed_state, slot)).unwrap_or_else(|| {
        let (progress, sent) = stands(message, delayed_state, known);
        mapped(&event, rules, limits, progress, message.redelivered, sent)
    });
    let (is_outcome, trace) = (is_outcome(&event.kind), event.trace());
    (Some(KnownBy { key: event.key, identity, is_outcome, trace }), what)
}

/// What is known of an event, whatever rule maps it now: that it is a process, or that it is a dead letter. Somebody who puts a
/// dead letter back asks for it again, also where another replica delayed that since: what was known before says nothing of it.
fn ended(message: &Message, delayed_state: &DelayedState, slot: &Slot) -> Option<What> {
    let has_returned = message.redelivered || message.delayed_state.is_some();
    let is_retry = message.put_back.is_some();
    match &slot.known {
        Known::Created(process) if has_returned || !is_retry => {
            Some(What::AlreadyCreated { process: process.as_ref().map(ProcessId::text), rule: slot.rule.clone() })
        }
        Known::Dead(dead)
            if !is_retry
                && dead.letter.retries >= delayed_state.retries
                && (message.redelivered || (has_returned && has_spent_its_creates(dead))) =>
        {
            let (letter, progress) = (Box::new(dead.of_another()), Box::new(dead.progress.clone()));
            Some(What::Verdict { letter, progress, kept: dead.kept })
        }
        _ => None,
    }
}

/// Whether a message of this dead letter's event spent the creates that the event may have: it is sent for no other one.
fn has_spent_its_creates(dead: &Dead) -> bool {
    dead.letter.fault.reason == Reason::Unknown || dead.progress.unsure_creates >= CREATES_MAX
}

/// Where an event stands that goes on, and where it was sent before.
fn stands<'s>(
    message: &Message,
    delayed_state: &'s DelayedState,
    known: Option<&'s Slot>,
) -> (Option<Progress>, Option<&'s Lookup>) {
    let has_travelled = message.delayed_state.is_some() || message.put_back.is_some();
    let travelled = has_travelled.then(|| delayed_state.progress.clone());
    let sent = delayed_state.sent.as_ref();
    // What came out of a delay queue and was not sent for since by another message of its event stands where its header says: what
    // is remembered of it has not waited with it.
    let is_news = |other: &Progress| {
        message.delayed_state.is_none() || message.redelivered || delayed_state.progress.lacks(other)
    };
    match known.map(|slot| &slot.known) {
        // Another replica may have gone on from where this one stood, or this one from where the header was written; or a producer
        // repeats what is on its way.
        Some(Known::Underway(progress, last)) if is_news(progress) => {
            (Some(travelled.unwrap_or_default().joined(progress)), last.as_deref().or(sent))
        }
        Some(Known::Dead(dead)) if message.delayed_state.is_some() && is_news(&dead.progress) => {
            (Some(travelled.unwrap_or_default().joined(&dead.progress)), dead.sent.as_deref().or(sent))
        }
        _ if message.delayed_state.is_some() => (travelled, sent),
        Some(Known::Underway(..)) | None => (travelled, sent),
        // It is published anew, or put back.
        Some(Known::Dead(dead)) => {
            let retried = dead.progress.retried();
            let is_doubtful = retried.unsure_creates > 0;
            let travelled = travelled.or_else(|| is_doubtful.then(Progress::default));
            let last = dead.sent.as_deref().filter(|_| is_doubtful);
            (travelled.map(|travelled| travelled.joined(&retried)), last.or(sent))
        }
        // Put back, and a process meanwhile: a second one is announced.
        Some(Known::Created(_)) => (travelled.map(|travelled| travelled.joined(&Progress::doubtful(0))), sent),
    }
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
            let looks = lookup.is_some() && rules.named(&rule).is_some_and(|rule| rule.looks_first(event.key.origin));
            let mut progress = Progress::opened(progress, redelivered, lookup.is_some());
            if looks {
                progress.next = Next::Lookup;
            }
            What::Create { rule, request: Arc::new(request), lookup, progress }
        }
        Ok(Mapped::Skip { rule }) => What::Skip { rule },
        Err(unmapped) => {
            let progress = progress.unwrap_or_default();
            What::Dead { rule: unmapped.rule, fault: progress.confessed(unmapped.fault), progress }
        }
    }
}
