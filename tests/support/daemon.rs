//! The real daemon, as a process of its own, with its log read line by line.
//!
//! Not here: a broker or an API; a test gives their addresses.
#![allow(dead_code, unreachable_pub, reason = "each test that includes it uses a part of it")]

use std::io::PipeReader;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::lines::{lacks, of_one_type, wrong};
pub use crate::support::setup::Setup;

/// Lines of its log that a failed test shows.
const LAST_WORDS: usize = 60;

/// Names another program than the one that the tests were built with, such as a released one.
#[cfg(test)]
const PROGRAM: &str = "CHAKRA_BRIDGE_TEST_PROGRAM";

/// The program under test.
#[cfg(test)]
pub fn program() -> PathBuf {
    std::env::var_os(PROGRAM).map_or_else(|| env!("CARGO_BIN_EXE_chakra-bridge").into(), PathBuf::from)
}

/// What a verb says by this configuration, and its exit code. Give it a deadline.
#[cfg(test)]
pub async fn verb(setup: &Setup, words: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.toml");
    std::fs::write(&file, setup.toml()).expect("a file");
    let mut command = Command::new(program());
    let ran = command.arg("--config").arg(&file).args(words).kill_on_drop(true).output().await.expect("it begins");
    (ran.status.code(), String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned())
}

/// A running daemon. Dropping it kills it.
pub struct Daemon {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    grown: watch::Receiver<usize>,
    reader: JoinSet<()>,
    folder: TempDir,
    /// The other end of a log that nobody reads.
    _unread: Option<PipeReader>,
    /// Its lines are not held to the laws of this one.
    is_of_another_release: bool,
}

impl Daemon {
    /// Starts the daemon that the tests were built with.
    #[cfg(test)]
    pub fn start(setup: &Setup) -> Self {
        Self::start_at(&program(), setup)
    }

    /// The same, and waits until it consumes.
    #[cfg(test)]
    pub async fn consumes(setup: &Setup) -> Self {
        let mut daemon = Self::start(setup);
        crate::support::deadline::within(60, "consuming", daemon.consuming()).await;
        daemon
    }

    /// The same, with a log that nobody reads: its pipe is full from the start.
    #[cfg(test)]
    pub fn start_unread(setup: &Setup) -> Self {
        let (mut command, folder) = Self::command(&program(), setup);
        let (reader, log) = crate::support::unread::full_pipe();
        let child = command.stderr(log).kill_on_drop(true).spawn().expect("the daemon begins");
        let (_, grown) = watch::channel(0);
        Self {
            child,
            lines: Arc::default(),
            grown,
            reader: JoinSet::new(),
            folder,
            _unread: Some(reader),
            is_of_another_release: false,
        }
    }

    /// Starts the program at `path` and reads its log.
    pub fn start_at(path: &Path, setup: &Setup) -> Self {
        let (command, folder) = Self::command(path, setup);
        Self::start_by(command, folder)
    }

