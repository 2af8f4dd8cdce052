//! The night on call: dead letters are listed, shown and retried by the program's own verbs, beside a running daemon or without one.
//!
//! Not here: the tool killed, and two of them at once (`night_killed.rs`); what is decided of a letter (`core::letters`).

use std::path::Path;
use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use super::scene::Scene;
use crate::support::broker::{Broker, shared};
use crate::support::daemon::{Daemon, Setup, program, result, says};
use crate::support::deadline::within;

const MINUTE: Duration = Duration::from_secs(60);
const EVENTS: usize = 200;
const OTHERS: usize = 50;
/// More looks than a quorum queue of RabbitMQ 4.0 allows by default.
pub(crate) const LOOKS: usize = 25;

/// What a verb printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// `dead-letters` with these words, by this configuration file.
pub(crate) async fn run(config: &Path, words: &[&str]) -> Ran {
    let mut command = Command::new(program());
    command.arg("--config").arg(config).arg("dead-letters").args(words).env("USER", "night").kill_on_drop(true);
    let done = within(120, "dead-letters", command.output()).await.unwrap();
    let [out, err] = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap());
    Ran { code: done.status.code(), out, err }
}

impl Ran {
    /// What it printed, if it is done.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    fn json(self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }
}

/// A configuration file by itself, for a night without a daemon.
pub(crate) fn file(setup: &Setup) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, setup.toml()).unwrap();
    (folder, file)
}

fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

/// A dead letter as the daemon writes it.
pub(crate) fn letter(id: &str, reason: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, text) in
        [("reason", reason), ("text", "why"), ("rule", "any"), ("exchange", "crm"), ("routing-key", "lead.new")]
    {
        headers.insert(format!("chakra-bridge-{name}").into(), long(text));
    }
    headers.insert("chakra-bridge-last-seen-ms".into(), AMQPValue::LongLongInt(1_700_000_000_000));
    BasicProperties::default().with_message_id(id.into()).with_headers(headers)
}

/// Puts so many letters into the dead-letter queue, in their order.
pub(crate) async fn put(scene: &Scene, count: usize) {
    for number in 0..count {
        scene.client.publish("", &scene.dead(), b"{}", letter(&format!("e{number}"), "refused")).await;
    }
}

/// A scene whose queues the daemon makes, or would.
pub(crate) async fn scene_on(broker: &Broker) -> Scene {
    let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
    let mut daemon = Daemon::start(&scene.setup().broker("topology = \"declare\""));
    within(60, "the queues", daemon.consuming()).await;
    daemon.signal("TERM");
    within(60, "its end", daemon.ended()).await;
    scene
}

/// One field has another name than the rule thinks.
fn rules(field: &str) -> String {
    format!(
        "[gate]\nrejections = 0\n[[rule]]\nname = \"lead\"\ntype = \"lead\"\nprocedure = \"lead\"\nreconcile_by = \"event_key\"\n\
         data = {{ event_key = \"{{{{ key }}}}\", name = \"{{{{ event.{field} }}}}\" }}\n\
         [[rule]]\nname = \"case\"\ntype = \"case\"\nprocedure = \"ticket\"\ndata = {{ event_key = \"{{{{ key }}}}\" }}\n"
    )
}

