//! `healthcheck` against the real daemon, and against what is none.
//!
//! Not here: what the probes say (`admin`).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{GOOD, err, folder_with, out, run};

/// A daemon without a broker: alive, and not ready. Dropping it kills it.
pub struct Running {
    child: Child,
    pub address: String,
    _folder: TempDir,
}

impl Running {
    fn start() -> Self {
        Self::with("")
    }

    /// One with more in its section `[admin]`.
    pub fn with(admin: &str) -> Self {
        let admin = format!("[admin]\nlisten = \"127.0.0.1:0\"\n{admin}");
        let (folder, path) = folder_with(&format!("{GOOD}\n{admin}\n[log]\nformat = \"json\""));
        let mut child = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"))
            .arg("--config")
            .arg(path)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.ok()?).ok()?;
            line["address"].as_str().map(str::to_owned)
        });
        // What it says later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("the daemon tells where it listens"), _folder: folder }
    }

    /// What it answers at this path.
    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// A configuration that leads to it, with this beside.
    pub fn led_to_by(&self, rest: &str) -> (TempDir, PathBuf) {
        folder_with(&format!("{rest}\n[admin]\nlisten = \"{}\"\n", self.address))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_daemon_that_moves_is_healthy_and_without_a_broker_not_ready() {
    let daemon = Running::start();
    let (_folder, path) = daemon.led_to_by("");
    let output = run(&path, &["healthcheck"], "");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let words = out(&output);
    assert!(words.starts_with(&format!("healthy: http://{}/livez answers 200: {{", daemon.address)), "{words}");
    assert!(words.contains("\"live\":true") && words.lines().count() == 1, "{words}");
    let output = run(&path, &["healthcheck", "--ready"], "");
    assert_eq!(output.status.code(), Some(1));
    let words = err(&output);
    assert!(words.contains("/readyz answers 503") && words.contains("\"ready\":false"), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
}

#[test]
fn a_mistake_elsewhere_in_the_configuration_makes_nobody_ill() {
    let daemon = Running::start();
    for rest in ["[broker]\nurl = 5\nqeue = \"x\"", "[api]\ntoken_file = \"/nowhere\"", "[broker]\nurl = \"unfinished"]
    {
        let (_folder, path) = daemon.led_to_by(rest);
        let output = run(&path, &["healthcheck"], "");
        assert_eq!(output.status.code(), Some(0), "{rest}: {}", err(&output));
    }
}

#[test]
fn nobody_there_and_nobody_who_answers_are_not_healthy_within_the_timeout() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_folder, path) = folder_with(&format!("[admin]\nlisten = \"{gone}\""));
    let output = run(&path, &["healthcheck"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains(&format!("not healthy: http://{gone}/livez: Connection refused")),
        "{}",
        err(&output)
    );
    // The kernel takes the connection, and nobody ever answers on it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (_folder, path) = folder_with(&format!("[admin]\nlisten = \"{}\"", silent.local_addr().unwrap()));
    let begun = Instant::now();
    let output = run(&path, &["healthcheck", "--timeout", "300ms"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("no answer within 0.3 s"), "{}", err(&output));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_port_that_nobody_can_know_is_refused_with_an_error_text() {
    let (_folder, path) = folder_with("[admin]\nlisten = \"0.0.0.0:0\"");
    let output = run(&path, &["healthcheck"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("write a port"), "{}", err(&output));
    assert_eq!(run(&path, &["healthcheck", "--timeout", "soon"], "").status.code(), Some(64));
}
