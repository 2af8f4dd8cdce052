//! What the status page shows, as JSON: what flows, what is shut, the last hour, dead letters, rules, and the configuration in force.
//! It is made at most once a second, however many ask.
//!
//! Not here: HTTP, and how it looks (`page`); anything of an event but what `/readyz` and `/metrics` tell.

mod headline;
pub mod hour;
mod kept;
mod letters;

use std::convert::Infallible;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use self::hour::{EVERY, Hour, Seen, Standing};
use self::kept::Kept;
use super::health::Health;
use crate::clock::epoch_ms;
use crate::metrics::Metrics;
use crate::states::broker::BrokerState;
use crate::states::in_force::{InForce, KeyInForce, RuleInForce};

#[cfg(test)]
mod tests;

/// What a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Events come from it.
    Work,
    /// Dead letters go to it.
    Dead,
    /// Events wait in it.
    Wait,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Dead => "dead",
            Self::Wait => "wait",
        }
    }
}

/// What stays as it was at the start.
#[derive(Clone, Debug)]
pub struct Start {
    /// When it was, in epoch milliseconds.
    pub at_ms: u64,
    /// Events that are held at most.
    pub places: usize,
    /// Whom requests go to.
    pub host: String,
    /// The queues and what they are for.
    pub queues: Vec<(Role, String)>,
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct Status {
    start: Arc<Start>,
    metrics: Arc<Metrics>,
    health: Health,
    in_force: watch::Receiver<Arc<InForce>>,
    hour: Arc<watch::Sender<Hour>>,
    begun: Instant,
    told: Kept,
    configuration: Kept,
}

impl Status {
    /// One whose hour begins.
    #[must_use]
    pub fn new(start: Start, metrics: Arc<Metrics>, health: Health, in_force: watch::Receiver<Arc<InForce>>) -> Self {
        let seen = Seen {
            now_ms: start.at_ms,
            at: std::time::Duration::ZERO,
            totals: metrics.totals(),
            standing: Standing::default(),
        };
        let hour = Arc::new(watch::channel(Hour::begin(seen)).0);
        let (told, configuration) = (Kept::default(), Kept::default());
        Self { start: Arc::new(start), metrics, health, in_force, hour, begun: Instant::now(), told, configuration }
    }

    /// Looks again and again, for ever.
    pub async fn watch(self) -> Infallible {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look();
        }
    }

    fn look(&self) {
        let is_shut = !self.health.gate.borrow().is_empty();
        let is_away = self.health.broker.borrow().state != BrokerState::Consuming;
        let seen = Seen {
            now_ms: epoch_ms(),
            at: self.begun.elapsed(),
            totals: self.metrics.totals(),
            standing: Standing { is_shut, is_away },
        };
        self.hour.send_modify(|hour| hour.take(seen));
    }

    /// All but the configuration.
    pub(super) fn text(&self) -> Arc<str> {
        self.told.text(Instant::now(), || self.told())
    }

    /// The configuration in force.
    pub(super) fn configuration_text(&self) -> Arc<str> {
        self.configuration.text(Instant::now(), || configuration(&self.in_force.borrow()))
    }

    fn told(&self) -> Value {
        let (hour, in_force) = (self.hour.borrow(), Arc::clone(&*self.in_force.borrow()));
        let headline = headline::of(&self.health, hour.is_moving());
        json!({
            "now_ms": epoch_ms(),
            "started_ms": self.start.at_ms,
            "version": env!("CARGO_PKG_VERSION"),
            "headline": { "level": headline.level.as_str(), "title": headline.title, "words": headline.words },
            "ready": self.health.ready_details(),
            "now": hour.now(),
            "levels": self.levels(),
            "queues": self.queues(),
            "hour": hour.table(),
            "letters": letters::rows(&self.metrics, &in_force.rules),
            "rules": in_force.rules.iter().map(|rule| self.rule(rule)).collect::<Vec<_>>(),
            "rules_in_all": in_force.rules_in_all,
            "rules_loaded_s": self.health.rules.borrow().loaded_s,
        })
    }

    fn levels(&self) -> Value {
        let totals = self.metrics.totals();
        json!({
            "host": self.start.host,
            "places": self.start.places,
            "held": totals.held,
            "waiting": totals.waiting,
            "in_flight": totals.in_flight,
            "ramp": self.metrics.ramp_now(),
            "received": totals.received,
            "processes": totals.processes,
            "skipped": totals.skipped,
            "delayed": totals.delayed,
            "dead": totals.dead,
            "last_settled_s": self.metrics.last_settled_s(),
        })
    }

    fn queues(&self) -> Vec<Value> {
        let queue = |(role, name): &(Role, String)| {
            let seen = self.metrics.queue_seen(name);
            json!({
                "role": role.as_str(),
                "name": name,
                "ready": seen.ready,
                "unacknowledged": seen.unacknowledged,
                "head_age_s": seen.head_age_s,
            })
        };
        self.start.queues.iter().map(queue).collect()
    }

    fn rule(&self, rule: &RuleInForce) -> Value {
        let so_far = |result| self.metrics.settled_so_far(result, &rule.name, "");
        let results =
            if rule.creates { &["created", "found", "already_created", "duplicate"][..] } else { &["skipped"] };
        json!({
            "name": &*rule.name,
            "guarantee": rule.guarantee,
            "creates": rule.creates,
            "done": results.iter().map(|result| so_far(result)).sum::<u64>(),
            "is_held": self.metrics.is_rule_held(&rule.name),
            "is_lookup_verified": self.metrics.is_lookup_verified(&rule.name),
        })
    }
}

fn configuration(in_force: &InForce) -> Value {
    let key =
        |KeyInForce { key, value, origin }: &KeyInForce| json!({ "key": key, "value": value, "from": origin.as_str() });
    let rule = |rule: &RuleInForce| json!({ "name": &*rule.name, "text": rule.text });
    json!({
        "file": in_force.file,
        "keys": in_force.keys.iter().map(key).collect::<Vec<_>>(),
        "rules": in_force.rules.iter().map(rule).collect::<Vec<_>>(),
        "rules_in_all": in_force.rules_in_all,
    })
}
