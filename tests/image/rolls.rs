//! Rolling updates as a cluster does them: the new replica is ready before the old one is told to end, in the middle of
//! its requests.
//!
//! Not here: two different builds (`takes_over.rs`). Both sides are the same image.

use std::time::Duration;

use serde_json::Value;

use super::replica::Replica;
use super::stage::Stage;
use crate::support::broker::eventually;
use crate::support::daemon::{announced, fate, says};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

pub const SECTIONS: &str = r#"
[look]
lag = "4s"
[retry]
initial = "200ms"
max_interval = "12s"
in_hand = "2s"
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
/// With the time to build the image.
const BEGIN: u64 = 1500;

/// Each request takes a while, some lose their answer, and some events are sent away and wait in a wait queue.
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
) -> Vec<Vec<Value>> {
    let mut logs = Vec::new();
    for (at, replica) in replicas.iter_mut().enumerate() {
        let new = stage.replica(setup).await;
        let ready = async || new.run(&["healthcheck", "--ready"]).await.is_ok();
        eventually(Duration::from_secs(60), "ready", ready).await;
        let share = |at: usize| numbers.start + numbers.len() * at / REPLICAS;
        within(60, "publishing", stage.scene.publish_those(share(at)..share(at + 1), 300)).await;
        // It has its part of the share: more of it comes than is in hand.
        let more = replica.daemon.count(is_created) + 1;
        within(60, "requests under way", replica.daemon.until_count(more, is_created)).await;
        let log = std::mem::replace(replica, new).stopped().await;
        println!("a replica finished {} requests after it was told to end", finished(&log));
        logs.push(log);
    }
    logs
}

fn is_created(line: &Value) -> bool {
    fate(line, "created")
}

/// How many requests it finished after it was told to end.
fn finished(log: &[Value]) -> usize {
    let told = log.iter().position(|line| says(line, "stopping")).expect("it was told to end");
    log[told..].iter().filter(|line| is_created(line) || fate(line, "found")).count()
}

async fn rolling(rabbitmq: &str) {
    let Some(stage) = within(BEGIN, "the stage", Stage::with(rabbitmq)).await else { return };
    let scene = &stage.scene;
    scene.api.plan(weather());
    let setup = stage.setup().sections(SECTIONS).broker("topology = \"declare\"\nprefetch = 24");
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        replicas.push(stage.replica(&setup).await);
    }
    let mut ended = Vec::new();
    for part in 0..UPDATES {
        let numbers = EVENTS * part / UPDATES..EVENTS * (part + 1) / UPDATES;
        ended.extend(within(300, "an update", update(&stage, &setup, &mut replicas, numbers)).await);
        let left = EVENTS - scene.processes().len();
        println!("update {}: {left} of {EVENTS} events are no process yet", part + 1);
    }
    scene.ends_well(EVENTS).await;
    // One of them may have been told in a pause of the broker; not all.
    assert!(ended.iter().any(|log| finished(log) > 0), "none was told to end in the middle of its requests");
    let mut log = ended.concat();
    for replica in replicas {
        log.extend(replica.stopped().await);
    }
    assert_eq!(announced(&log), Vec::<String>::new(), "with reconcile_by nothing is doubtful");
    assert!(log.iter().any(|line| fate(line, "parked")), "nothing waited in a wait queue");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_rolling_updates_lose_and_double_nothing_on_rabbitmq_4_3() {
    within(2400, "the updates", rolling("rabbitmq:4-management")).await;
}
