//! With `reconcile_by`, a lost answer is looked up before anything is sent again.
//!
//! Not here: what an answer to a lookup means (`core::lookup`).

use std::collections::BTreeSet;
use std::time::Duration;

use super::scene::Scene;
use crate::support::broker::{Broker, START_DEADLINE, shared};
use crate::support::daemon::{Daemon, announced, result, says};
use crate::support::deadline::within;
use crate::support::standin::{Fault, Rule};

const RULES: &str = r#"
[retry]
budget = 1.0
[[rule]]
name = "any"
procedure = "lead"
reconcile_by = "event_key"
[rule.data]
event_key = "{{ key }}"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_tenth_answer_is_lost_and_each_event_is_one_process() {
    const EVENTS: usize = 5_000;
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::CreateThenReset).every(10)]);
    let setup = scene.setup().sections(RULES).broker("topology = \"declare\"");
    let mut daemon = Daemon::start(&setup);
    within(60, "consuming", daemon.consuming()).await;
    within(60, "publishing", scene.publish(EVENTS, 300)).await;
    within(240, "all created", scene.until_created(EVENTS)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(120)).await;
    let settled = |line: &serde_json::Value| result(line, "created") || result(line, "found");
    within(120, "all settled", daemon.until_count(EVENTS, settled)).await;
    assert_eq!(scene.api.created().len(), EVENTS);
    assert_eq!(daemon.count(|line| result(line, "found")), EVENTS / 10);
    assert_eq!(announced(&daemon.log()), Vec::<String>::new(), "nothing was in doubt");
    assert_eq!(scene.client.depth(&scene.dead()).await.unwrap().messages, 0);
}

/// Nobody can tell what became of a lost answer then; what may be done is done in the open.
#[tokio::test(flavor = "multi_thread")]
async fn without_reconcile_by_every_double_of_lost_answers_is_announced_id_for_id() {
    const EVENTS: usize = 5_000;
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::CreateThenReset).every(10)]);
    let mut daemon = Daemon::start(&scene.setup().sections("[retry]\nbudget = 1.0").broker("topology = \"declare\""));
    within(60, "consuming", daemon.consuming()).await;
    within(60, "publishing", scene.publish(EVENTS, 300)).await;
    let settled = |line: &serde_json::Value| result(line, "created") || result(line, "dead_lettered");
    within(300, "all settled", daemon.until_count(EVENTS, settled)).await;
    let processes = scene.processes();
    let doubled: BTreeSet<&String> = processes.iter().filter(|(_, times)| **times > 1).map(|(key, _)| key).collect();
    let log = daemon.log();
    let announced = announced(&log);
    assert_eq!(processes.len(), EVENTS, "every event is a process");
    assert!(doubled.len() > EVENTS / 20, "only {} doubles", doubled.len());
    assert_eq!(doubled, announced.iter().collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shows_late_is_waited_for_and_not_created_again() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    scene.api.set_lag(Duration::from_secs(3));
    scene.api.plan(vec![Rule::always(Fault::CreateThenReset).times(1)]);
    let setup = scene.setup().sections(RULES).broker("topology = \"declare\"");
    let mut daemon = Daemon::start(&setup);
    within(60, "consuming", daemon.consuming()).await;
    scene.publish(20, 300).await;
    within(120, "all found", daemon.until_count(20, |line| result(line, "found"))).await;
    assert!(scene.processes().values().all(|times| *times == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_leaves_nothing_that_is_created_twice() {
    const EVENTS: usize = 400;
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 30 })]);
    let setup = scene.setup().sections(RULES).broker("topology = \"declare\"\nprefetch = 20");
    let setup = setup.sections("[lookup]\nlag = \"0s\"\n[shutdown]\ndeadline = \"2s\"");
    within(60, "a queue", async {
        let mut daemon = Daemon::start(&setup);
        daemon.consuming().await;
        daemon.signal("TERM");
        daemon.ended().await;
    })
    .await;
    scene.publish(EVENTS, 300).await;
    for round in 1..=5 {
        let mut daemon = Daemon::start(&setup);
        within(60, "consuming", daemon.consuming()).await;
        within(120, "progress", scene.until_created(round * EVENTS / 8)).await;
        daemon.signal("KILL");
        within(60, "its end", daemon.ended()).await;
    }
    let daemon = Daemon::start(&setup);
    within(240, "all created", scene.until_created(EVENTS)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(120)).await;
    let doubled: Vec<_> = scene.processes().into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    assert_eq!(announced(&daemon.log()), Vec::<String>::new());
}

/// A crash of the broker marks all that a classic queue holds as delivered before, though nobody ever had it.
#[tokio::test(flavor = "multi_thread")]
async fn the_backlog_of_a_classic_queue_after_a_crash_of_the_broker_is_told_with_its_number_and_the_end() {
    let broker = within(START_DEADLINE.as_secs(), "a broker", Broker::private()).await;
    backlog_of_a_classic_queue(&broker).await;
}

/// Crashes the broker.
pub(super) async fn backlog_of_a_classic_queue(broker: &Broker) {
    const EVENTS: usize = 40;
    let scene = within(60, "a place", async { Scene::classic(broker.vhost().await).await }).await;
    within(60, "publishing", scene.publish(EVENTS, 100)).await;
    within(60, "its crash", broker.kill9()).await;
    within(240, "the broker again", broker.restart()).await;
    let setup = scene.setup().sections(&format!("{RULES}\n[lookup]\nlag = \"12s\"")).api("timeout = \"3s\"");
    let mut daemon = Daemon::start(&setup.broker("topology = \"declare\""));
    let admin = within(60, "its port", daemon.admin()).await;
    within(60, "consuming", daemon.consuming()).await;
    let line = within(60, "how many wait", daemon.until(|line| says(line, "looked for and not found yet"))).await;
    assert!(line["events"].as_u64().is_some_and(|events| (1..=40).contains(&events)), "{line}");
    assert!(line["until"].as_str().is_some_and(|until| until.ends_with('Z')), "{line}");
    let told = within(60, "readiness", reqwest::get(format!("{admin}/readyz"))).await.unwrap();
    let told: serde_json::Value = serde_json::from_str(&told.text().await.unwrap()).unwrap();
    assert!(told["lookup_waits"]["events"].as_u64() > Some(0) && told["lookup_waits"]["until"].is_string(), "{told}");
    within(120, "all created", scene.until_created(EVENTS)).await;
    within(60, "its end", daemon.until(|line| says(line, "no event waits for the window"))).await;
    assert_eq!(scene.api.created().len(), EVENTS);
}
