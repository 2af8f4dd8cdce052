//! What the probes answer: is the daemon alive, and does it take events?
//!
//! Not here: HTTP, and anything that would change either answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::{date_of, epoch_ms, millis};
use crate::metrics::{Descriptors, LogState};
use crate::states::broker::{BrokerState, BrokerStatus};
use crate::states::dead_letters::DeadLetters;
use crate::states::gates::{Answered, ShutGate};
use crate::states::ledger::LedgerStatus;
use crate::states::lookups::LookupWaits;
use crate::states::phase::{Phase, Pulse};
use crate::states::rules::RulesState;

#[cfg(test)]
mod tests;

/// The age at which a pulse counts as stopped. A loop that turns at least every second is stuck long before.
pub const PULSE_AGE_MAX: Duration = Duration::from_secs(30);

/// What the health checks read.
#[derive(Clone, Debug)]
pub struct Health {
    /// Where the life of the daemon stands.
    pub phase: watch::Receiver<Phase>,
    /// The state of the connection to the broker.
    pub broker: watch::Receiver<BrokerStatus>,
    /// The scopes that are shut and why, as texts; empty while the gate is open.
    pub gate: watch::Receiver<Vec<String>>,
    /// The same with all that is known of each.
    pub gates: watch::Receiver<Vec<ShutGate>>,
    /// How many events wait for the window of their lookup.
    pub waits: watch::Receiver<LookupWaits>,
    /// How it stands with the ledger.
    pub ledger: watch::Receiver<LedgerStatus>,
    /// How it stands with dead letters.
    pub letters: watch::Receiver<DeadLetters>,
    /// Which rules are in force, and whether the file says others.
    pub rules: watch::Receiver<RulesState>,
    /// How the log fares.
    pub log: LogState,
    /// Whether descriptors are short.
    pub descriptors: Descriptors,
    /// The dispatcher's pulse.
    pub pulse: Arc<Pulse>,
}

impl Health {
    /// Whether the dispatcher's loop turns. Neither a lost broker
    /// nor a shut gate makes a daemon dead: starting it again would mend neither.
    #[must_use]
    pub fn live(&self, now: Instant) -> bool {
        // A drain has its own deadline, and may stand still until it.
        *self.phase.borrow() == Phase::Draining || self.pulse.age(now) < PULSE_AGE_MAX
    }

    /// Whether events are taken. All else is only a detail, such as a shut gate: it must not block the rollout that mends it.
    #[must_use]
    pub fn ready(&self) -> bool {
        let consumes = *self.phase.borrow() == Phase::Running && self.broker.borrow().state == BrokerState::Consuming;
        consumes && self.ledger.borrow().is_ready()
    }

    /// The details of the first question.
    #[must_use]
    pub fn live_details(&self, now: Instant) -> Value {
        json!({
            "live": self.live(now),
            "phase": self.phase.borrow().as_str(),
            "pulse_age_ms": millis(self.pulse.age(now)),
        })
    }

    /// What goes less well than it should while events are taken, by name.
    #[must_use]
    pub fn degraded(&self) -> Vec<&'static str> {
        let broker = self.broker.borrow();
        let (rules, letters, ledger) = (self.rules.borrow(), *self.letters.borrow(), self.ledger.borrow());
        let all = [
            ("gate_shut", !self.gate.borrow().is_empty()),
            ("broker_blocked", broker.blocked.is_some()),
            ("publishes_refused", !broker.refused.is_empty()),
            ("dead_letters_waiting", letters.wait()),
            ("stands_still", letters.stand_still()),
            ("outcomes_waiting", letters.untold().is_some()),
            ("no_delays", broker.why_no_delays().is_some()),
            ("queues_at_risk", broker.warnings().iter().any(|warning| warning.is_loss)),
            ("ledger_away", ledger.trouble().is_some()),
            ("ledger_degraded", ledger.degraded.is_some()),
            ("management_away", broker.managed.away.is_some()),
            ("log_dropping", self.log.dropping_since_ms().is_some()),
            ("descriptors_short", self.descriptors.are_short(epoch_ms())),
            ("rules_outdated", rules.mistakes > 0),
            ("needs_restart", !rules.needs_restart.is_empty()),
        ];
        all.into_iter().filter(|(_, is_so)| *is_so).map(|(name, _)| name).collect()
    }

    /// The details of the second question.
    #[must_use]
    pub fn ready_details(&self) -> Value {
        let (broker, waits) = (self.broker.borrow().clone(), *self.waits.borrow());
        let ledger = self.ledger.borrow().clone();
        json!({
            "ready": self.ready(),
            "degraded": self.degraded(),
            "phase": self.phase.borrow().as_str(),
            "broker": broker.state.as_str(),
            "broker_lost": broker.lost,
            "broker_blocked": broker.blocked,
            "publishes_refused": broker.refused,
            "dead_letters": self.letters.borrow().what(),
            "outcomes": self.letters.borrow().untold(),
            "no_delays": broker.why_no_delays(),
            "queue_warnings": broker.warnings().iter().map(|warning| &warning.words).collect::<Vec<_>>(),
            "ledger": ledger.as_str(),
            "ledger_away": ledger.trouble(),
            "ledger_degraded": ledger.degraded,
            "management_away": broker.managed.away,
            "gate_shut": *self.gate.borrow(),
            "gates": self.gates.borrow().iter().map(gate).collect::<Vec<_>>(),
            "lookup_waits": { "events": waits.events, "until": waits.until() },
            "rules": self.rules.borrow().to_string(),
            "needs_restart": self.rules.borrow().needs_restart,
        })
    }
}

fn gate(gate: &ShutGate) -> Value {
    let answered = gate.answered.as_ref().map(|answered| {
        let Answered { host, status, body, detail } = answered;
        json!({ "host": host, "status": status, "body": body, "detail": detail })
    });
    json!({
        "scope": gate.scope,
        "why": gate.why,
        "since": date_of(gate.since_ms),
        "what": gate.what,
        "answered": answered,
        "asks_again": gate.asks_again_ms.map(date_of),
        "probes": gate.probes,
    })
}
