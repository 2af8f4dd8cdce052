//! The verbs as a person meets them: the real program, its output and its exit codes.
//!
//! Not here: each mistake of the configuration (`config/`), and each rule's law (beside the code).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

#[path = "verbs/archive.rs"]
mod archive;
#[path = "verbs/cases.rs"]
mod cases;
#[path = "verbs/command.rs"]
mod command;
#[path = "verbs/healthcheck.rs"]
mod healthcheck;
#[path = "verbs/init.rs"]
mod init;
#[path = "verbs/many_rules.rs"]
mod many_rules;
#[path = "verbs/unheard.rs"]
mod output_closed;
#[path = "verbs/topology.rs"]
mod topology;

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const GOOD: &str = r#"
[broker]
url = "amqp://bridge@127.0.0.1/crm"
password = "secret-of-the-broker"
queue = "crm.events"
[api]
base_url = "http://127.0.0.1:1"
token = "secret-of-the-api"
[[rule]]
name = "noise"
type = "noise"
action = "skip"
[[rule]]
name = "lead"
type = "lead.*"
procedure = "lead"
status = "OPEN"
nextActionAt = "{{ event.at | epoch_ms }}"
data = { event_key = "{{ key }}", score = "{{ event.score }}" }
record = { data = { phone_number = "{{ event.phone | digits }}" } }
"#;

fn folder_with(toml: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, toml).unwrap();
    (folder, path)
}

fn run(config: &Path, arguments: &[&str], input: &str) -> Output {
    run_with(config, &[], arguments, input)
}

fn run_with(config: &Path, variables: &[(&str, &Path)], arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"))
        .envs(variables.iter().copied())
        .arg("--config")
        .arg(config)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn check_of_a_good_file_says_what_is_promised_for_each_rule() {
    let (_folder, path) = folder_with(GOOD);
    let output = run(&path, &["check"], "");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("rule \"lead\""));
    assert!(out(&output).contains("no mistakes"));
    assert!(!out(&output).contains("secret-of"));
}

#[test]
fn check_says_every_mistake_at_once_with_its_line_and_ends_with_78() {
    let bad = GOOD.replace("queue = ", "qeue = ").replace("| digits", "| digts").replace("\"OPEN\"", "\"OPNE\"");
    let (_folder, path) = folder_with(&bad);
    let output = run(&path, &["check"], "");
    assert_eq!(output.status.code(), Some(78));
    let text = err(&output);
    for said in ["config.toml:5:", "qeue", "queue", "digts", "digits", "OPNE", "OPEN", "config.toml:20:"] {
        assert!(text.contains(said), "{said} is missing in:\n{text}");
    }
    let json: Value = serde_json::from_slice(&run(&path, &["check", "--json"], "").stdout).unwrap();
    assert!(json["mistakes"].as_array().unwrap().len() >= 3, "{json}");
}

#[test]
fn check_refuses_copies_among_rules_and_a_lookup_up_what_is_not_set_each_with_its_line() {
    let copies = format!("{GOOD}\n[[rule]]\nname = \"lead\"\ntype = \"another\"\nprocedure = \"ticket\"\n");
    let unset = GOOD.replace("procedure = ", "reconcile_by = \"nowhere\"\nprocedure = ");
    for (text, line, words) in [(&copies, "name = \"lead\"", "another rule"), (&unset, "reconcile_by", "no attribute")]
    {
        let (_folder, path) = folder_with(text);
        let output = run(&path, &["check"], "");
        assert_eq!(output.status.code(), Some(78));
        let number = text.lines().enumerate().filter(|(_, at)| at.contains(line)).map(|(at, _)| at + 1).last().unwrap();
        let said = err(&output);
        assert!(said.contains(&format!("config.toml:{number}:")) && said.contains(words), "{said}");
    }
}

