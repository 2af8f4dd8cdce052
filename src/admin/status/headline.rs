//! The one sentence above everything: how it stands, what matters most first.
//!
//! Not here: the details (`health`), and how it looks (`page`).

use crate::admin::health::Health;
use crate::core::gate::EVERYTHING;
use crate::states::broker::BrokerState;
use crate::states::phase::Phase;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// Events flow.
    Good,
    /// There is nothing to do.
    Rest,
    /// Events flow, and something is to be seen to.
    Warn,
    /// No event ends as a process.
    Bad,
}

impl Level {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Rest => "rest",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// See the head of this file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) level: Level,
    pub(super) title: &'static str,
    pub(super) words: String,
}

fn headline(level: Level, title: &'static str, words: impl Into<String>) -> Headline {
    Headline { level, title, words: words.into() }
}

/// `is_moving`: something happened within the last seconds.
pub(super) fn of(health: &Health, is_moving: bool) -> Headline {
    let stands = ended(health).or_else(|| cut_off(health)).or_else(|| shut(health));
    stands.or_else(|| seen_to(health)).unwrap_or_else(|| {
        if is_moving {
            headline(Level::Good, "Events flow", "Nothing stands in the way.")
        } else {
            headline(
                Level::Rest,
                "At rest",
                "No event came in the last seconds, and none waits. Nothing stands in the way.",
            )
        }
    })
}

fn ended(health: &Health) -> Option<Headline> {
    match *health.phase.borrow() {
        Phase::Running => None,
        Phase::Starting => Some(headline(Level::Warn, "Starting", "Nothing is taken yet.")),
        Phase::Draining => {
            Some(headline(Level::Warn, "Stopping", "Nothing new is taken. What is under way is finished."))
        }
        Phase::Stopped => Some(headline(Level::Warn, "Stopped", "Every event is settled or given back.")),
    }
}

/// What keeps events from being taken, or from being sent.
fn cut_off(health: &Health) -> Option<Headline> {
    let broker = health.broker.borrow();
    if broker.state != BrokerState::Consuming {
        let why = broker.lost.clone().unwrap_or_else(|| "The connection is being made.".to_owned());
        return Some(headline(Level::Bad, "Not connected to the broker", why));
    }
    let ledger = health.ledger.borrow().trouble();
    if let Some(trouble) = ledger {
        return Some(headline(Level::Bad, "The ledger cannot be asked", trouble));
    }
    let letters = *health.letters.borrow();
    let words = letters.what().filter(|_| letters.stand_still());
    words.map(|words| headline(Level::Bad, "Events stand still", words))
}

fn shut(health: &Health) -> Option<Headline> {
    let gates = health.gates.borrow();
    if let Some(gate) = gates.iter().find(|gate| gate.scope == EVERYTHING) {
        let title = if gate.why == "paused" { "Paused" } else { "Shut" };
        return Some(headline(Level::Bad, title, gate.what.clone()));
    }
    let shut = health.gate.borrow();
    (!shut.is_empty()).then(|| headline(Level::Warn, "Partly shut", format!("{}. All else flows.", shut.join("; "))))
}

fn seen_to(health: &Health) -> Option<Headline> {
    let names = health.degraded();
    let words = || format!("Something is to be seen to: {}.", names.join(", "));
    (!names.is_empty()).then(|| headline(Level::Warn, "Events are taken", words()))
}
