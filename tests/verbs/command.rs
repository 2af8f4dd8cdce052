//! `pause` and `resume` against the real daemon, and where they cannot be sent.
//!
//! Not here: what the port answers (`admin`), and a rule that is held (`path/held_rules.rs`).

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::healthcheck::Running;
use crate::{err, folder_with, out, run, run_with};

const TOKEN: &str = "token = \"swordfish\"";

/// A verb that is done: what it prints, in one line.
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", err(output));
    assert_eq!(out(output).lines().count(), 1);
    out(output)
}

/// A verb that is not: what it prints, in one line without the token.
fn not_done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", out(output));
    let words = err(output);
    assert!(words.starts_with("not done: ") && words.lines().count() == 1 && !words.contains("swordfish"), "{words}");
    words
}

/// What `/readyz` says is shut.
fn shut(daemon: &Running) -> String {
    let (_folder, path) = daemon.led_to_by("");
    err(&run(&path, &["healthcheck", "--ready"], ""))
}

/// Waits until `/readyz` says that everything is paused, or that it is not.
fn until_paused(daemon: &Running, is_paused: bool) {
    let begun = Instant::now();
    while shut(daemon).contains("everything: paused") != is_paused {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", shut(daemon));
    }
}

#[test]
fn whoever_has_the_token_pauses_and_resumes_in_one_line_each() {
    let daemon = Running::with(TOKEN);
    let admin = format!("[admin]\nlisten = \"{}\"\n{TOKEN}\n", daemon.address);
    let (_folder, path) = folder_with(&format!("{admin}[broker]\nqeue = 5\nurl = \"a mistake elsewhere"));
    let url = format!("http://{}", daemon.address);
    let words = done(&run(&path, &["pause", "--from", "ops@example.com"], ""));
    assert_eq!(words, format!("done: {url}/pause answers 200: {{\"paused\":true}}\n"));
    until_paused(&daemon, true);
    let words = done(&run(&path, &["resume", "--json"], ""));
    let wanted = json!({ "done": true, "url": format!("{url}/resume"), "status": 200, "answer": { "paused": false } });
    assert_eq!(serde_json::from_str::<Value>(&words).unwrap(), wanted);
    until_paused(&daemon, false);
    let words = done(&run(&path, &["resume", "--rule", "lead"], ""));
    assert!(words.ends_with("/resume?rule=lead answers 200: {\"rule\":\"lead\",\"was_held\":false}\n"), "{words}");
    let words = not_done(&run(&path, &["resume", "--rule", "laed & more"], ""));
    assert!(words.contains("/resume?rule=laed%20%26%20more answers 404: there is no rule \"laed & more\""), "{words}");
}

#[test]
fn a_token_in_a_file_or_a_variable_is_taken_and_another_one_is_refused() {
    let daemon = Running::with(TOKEN);
    let (folder, path) = daemon.led_to_by("");
    let token = folder.path().join("token");
    std::fs::write(&token, "swordfish\n").unwrap();
    let kept = [("CHAKRA_BRIDGE__ADMIN__TOKEN_FILE", token.as_path())];
    done(&run_with(&path, &kept, &["pause"], ""));
    done(&run_with(&path, &[("CHAKRA_BRIDGE__ADMIN__TOKEN", Path::new("swordfish"))], &["resume"], ""));
    std::fs::write(&token, "another").unwrap();
    let words = not_done(&run_with(&path, &kept, &["pause"], ""));
    assert!(words.contains("/pause answers 401: send the admin token"), "{words}");
    std::fs::remove_file(&token).unwrap();
    let words = not_done(&run_with(&path, &kept, &["pause"], ""));
    assert!(words.contains("the admin token cannot be read: "), "{words}");
}

#[test]
fn without_a_token_it_says_what_to_configure() {
    let daemon = Running::with("");
    let (_folder, path) = daemon.led_to_by("");
    for verb in ["pause", "resume"] {
        let words = not_done(&run(&path, &[verb], ""));
        assert!(words.contains("admin.token_file") && words.contains("CHAKRA_BRIDGE__ADMIN__TOKEN"), "{words}");
    }
    let said = run(&path, &["pause", "--json"], "");
    assert_eq!(said.status.code(), Some(1));
    let said: Value = serde_json::from_str(&out(&said)).unwrap();
    assert!(said["done"] == false && said["error"].as_str().unwrap().contains("admin.token_file"), "{said}");
    // The daemon has none either: it knows no such path.
    let token = [("CHAKRA_BRIDGE__ADMIN__TOKEN", Path::new("swordfish"))];
    let words = not_done(&run_with(&path, &token, &["pause"], ""));
    assert!(words.contains("/pause answers 404"), "{words}");
}

#[test]
fn nobody_there_and_a_name_that_is_no_header_are_not_done() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_folder, path) = folder_with(&format!("[admin]\nlisten = \"{gone}\"\n{TOKEN}"));
    let words = not_done(&run(&path, &["pause"], ""));
    assert!(words.contains(&format!("http://{gone}/pause: Connection refused")), "{words}");
    let words = not_done(&run(&path, &["pause", "--from", "a\nb"], ""));
    assert!(words.contains("--from"), "{words}");
    assert_eq!(run(&path, &["pause", "--rule", "lead"], "").status.code(), Some(64), "a pause is for everything");
}

#[test]
fn the_metrics_show_from_the_start_that_no_rule_is_held() {
    let daemon = Running::with("");
    let text = daemon.get("/metrics");
    assert!(text.contains("chakra_bridge_rule_held{rule=\"lead\"} 0\n"), "{text}");
    assert!(!text.contains("rule_held{rule=\"noise\"}"), "one that skips cannot be rejected: {text}");
}
