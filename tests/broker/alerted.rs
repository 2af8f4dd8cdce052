//! One alert end to end: an event dies, Prometheus scrapes the daemon, and the alert of `deploy/prometheus` fires.
//!
//! Not here: the other alerts (`deploy/alerts.rs`). Where there is no Prometheus the test says that it is skipped; where
//! `CHAKRA_BRIDGE_CI` is set, that is a failure.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

use super::scene::Scene;
use crate::support::broker::{eventually, free_ports, shared};
use crate::support::daemon::result;
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule};

fn prometheus(folder: &Path, daemon: &str, port: u16) -> Option<Child> {
    let target = daemon.trim_start_matches("http://");
    let config = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{}/deploy/prometheus/alerts.yaml]\n\
         scrape_configs:\n  - job_name: chakra-bridge\n    static_configs:\n      - targets: [\"{target}\"]\n",
        env!("CARGO_MANIFEST_DIR")
    );
    let file = folder.join("prometheus.yml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}")).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = command.kill_on_drop(true).spawn().ok();
    assert!(begun.is_some() || std::env::var_os("CHAKRA_BRIDGE_CI").is_none(), "no prometheus");
    begun
}

/// The alerts that fire now, by name and reason.
async fn firing(port: u16) -> Vec<(String, String)> {
    let Ok(answer) = reqwest::get(format!("http://127.0.0.1:{port}/api/v1/alerts")).await else { return Vec::new() };
    let Ok(bytes) = answer.bytes().await else { return Vec::new() };
    let told: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let of = |alert: &Value| {
        let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
        (alert["state"] == "firing").then(|| (label("alertname"), label("reason")))
    };
    told["data"]["alerts"].as_array().into_iter().flatten().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_fires_its_alert_and_no_other() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let mut daemon = scene.daemon();
    let admin = within(60, "its address", daemon.admin()).await;
    within(60, "consuming", daemon.consuming()).await;
    let folder = tempfile::tempdir().unwrap();
    let [port] = free_ports();
    let Some(_prometheus) = prometheus(folder.path(), &admin, port) else {
        println!("skipped: no prometheus");
        return;
    };
    let scraped = async || {
        let url = format!("http://127.0.0.1:{port}/api/v1/query?query=chakra_bridge_build_info");
        match reqwest::get(url).await {
            Ok(answer) => answer.text().await.is_ok_and(|text| text.contains("instance")),
            Err(_) => false,
        }
    };
    eventually(Duration::from_secs(60), "a scrape", scraped).await;
    assert_eq!(firing(port).await, []);
    scene.api.plan(vec![Rule::always(Canned::new(422))]);
    scene.publish(1, 100).await;
    within(60, "its end", daemon.until(|line| result(line, "dead_lettered"))).await;
    let wanted = [("ChakraBridgeDeadLetters".to_owned(), "refused".to_owned())];
    eventually(Duration::from_secs(60), "the alert", async || firing(port).await == wanted).await;
}
