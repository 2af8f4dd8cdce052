//! The network between the daemon and each of its two sides in every weather: nothing is lost, nothing is doubled, and
//! what is wrong is told in words.
//!
//! And the faults of the broker itself, on every version that is supported (`faults/brokers.rs`), and of a cluster.
//!
//! And the daemon itself, frozen (`faults/frozen.rs`).
//!
//! Not here: a broker that is killed, frozen or not there (`broker/survives.rs`), and faults of the API (`path.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "faults/alarms.rs"]
mod alarms;
#[path = "faults/brokers.rs"]
mod brokers;
#[path = "faults/cluster.rs"]
mod cluster;
#[path = "faults/frames.rs"]
mod frames;
#[path = "faults/frozen.rs"]
mod frozen;
#[path = "faults/garble.rs"]
mod garble;
#[path = "faults/stalls.rs"]
mod stalls;
#[path = "faults/wire.rs"]
mod wire;

use std::time::Duration;

use support::daemon::{Daemon, Setup, says};
use support::deadline::within;
use support::scene::Scene;
use wire::{Weather, Wire};

const EVENTS: usize = 300;

const SECTIONS: &str = r#"
[lookup]
lag = "0s"
[gate]
failures = 5
probe_initial = "200ms"
probe_max = "1s"
[retry]
initial = "200ms"
max_interval = "1s"
budget = 1.0
[[rule]]
name = "any"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}" }
"#;

/// A scene with a wire to the broker and one to the API.
struct Stage {
    scene: Scene,
    broker: Wire,
    api: Wire,
    setup: Setup,
}

impl Stage {
    async fn new() -> Self {
        let scene = Scene::shared().await;
        let broker = Wire::to(scene.listens()).await;
        let api = Wire::to(scene.api.address().to_string()).await;
        let setup = Setup {
            amqp: scene.by_way_of(broker.address().port()),
            api: format!("http://{}", api.address()),
            ..scene.setup()
        };
        let setup = setup.sections(SECTIONS).impatient();
        let setup = setup.broker("topology = \"declare\"\nprefetch = 20\nheartbeat = \"2s\"\ncall_timeout = \"5s\"");
        Self { scene, broker, api, setup }
    }

    async fn daemon(&self) -> Daemon {
        Daemon::consumes(&self.setup).await
    }

    async fn until_some(&self) {
        within(60, "some of them", self.scene.until_created(EVENTS / 10)).await;
    }
}

/// Weather over one of the wires, from some events on until a word in the log, and then clear again.
async fn passes(over: fn(&Stage) -> &Wire, weather: Weather, until: &str) {
    let stage = Stage::new().await;
    let mut daemon = stage.daemon().await;
    stage.scene.publish(EVENTS, 300).await;
    over(&stage).becomes(weather);
    within(60, until, daemon.until(|line| says(line, until))).await;
    over(&stage).becomes(Weather::Clear);
    stage.scene.ends_well(EVENTS).await;
}

/// Weather over one of the wires all the time.
async fn lasts(over: fn(&Stage) -> &Wire, weather: Weather) {
    let stage = Stage::new().await;
    let _daemon = stage.daemon().await;
    over(&stage).becomes(weather);
    within(120, "publishing", stage.scene.publish(EVENTS, 300)).await;
    stage.scene.ends_well(EVENTS).await;
}

fn broker(stage: &Stage) -> &Wire {
    &stage.broker
}

fn api(stage: &Stage) -> &Wire {
    &stage.api
}

const SLOW: Weather = Weather::Latency(Duration::from_millis(40));
const DRIP: Weather = Weather::Drip(200, Duration::from_millis(5));

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_way_to_the_broker_costs_time_only() {
    lasts(broker, SLOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_drip_from_the_broker_costs_time_only() {
    lasts(broker, DRIP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_behind_a_black_hole_is_noticed_by_its_heartbeat() {
    passes(broker, Weather::BlackHole, "broker lost").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_to_the_broker_is_noticed_by_its_heartbeat() {
    passes(broker, Weather::HalfOpen, "broker lost").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resets_by_the_broker_again_and_again_lose_and_double_nothing() {
    let stage = Stage::new().await;
    let mut daemon = stage.daemon().await;
    stage.scene.publish(EVENTS, 300).await;
    for round in 1..=5 {
        stage.broker.resets();
        within(60, "consuming again", daemon.until_count(round + 1, |line| says(line, "consuming"))).await;
    }
    stage.scene.ends_well(EVENTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_way_to_the_api_costs_time_only() {
    lasts(api, SLOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_drip_from_the_api_costs_time_only() {
    lasts(api, DRIP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_behind_a_black_hole_shuts_the_gate_and_doubles_nothing() {
    passes(api, Weather::BlackHole, "gate shut").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_whose_answers_are_lost_shuts_the_gate_and_doubles_nothing() {
    passes(api, Weather::HalfOpen, "gate shut").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resets_by_the_api_lose_and_double_nothing() {
    let stage = Stage::new().await;
    let _daemon = stage.daemon().await;
    stage.scene.publish(EVENTS, 300).await;
    for _ in 0..5 {
        stage.until_some().await;
        stage.api.resets();
    }
    stage.scene.ends_well(EVENTS).await;
}
