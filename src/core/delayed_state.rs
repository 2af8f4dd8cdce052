//! The state that an event carries through a delay queue: one versioned header of ours, as text.
//!
//! Not here: AMQP, and where an event goes (`progress`, `delay_queue`).

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::dead_letter::Verdict;
use crate::core::lookup::Lookup;
use crate::core::outcome::{EventOutcome, is_nought};
use crate::core::progress::Progress;
use crate::core::reason::{Fault, Reason};

/// The version written; what is older can be read, what is newer is held until a newer daemon reads it.
pub const VERSION: u32 = 1;

/// The version written with a verdict or an outcome. A daemon that knows none must not ask the API again: to it this is newer, and
/// it passes it on as it came.
pub const VERSION_OF_VERDICTS: u32 = 2;

/// The version written where photos of the event are up, or it goes without some: to a daemon that knows none this is newer.
pub const VERSION_OF_PHOTOS: u32 = 3;

/// The text longer than which no header of ours is, in bytes.
pub const BYTES_MAX: usize = 16 * 1024;

/// The state that an event carries through a delay queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DelayedState {
    /// Where the event stands.
    #[serde(rename = "journey")]
    pub progress: Progress,
    /// Its age, counted while the gate was open, at the end of the wait that it was delayed for.
    pub age: Duration,
    /// What is left to wait when it comes back.
    #[serde(rename = "rest")]
    pub remaining: Duration,
    /// The exchange it was first published to.
    pub exchange: String,
    /// The routing key it was first published with.
    pub routing_key: String,
    /// When it was first received, in epoch milliseconds.
    pub first_seen_ms: u64,
    /// Where it is looked up: what was sent last, whatever the rules say by now.
    pub sent: Option<Lookup>,
    /// Whether somebody put it back, and so asked for it again.
    #[serde(default, rename = "again", skip_serializing_if = "std::ops::Not::not")]
    pub is_retry: bool,
    /// What is decided of it, where its dead letter could not be published: it comes back only for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Box<Verdict>>,
    /// How it ended, where its producer could not be told: it comes back only for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Box<EventOutcome>>,
    /// How often somebody asked for it again.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub retries: u32,
    /// The id of the outcome before that, if its producer was told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<String>,
    /// Where the event stood in its trace as it was delayed, or as its dead letter was published: a `traceparent`, if spans were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What a newer daemon added and this one does not know: it is carried along unread.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
    /// The whole text, where a newer daemon wrote it: it is passed on as it came.
    #[serde(skip)]
    pub newer: Option<String>,
}

/// Why a header cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// A newer daemon wrote it: the event is kept for one.
    Newer(u32),
    /// Nobody of ours wrote it.
    Broken,
}

impl Unreadable {
    /// The fault of an event whose header nobody of ours wrote.
    #[must_use]
    pub fn fault() -> Fault {
        Fault::new(Reason::Undecodable, "its header chakra-bridge-journey is not one that this daemon writes")
    }
}

/// Where an event came from, as far as a header of whatever version says it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Route {
    exchange: String,
    routing_key: String,
    first_seen_ms: u64,
}

impl Route {
    fn of(header: &str) -> Self {
        serde_json::from_str(header).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Versioned<'a> {
    v: u32,
    #[serde(flatten)]
    delayed_state: &'a DelayedState,
}

impl DelayedState {
    /// What is seen for the first time, is seen at `now_ms`, in milliseconds since 1970.
    pub(in crate::core) fn seen_first(self, now_ms: u64) -> Self {
        let first_seen_ms = if self.first_seen_ms == 0 { now_ms } else { self.first_seen_ms };
        Self { first_seen_ms, ..self }
    }

    /// What is passed on as it came, since a newer daemon wrote it.
    #[must_use]
    pub fn verbatim(newer: String) -> Self {
        let Route { exchange, routing_key, first_seen_ms } = Route::of(&newer);
        Self { exchange, routing_key, first_seen_ms, newer: Some(newer), ..Self::default() }
    }

    /// Whether nothing is asked for it any more.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.verdict.is_some() || self.outcome.is_some()
    }

    /// The text of the header.
    #[must_use]
    pub fn encode(&self) -> String {
        if let Some(newer) = &self.newer {
            return newer.clone();
        }
        let v = match self.progress.photos.has_any() {
            _ if self.is_ended() => VERSION_OF_VERDICTS,
            true => VERSION_OF_PHOTOS,
            false => VERSION,
        };
        serde_json::to_string(&Versioned { v, delayed_state: self }).unwrap_or_default()
    }

    /// Reads the text of the header.
    ///
    /// # Errors
    /// [`Unreadable`], newer or broken.
    pub fn decode(text: &str) -> Result<Self, Unreadable> {
        if text.len() > BYTES_MAX {
            return Err(Unreadable::Broken);
        }
        let mut value: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|_| Unreadable::Broken)?;
        let version = value.remove("v").and_then(|v| v.as_u64()).and_then(|v| u32::try_from(v).ok());
        match version {
            Some(VERSION) => serde_json::from_value(value.into()).map_err(|_| Unreadable::Broken),
            // Whoever wrote it says that it must not be asked, or not so: what cannot be read is kept for a newer daemon.
            Some(newer @ (VERSION_OF_VERDICTS | VERSION_OF_PHOTOS)) => {
                let read: Option<Self> = serde_json::from_value(value.into()).ok();
                let of_photos = newer == VERSION_OF_PHOTOS;
                let is_whole = |it: &Self| if of_photos { it.progress.photos.has_any() } else { it.is_ended() };
                read.filter(is_whole).ok_or(Unreadable::Newer(newer))
            }
            Some(newer) if newer > VERSION => Err(Unreadable::Newer(newer)),
            _ => Err(Unreadable::Broken),
        }
    }
}
