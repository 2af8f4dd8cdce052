//! `map` as a person meets it: why a rule matched or not, what it reads, and a command that can be pasted.
//!
//! Not here: exit codes and the shape of `--json` (`verbs.rs`), what is sent to the byte (beside the client).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const FILE: &str = r#"
[broker]
url = "amqp://bridge@127.0.0.1/crm"
password = "secret-of-the-broker"
queue = "crm.events"
[api]
base_url = "https://api.example.com/behind"
token = "secret-of-the-api"
[[rule]]
name = "noise"
type = ["noise", "hum.*"]
action = "skip"
[[rule]]
name = "urgent"
type = "lead.*"
when = "event.score > 9"
procedure = "ticket"
[[rule]]
name = "lead"
type = "lead.*"
procedure = "lead"
data = { event_key = "{{ key }}", name = "{{ event.name }}" }
[[rule]]
name = "rest"
action = "skip"
"#;

/// What `map` prints of an event of the type `lead.new`, and how it ends.
fn map(more: &[&str], event: &str) -> (String, Option<i32>) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, FILE).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"))
        .arg("--config")
        .arg(path)
        .args(["map", "--kind", "lead.new", "--message-id", "m1", "--routing-key", "r.k", "--header", "x-shop=north"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(event.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

fn shown(event: &str) -> Value {
    serde_json::from_str(&map(&["--json"], event).0).unwrap()
}

#[test]
fn a_page_says_which_rules_were_asked_what_they_read_and_what_would_be_sent() {
    let (page, code) = map(&[], r#"{"name": "Ted", "score": 5}"#);
    assert_eq!(code, Some(0));
    for words in [
        "create: rule \"lead\"",
        "no   noise   its type does not match: \"lead.new\" is not \"noise\" or \"hum.*\"",
        "no   urgent  its type matches \"lead.*\", and `event.score > 9` is false",
        "yes  lead    its type matches \"lead.*\"",
        "1 rule after it was not asked",
        "\"name\": \"Ted\"",
        "key         = \"m1\"   (from the message id)",
        "type        = \"lead.new\"",
        "\"x-shop\": \"north\"",
        "routing_key = \"r.k\"",
        "message_id  = \"m1\"",
        "POST https://api.example.com/behind/v1/ext/procedure/lead/process\n",
        "\n  {\"data\":{\"event_key\":\"m1\",\"name\":\"Ted\"}}\n",
        "content-type: application/json",
        "--header \"Authorization: Bearer $CHAKRA_TOKEN\"",
    ] {
        assert!(page.contains(words), "{words} is not in:\n{page}");
    }
    assert!(!page.contains("secret-of") && !page.contains('\x1b'), "{page}");
}

#[test]
fn a_page_of_a_dead_letter_says_why_and_shows_what_could_be_read() {
    let (page, code) = map(&[], r#"{"score": 5}"#);
    assert_eq!(code, Some(1));
    for words in ["dead letter: unmappable", "event.name is missing", "yes  lead", "\"score\": 5"] {
        assert!(page.contains(words), "{words} is not in:\n{page}");
    }
    assert!(!page.contains("curl"), "{page}");
    let (page, code) = map(&[], "no JSON");
    assert_eq!(code, Some(1));
    assert!(page.contains("dead letter: undecodable"), "{page}");
}

#[test]
fn json_holds_all_that_the_page_says() {
    let all = shown(r#"{"name": "Ted", "score": 5}"#);
    assert_eq!(all["url"], "https://api.example.com/behind/v1/ext/procedure/lead/process");
    assert_eq!(all["bytes"], r#"{"data":{"event_key":"m1","name":"Ted"}}"#);
    assert_eq!(all["variables"]["headers"], json!({ "x-shop": "north" }));
    assert_eq!((&all["key_from"], &all["unasked"]), (&json!("the message id"), &json!(1)));
    let rules: Vec<_> = all["considered"].as_array().unwrap().iter().map(|each| each["matched"].clone()).collect();
    assert_eq!(rules, [json!(false), json!(false), json!(true)]);
    assert_eq!(
        shown("{}")["considered"][1]["why"],
        "when (line 16): `event.score > 9`: event.score is missing (event is there, without what follows)"
    );
}

/// A `curl` that writes down what it is called with, one argument after the other, and what it is fed.
fn called(command: &str) -> (Vec<String>, String) {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let fake = "#!/bin/sh\nprintf '%s\\0' \"$@\" >\"$SAID/arguments\"\ncat >\"$SAID/fed\"\n";
    std::fs::write(at("curl"), fake).unwrap();
    std::fs::set_permissions(at("curl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(at("script"), command).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let status = Command::new("sh")
        .arg(at("script"))
        .envs([("PATH", path.as_str()), ("CHAKRA_TOKEN", "s3cret $HOME"), ("SAID", folder.path().to_str().unwrap())])
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let arguments = read(&at("arguments"));
    (arguments.trim_end_matches('\0').split('\0').map(str::to_owned).collect(), read(&at("fed")))
}

#[test]
fn the_command_brings_the_request_through_a_shell_as_it_is_whatever_the_event_holds() {
    for name in [
        "Ted",
        "O'Brien",
        "$(touch /tmp/x) `id` $HOME ${HOME} \\ !! * ?",
        "a \"quoted\" line\nand 'another' one\t",
        "'; rm -rf / #",
        "Zoë 東京 \u{1f600} \u{7f}\u{0}",
        "''\\''",
        "@file",
        "",
    ] {
        let all = shown(&json!({ "name": name, "score": 1 }).to_string());
        let (arguments, fed) = called(all["curl"].as_str().unwrap());
        let bytes = all["bytes"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(bytes).unwrap()["data"]["name"], name);
        let expected = [
            "--request",
            "POST",
            all["url"].as_str().unwrap(),
            "--header",
            "Authorization: Bearer s3cret $HOME",
            "--header",
            "accept: application/json",
            "--header",
            "accept-encoding: identity",
            "--header",
            "content-type: application/json",
            "--header",
            concat!("user-agent: chakra-bridge/", env!("CARGO_PKG_VERSION")),
            "--data-raw",
            bytes,
        ];
        assert_eq!(arguments, expected, "{name}");
        assert_eq!(fed, "");
    }
}

#[test]
fn a_body_too_long_for_an_argument_is_fed_instead() {
    let all = shown(&json!({ "name": "it's ".repeat(60_000), "score": 1 }).to_string());
    let (arguments, fed) = called(all["curl"].as_str().unwrap());
    assert_eq!(fed, all["bytes"].as_str().unwrap());
    assert_eq!(arguments[arguments.len() - 2..], ["--data-binary", "@-"]);
}
