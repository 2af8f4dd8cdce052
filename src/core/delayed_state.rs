//! The state that an event carries through a delay queue: one versioned header of ours, as text.
//!
//! Not here: AMQP, and where an event goes (`progress`, `delay_queue`).

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

/// The version written where photos of the event are up, or it goes without some. A daemon that knows none would create the process
/// with another body: to it this is newer.
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
            // Whoever wrote it says that it must not be asked: what cannot be read of it is kept for a newer daemon.
            Some(VERSION_OF_VERDICTS) => {
                let read: Option<Self> = serde_json::from_value(value.into()).ok();
                read.filter(Self::is_ended).ok_or(Unreadable::Newer(VERSION_OF_VERDICTS))
            }
            Some(VERSION_OF_PHOTOS) => {
                let read: Option<Self> = serde_json::from_value(value.into()).ok();
                read.filter(|read| read.progress.photos.has_any()).ok_or(Unreadable::Newer(VERSION_OF_PHOTOS))
            }
            Some(newer) if newer > VERSION => Err(Unreadable::Newer(newer)),
            _ => Err(Unreadable::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::dead_letter::DeadLetter;
    use crate::core::process::Procedure;
    use crate::core::progress::{Next, Refused};

    fn delayed_state() -> DelayedState {
        DelayedState {
            progress: Progress {
                next: Next::Lookup,
                attempts: 3,
                unsure_creates: 1,
                lookups: 2,
                since_create: Some(Duration::from_millis(1500)),
                refused: Some(Refused { status: 409, error_text: Some("there".into()) }),
                crashes: 1,
                status: Some(503),
                ..Progress::default()
            },
            age: Duration::from_secs(90),
            remaining: Duration::from_millis(700),
            exchange: "crm".into(),
            routing_key: "case.opened".into(),
            first_seen_ms: 1_700_000_000_000,
            sent: Some(Lookup {
                procedure: Procedure::new("ticket").unwrap(),
                attribute: "event_key".into(),
                value: json!("a/1"),
            }),
            newer: None,
            ..DelayedState::default()
        }
    }

    fn verdict() -> Verdict {
        Verdict {
            reason: Reason::NoRule,
            text: "why".into(),
            may_exist: false,
            status: Some(422),
            attempts: 1,
            at_ms: 1_700_000_000_001,
            rule: None,
            procedure: None,
            key: Some("a/1".into()),
            unknown: Map::new(),
        }
    }

    #[test]
    fn what_travels_comes_back_as_it_went() {
        assert_eq!(DelayedState::decode(&delayed_state().encode()), Ok(delayed_state()));
        assert_eq!(DelayedState::decode(&DelayedState::default().encode()), Ok(DelayedState::default()));
    }

    /// Headers as release 0.1.0 wrote them. They lie in delay queues for up to an hour, and longer while a queue is stuck:
    /// every later release reads them.
    #[test]
    fn a_header_that_release_0_1_0_stored_is_read() {
        let plain = include_str!("../../tests/image/parked-by-0.1.0.json");
        let read = DelayedState::decode(plain.trim()).unwrap();
        assert_eq!((read.progress.attempts, read.progress.status, read.progress.next), (1, Some(423), Next::Create));
        let full = concat!(
            r#"{"v":1,"journey":{"next":"look","attempts":3,"unsure":1,"looks":2,"quiet":{"secs":1,"nanos":500000000},"#,
            r#""refused":{"status":409,"words":"there"},"crashes":1,"status":503},"age":{"secs":90,"nanos":0},"#,
            r#""rest":{"secs":0,"nanos":700000000},"exchange":"crm","routing_key":"case.opened","#,
            r#""first_seen_ms":1700000000000,"#,
            r#""sent":{"procedure":"ticket","attribute":"event_key","value":"a/1"}}"#,
        );
        assert_eq!(DelayedState::decode(full), Ok(delayed_state()));
        assert_eq!(delayed_state().encode(), full, "and an older daemon reads what this one writes");
    }

    #[test]
    fn a_newer_version_is_told_from_a_broken_text() {
        let newer = delayed_state().encode().replacen("\"v\":1", "\"v\":4", 1);
        assert_eq!(DelayedState::decode(&newer), Err(Unreadable::Newer(4)));
        let kept = DelayedState::verbatim(newer.clone());
        assert_eq!(kept.encode(), newer);
        assert_eq!((kept.exchange.as_str(), kept.routing_key.as_str()), ("crm", "case.opened"), "its route is read");
        assert_eq!(kept.first_seen_ms, 1_700_000_000_000);
        assert_eq!(DelayedState::verbatim("[]".into()).exchange, "");
        for broken in ["", "null", "[]", "{}", r#"{"v":0}"#, r#"{"v":1}"#, r#"{"v":"1"}"#, r#"{"v":1,"x":1}"#] {
            assert_eq!(DelayedState::decode(broken), Err(Unreadable::Broken), "{broken}");
        }
    }

    #[test]
    fn a_procedure_in_it_cannot_leave_its_path_segment() {
        let bent = delayed_state().encode().replacen("\"ticket\"", "\"../admin\"", 1);
        assert_eq!(DelayedState::decode(&bent), Err(Unreadable::Broken));
    }

    #[test]
    fn a_text_beyond_the_limit_is_not_read() {
        let long = DelayedState { exchange: "x".repeat(BYTES_MAX), ..delayed_state() };
        assert_eq!(DelayedState::decode(&long.encode()), Err(Unreadable::Broken));
    }

    #[test]
    fn what_a_newer_daemon_added_is_carried_along_unread() {
        let text = delayed_state().encode();
        let text = text.replacen("\"age\":", "\"trace\":\"t1\",\"age\":", 1).replacen(
            "\"crashes\":",
            "\"sounds\":[1],\"crashes\":",
            1,
        );
        let back = DelayedState::decode(&text).unwrap().encode();
        assert!(back.contains("\"trace\":\"t1\"") && back.contains("\"sounds\":[1]"), "{back}");
    }

    #[test]
    fn a_verdict_travels_and_a_daemon_that_knows_none_takes_it_for_newer() {
        let state = DelayedState { verdict: Some(Box::new(verdict())), ..delayed_state() };
        let text = state.encode();
        assert!(text.starts_with("{\"v\":2,"), "an older daemon must not act on it: {text}");
        assert_eq!(DelayedState::decode(&text), Ok(state));
        assert!(delayed_state().encode().starts_with("{\"v\":1,"), "all else is read by older ones");
    }

    #[test]
    fn a_verdict_that_cannot_be_read_is_kept_for_a_newer_daemon_and_never_asked_again() {
        let state = DelayedState { verdict: Some(Box::new(verdict())), ..delayed_state() };
        let of_newer = state.encode().replacen("no_rule", "a_word_of_later", 1);
        assert_eq!(DelayedState::decode(&of_newer), Err(Unreadable::Newer(2)));
        let without = delayed_state().encode().replacen("\"v\":1", "\"v\":2", 1);
        assert_eq!(DelayedState::decode(&without), Err(Unreadable::Newer(2)));
    }

    #[test]
    fn the_longest_verdict_fits_into_a_header_that_is_read() {
        let text = "\u{1}".repeat(10_000);
        let letter = verdict().letter(0, (String::new(), String::new()));
        let letter = DeadLetter { fault: Fault::new(Reason::Refused, text), key: Some("\u{1}".repeat(512)), ..letter };
        let verdict = Some(Box::new(Verdict::of(&letter)));
        let state = DelayedState { verdict, exchange: "\u{1}".repeat(255), ..DelayedState::default() };
        assert!(DelayedState::decode(&state.encode()).is_ok(), "{} bytes", state.encode().len());
    }
}