async fn publish(scene: &Scene, kind: &str, count: usize) {
    let message = |number| {
        let properties = BasicProperties::default().with_message_id(format!("{kind}-{number}").into());
        (format!(r#"{{"name": "n{number}"}}"#).into_bytes(), properties.with_type(kind.into()).with_delivery_mode(2))
    };
    scene.client.publish_many("", &scene.queue(), (0..count).map(message).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_takes_three_commands_and_makes_each_process_once() {
    let scene = Scene::shared().await;
    let setup = scene.setup().broker("topology = \"declare\"");
    let mut daemon = Daemon::start(&setup.clone().sections(&rules("nam")));
    within(60, "consuming", daemon.consuming()).await;
    publish(&scene, "lead", EVENTS).await;
    publish(&scene, "case", OTHERS).await;
    within(120, "the others", scene.until_created(OTHERS)).await;
    scene.client.until_depth(&scene.dead(), EVENTS as u32, MINUTE).await;
    let config = daemon.config();

    let listed = run(&config, &["list"]).await.done();
    assert!(listed.contains("200 letters") && listed.contains("unmappable, rule lead"), "{listed}");
    std::fs::write(&config, setup.sections(&rules("name")).toml()).unwrap();
    within(60, "the reload", daemon.until(|line| says(line, "rules reloaded"))).await;
    let shown = run(&config, &["show", "--reason", "unmappable", "--rule", "lead"]).await.done();
    assert!(
        shown.contains("event.nam") && shown.contains("asks for a process") && shown.contains(r#""name":"n"#),
        "{shown}"
    );
    let retried =
        run(&config, &["retry", "--reason", "unmappable", "--rule", "lead", "--from", "you@example.com"]).await.done();
    assert_eq!(retried.matches(" retried lead-").count(), EVENTS, "{retried}");
    assert!(retried.lines().filter(|line| line.contains(" retried ")).all(|line| line.ends_with("by you@example.com")));
    within(120, "all", scene.until_created(EVENTS + OTHERS)).await;
    within(60, "every end", daemon.until_count(EVENTS + OTHERS, |line| result(line, "created"))).await;
    assert!(scene.processes().values().all(|times| *times == 1), "{:?}", scene.processes());
    assert_eq!(scene.client.depth(&scene.dead()).await.unwrap().messages, 0);
}

/// Looked at more often than a limit would allow, the letters are all there, in their order.
pub(crate) async fn looks(broker: &Broker, looks: usize) {
    let scene = scene_on(broker).await;
    put(&scene, 150).await;
    let (_folder, config) = file(&scene.setup());
    for _ in 0..looks {
        let listed = run(&config, &["list", "--json"]).await.json();
        assert_eq!(listed["letters"], 150, "{listed}");
    }
    let left = scene.client.drain(&scene.dead()).await;
    let ids: Vec<_> = left.iter().map(|left| left.properties.message_id().as_ref().unwrap().to_string()).collect();
    assert_eq!(ids, (0..150).map(|number| format!("e{number}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_takes_nothing_away_and_keeps_the_order() {
    within(240, "looks", async { looks(shared().await, 3).await }).await;
}

/// Where a pass costs, nobody looks unasked; with the command that is told it costs no longer.
pub(crate) async fn a_limit(broker: &Broker) {
    let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
    let mut limit = FieldTable::default();
    limit.insert("x-delivery-limit".into(), AMQPValue::LongInt(5));
    scene.client.declare_quorum(&scene.queue(), FieldTable::default()).await;
    scene.client.declare_quorum(&scene.dead(), limit).await;
    put(&scene, 3).await;
    let (_folder, config) = file(&scene.setup());
    let refused = run(&config, &["list"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("5 times") && refused.err.contains("dead-letters import"), "{refused:?}");
    let listed = run(&config, &["list", "--yes-count-one", "--json"]).await.json();
    assert_eq!(listed["letters"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_pass_counts_towards_a_limit_nobody_looks_unasked() {
    within(240, "a limit", async { a_limit(shared().await).await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_letters_of_one_event_are_retried_as_one_and_what_cannot_be_excluded_is_said_before() {
    let scene = within(240, "a place", async { scene_on(shared().await).await }).await;
    for (id, reason) in [("m1", "refused"), ("m1", "unknown"), ("m2", "refused")] {
        scene.client.publish("", &scene.dead(), b"{}", letter(id, reason)).await;
    }
    let (_folder, config) = file(&scene.setup());
    let refused = run(&config, &["retry"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.out.contains("1 events may be processes and cannot be looked up"), "{refused:?}");
    assert!(refused.err.contains("nothing was done"), "{refused:?}");
    assert_eq!(scene.client.depth(&scene.queue()).await.unwrap().messages, 0);
    let dry = run(&config, &["retry", "--dry-run", "--json"]).await.json();
    assert_eq!((&dry["letters"], &dry["events"], &dry["may_double"]), (&3.into(), &2.into(), &1.into()));
    let retried = run(&config, &["retry", "--yes-may-double", "--rate", "100"]).await.done();
    assert!(
        retried.contains("retried m1 (refused, rule any, may be a process)") && retried.contains("joined m1"),
        "{retried}"
    );
    let sent = scene.client.drain(&scene.queue()).await;
    let of =
        |number: usize, header: &str| sent[number].properties.headers().as_ref().unwrap().inner().get(header).cloned();
    assert_eq!(sent.len(), 2);
    assert_eq!(of(0, "chakra-bridge-may-exist"), Some(long("true")), "the other letter said so");
    assert_eq!((of(0, "chakra-bridge-routing-key"), of(1, "chakra-bridge-may-exist")), (Some(long("lead.new")), None));
    assert_eq!(scene.client.depth(&scene.dead()).await.unwrap().messages, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_no_queue_takes_stays_and_is_told() {
    let scene = within(240, "a place", async { scene_on(shared().await).await }).await;
    put(&scene, 2).await;
    scene.client.delete(&scene.queue()).await;
    let (_folder, config) = file(&scene.setup());
    let refused = run(&config, &["retry"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("e0: not retried") && refused.err.contains("no such queue"), "{refused:?}");
    scene.client.until_depth(&scene.dead(), 2, MINUTE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_and_discarded_comes_back_by_an_import_as_it_was() {
    let scene = within(240, "a place", async { scene_on(shared().await).await }).await;
    put(&scene, 5).await;
    let (folder, config) = file(&scene.setup());
    let exported = folder.path().join("letters.ndjson");
    let exported = exported.to_str().unwrap();
    run(&config, &["export", exported]).await.done();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(exported).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(run(&config, &["export", exported]).await.code, Some(1), "what is there is never written over");
    assert_eq!(run(&config, &["discard", "--key", "e3"]).await.code, Some(1), "nobody said that it is meant");
    let discarded = run(&config, &["discard", "--key", "e3", "--yes"]).await.done();
    assert!(discarded.contains("discarded e3"), "{discarded}");
    run(&config, &["discard", "--older-than", "1h", "--yes"]).await.done();
    assert_eq!(scene.client.depth(&scene.dead()).await.unwrap().messages, 0);
    run(&config, &["import", exported]).await.done();
    let back = scene.client.drain(&scene.dead()).await;
    for (number, back) in back.iter().enumerate() {
        let was = letter(&format!("e{number}"), "refused");
        assert_eq!((back.properties.message_id(), &back.data[..]), (was.message_id(), &b"{}"[..]));
        let mut headers = back.properties.headers().clone().unwrap().inner().clone();
        // The broker's own, at the test's own taking.
        headers.remove("x-delivery-count");
        assert_eq!(headers, *was.headers().as_ref().unwrap().inner());
    }
    assert_eq!(back.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_gave_up_and_what_others_put_there_is_known_as_such_and_looked_up_first() {
    let scene = within(240, "a place", async { scene_on(shared().await).await }).await;
    scene
        .client
        .publish("", &scene.dead(), br#"{"a": 1}"#, BasicProperties::default().with_message_id("foreign".into()))
        .await;
    // The work queue gives up what is rejected, as the broker does at its limit.
    scene
        .client
        .publish("", &scene.queue(), br#"{"a": 1}"#, BasicProperties::default().with_message_id("given-up".into()))
        .await;
    let channel = scene.client.connection().create_channel().await.unwrap();
    let taken =
        channel.basic_get(scene.queue().as_str().into(), lapin::options::BasicGetOptions::default()).await.unwrap();
    taken.unwrap().reject(lapin::options::BasicRejectOptions { requeue: false }).await.unwrap();
    scene.client.until_depth(&scene.dead(), 2, MINUTE).await;
    let setup = scene.setup().sections(crate::support::setup::LOOKED_UP);
    let (_folder, config) = file(&setup);
    let listed = run(&config, &["list", "--each"]).await.done();
    assert!(
        listed.contains("foreign  (foreign, may be a process") && listed.contains("given-up  (broker:rejected, may be"),
        "{listed}"
    );
    let retried = run(&config, &["retry", "--reason", "broker:rejected", "--reason", "foreign"]).await.done();
    assert!(retried.contains("2 events may be processes: they are looked up before"), "{retried}");
    let daemon = Daemon::start(&setup.sections(crate::support::setup::QUICK));
    within(120, "both", scene.until_created(2)).await;
    let first = scene.api.requests()[0].path.clone();
    assert!(!first.ends_with("/process"), "a lookup goes first: {first}");
    drop(daemon);
}
