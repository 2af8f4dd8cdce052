//! What `topology` prints is what a broker takes and the daemon needs: a broker that imported it misses nothing.
//!
//! Not here: the formats (`verbs/topology.rs`), and the rights (`rights.rs`).

use std::process::{Command, Output};

use lapin::types::FieldTable;

use super::online::check;
use crate::support::broker::shared;
use crate::support::daemon::Setup;
use crate::support::deadline::within;
use crate::support::scene::Scene;

async fn topology(setup: &Setup, more: &'static [&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, setup.toml()).unwrap();
    let asked = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
        command.arg("topology").args(more).arg("--config").arg(path).output().unwrap()
    });
    let Output { status, stdout, stderr } = within(60, "its words", asked).await.unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_took_what_is_printed_misses_nothing_and_a_queue_that_was_there_stays_as_it_was() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    scene.client.declare_classic(&scene.queue(), FieldTable::default()).await;
    let setup = scene.setup();
    let rest = topology(&setup, &["--online", "--format", "definitions"]).await;
    assert!(!rest.contains(&format!("\"name\":\"{}\"", scene.queue())), "it is there: {rest}");
    assert!(rest.contains(&scene.dead()) && rest.contains("wait.1h"), "{rest}");
    let whole = topology(&setup, &["--format", "definitions", "--exchange", "of-a-test", "--routing-key", "a.#"]).await;
    // Twice: the second changes nothing.
    for _ in 0..2 {
        within(60, "the import", scene.place.management().import(whole.clone())).await;
    }
    let script = topology(&setup, &["--online"]).await;
    assert!(script.contains("Nothing is missing"), "{script}");
    let (code, said) = check(&setup, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("missing in the broker") && !said.contains("could drop"), "{said}");
    assert!(said.contains(&format!("queue `{}` is a classic queue", scene.queue())), "{said}");
}