#[test]
fn check_refuses_to_look_up_a_hash_with_the_line_that_makes_it() {
    let looked = GOOD.replace("procedure = \"lead\"\n", "procedure = \"lead\"\nreconcile_by = \"event_key\"\n");
    let hashed = format!("[event]\nkey = \"event | json | sha256\"\n{looked}");
    for (text, line, words) in [
        (hashed.clone(), "config.toml:2: event.key: is a hash", "an id of the event"),
        (
            looked.replace("{{ key }}", "{{ event | json | sha256 }}"),
            "rule \"lead\".reconcile_by: that attribute is a hash",
            "",
        ),
    ] {
        let (_folder, path) = folder_with(&text);
        let output = run(&path, &["check"], "");
        assert_eq!(output.status.code(), Some(78), "{text}");
        assert!(err(&output).contains(line) && err(&output).contains(words), "{}", err(&output));
    }
    let (_folder, path) = folder_with(&hashed.replace("reconcile_by = \"event_key\"\n", ""));
    assert_eq!(run(&path, &["check"], "").status.code(), Some(0), "nobody looks for it");
}

#[test]
fn the_daemon_does_not_start_with_a_bad_file_or_a_missing_token_and_ends_with_78() {
    let (folder, path) =
        folder_with(&GOOD.replace("token = \"secret-of-the-api\"", "token_file = \"./nowhere/token\""));
    let output = run(&path, &["run"], "");
    assert_eq!(output.status.code(), Some(78));
    assert!(err(&output).contains("nowhere/token"), "{}", err(&output));
    let missing = run(&folder.path().join("none.toml"), &[], "");
    assert_eq!(missing.status.code(), Some(78));
    assert!(err(&missing).contains("none.toml"));
}

#[test]
fn a_wrong_command_line_ends_with_64_and_help_with_0() {
    let (_folder, path) = folder_with(GOOD);
    assert_eq!(run(&path, &["fly"], "").status.code(), Some(64));
    assert_eq!(run(&path, &["map", "--no-such"], "").status.code(), Some(64));
    let help = run(&path, &["--help"], "");
    assert_eq!(help.status.code(), Some(0));
    assert!(out(&help).contains("check"));
}

#[test]
fn map_shows_the_request_exactly_as_it_would_be_sent() {
    let (_folder, path) = folder_with(GOOD);
    let event = r#"{"score": 5, "phone": "770-121-4822", "at": "2021-04-16T07:41:07.539Z"}"#;
    let output = run(&path, &["map", "--kind", "lead.new", "--message-id", "m1", "--json"], event);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["key"], &shown["rule"]), (&json!("m1"), &json!("lead")));
    assert_eq!(shown["path"], "/v1/ext/procedure/lead/process");
    let body = json!({
        "data": { "event_key": "m1", "score": 5 },
        "record": { "data": { "phone_number": "7701214822" } },
        "status": "OPEN",
        "nextActionAt": 1_618_558_867_539_i64,
    });
    assert_eq!(shown["body"], body);
}

#[test]
fn map_takes_many_events_and_says_why_not() {
    let (folder, path) = folder_with(GOOD);
    let lines = "{\"score\": 1, \"phone\": \"1\", \"at\": \"2021-04-16T07:41:07Z\"}\n{\"score\": 1}\n[]\n";
    let output = run(&path, &["map", "--kind", "lead.new", "--json"], lines);
    assert_eq!(output.status.code(), Some(1));
    let shown: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let outcomes: Vec<&str> = shown.iter().map(|line| line["result"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["create", "dead_lettered", "dead_lettered"]);
    assert_eq!((&shown[1]["reason"], &shown[2]["reason"]), (&json!("unmappable"), &json!("undecodable")));
    let file = folder.path().join("event.json");
    std::fs::write(&file, "{}").unwrap();
    let skipped = run(&path, &["map", "--kind", "noise", "--json", file.to_str().unwrap()], "");
    assert!(out(&skipped).contains("skipped"));
}

/// Every shipped configuration, by its path from `config/`.
fn all_shipped() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let inside = |folder: &str| -> Vec<String> {
        let names = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| format!("{folder}{}", name.to_str().unwrap()));
        names.filter(|name| name.ends_with(".toml")).collect()
    };
    let all = [inside(""), inside("mappings/")].concat();
    assert!(all.len() >= 7, "{all:?}");
    all
}