    /// The command that starts the program at `path`, and the folder of its configuration.
    pub fn command(path: &Path, setup: &Setup) -> (Command, TempDir) {
        let folder = TempDir::new().expect("a temporary folder");
        let config = folder.path().join("config.toml");
        std::fs::write(&config, setup.toml()).expect("a file in it");
        // It holds secrets: what everybody may open is warned about.
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).expect("its owner's");
        let mut command = Command::new(path);
        // Without it a repeat that nobody can look up waits for ten minutes; what it waits for is tried in `core::delivery`.
        command.env("CHAKRA_BRIDGE__RETRY__RESEND_AFTER", "0s");
        command
            .arg("--config")
            .arg(folder.path().join("config.toml"))
            .env_remove("RUST_LOG")
            .env_remove("RUST_MIN_STACK");
        (command, folder)
    }

    /// Starts it by a command that hands on its log and its exit code, and keeps the folder of its configuration.
    pub fn start_by(mut command: Command, folder: TempDir) -> Self {
        let mut child = command.stderr(Stdio::piped()).kill_on_drop(true).spawn().expect("the daemon begins");
        let stderr = child.stderr.take().expect("it was piped");
        let lines: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (grow, grown) = watch::channel(0);
        let mut reader = JoinSet::new();
        let all = Arc::clone(&lines);
        reader.spawn(async move {
            let mut stderr = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = stderr.next_line().await {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.push(value);
                grow.send_replace(all.len());
            }
        });
        Self { child, lines, grown, reader, folder, _unread: None, is_of_another_release: false }
    }

    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    /// It is of another release, whose lines kept other laws.
    pub fn of_another_release(mut self) -> Self {
        self.is_of_another_release = true;
        self
    }

    /// Every line logged so far.
    pub fn log(&self) -> Vec<Value> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lines logged so far that `wanted` takes.
    pub fn logged(&self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| wanted(line)).cloned().collect()
    }

    /// How many lines logged so far `wanted` takes.
    pub fn count(&self, wanted: impl Fn(&Value) -> bool) -> usize {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| wanted(line)).count()
    }

    /// The first line that `wanted` takes, waited for; give it a deadline. Panics with the log if it ends without one.
    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            self.grown.borrow_and_update();
            if let Some(line) = self.logged(&wanted).into_iter().next() {
                return line;
            }
            if self.grown.changed().await.is_err() {
                panic!("the daemon ended without such a line: {:#?}", self.log());
            }
        }
    }

    /// Waits until so many lines are logged that `wanted` takes.
    pub async fn until_count(&mut self, count: usize, wanted: impl Fn(&Value) -> bool) {
        loop {
            self.grown.borrow_and_update();
            if self.count(&wanted) >= count {
                return;
            }
            assert!(self.grown.changed().await.is_ok(), "the daemon ended early: {:#?}", self.log());
        }
    }

    /// Waits until it consumes.
    pub async fn consuming(&mut self) {
        self.until(|line| says(line, "consuming")).await;
    }

    /// The address of its admin port.
    pub async fn admin(&mut self) -> String {
        let line = self.until(|line| line["address"].is_string()).await;
        format!("http://{}", line["address"].as_str().unwrap_or_default())
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends it a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let status = std::process::Command::new("kill").args(["-s", name, &pid]).status().expect("kill");
        assert!(status.success());
    }

    /// Waits for its end: the exit code, and the whole log.
    pub async fn ended(mut self) -> (Option<i32>, Vec<Value>) {
        let status = self.child.wait().await.expect("it can be waited for");
        while self.reader.join_next().await.is_some() {}
        let lines = self.log();
        (status.code(), lines)
    }

    /// The most memory it ever had, in KiB, without the pages of its own program: those of an unoptimised build are
    /// many, shared, and dropped by the kernel when it needs them.
    pub fn peak_memory_kib(&self) -> u64 {
        self.status("VmHWM:") - self.status("RssFile:")
    }

    /// The memory that it has now, in KiB, counted as the peak is.
    pub fn memory_kib(&self) -> u64 {
        self.status("VmRSS:") - self.status("RssFile:")
    }

    /// How many threads it has.
    pub fn threads(&self) -> u64 {
        self.status("Threads:")
    }

    /// How many files and sockets it has open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("proc").count()
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("proc");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line of it");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }
}

/// What it said last, where a test fails; otherwise each line that it said is looked at.
impl Drop for Daemon {
    fn drop(&mut self) {
        let log = self.log();
        if std::thread::panicking() {
            println!("the daemon's last words:");
            return log.iter().rev().take(LAST_WORDS).rev().for_each(|line| println!("{line}"));
        }
        if self.is_of_another_release {
            return;
        }
        let faulty = log.iter().find_map(|line| wrong(line).or_else(|| lacks(line)));
        assert_eq!(faulty.or_else(|| of_one_type(log.iter()).err()), None, "a line of the log");
    }
}

/// Whether a log line's message contains `words`.
pub fn says(line: &Value, words: &str) -> bool {
    line["message"].as_str().is_some_and(|message| message.contains(words))
}

/// Whether a log line tells of a result.
pub fn result(line: &Value, outcome: &str) -> bool {
    line["result"].as_str() == Some(outcome)
}

/// The keys that the log announced as possible duplicates.
pub fn announced(log: &[Value]) -> Vec<String> {
    let doubts = log.iter().filter(|line| says(line, "possible duplicate:"));
    doubts.filter_map(|line| line["key"].as_str().map(str::to_owned)).collect()
}
