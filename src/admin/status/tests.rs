//! What the status page is told, of a daemon in every state.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use super::headline::{self, Level};
use super::*;
use crate::core::delivery::LettersState;
use crate::states::broker::BrokerStatus;
use crate::states::dead_letters::DeadLetters;
use crate::states::gates::ShutGate;
use crate::states::in_force::Origin;
use crate::states::ledger::LedgerStatus;
use crate::states::lookups::LookupWaits;
use crate::states::phase::{Phase, Pulse};
use crate::states::rules::RulesState;

/// Every state, each to be set.
struct States {
    phase: watch::Sender<Phase>,
    broker: watch::Sender<BrokerStatus>,
    gate: watch::Sender<Vec<String>>,
    gates: watch::Sender<Vec<ShutGate>>,
    letters: watch::Sender<DeadLetters>,
}

fn health() -> (States, Health) {
    let (phase, phase_seen) = watch::channel(Phase::Running);
    let (broker, broker_seen) = watch::channel(BrokerStatus::from(BrokerState::Consuming));
    let (gate, gate_seen) = watch::channel(Vec::new());
    let (gates, gates_seen) = watch::channel(Vec::new());
    let (letters, letters_seen) = watch::channel(DeadLetters::default());
    let health = Health {
        phase: phase_seen,
        broker: broker_seen,
        gate: gate_seen,
        gates: gates_seen,
        waits: watch::channel(LookupWaits::default()).1,
        ledger: watch::channel(LedgerStatus::default()).1,
        letters: letters_seen,
        rules: watch::channel(RulesState::loaded(0)).1,
        log: Metrics::new().log(),
        descriptors: Metrics::new().descriptors(),
        pulse: Arc::new(Pulse::new(Instant::now())),
    };
    (States { phase, broker, gate, gates, letters }, health)
}

fn status(health: Health, metrics: &Arc<Metrics>) -> Status {
    let queues = vec![(Role::Work, "crm.events".to_owned()), (Role::Dead, "crm.events.dead".to_owned())];
    let start = Start { at_ms: 1, places: 64, host: "api.example.com".to_owned(), queues };
    let rule = RuleInForce {
        name: "lead".into(),
        guarantee: "is looked up".into(),
        creates: true,
        text: Some("name = \"lead\"".into()),
    };
    let key = KeyInForce { key: "api.token".into(), value: "***".into(), origin: Origin::Variable };
    let in_force = InForce { file: "/etc/c.toml".into(), keys: vec![key], rules: vec![rule], rules_in_all: 3 };
    Status::new(start, Arc::clone(metrics), health, watch::channel(Arc::new(in_force)).1)
}

#[test]
fn what_matters_most_is_said_first() {
    let (states, health) = health();
    let title = |is_moving| {
        let headline = headline::of(&health, is_moving);
        (headline.level, headline.title)
    };
    assert_eq!(title(false), (Level::Rest, "At rest"));
    assert_eq!(title(true), (Level::Good, "Events flow"));
    states.broker.send_modify(|broker| broker.managed.away = Some("no route".to_owned()));
    assert_eq!(title(true), (Level::Warn, "Events are taken"));
    states.gate.send_replace(vec!["rule lead: held after a run of rejections".to_owned()]);
    assert_eq!(title(true), (Level::Warn, "Partly shut"));
    let gate = |why| ShutGate {
        scope: "everything".to_owned(),
        why,
        what: "Mend the token".to_owned(),
        ..ShutGate::default()
    };
    states.gates.send_replace(vec![gate("unauthorized")]);
    assert_eq!((title(true), headline::of(&health, true).words), ((Level::Bad, "Shut"), "Mend the token".to_owned()));
    states.gates.send_replace(vec![gate("paused")]);
    assert_eq!(title(true), (Level::Bad, "Paused"));
    states.letters.send_replace(DeadLetters::from(LettersState::StandStill));
    assert_eq!(title(true), (Level::Bad, "Events stand still"));
    states.broker.send_modify(|broker| broker.becomes(BrokerState::Lost { why: "refused".to_owned() }));
    assert_eq!(title(true), (Level::Bad, "Not connected to the broker"));
    states.phase.send_replace(Phase::Draining);
    assert_eq!(title(true), (Level::Warn, "Stopping"));
}

#[test]
fn what_flows_and_what_came_of_it_is_told_with_its_queues_and_its_rules() {
    let (_states, health) = health();
    let metrics = Arc::new(Metrics::new());
    let status = status(health, &metrics);
    metrics.received();
    metrics.settled("created", "lead", "");
    metrics.settled("dead_lettered", "lead", "refused");
    metrics.queues_seen([("crm.events", [Some(7), Some(1), Some(30)])]);
    metrics.lookup_verified("lead", None);
    status.look();
    let told: Value = serde_json::from_str(&status.text()).unwrap();
    assert_eq!(
        (&told["levels"]["processes"], &told["levels"]["dead"], &told["levels"]["places"]),
        (&1.into(), &1.into(), &64.into())
    );
    assert_eq!((&told["queues"][0]["ready"], &told["queues"][0]["head_age_s"]), (&7.into(), &30.into()));
    assert_eq!((&told["queues"][1]["role"], &told["queues"][1]["ready"]), (&"dead".into(), &Value::Null));
    let rule = &told["rules"][0];
    assert_eq!(
        (&rule["done"], &rule["is_lookup_verified"], &rule["is_held"]),
        (&1.into(), &false.into(), &false.into())
    );
    assert_eq!((&told["letters"][0]["reason"], &told["rules_in_all"]), (&"refused".into(), &3.into()));
    assert_eq!(told["ready"]["broker"], "consuming");
    assert_eq!(told["hour"]["rows"].as_array().unwrap().len(), 1);
}

#[test]
fn the_configuration_is_told_with_where_each_value_comes_from() {
    let (_states, health) = health();
    let told: Value = serde_json::from_str(&status(health, &Arc::new(Metrics::new())).configuration_text()).unwrap();
    assert_eq!(told["keys"][0], json!({ "key": "api.token", "value": "***", "from": "variable" }));
    assert_eq!((&told["rules"][0]["text"], &told["file"]), (&"name = \"lead\"".into(), &"/etc/c.toml".into()));
}
