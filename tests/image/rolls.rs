//! Rolling updates as a cluster does them: the new replica is ready before the old one is told to end, in the middle of
//! its requests.
//!
//! Not here: two different builds (`takes_over.rs`). Both sides are the same image.

use std::time::Duration;

use serde_json::Value;

use super::replica::Replica;
use super::stage::Stage;
use crate::support::broker::eventually;
use crate::support::daemon::{announced, result, says};
use crate::support::deadline::within;
use crate::support::standin::{Books, Canned, Fault, Rule};

pub const SECTIONS: &str = r#"
[lookup]
lag = "4s"
[retry]
resend_after = "0s"
initial = "200ms"
max_interval = "12s"
max_local_delay = "2s"
budget = 1.0
[[rule]]
name = "any"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}" }
"#;

const EVENTS: usize = 5_000;
const UPDATES: usize = 3;
const REPLICAS: usize = 2;
/// The prefetch of each replica.
const MAX_LOCAL_DELAY: usize = 24;
/// What the first requests of an update take: longer than it takes to tell a replica to end, and shorter than an orderly end.
const SLOW_MS: u64 = 5_000;
/// With the time to build the image.
const BEGIN: u64 = 1500;

/// Each request takes a while, some lose their answer, and some events are sent away and wait in a delay queue.
fn weather() -> Vec<Rule> {
    let one_of = |digits: &str, fault: Fault| -> Vec<Rule> {
        digits
            .chars()
            .map(|digit| Rule::always(fault.clone()).attribute("event_key", format!("e{digit}07")).times(1))
            .collect()
    };
    let mut rules = vec![Rule::always(Fault::Delay { ms: 300 })];
    rules.extend(one_of("12345", Fault::CreateThenReset));
    rules.extend(one_of("6789", Canned::new(423).retry_after("12").into()));
    rules
}

/// Replaces each replica once, as `maxSurge: 1` and `maxUnavailable: 0` do, each while its share of `numbers` flows, and gives the
/// logs of those that ended.
async fn update(
    stage: &Stage,
    setup: &crate::support::daemon::Setup,
    replicas: &mut [Replica],
    numbers: std::ops::Range<usize>,
) -> Vec<Value> {
    let mut logs = Vec::new();
    for (at, replica) in replicas.iter_mut().enumerate() {
        let new = stage.replica(setup).await;
        let ready = async || new.run(&["healthcheck", "--ready"]).await.is_ok();
        eventually(Duration::from_secs(60), "ready", ready).await;
        let share = |at: usize| numbers.start + numbers.len() * at / REPLICAS;
        stage
            .scene
            .api
            .fault(Rule::always(Fault::Delay { ms: SLOW_MS }).first((MAX_LOCAL_DELAY * (REPLICAS + 1)) as u64));
        within(60, "publishing", stage.scene.publish_those(share(at)..share(at + 1), 300)).await;
        // More than all others have unacknowledged: some are its own.
        let busy =
            |books: &Books| books.requests.iter().filter(|request| !request.over).count() > MAX_LOCAL_DELAY * REPLICAS;
        within(60, "requests under way", stage.scene.api.until(busy)).await;
        let log = std::mem::replace(replica, new).stopped().await;
        let told = log.iter().position(|line| says(line, "stopping")).expect("it was told to end");
        let finished = log[told..].iter().filter(|line| result(line, "created") || result(line, "found")).count();
        println!("a replica finished {finished} requests after it was told to end");
        assert!(finished > 0, "it was told to end in the middle of its requests");
        logs.extend(log);
    }
    logs
}

async fn rolling(rabbitmq: &str) {
    let Some(stage) = within(BEGIN, "the stage", Stage::with(rabbitmq)).await else { return };
    let scene = &stage.scene;
    scene.api.plan(weather());
    let setup =
        stage.setup().sections(SECTIONS).broker(&format!("topology = \"declare\"\nprefetch = {MAX_LOCAL_DELAY}"));
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        replicas.push(stage.replica(&setup).await);
    }
    let mut log = Vec::new();
    for part in 0..UPDATES {
        let numbers = EVENTS * part / UPDATES..EVENTS * (part + 1) / UPDATES;
        log.extend(within(300, "an update", update(&stage, &setup, &mut replicas, numbers)).await);
        let left = EVENTS - scene.processes().len();
        println!("update {}: {left} of {EVENTS} events are no process yet", part + 1);
    }
    scene.ends_well(EVENTS).await;
    for replica in replicas {
        log.extend(replica.stopped().await);
    }
    assert_eq!(announced(&log), Vec::<String>::new(), "with reconcile_by nothing is doubtful");
    assert!(log.iter().any(|line| result(line, "delayed")), "nothing waited in a delay queue");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_rolling_updates_lose_and_double_nothing_on_rabbitmq_4_3() {
    within(2400, "the updates", rolling("rabbitmq:4-management")).await;
}
