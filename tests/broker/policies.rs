//! Policies, whoever sets them and when, which AMQP does not show and the management API does. On every version that is supported.
//!
//! Not here: what else only that API shows (`managed.rs`), and arguments (`queues.rs`).

use std::time::Duration;

use lapin::types::FieldTable;
use serde_json::{Value, json};

use super::managed;
use super::online::check;
use super::queues::cell;
use super::scene::Scene;
use crate::support::broker::{Broker, eventually, shared, shared_image};
use crate::support::daemon::{Daemon, Setup, says};
use crate::support::deadline::within;

pub(super) const MINUTE: Duration = Duration::from_secs(60);

const WATCHER_PASSWORD: &str = "of-a-watcher";

/// A policy: whether an operator sets it, what it says, and the queues it is set on.
struct Case {
    name: &'static str,
    is_of_operator: bool,
    definition: fn() -> Value,
}

const CASES: [Case; 8] = [
    case("`message-ttl`", || json!({ "message-ttl": 9000 })),
    case("`max-length`", || json!({ "max-length": 1000 })),
    case("`max-length-bytes`", || json!({ "max-length-bytes": 1_000_000 })),
    case("`max-length`, `overflow` `reject-publish`", || json!({ "max-length": 1000, "overflow": "reject-publish" })),
    case("`expires`", || json!({ "expires": 3_600_000 })),
    case("`delivery-limit` 3", || json!({ "delivery-limit": 3 })),
    case("`dead-letter-exchange` that is not there", || json!({ "dead-letter-exchange": "no_such" })),
    Case {
        name: "operator policy, `message-ttl`",
        is_of_operator: true,
        definition: || json!({ "message-ttl": 9000 }),
    },
];

const fn case(name: &'static str, definition: fn() -> Value) -> Case {
    Case { name, is_of_operator: false, definition }
}

/// A place with a work queue without any argument and the others as the daemon makes them.
pub(super) async fn scene(broker: &Broker) -> Scene {
    println!("RabbitMQ {}", broker.version());
    let scene = Scene::empty(broker.vhost().await).await;
    scene.client.declare_quorum(&scene.queue(), FieldTable::default()).await;
    within(60, "its queues", makes_queues(&scene)).await;
    scene
}

/// Makes what a place lacks, as the daemon makes it.
pub(super) async fn makes_queues(scene: &Scene) {
    let mut daemon = Daemon::start(&scene.setup().broker("topology = \"declare\""));
    daemon.consuming().await;
    daemon.signal("TERM");
    daemon.ended().await;
}

/// The management API of this broker, asked each second.
pub(super) fn managed(scene: &Scene, setup: Setup) -> Setup {
    let (user, password) = scene.place.management().login();
    managed_as(scene, setup, &user, &password)
}

fn managed_as(scene: &Scene, setup: Setup, user: &str, password: &str) -> Setup {
    let management = scene.place.management();
    setup.broker(&format!(
        "management.url = \"{}\"\nmanagement.user = \"{user}\"\nmanagement.password = \"{password}\"\n\
         management.interval = \"1s\"",
        management.url()
    ))
}

fn three(scene: &Scene) -> [String; 3] {
    [scene.queue(), scene.dead(), format!("{}.wait.10s", scene.queue())]
}

/// Sets a policy on the three, and waits until the API shows it.
async fn set(scene: &Scene, case: &Case) {
    let pattern = format!("^({})$", three(scene).join("|").replace('.', "\\."));
    let kind = if case.is_of_operator { "operator-policies" } else { "policies" };
    scene.place.management().policy(kind, &scene.place.name, &pattern, Some((case.definition)())).await;
    let shown = if case.is_of_operator { "operator_policy" } else { "policy" };
    until_shown(scene, shown, true).await;
}

async fn until_shown(scene: &Scene, field: &str, is_set: bool) {
    for queue in three(scene) {
        eventually(MINUTE, "the policy at the API", async || {
            let told = scene.place.management().queue(&scene.place.name, &queue).await;
            told[field].as_str().is_some_and(|name| !name.is_empty()) == is_set
        })
        .await;
    }
}

async fn unset(scene: &Scene, case: &Case) {
    let (kind, field) =
        if case.is_of_operator { ("operator-policies", "operator_policy") } else { ("policies", "policy") };
    scene.place.management().policy(kind, &scene.place.name, "", None).await;
    until_shown(scene, field, false).await;
}

/// What `check --online` says of each of the three, without what it said before.
async fn said(scene: &Scene, before: &[String; 3]) -> [String; 3] {
    // Not shown connections, it is not waited for any.
    let watched = managed_as(scene, scene.setup(), &watcher(scene), WATCHER_PASSWORD);
    let (code, said) = check(&watched, &["--json"]).await;
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    let list = |name: &str| said[name].as_array().cloned().unwrap_or_default();
    let warnings: Vec<_> = list("warnings").iter().filter_map(|words| Some(words.as_str()?.to_owned())).collect();
    let mistakes: Vec<_> =
        list("mistakes").iter().filter_map(|found| Some(found["what"].as_str()?.to_owned())).collect();
    assert_eq!(code, Some(if mistakes.is_empty() { 0 } else { 78 }), "{said}");
    let of = |said: &[String], queue: &str| -> Vec<String> {
        let start = format!("queue `{queue}` ");
        said.iter().filter_map(|words| Some(words.strip_prefix(&start)?.to_owned())).collect()
    };
    let cells = three(scene).map(|queue| (of(&mistakes, &queue), of(&warnings, &queue)));
    let mut index = 0;
    cells.map(|(refused, words)| {
        if !refused.is_empty() {
            return cell("refused", &refused);
        }
        let new: Vec<_> = words
            .into_iter()
            .filter(|words| !before[index].contains(&cell("warned", std::slice::from_ref(words))[8..]))
            .collect();
        index += 1;
        cell(if new.is_empty() { "served" } else { "warned" }, &new)
    })
}

