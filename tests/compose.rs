//! `deploy/compose.yaml` as a person starts it: events of each kind become processes, with the least rights on the broker.
//!
//! Its Prometheus is the one that is installed here, with the settings of compose: its image is nobody's to test. Without a Docker
//! engine, compose and that, the test says what it skips; where `CHAKRA_BRIDGE_CI` is set, that is a failure.
//!
//! Not here: the images themselves (`image.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "image/docker.rs"]
mod docker;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use docker::{built, image, say};
use support::broker::eventually;
use support::broker::keeper::Keeper;
use support::deadline::within;

/// What the daemon rightly warns of where nothing is encrypted and everybody knows the passwords.
const OF_THE_LAPTOP: [&str; 2] = ["cross the network in the clear", "every user here may open"];

const SCRIPT: &str = include_str!("image/compose.sh");
const PORTS: [&str; 4] = ["RABBITMQ_PORT", "STAND_IN_PORT", "CHAKRA_BRIDGE_PORT", "PROMETHEUS_PORT"];
/// What is started in containers: all but Prometheus.
const SERVICES: [&str; 4] = ["rabbitmq", "stand-in", "chakra-bridge", "sample-events"];
/// With the time to build two images.
const BUILD: u64 = 2400;

/// The compose of today, or that of yesterday.
async fn compose() -> Option<Vec<String>> {
    for words in [&["docker", "compose"][..], &["docker-compose"]] {
        let asked = Command::new(words[0]).args(&words[1..]).arg("version").output().await;
        if asked.is_ok_and(|output| output.status.success()) {
            return Some(words.iter().map(|&word| word.to_owned()).collect());
        }
    }
    let ci = std::env::var_os("CHAKRA_BRIDGE_CI").is_some();
    assert!(!ci, "no docker compose, and CHAKRA_BRIDGE_CI allows no skipping of deploy/compose.yaml");
    say("skipped: no docker compose for deploy/compose.yaml");
    None
}

struct Project {
    words: Vec<String>,
    name: String,
    environment: Vec<(String, String)>,
    ports: [u16; PORTS.len()],
    _keeper: Keeper,
}

impl Project {
    fn new(words: Vec<String>, images: [String; 2]) -> Self {
        let name = format!("chakra-bridge-tests-{:08x}", fastrand::u32(..));
        let arguments = [vec![name.clone(), file()], words.clone()].concat();
        let ports = support::broker::free_ports();
        let [daemon, standin] = images;
        let images = [("CHAKRA_BRIDGE_IMAGE".to_owned(), daemon), ("STAND_IN_IMAGE".to_owned(), standin)];
        let of_ports = PORTS.iter().zip(ports).map(|(name, port)| ((*name).to_owned(), port.to_string()));
        let environment = images.into_iter().chain(of_ports).collect();
        Self { _keeper: Keeper::start(SCRIPT, &arguments, None), words, name, environment, ports }
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).args(["--project-name", &self.name, "--file", &file()]).args(arguments);
        command.envs(self.environment.iter().cloned()).stdin(Stdio::null()).kill_on_drop(true);
        command.output().await.unwrap()
    }

    async fn get(&self, service: usize, path: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.ports[service]);
        drop(rustls::crypto::ring::default_provider().install_default());
        reqwest::get(url).await.ok()?.text().await.ok()
    }

    /// The procedures that have a process.
    async fn procedures(&self) -> BTreeSet<String> {
        let created = self.get(1, "/control/created").await.unwrap_or_default();
        let created: Vec<Value> = serde_json::from_str(&created).unwrap_or_default();
        created.iter().filter_map(|process| process["procedure"].as_str().map(str::to_owned)).collect()
    }
}

/// Prometheus with the settings of compose, but where the daemon is seen from here, comes to know what became of events.
async fn scraped(project: &Project) {
    let folder = tempfile::tempdir().unwrap();
    let settings = include_str!("../deploy/compose/prometheus.yml");
    let here = settings.replace("chakra-bridge:9464", &format!("127.0.0.1:{}", project.ports[2]));
    assert_ne!(here, settings, "the daemon is scraped by its name in the network");
    std::fs::write(folder.path().join("prometheus.yml"), here).unwrap();
    let mut prometheus = Command::new("prometheus");
    prometheus.arg("--config.file=prometheus.yml").arg("--storage.tsdb.path=data");
    prometheus.arg(format!("--web.listen-address=127.0.0.1:{}", project.ports[3]));
    prometheus.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let Ok(_running) = prometheus.spawn() else {
        let ci = std::env::var_os("CHAKRA_BRIDGE_CI").is_some();
        assert!(
            !ci,
            "no prometheus is installed, and CHAKRA_BRIDGE_CI allows no skipping of deploy/compose/prometheus.yml"
        );
        return say("skipped: no prometheus is installed for deploy/compose/prometheus.yml");
    };
    let known = async || {
        let answer = project.get(3, "/api/v1/query?query=chakra_bridge_events_settled_total").await.unwrap_or_default();
        answer.contains(r#""result":"created""#)
    };
    eventually(Duration::from_secs(100), "the daemon's metrics", known).await;
}

fn file() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/compose.yaml").to_string_lossy().into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_and_events_of_each_kind_become_processes() {
    let Some(words) = within(60, "asking for compose", compose()).await else { return };
    let Some(daemon) = within(BUILD, "the image", image()).await else { return };
    let standin = built(
        "chakra-bridge-stand-in",
        "deploy/stand-in.Dockerfile",
        &["deploy/stand-in", "tests/demo", "tests/support"],
    );
    let standin = within(BUILD, "the stand-in", standin).await;
    let project = Project::new(words, [daemon.to_owned(), standin]);
    let valid = within(60, "its form", project.run(&["config", "--quiet"])).await;
    assert!(valid.status.success(), "{valid:?}");
    let up = within(300, "up", project.run(&[&["up", "--no-build", "--detach"], &SERVICES[..]].concat())).await;
    assert!(up.status.success(), "{up:?}");
    let all = BTreeSet::from(["fieldvisit", "lead", "ticket"].map(str::to_owned));
    eventually(Duration::from_secs(120), "each kind", async || project.procedures().await == all).await;
    let metrics = within(20, "metrics", project.get(2, "/metrics")).await.unwrap();
    assert!(metrics.contains("chakra_bridge_events_settled_total{"), "{metrics}");
    within(120, "what Prometheus knows", scraped(&project)).await;
    let log = within(60, "its log", project.run(&["logs", "--no-color", "chakra-bridge"])).await;
    let log = String::from_utf8_lossy(&log.stdout).into_owned();
    let reasons: Vec<_> = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    let is_of_the_laptop = |line: &&str| OF_THE_LAPTOP.iter().any(|words| line.contains(words));
    assert!(reasons.iter().all(is_of_the_laptop), "{log}");
    let stopped = within(60, "its end", project.run(&["stop", "chakra-bridge"])).await;
    assert!(stopped.status.success(), "{stopped:?}");
    let code = within(60, "its code", exit_code(&project)).await;
    assert_eq!(code, "0", "a drain in order");
}

async fn exit_code(project: &Project) -> String {
    let id = project.run(&["ps", "--all", "--quiet", "chakra-bridge"]).await;
    let id = String::from_utf8(id.stdout).unwrap();
    docker::docker(&["inspect", "--format", "{{.State.ExitCode}}", id.trim()]).await
}
