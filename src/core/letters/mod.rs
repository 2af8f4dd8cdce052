//! A dead letter as a person meets it: who made it, why, of which event it is, and whether that may be a process.
//!
//! Not here: the headers it is read from (`amqp`), and what is done with it (`cli`).

pub mod cost;
pub mod filter;
pub mod groups;
pub mod plan;

#[cfg(test)]
pub(in crate::core) mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::core::decode::{Limits, decode};
use crate::core::delayed_state::{DelayedState, Unreadable};
use crate::core::event::{Event, Identity};
use crate::core::message::Message;
use crate::core::put_back::PutBack;
use crate::core::reason::{Fault, Reason};

/// The word for letters that somebody else put into the queue.
pub const FOREIGN: &str = "foreign";
/// What the words for letters that the broker made begin with; its own word follows.
pub const BROKER: &str = "broker:";

/// What the headers of a dead letter say beside its message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The rule that matched, if one did.
    pub rule: Option<String>,
    /// The procedure, if it was known.
    pub procedure: Option<String>,
    /// The key as the daemon wrote it.
    pub key: Option<String>,
    /// HTTP status of the last answer, if one came.
    pub status: Option<u16>,
    /// Creates that were answered or lost.
    pub attempts: u32,
    /// The exchange and the routing key that the event was first published with, as the daemon or an import wrote them.
    pub origin: Option<(String, String)>,
    /// What the broker noted each time that it dead-lettered the message, the newest first.
    pub deaths: Vec<Death>,
}

/// One note of the broker that it dead-lettered a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Death {
    /// Out of which queue.
    pub queue: String,
    /// Why, in its word: `delivery_limit`, `expired`, `maxlen` or `rejected`.
    pub cause: String,
    /// The exchange that the message was published to then.
    pub exchange: String,
    /// The routing key of that.
    pub routing_key: String,
    /// When, in epoch milliseconds.
    pub at_ms: u64,
}

/// Who made a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The daemon, for the reason with this word.
    Daemon(String),
    /// The broker, for this cause of its own. The daemon may have held the event.
    Broker(String),
    /// Somebody else.
    Foreign,
}

/// One dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Who made it.
    pub origin: Origin,
    /// Why, for a person; empty where nobody says.
    pub text: String,
    /// Whether its event may be a process: a create of it may have been applied, or nobody can say.
    pub may_exist: bool,
    /// The key of its event, if that can be read or the letter names it.
    pub key: Option<String>,
    /// What tells two letters of one event; none where its key does not identify it.
    pub identity: Option<Identity>,
    /// When it died, in epoch milliseconds; 0 where nobody says.
    pub died_ms: u64,
    /// When its event was first received, in epoch milliseconds; 0 where nobody says.
    pub first_seen_ms: u64,
    /// What else its headers say.
    pub told: Told,
}

impl Letter {
    /// The word that it is listed and filtered by: a reason of the daemon, `broker:` with the broker's word, or `foreign`.
    #[must_use]
    pub fn reason(&self) -> String {
        match &self.origin {
            Origin::Daemon(reason) => reason.clone(),
            Origin::Broker(cause) => format!("{BROKER}{cause}"),
            Origin::Foreign => FOREIGN.to_owned(),
        }
    }

    /// The rule that it names; empty where it names none.
    #[must_use]
    pub fn rule(&self) -> &str {
        self.told.rule.as_deref().unwrap_or_default()
    }
}

/// A dead letter with the event in it.
#[derive(Debug)]
pub struct Read {
    /// The letter.
    pub letter: Letter,
    /// Its message, with the exchange and the routing key that its event was first published with.
    pub message: Message,
    /// The event, or why there is none.
    pub event: Result<Event, Fault>,
}

/// Reads a message of the dead-letter queue of `work_queue`.
#[must_use]
pub fn read(message: Message, told: Told, work_queue: &str, limits: &Limits) -> Read {
    let origin = origin(message.put_back.as_ref(), &told, work_queue);
    let message = with_route(message, &told, work_queue);
    let event = catch_unwind(AssertUnwindSafe(|| decode(&message, limits)));
    let event = event.unwrap_or_else(|_| Err(Fault::new(Reason::Crashing, "it cannot be read: reading it crashes")));
    let identity = event.as_ref().ok().and_then(|event| Identity::of(&event.key, &message.body));
    let key = event.as_ref().ok().map(|event| event.key.text.clone()).or_else(|| told.key.clone());
    let back = message.put_back.as_ref();
    let of_daemon = back.filter(|_| matches!(origin, Origin::Daemon(_)));
    let died_ms = of_daemon.map_or_else(
        || last_death(&told, work_queue).map_or(message.made_ms, |death| death.at_ms),
        |back| back.last_seen_ms,
    );
    let letter = Letter {
        text: text(&origin, back, work_queue),
        // What the broker gave up may have been under way, and of what others put there nobody knows.
        may_exist: of_daemon.is_none_or(PutBack::is_doubtful),
        key,
        identity,
        died_ms,
        first_seen_ms: back.map_or(0, |back| back.first_seen_ms),
        origin,
        told,
    };
    Read { letter, message, event }
}

/// The broker's own note of the work queue, the newest one.
fn last_death<'t>(told: &'t Told, work_queue: &str) -> Option<&'t Death> {
    told.deaths.iter().find(|death| death.queue == work_queue).or_else(|| told.deaths.first())
}

/// A letter of ours that was retried and then given up by the broker has the broker's note after its own.
fn origin(back: Option<&PutBack>, told: &Told, work_queue: &str) -> Origin {
    let death = told.deaths.iter().find(|death| death.queue == work_queue);
    let ours = back.filter(|back| !back.reason.is_empty());
    match (ours, death) {
        // The broker writes whole seconds.
        (Some(back), Some(death)) if death.at_ms / 1000 >= back.last_seen_ms / 1000 => {
            Origin::Broker(death.cause.clone())
        }
        (Some(back), _) => Origin::Daemon(back.reason.clone()),
        (None, _) => last_death(told, work_queue).map_or(Origin::Foreign, |death| Origin::Broker(death.cause.clone())),
    }
}

fn text(origin: &Origin, back: Option<&PutBack>, work_queue: &str) -> String {
    match origin {
        Origin::Daemon(_) => back.map(|back| back.text.clone()).unwrap_or_default(),
        Origin::Broker(cause) => {
            let why = match cause.as_str() {
                "delivery_limit" => "it was given back more often than the queue's delivery limit allows",
                "expired" => "its time to live was over",
                "maxlen" => "the queue was longer than its limit allows",
                "rejected" => "a consumer rejected it",
                _ => "for a cause of its own",
            };
            format!("the broker took it out of `{work_queue}`: {why}")
        }
        Origin::Foreign => "neither the daemon nor the broker put it here".to_owned(),
    }
}

/// The route of the event: as its delayed state tells it, or the letter, or the broker's first note; else the one it came by.
fn with_route(message: Message, told: &Told, work_queue: &str) -> Message {
    let state = message.delayed_state.as_deref().and_then(|text| match DelayedState::decode(text) {
        Ok(state) => Some(state),
        Err(Unreadable::Newer(_)) => Some(DelayedState::verbatim(text.to_owned())),
        Err(Unreadable::Broken) => None,
    });
    let first = told.deaths.iter().rev().find(|death| death.queue == work_queue);
    let route = state.map(|state| (state.exchange, state.routing_key)).or_else(|| told.origin.clone());
    match route.or_else(|| first.map(|death| (death.exchange.clone(), death.routing_key.clone()))) {
        Some((exchange, routing_key)) => Message { exchange, routing_key, ..message },
        None => message,
    }
}
