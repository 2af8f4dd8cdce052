//! `trace` of what is a dead letter: without a ledger by its queue alone, with one beside what the ledger knows of it.
//!
//! Not here: what the ledger and the API know (`tests/ledger`).

use std::path::Path;
use std::time::Duration;

use lapin::BasicProperties;
use serde_json::Value;
use tokio::process::Command;

use super::night::{file, letter, scene_on};
use crate::support::broker::shared;
use crate::support::daemon::{Daemon, program, result};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule};

async fn trace(config: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program());
    command.arg("--config").arg(config).arg("trace").args(words).kill_on_drop(true);
    let done = within(60, "trace", command.output()).await.unwrap();
    (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_without_a_ledger_finds_dead_letters_and_leaves_them_and_one_with_a_ledger_names_them() {
    let scene = scene_on(shared().await).await;
    scene.client.publish("", &scene.dead(), b"{}", letter("e0", "refused")).await;
    let (_folder, config) = file(&scene.setup());
    let (code, page) = trace(&config, &["e0", "e1"]).await;
    assert!(code == Some(1) && page.contains("is a letter in crm.events.dead: refused, rule any: why"), "{page}");
    let (_, lines) = trace(&config, &["--json", "e0", "e1"]).await;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["known"], &lines[0]["dead_letters"][0]["reason"]), (&true.into(), &"refused".into()));
    assert_eq!((&lines[1]["known"], lines[1]["dead_letters"].as_array().map(Vec::len)), (&false.into(), Some(0)));
    // It is left where it is.
    scene.client.until_depth(&scene.dead(), 1, Duration::from_secs(60)).await;

    let folder = tempfile::tempdir().unwrap();
    scene.api.plan(vec![Rule::always(Canned::new(422))]);
    let ledger = format!("[ledger]\nurl = \"sqlite://{}\"", folder.path().join("ledger.db").display());
    let setup = scene.setup().sections(&ledger);
    let mut daemon = Daemon::consumes(&setup).await;
    let properties = BasicProperties::default().with_message_id("e2".into()).with_delivery_mode(2);
    scene.client.publish("", &scene.queue(), b"{}", properties).await;
    within(60, "its end", daemon.until(|line| result(line, "dead_lettered"))).await;
    daemon.signal("TERM");
    within(60, "its end", daemon.ended()).await;
    let (_folder, config) = file(&setup);
    let (code, page) = trace(&config, &["e2"]).await;
    let is_told = ["became a dead letter: refused", "is a letter in crm.events.dead: refused"];
    assert!(code == Some(0) && is_told.iter().all(|words| page.contains(words)), "{page}");
    scene.client.drain(&scene.dead()).await;
    let (_, page) = trace(&config, &["e2"]).await;
    assert!(page.contains("it is not in crm.events.dead; somebody retried it"), "{page}");
}
