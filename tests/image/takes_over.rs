//! What an older build left in a delay queue is taken over: by an update from the build before this one, and by the header of
//! the progress as each release wrote it.
//!
//! Not here: updates under load (`rolls.rs`). A release adds the header that it writes as a file here, and every later one reads
//! them all.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::docker::{built_before, image};
use super::rolls::SECTIONS;
use super::stage::Stage;
use crate::support::daemon::{announced, result};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule};

/// The release, the header, and the attempts that it tells of.
const DELAYED: [(&str, &str, u64); 1] = [("0.1.0", include_str!("parked-by-0.1.0.json"), 1)];
const HEADER: &str = "chakra-bridge-journey";
/// With the time to build the image.
const BEGIN: u64 = 1500;

async fn delay(stage: &Stage, release: &str, header: &str) {
    let mut headers = FieldTable::default();
    headers.insert(HEADER.into(), AMQPValue::LongString(header.trim().into()));
    let properties = BasicProperties::default().with_message_id(release.into()).with_headers(headers);
    let queue = format!("{}.wait.10s", stage.scene.queue());
    stage.scene.client.publish("", &queue, b"{}", properties).await;
}

async fn taken_over(rabbitmq: &str) {
    let Some(stage) = within(BEGIN, "the stage", Stage::with(rabbitmq)).await else { return };
    let setup = stage.setup().sections(SECTIONS).broker("topology = \"declare\"");
    let mut replica = stage.replica(&setup).await;
    for (release, header, _) in DELAYED {
        within(60, "delaying", delay(&stage, release, header)).await;
    }
    let all = replica.daemon.until_count(DELAYED.len(), |line| result(line, "created"));
    within(120, "a process of each", all).await;
    for (release, _, attempts) in DELAYED {
        let told = replica.daemon.logged(|line| result(line, "created") && line["key"] == release);
        assert_eq!(told.len(), 1, "{release}");
        assert_eq!(told[0]["attempts"], attempts + 1, "the progress goes on: {told:?}");
        let paths = stage.scene.api.requests().into_iter().filter(|request| request.key.as_deref() == Some(release));
        let paths: Vec<_> = paths.map(|request| request.path).collect();
        assert!(paths.len() >= 2 && paths[0].ends_with("/list"), "looked up before it is created: {paths:?}");
    }
    assert!(stage.scene.processes().values().all(|times| *times == 1));
    replica.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_release_delayed_is_looked_up_and_becomes_one_process() {
    within(2400, "taking over", Box::pin(taken_over("rabbitmq:4-management"))).await;
}

/// Events of the update. Each is sent away once, and asked to wait for longer than it is waited in memory.
const EVENTS: usize = 200;

/// The older build delays all events, and ends when the newer one is ready: that one makes the processes.
async fn updated(rabbitmq: &str) {
    // The newer one first: it says whether there is an engine.
    if within(BEGIN, "the image", image()).await.is_none() {
        return;
    }
    let older = within(BEGIN, "the build before", built_before()).await;
    let Some(stage) = within(BEGIN, "the stage", Stage::with(rabbitmq)).await else { return };
    let setup = stage.setup().sections(SECTIONS).broker("topology = \"declare\"");
    stage.scene.api.plan(vec![Rule::always(Canned::new(423).retry_after("12")).times(1)]);
    let mut before = within(180, "the older one", stage.replica_of(&older, &setup)).await;
    within(60, "publishing", stage.scene.publish(EVENTS, 300)).await;
    within(60, "all delayed", before.daemon.until_count(EVENTS, |line| result(line, "delayed"))).await;
    let mut after = within(180, "the newer one", stage.replica(&setup)).await;
    let mut log = before.stopped().await;
    within(120, "all created", after.daemon.until_count(EVENTS, |line| result(line, "created"))).await;
    stage.scene.ends_well(EVENTS).await;
    let told = after.stopped().await;
    assert!(
        told.iter().filter(|line| result(line, "created")).all(|line| line["attempts"] == 2),
        "each progress goes on"
    );
    log.extend(told);
    assert_eq!(announced(&log), Vec::<String>::new(), "with reconcile_by nothing is doubtful");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_from_the_build_before_takes_over_what_waits_in_the_delay_queue() {
    within(3600, "the update", Box::pin(updated("rabbitmq:4-management"))).await;
}