/// Where a shipped configuration is.
fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

/// A verb with a shipped configuration, whose secrets lie in a folder of the test.
fn run_shipped(name: &str, arguments: &[&str], input: &str) -> Output {
    let folder = TempDir::new().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let names = ["CHAKRA_BRIDGE__BROKER__PASSWORD_FILE", "CHAKRA_BRIDGE__API__TOKEN_FILE"];
    run_with(&shipped(name), &names.map(|name| (name, secret.as_path())), arguments, input)
}

#[test]
fn every_shipped_configuration_passes_check() {
    for name in all_shipped() {
        let output = run_shipped(&name, &["check"], "");
        assert_eq!(output.status.code(), Some(0), "{name}: {}", err(&output));
    }
}

/// Rules that would take memory or time without end, each with what is said of it instead.
const BOMBS: [(&str, &str); 8] = [
    ("{{ 'x' * 200000000 }}", "takes numbers"),
    ("{{ [event.s] * 200000000 }}", "takes numbers"),
    ("{{ ROW }}", "more work"),
    ("{{ event.s | replace('a', event.s) }}", "bytes"),
    ("{{ event.l | join(event.s) }}", "bytes"),
    ("{{ (event.s | truncate(60000)) | regex_replace('a', '$0$0$0$0') }}", "10000 times"),
    ("{{ event.s }}{{ event.s }}{{ event.s }}{{ event.s }}{{ event.s }}", "4194304 bytes"),
    ("{{ [event, event, event, event, event] | json }}", "4194304 bytes"),
];

#[test]
fn no_rule_takes_more_memory_than_the_process_may_have_and_each_is_named_with_its_line() {
    let body = json!({ "s": "a".repeat(900_000), "l": vec!["b"; 2000] }).to_string();
    for (bomb, word) in BOMBS {
        let row = format!("({}) | length", ["event.s"; 50].join(" ~ "));
        let bomb = format!("[rule.data]\nharmless = 1\nx = \"{}\"\n", bomb.replace("ROW", &row));
        let text = format!(
            "{}[[rule]]\nname = \"bomb\"\nprocedure = \"lead\"\n{bomb}",
            &GOOD[..GOOD.find("[[rule]]").unwrap()]
        );
        let line = text.lines().position(|line| line.starts_with("x = ")).unwrap() + 1;
        let (_folder, path) = folder_with(&text);
        let output = starved(&path, &body);
        let said: Value = serde_json::from_str(&out(&output)).unwrap_or_else(|_| panic!("{bomb}: {}", err(&output)));
        let said = said["text"].as_str().unwrap();
        assert!(said.starts_with(&format!("rule \"bomb\", data.x (line {line}): ")), "{said}");
        assert!(said.contains(word), "{said}");
    }
}

/// `map` in a process that has 128 MiB of addresses, the program itself included.
fn starved(config: &Path, input: &str) -> Output {
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -v 131072; exec \"$0\" --config \"$1\" map --json"])
        .arg(env!("CARGO_BIN_EXE_chakra-bridge"))
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn check_names_a_proxy_that_is_not_heeded_and_a_secret_that_everybody_may_open() {
    let (folder, path) = folder_with(GOOD);
    let token = folder.path().join("token");
    std::fs::write(&token, "secret-of-the-api").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    let kept = format!("token_file = \"{}\"", token.display());
    std::fs::write(&path, GOOD.replace("token = \"secret-of-the-api\"", &kept)).unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
    check.args(["check", "--config"]).arg(&path).env("https_proxy", "http://me:hunter2@proxy:3128");
    let said = out(&check.output().unwrap());
    assert!(said.contains("warning: ") && said.contains("https_proxy set in the environment and not heeded"), "{said}");
    assert!(said.contains("warning: api.token_file: every user here may open"), "{said}");
    assert!(!said.contains("hunter2") && !said.contains("secret-of"), "{said}");
}
