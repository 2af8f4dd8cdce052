//! What an older release left in a delay queue is taken over, by the header of the progress as each release wrote it.
//!
//! Not here: updates under load (`rolls.rs`), and the previous release itself (`upgrade.rs`). A release adds the header that
//! it writes as a file here, and every later one reads them all.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::rolls::SECTIONS;
use super::stage::Stage;
use crate::support::daemon::result;
use crate::support::deadline::within;

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
