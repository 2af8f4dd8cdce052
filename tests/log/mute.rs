//! A daemon whose log nobody reads: what it does is seen by its admin port alone.
//!
//! Not here: tests.

use std::io::{BufRead as _, BufReader, PipeReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::support::broker::{eventually, free_ports};
use crate::support::daemon::{Setup, program};
use crate::support::scene::Scene;

const DEADLINE: Duration = Duration::from_secs(50);

/// A running daemon. Dropping it kills it.
pub struct Mute {
    child: Child,
    admin: String,
    _folder: TempDir,
}

impl Mute {
    /// Starts the daemon with this as its standard error, and `RUST_LOG` if it is given.
    pub fn start(mut setup: Setup, log: Stdio, variable: Option<&str>) -> Self {
        let [port] = free_ports();
        setup.admin = format!("127.0.0.1:{port}");
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("config.toml");
        std::fs::write(&config, setup.toml()).unwrap();
        let mut command = Command::new(program());
        command.arg("--config").arg(config).env_remove("RUST_LOG").stderr(log).kill_on_drop(true);
        variable.map(|variable| command.env("RUST_LOG", variable));
        Self { child: command.spawn().unwrap(), admin: format!("http://{}", setup.admin), _folder: folder }
    }

    async fn get(&self, path: &str) -> Option<(u16, String)> {
        let reply = reqwest::get(format!("{}{path}", self.admin)).await.ok()?;
        Some((reply.status().as_u16(), reply.text().await.ok()?))
    }

    pub async fn until_ready(&self) {
        let look = async || self.get("/readyz").await.is_some_and(|(status, _)| status == 200);
        eventually(DEADLINE, "ready", look).await;
    }

    pub async fn until_draining(&self) {
        let look = async || self.get("/readyz").await.is_some_and(|(_, text)| text.contains("draining"));
        eventually(DEADLINE, "draining", look).await;
    }

    /// How many lines its metrics say were dropped.
    pub async fn dropped(&self) -> u64 {
        let (_, text) = self.get("/metrics").await.unwrap();
        let count = text.lines().find_map(|line| line.strip_prefix("chakra_bridge_log_lines_dropped_total "));
        count.unwrap().parse().unwrap()
    }

    /// Asks for its metrics, which makes more lines, until so many were dropped.
    pub async fn until_dropped(&self, least: u64) {
        eventually(DEADLINE, "dropped lines", async || self.dropped().await >= least).await;
    }

    /// Until no more lines are dropped while it does something.
    pub async fn until_not_stuck(&self, scene: &Scene) {
        let look = async || {
            let before = self.dropped().await;
            scene.publish_those(0..1, 100).await;
            self.dropped().await == before
        };
        eventually(DEADLINE, "no more dropped lines", look).await;
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for its exit code.
    pub async fn ended(mut self) -> Option<i32> {
        self.child.wait().await.unwrap().code()
    }
}

/// Begins to read. Resolves with every line of the log at its end.
pub async fn read(reader: PipeReader) -> Vec<Value> {
    let lines = tokio::task::spawn_blocking(|| {
        let lines = BufReader::new(reader).lines().map(Result::unwrap).filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_str(&line).unwrap_or(Value::String(line))).collect()
    });
    lines.await.unwrap()
}
