//! `topology`: what it prints is what the files of the broker hold, and is safe to hand to a shell.
//!
//! Not here: a broker that takes it (`broker/online.rs`), and the daemon with these rights alone (`rights.rs`).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap()
}

/// What `topology` prints of the example, whose user is that of `users.json`.
fn topology(more: &[&str]) -> String {
    topology_with(&[], more)
}

fn topology_with(variables: &[(&str, &str)], more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
    command.arg("--config").arg(root("config/chakra-bridge.toml")).arg("topology").args(more);
    command.envs(variables.iter().copied());
    let output =
        command.env("CHAKRA_BRIDGE__BROKER__URL", "amqps://chakra-bridge@rabbit.internal/crm").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_files_of_the_broker_are_what_the_program_prints() {
    assert_eq!(
        topology(&["--format", "definitions", "--exchange", "domain-events"]),
        text("deploy/rabbitmq/definitions.json")
    );
    let printed: Value = serde_json::from_str(&topology(&["--format", "rights"])).unwrap();
    let kept = serde_json::from_str::<Value>(&text("deploy/rabbitmq/users.json")).unwrap();
    for rights in printed["permissions"].as_array().unwrap() {
        assert!(kept["permissions"].as_array().unwrap().contains(rights), "{rights}");
    }
}

#[test]
fn what_outcomes_need_of_the_broker_is_what_the_program_prints_where_they_are_told() {
    let told = [("CHAKRA_BRIDGE__OUTCOMES__EXCHANGE", "crm.outcomes")];
    let printed = |format: &str| serde_json::from_str::<Value>(&topology_with(&told, &["--format", format])).unwrap();
    let kept = serde_json::from_str::<Value>(&text("deploy/rabbitmq/for-outcomes.json")).unwrap();
    assert_eq!(printed("rights")["permissions"], kept["permissions"]);
    for exchange in kept["exchanges"].as_array().unwrap() {
        assert!(printed("definitions")["exchanges"].as_array().unwrap().contains(exchange), "{exchange}");
    }
}

#[test]
fn a_printed_script_is_one_that_a_shell_reads_whatever_the_queue_is_called() {
    let script = topology(&[
        "--exchange",
        "it's $(rm) `x`",
        "--routing-key",
        "a.#",
        "--routing-key",
        "b.*",
        "--operator",
        "o'b",
    ]);
    for piece in ["'crm'", "it's $(rm) `x`", "\"a.#\"", "\"b.*\"", "'o'\\''b'"] {
        assert!(script.contains(piece), "{piece}: {script}");
    }
    let mut shell = Command::new("sh").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), script.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success(), "{script}");
    let policy = topology(&["--format", "policy"]);
    for piece in
        ["--apply-to queues", "^crm\\.events$", "\"dead-letter-strategy\":\"at-least-once\"", "\"delivery-limit\":100"]
    {
        assert!(policy.contains(piece), "{piece}: {policy}");
    }
}
