//! What the probes answer: is the daemon alive, and does it take events?
//!
//! Not here: HTTP, and anything that would change either answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::states::broker::BrokerState;
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
    pub broker: watch::Receiver<BrokerState>,
    /// The scopes that are shut and why, as texts; empty while the gate is open.
    pub gate: watch::Receiver<Vec<String>>,
    /// Which rules are in force, and whether the file says others.
    pub rules: watch::Receiver<RulesState>,
    /// The dispatcher's pulse.
    pub pulse: Arc<Pulse>,
}

impl Health {
    /// Whether the dispatcher's loop turns. `now_ms` is in milliseconds since the Unix epoch. Neither a lost broker
    /// nor a shut gate makes a daemon dead: starting it again would mend neither.
    #[must_use]
    pub fn live(&self, now_ms: u64) -> bool {
        // A drain has its own deadline, and may stand still until it.
        *self.phase.borrow() == Phase::Draining || self.pulse.age(now_ms) < PULSE_AGE_MAX
    }

    /// Whether events are taken. A shut gate is only a detail: events wait for it, as they should; and so is a file with
    /// mistakes, since the rules before it are in force.
    #[must_use]
    pub fn ready(&self) -> bool {
        *self.phase.borrow() == Phase::Running && *self.broker.borrow() == BrokerState::Consuming
    }

    /// The details of the first question. `now_ms` as for [`Health::live`].
    #[must_use]
    pub fn live_details(&self, now_ms: u64) -> Value {
        json!({
            "live": self.live(now_ms),
            "phase": self.phase.borrow().as_str(),
            "pulse_age_ms": u64::try_from(self.pulse.age(now_ms).as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// The details of the second question.
    #[must_use]
    pub fn ready_details(&self) -> Value {
        let broker = self.broker.borrow().clone();
        let why = if let BrokerState::Lost { why } = &broker { Some(why) } else { None };
        json!({
            "ready": self.ready(),
            "phase": self.phase.borrow().as_str(),
            "broker": broker.as_str(),
            "broker_lost": why,
            "gate_shut": *self.gate.borrow(),
            "rules": self.rules.borrow().to_string(),
            "needs_restart": self.rules.borrow().needs_restart,
        })
    }
}
