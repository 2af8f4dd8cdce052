//! `check --online` asks the API as well: whether it takes the token, and knows each procedure. It creates nothing there.
//!
//! Not here: what the broker says (`broker/online.rs`), so that none is needed: nobody listens at its address.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

use std::process::{Command, Output};

use support::daemon::Setup;
use support::deadline::within;
use support::standin::{Canned, ErrorBody, Fault, On, Rule, StandIn};

const RULES: &str = r#"
[[rule]]
name = "one"
type = "one"
procedure = "lead"
[[rule]]
name = "two"
type = "two"
procedure = "ticket"
[[rule]]
name = "three"
type = "three"
procedure = "ticket"
[[rule]]
name = "four"
type = "four"
procedure = "{{ event.procedure }}"
[[rule]]
name = "five"
action = "skip"
"#;

fn setup(api: &StandIn) -> Setup {
    Setup::new("amqp://guest:guest@127.0.0.1:1/", "none", &api.url(), StandIn::TOKEN).sections(RULES)
}

/// What it prints of the API, and never of the broker; and the text of the file.
async fn asked(setup: &Setup) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let (path, text) = (folder.path().join("config.toml"), setup.toml());
    std::fs::write(&path, &text).unwrap();
    let ran = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_chakra-bridge")).args(["check", "--online", "--config"]).arg(path).output()
    });
    let Output { status, stdout, stderr } = within(60, "its words", ran).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(78), "no broker listens there");
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(said.contains("broker.url"), "{said}");
    (said, text)
}

/// The line of the file on which this stands, as it is printed.
fn at(text: &str, piece: &str) -> String {
    let line = text.lines().position(|line| line.contains(piece)).unwrap() + 1;
    format!("config.toml:{line}: ")
}

fn listed(rule: Rule) -> Rule {
    Rule { on: On::List, ..rule }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_and_known_procedures_are_no_mistake_and_each_is_asked_once_for_nothing() {
    let api = StandIn::start().await;
    let (said, _) = asked(&setup(&api)).await;
    assert!(said.contains("1 mistake;"), "{said}");
    let paths: Vec<_> = api.requests().into_iter().map(|seen| (seen.path, seen.status)).collect();
    let list = |procedure: &str| (format!("/v1/ext/procedure/{procedure}/process/list"), Some(200));
    assert_eq!(paths, [list("lead"), list("ticket")]);
    assert!(api.created().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_one_mistake_at_its_line_without_the_token() {
    let api = StandIn::start().await;
    api.set_tokens(&["another"]);
    let (said, text) = asked(&setup(&api)).await;
    assert!(said.contains(&at(&text, "token = ")) && said.contains("401"), "{said}");
    assert!(said.contains("2 mistakes;") && !said.contains(StandIn::TOKEN), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "a-bad-one").unwrap();
    let (said, text) = asked(&Setup { token: file.display().to_string(), ..setup(&api) }).await;
    assert!(said.contains(&format!("{}api.token_file", at(&text, "token_file"))), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_procedure_that_is_unknown_or_out_of_reach_is_a_mistake_at_each_rule_that_names_it() {
    let api = StandIn::start().await;
    api.set_procedures(&["ticket"]);
    api.plan(vec![listed(Rule { procedure: Some("ticket".into()), ..Rule::always(Canned::new(403)) })]);
    let (said, text) = asked(&setup(&api)).await;
    let lead = at(&text, "procedure = \"lead\"");
    assert!(said.contains(&format!("{lead}rule \"one\".procedure: \"lead\", 404")), "{said}");
    for words in ["rule \"two\".procedure: \"ticket\", 403", "rule \"three\".procedure: \"ticket\", 403", "4 mistakes;"]
    {
        assert!(said.contains(words), "{words} is not in {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_away_or_hangs_up_is_a_mistake_of_its_address() {
    let mut api = StandIn::start().await;
    api.plan(vec![listed(Rule::always(Fault::ResetBeforeReply))]);
    let (said, text) = asked(&setup(&api)).await;
    assert!(said.contains(&at(&text, "base_url")) && said.contains("2 mistakes;"), "{said}");
    api.go_dark().await;
    let (said, text) = asked(&setup(&api)).await;
    assert!(said.contains(&at(&text, "base_url")) && said.contains("2 mistakes;"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_nothing_clear_is_no_mistake() {
    let api = StandIn::start().await;
    for canned in [
        Canned::new(503),
        Canned::new(422),
        Canned::new(404).body(ErrorBody::Html),
        Canned::new(200).body(ErrorBody::Html),
    ] {
        api.plan(vec![listed(Rule::always(canned.clone()))]);
        let (said, _) = asked(&setup(&api)).await;
        assert!(said.contains("1 mistake;"), "{canned:?}: {said}");
        let warning = format!("warning: procedure ticket: the API answers {}", canned.status);
        assert!(said.contains(&warning), "{canned:?}: {said}");
    }
}
