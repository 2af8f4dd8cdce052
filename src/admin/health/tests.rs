//! Laws of the probes, without a socket.
//!
//! Not here: HTTP (`server::tests`).

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Health;
use crate::core::delivery::LettersState;
use crate::metrics::{Descriptors, LogState};
use crate::states::broker::{BrokerState, BrokerStatus};
use crate::states::dead_letters::DeadLetters;
use crate::states::ledger::LedgerStatus;
use crate::states::lookups::LookupWaits;
use crate::states::phase::{Phase, Pulse};
use crate::states::queues::QueueWarning;
use crate::states::rules::RulesState;

fn health(phase: Phase, broker: BrokerState, gate: &[&str]) -> Health {
    let gate = gate.iter().map(|&words| words.to_owned()).collect();
    Health {
        phase: watch::channel(phase).1,
        broker: watch::channel(BrokerStatus::from(broker)).1,
        gate: watch::channel(gate).1,
        gates: watch::channel(Vec::new()).1,
        waits: watch::channel(LookupWaits::default()).1,
        letters: watch::channel(DeadLetters::default()).1,
        ledger: watch::channel(LedgerStatus::default()).1,
        rules: watch::channel(RulesState::loaded(0)).1,
        log: LogState::default(),
        pulse: Arc::new(Pulse::new(start())),
        descriptors: Descriptors::default(),
    }
}

fn lost() -> BrokerState {
    BrokerState::Lost { why: "connection refused".into() }
}

/// When the pulse beat last, the same in all of a test.
fn start() -> Instant {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    *START
}

fn after(ms: u64) -> Instant {
    start() + Duration::from_millis(ms)
}

#[test]
fn only_a_pulse_younger_than_thirty_seconds_is_alive() {
    let health = health(Phase::Running, BrokerState::Consuming, &[]);
    assert!(health.live(after(0)) && health.live(after(29_999)));
    assert!(!health.live(after(30_000)));
    health.pulse.beat(after(30_000));
    assert!(health.live(after(30_000)));
}

#[test]
fn a_beat_that_comes_while_the_question_is_answered_is_alive() {
    let health = health(Phase::Running, BrokerState::Consuming, &[]);
    health.pulse.beat(after(1000));
    assert!(health.live(after(0)));
}

#[test]
fn a_lost_broker_and_a_shut_gate_do_not_make_a_daemon_dead() {
    assert!(health(Phase::Running, lost(), &["everything: unauthorized"]).live(after(0)));
}

#[test]
fn ready_means_running_and_consuming_and_nothing_else() {
    for phase in [Phase::Starting, Phase::Running, Phase::Draining, Phase::Stopped] {
        for broker in [BrokerState::Connecting, BrokerState::Consuming, lost(), BrokerState::Closed] {
            let expected = phase == Phase::Running && broker == BrokerState::Consuming;
            assert_eq!(health(phase, broker.clone(), &["lead: forbidden"]).ready(), expected, "{phase:?} {broker:?}");
        }
    }
}

#[test]
fn the_details_say_what_stands_in_the_way() {
    let health = health(Phase::Draining, lost(), &["lead: forbidden"]);
    assert_eq!(
        health.ready_details(),
        json!({
            "ready": false, "degraded": ["gate_shut"], "phase": "draining", "broker": "lost",
            "broker_lost": "connection refused", "broker_blocked": null, "publishes_refused": {},
            "dead_letters": null, "outcomes": null, "no_delays": null,
            "ledger": "off", "ledger_away": null, "ledger_degraded": null,
            "queue_warnings": [], "management_away": null,
            "gate_shut": ["lead: forbidden"], "gates": [], "rules": "in force since 1970-01-01T00:00:00Z", "needs_restart": [],
            "lookup_waits": { "events": 0, "until": null },
        })
    );
    let live = json!({ "live": true, "phase": "draining", "pulse_age_ms": 250 });
    assert_eq!(health.live_details(after(250)), live);
}

#[test]
fn a_refused_file_is_a_detail_and_takes_no_readiness_away() {
    let mut health = health(Phase::Running, BrokerState::Consuming, &[]);
    let refused = RulesState { mistakes: 2, needs_restart: vec!["broker.queue".into()], ..RulesState::loaded(60) };
    health.rules = watch::channel(refused).1;
    assert!(health.ready());
    let details = health.ready_details();
    let words = "the file on disk has 2 mistakes; running with the rules of 1970-01-01T00:01:00Z";
    assert_eq!((&details["rules"], &details["needs_restart"]), (&json!(words), &json!(["broker.queue"])));
}

#[test]
fn whatever_is_amiss_while_events_are_taken_is_named_and_takes_no_readiness_away() {
    let mut health = health(Phase::Running, BrokerState::Consuming, &["lead: forbidden"]);
    let mut broker = BrokerStatus::from(BrokerState::Consuming);
    (broker.blocked, broker.no_delays) = (Some("low on memory".into()), Some("missing".into()));
    broker.refuses("crm.events.dead", "full");
    broker.managed.away = Some("no answer in time".into());
    broker.queue_warnings = vec![QueueWarning { words: "has a time to live".into(), is_loss: true }];
    health.broker = watch::channel(broker).1;
    health.rules =
        watch::channel(RulesState { mistakes: 1, needs_restart: vec!["broker.queue".into()], ..RulesState::loaded(0) })
            .1;
    health.log.dropped(1);
    let names = [
        "gate_shut",
        "broker_blocked",
        "publishes_refused",
        "no_delays",
        "queues_at_risk",
        "management_away",
        "log_dropping",
        "rules_outdated",
        "needs_restart",
    ];
    assert_eq!(health.degraded(), names);
    assert!(health.ready());
    let details = health.ready_details();
    assert_eq!((&details["ready"], &details["degraded"]), (&json!(true), &json!(names)));
    assert_eq!(details["publishes_refused"]["crm.events.dead"], "full");
}

#[test]
fn events_that_wait_for_their_lookups_are_shown_with_their_number_and_the_end() {
    let mut health = health(Phase::Running, BrokerState::Consuming, &[]);
    health.waits = watch::channel(LookupWaits { events: 308, until_s: 60 }).1;
    let wanted = json!({ "events": 308, "until": "1970-01-01T00:01:00Z" });
    assert_eq!(health.ready_details()["lookup_waits"], wanted);
    assert!(health.ready() && health.degraded().is_empty());
}

#[test]
fn the_last_error_of_the_broker_is_shown_while_the_next_attempt_hangs() {
    let mut health = health(Phase::Running, lost(), &[]);
    let mut broker = BrokerStatus::from(lost());
    broker.becomes(BrokerState::Connecting);
    health.broker = watch::channel(broker).1;
    let details = health.ready_details();
    assert_eq!((&details["broker"], &details["broker_lost"]), (&json!("connecting"), &json!("connection refused")));
}

#[test]
fn dead_letters_that_nobody_takes_are_told_and_take_no_readiness_away() {
    let mut health = health(Phase::Running, BrokerState::Consuming, &[]);
    for (state, degraded) in [
        (LettersState::Waiting, &["dead_letters_waiting"][..]),
        (LettersState::StandStill, &["dead_letters_waiting", "stands_still"][..]),
    ] {
        health.letters = watch::channel(DeadLetters::from(state)).1;
        assert!(health.ready());
        assert_eq!(health.degraded(), degraded);
        assert!(health.ready_details()["dead_letters"].as_str().unwrap().contains("publishes_refused"));
    }
}
