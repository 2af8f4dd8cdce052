//! Outages that last, on the cruellest queue there is: quorum on RabbitMQ 4.0, which gives a message up after 20 returns.
//! Each costs time only, through two restarts of the daemon.
//!
//! In CI a minute and a few events. The long ones, by `OUTAGE_SECONDS` and `OUTAGE_EVENTS`:
//! `OUTAGE_SECONDS=600 OUTAGE_EVENTS=1000 cargo test --test outage bad_token -- --nocapture`
//! `OUTAGE_SECONDS=300 OUTAGE_EVENTS=5000 cargo test --test outage away -- --nocapture`
//!
//! Not here: the laws of the gate (`core::gate`, with an hour on a hand-wound clock).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

use std::time::Duration;

use support::broker::{Broker, START_DEADLINE};
use support::daemon::{Daemon, Setup, result};
use support::deadline::within;
use support::scene::Scene;
use support::setup::LOOKED_UP;
use support::standin::{Fault, Rule, StandIn};

const SECONDS: u64 = 60;
const EVENTS: u64 = 400;
/// Places unacknowledged: so many requests may be on their way when the first is refused.
const MAX_LOCAL_DELAY: usize = 10;
const LIVES: u32 = 3;
/// Half of the wait before a probe is certain: 5 s at least.
const SECTIONS: &str = r#"
[lookup]
lag = "0s"
[gate]
probe_initial = "10s"
probe_max = "30s"
[retry]
budget = 1.0
"#;

/// The broker, the place, and the configuration of every life of the daemon.
struct Stage {
    _broker: Broker,
    scene: Scene,
    setup: Setup,
    events: usize,
    seconds: u64,
}

fn wanted(name: &str, or: u64) -> u64 {
    std::env::var(name).ok().map_or(or, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

impl Stage {
    /// With the queues made, and the events in them.
    async fn new() -> Option<Self> {
        let (seconds, events) = (wanted("OUTAGE_SECONDS", SECONDS), wanted("OUTAGE_EVENTS", EVENTS) as usize);
        let broker = within(START_DEADLINE.as_secs(), "a broker", Broker::image("rabbitmq:4.0-management")).await?;
        let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
        broker.ctl(&["set_policy", "-p", &scene.place.name, "limit", "^crm", r#"{"delivery-limit":20}"#]).await;
        let setup = scene.setup().sections(SECTIONS).sections(LOOKED_UP).impatient();
        let setup = setup.broker(&format!("topology = \"declare\"\nprefetch = {MAX_LOCAL_DELAY}"));
        let stage = Self { _broker: broker, scene, setup, events, seconds };
        stage.end(Daemon::consumes(&stage.setup).await, "TERM").await;
        within(120, "publishing", stage.scene.publish(events, 300)).await;
        Some(stage)
    }

    async fn end(&self, daemon: Daemon, signal: &str) {
        daemon.signal(signal);
        let (_, log) = within(60, "its end", daemon.ended()).await;
        assert!(!log.iter().any(|line| result(line, "dead_lettered")));
    }

    /// The outage: one life ends in order, one by -9, and the last goes on.
    async fn endure(&self) -> Daemon {
        let share = Duration::from_secs(self.seconds) / LIVES;
        for signal in ["TERM", "KILL"] {
            let daemon = Daemon::consumes(&self.setup).await;
            tokio::time::sleep(share).await; // tidy: allow sleep, an outage is so long
            self.end(daemon, signal).await;
        }
        let daemon = Daemon::consumes(&self.setup).await;
        tokio::time::sleep(share).await; // tidy: allow sleep, an outage is so long
        assert_eq!(self.scene.api.created().len(), 0);
        self.assert_no_dead_letter().await;
        daemon
    }

    /// By the daemon or by the broker.
    async fn assert_no_dead_letter(&self) {
        assert_eq!(self.scene.client.depth(&self.scene.dead()).await.unwrap().messages, 0);
    }

    /// Prints a row of the evidence: what it was, and the requests meanwhile.
    async fn ends_well(&self, daemon: Daemon, what: &str, asked: usize) {
        self.scene.ends_well(self.events).await;
        self.end(daemon, "TERM").await;
        self.assert_no_dead_letter().await;
        let (events, processes) = (self.events, self.scene.api.created().len());
        println!(
            "| outage | events | processes | dead letters | requests meanwhile |\n| --- | --- | --- | --- | --- |\n\
             | {} s of {what}, two restarts | {events} | {processes} | 0 | {asked} |",
            self.seconds
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_dead_letters_nothing_and_is_asked_of_rarely() {
    let Some(stage) = Stage::new().await else { return };
    stage.scene.api.set_tokens(&["another"]);
    let daemon = stage.endure().await;
    let asked = stage.scene.api.requests().len();
    let most = LIVES as usize * MAX_LOCAL_DELAY + stage.seconds as usize / 5;
    println!("{asked} requests in {} s of a bad token and {LIVES} lives of the daemon", stage.seconds);
    assert!(asked <= most, "{asked} requests, more than one probe in 5 s");
    stage.scene.api.set_tokens(&[StandIn::TOKEN]);
    within(31, "the first one, within 30 s of the new token", stage.scene.until_created(1)).await;
    stage.ends_well(daemon, "a bad token", asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_away_dead_letters_nothing_and_comes_back_to_a_ramp() {
    let Some(mut stage) = Stage::new().await else { return };
    stage.scene.api.plan(vec![Rule::always(Fault::Delay { ms: 10 })]);
    stage.scene.api.go_dark().await;
    let mut daemon = stage.endure().await;
    let metrics = format!("{}/metrics", within(10, "its address", daemon.admin()).await);
    stage.scene.api.listen().await.unwrap();
    let ramp = within(120, "the ramp", ramp(&metrics)).await;
    println!("requests a second, as the metrics tell: {ramp:?}");
    assert!(ramp.len() > 2, "the ramp is not to be seen: {ramp:?}");
    assert!(ramp.windows(2).all(|pair| pair[1] <= 2 * pair[0]), "a step above twice the one before: {ramp:?}");
    stage.ends_well(daemon, "an API that is away", 0).await;
}

/// The steps of the ramp, until there is none any more.
async fn ramp(metrics: &str) -> Vec<u64> {
    let mut steps = Vec::new();
    loop {
        let text = reqwest::get(metrics).await.unwrap().text().await.unwrap();
        let told = text.lines().find_map(|line| line.strip_prefix("chakra_bridge_gate_ramp_requests_per_second "));
        let step: u64 = told.unwrap().parse().unwrap();
        if step == 0 && !steps.is_empty() {
            return steps;
        }
        if step > 0 && steps.last() != Some(&step) {
            steps.push(step);
        }
        tokio::time::sleep(Duration::from_millis(100)).await; // tidy: allow sleep, the metrics are read again and again
    }
}