fn watcher(scene: &Scene) -> String {
    format!("watches-{}", scene.place.name)
}

async fn rows(broker: &Broker) -> Vec<String> {
    let scene = within(120, "a place", scene(broker)).await;
    let (management, watcher) = (scene.place.management(), watcher(&scene));
    within(60, "a user", management.make_watcher(&scene.place.name, &watcher, WATCHER_PASSWORD)).await;
    let none = || ["", "", ""].map(str::to_owned);
    let before = said(&scene, &none()).await;
    let mut rows = Vec::new();
    for case in &CASES {
        within(120, case.name, set(&scene, case)).await;
        let [work, dead, delay] = said(&scene, &before).await;
        rows.push(format!("| {} | {work} | {dead} | {delay} |", case.name));
        within(120, case.name, unset(&scene, case)).await;
    }
    within(60, "no user", management.remove_user(&watcher)).await;
    rows
}

fn documented() -> Vec<String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/queues.md")).unwrap();
    let (_, table) =
        page.split_once("| policy | on the work queue | on the dead-letter queue | on a delay queue |").unwrap();
    table.lines().skip(2).take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_makes_of_each_queue_is_told_as_the_documents_say() {
    let broker = within(240, "a broker", shared()).await;
    let rows = within(600, "the table", rows(broker)).await;
    assert_eq!(rows, documented(), "all rows are:\n{}", rows.join("\n"));
}

async fn in_a_container(image: usize) {
    let Some(broker) = within(240, "a broker", shared_image(image)).await else { return };
    assert_eq!(within(600, "the table", rows(broker)).await, documented());
    within(240, "a stream", managed::a_stream(broker)).await;
    within(240, "its holder", managed::a_holder(broker)).await;
    within(240, "a delay queue", managed::a_delay_queue_that_leads_elsewhere(broker)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_streams_delay_queues_and_holders_are_judged_the_same_on_rabbitmq_4_0() {
    in_a_container(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_streams_delay_queues_and_holders_are_judged_the_same_on_rabbitmq_4_3() {
    in_a_container(1).await;
}

pub(super) async fn degraded(admin: &str) -> Vec<String> {
    let told = reqwest::get(format!("{admin}/readyz")).await.unwrap().text().await.unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    told["degraded"].as_array().into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_set_while_the_daemon_runs_is_told_once_and_again_when_it_changes() {
    let scene = within(240, "a broker", async { scene(shared().await).await }).await;
    let mut daemon = Daemon::start(&managed(&scene, scene.setup()));
    within(60, "consuming", daemon.consuming()).await;
    let admin = within(60, "its port", daemon.admin()).await;
    let management = scene.place.management();
    let (vhost, pattern) = (&scene.place.name, format!("^{}$", scene.dead()));
    for ttl in [3_600_000, 7_200_000] {
        management.policy("policies", vhost, &pattern, Some(json!({ "message-ttl": ttl }))).await;
        let words = format!("dead letters that nobody has taken after {ttl} ms leave it unseen (set by policy");
        within(60, "the word", daemon.until(|line| says(line, "queue warning: the dead-letter") && says(line, &words)))
            .await;
    }
    assert!(within(60, "readiness", degraded(&admin)).await.contains(&"queues_at_risk".to_owned()));
    scene.client.publish("", &scene.dead(), b"{}", lapin::BasicProperties::default()).await;
    let sample = format!("chakra_bridge_queue_messages_ready{{queue=\"{}\"}} 1", scene.dead());
    eventually(MINUTE, "the depth", async || {
        let text = reqwest::get(format!("{admin}/metrics")).await.unwrap().text().await.unwrap();
        text.contains(&sample) && text.contains("chakra_bridge_management_up 1")
    })
    .await;
    management.policy("policies", vhost, "", None).await;
    within(60, "its end", daemon.until(|line| says(line, "queue warning ended") && says(line, "7200000"))).await;
    eventually(MINUTE, "nothing amiss", async || degraded(&admin).await.is_empty()).await;
    assert_eq!(daemon.count(|line| says(line, "queue warning: the dead-letter queue has a time to live")), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn delay_queues_that_a_policy_would_delete_are_not_used_until_it_ends() {
    let scene = within(240, "a broker", async { scene(shared().await).await }).await;
    let mut daemon = Daemon::start(&managed(&scene, scene.setup()));
    within(60, "consuming", daemon.consuming()).await;
    let admin = within(60, "its port", daemon.admin()).await;
    let (management, vhost) = (scene.place.management(), &scene.place.name);
    let is_word = |line: &Value| says(line, "wait in memory only") && says(line, "expires");
    for _ in 0..2 {
        // The broker sets a policy to one queue after another, and each is told that is met by a round of questions.
        let before = daemon.count(is_word);
        management.policy("policies", vhost, "wait", Some(json!({ "expires": 3_600_000 }))).await;
        within(60, "that nothing is delayed", daemon.until_count(before + 1, is_word)).await;
        assert!(within(60, "readiness", degraded(&admin)).await.contains(&"no_delays".to_owned()));
        management.policy("policies", vhost, "", None).await;
        eventually(MINUTE, "nothing amiss", async || degraded(&admin).await.is_empty()).await;
    }
}
