//! One container of the image, held as tightly as an orchestrator can: no capability, nothing writable, little memory.
//!
//! Not here: the network it is in.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use super::docker::{asked, docker};
use super::stage::Stage;
use crate::support::daemon::{Daemon, Setup};
use crate::support::deadline::within;

pub struct Replica {
    pub daemon: Daemon,
    pub name: String,
}

impl Replica {
    /// Starts it. Its configuration is mounted where it looks by default.
    pub fn start(stage: &Stage, image: &str, setup: &Setup) -> Self {
        let name = format!("{}-{:08x}", stage.network, fastrand::u32(..));
        let folder = folder(&setup.toml());
        let mount = format!("{}:/etc/chakra-bridge:ro", folder.path().join("etc").display());
        let label = format!("chakra-bridge-tests={}", stage.network);
        let mut command = Command::new("docker");
        command.args(["run", "--name", &name, "--label", &label, "--network", &stage.network]);
        command.args(["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]);
        command.args(["--memory", "64m", "--memory-swap", "64m", "--pids-limit", "64"]);
        command.args(["--volume", &mount, image]).stdin(Stdio::null()).stdout(Stdio::null());
        Self { daemon: Daemon::start_by(command, folder), name }
    }

    /// Kills it, and gives its log.
    pub async fn killed(self) -> Vec<Value> {
        docker(&["kill", "--signal", "KILL", &self.name]).await;
        within(60, "its end", self.daemon.ended()).await.1
    }

    /// Stops it as an orchestrator would, and gives its log. It ends by itself, with 0.
    pub async fn stopped(self) -> Vec<Value> {
        docker(&["kill", "--signal", "TERM", &self.name]).await;
        let (code, log) = within(60, "its end", self.daemon.ended()).await;
        assert_eq!(code, Some(0), "{log:#?}");
        assert_eq!(docker(&["inspect", "--format", "{{.State.OOMKilled}}", &self.name]).await, "false");
        log
    }

    /// Runs the program of the image a second time, in the container.
    pub async fn run(&self, arguments: &[&str]) -> Result<String, String> {
        asked(&[&["exec", &self.name, "/chakra-bridge"], arguments].concat()).await
    }
}

/// Readable for the user of the image, whoever runs the tests; only its inner folder is mounted.
fn folder(toml: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    let inner = folder.path().join("etc");
    std::fs::create_dir(&inner).expect("a folder in it");
    std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o755)).expect("a folder of ours");
    let file = inner.join("chakra-bridge.toml");
    std::fs::write(&file, toml).expect("a file in it");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a file of ours");
    folder
}
