//! Laws of the probes, without a socket.
//!
//! Not here: HTTP (`server::tests`).

use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use super::Health;
use crate::core::delivery::LettersState;
use crate::metrics::LogState;
use crate::states::broker::{BrokerState, BrokerStatus};
use crate::states::dead_letters::DeadLetters;
use crate::states::phase::{Phase, Pulse};
use crate::states::rules::RulesState;

fn health(phase: Phase, broker: BrokerState, gate: &[&str]) -> Health {
    let gate = gate.iter().map(|&words| words.to_owned()).collect();
    Health {
        phase: watch::channel(phase).1,
        broker: watch::channel(BrokerStatus::from(broker)).1,
        gate: watch::channel(gate).1,
        letters: watch::channel(DeadLetters::default()).1,
        rules: watch::channel(RulesState::loaded(0)).1,
        log: LogState::default(),
        pulse: Arc::new(Pulse::new(1_000_000)),
    }
}

fn lost() -> BrokerState {
    BrokerState::Lost { why: "connection refused".into() }
}

#[test]
fn only_a_pulse_younger_than_thirty_seconds_is_alive() {
    let health = health(Phase::Running, BrokerState::Consuming, &[]);
    assert!(health.live(1_000_000) && health.live(1_029_999));
    assert!(!health.live(1_030_000));
    health.pulse.beat(1_030_000);
    assert!(health.live(1_030_000));
}

#[test]
fn a_clock_that_was_set_back_does_not_hide_a_stuck_loop() {
    assert!(!health(Phase::Running, BrokerState::Consuming, &[]).live(900_000));
}

#[test]
fn a_lost_broker_and_a_shut_gate_do_not_make_a_daemon_dead() {
    assert!(health(Phase::Running, lost(), &["everything: unauthorized"]).live(1_000_000));
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
            "dead_letters": null, "no_delays": null, "queue_warnings": [],
            "gate_shut": ["lead: forbidden"], "rules": "in force since 1970-01-01T00:00:00Z", "needs_restart": [],
        })
    );
    let live = json!({ "live": true, "phase": "draining", "pulse_age_ms": 250 });
    assert_eq!(health.live_details(1_000_250), live);
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
