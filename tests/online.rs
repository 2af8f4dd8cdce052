//! `check --online` asks the API as well: whether it takes the token, and knows each procedure. It creates nothing there.
//!
//! Not here: what the broker says (`broker/online.rs`), so that none is needed: nobody listens at its address.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

use std::process::{Command, Output};

use serde_json::{Value, json};

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
    with_rules(api, RULES)
}

fn with_rules(api: &StandIn, rules: &str) -> Setup {
    Setup::new("amqp://guest:guest@127.0.0.1:1/", "none", &api.url(), StandIn::TOKEN).sections(rules)
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
    let lists = api.requests().into_iter().filter(|seen| seen.path.ends_with("/list"));
    let paths: Vec<_> = lists.map(|seen| (seen.path, seen.status)).collect();
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

const PHOTO: &str = r#"
[[rule]]
name = "pictured"
type = "pictured"
procedure = "lead"
data = { site = "{{ photo.site }}" }
photo = { site = { base64 = "{{ event.site }}" } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_not_upload_is_a_mistake_where_a_rule_has_photos_and_one_that_may_makes_none() {
    let api = StandIn::start().await;
    let pictured = || with_rules(&api, &format!("{PHOTO}{RULES}"));
    let uploads = || api.requests().into_iter().filter(|seen| seen.path.contains("/photo/")).count();
    let (said, _) = asked(&pictured()).await;
    assert!(said.contains("1 mistake;") && !said.contains("upload"), "{said}");
    assert_eq!((uploads(), api.photos().len()), (1, 0), "it is asked by an upload that makes no photo");
    let on_photos = |status| vec![Rule { on: On::Photo, ..Rule::always(Canned::new(status)) }];
    for status in [403, 404] {
        api.plan(on_photos(status));
        let (said, text) = asked(&pictured()).await;
        let words = "rule \"pictured\" has photos: the token may not upload";
        assert!(said.contains(&at(&text, "token = ")) && said.contains(words), "{status}: {said}");
        let (said, _) = asked(&setup(&api)).await;
        assert!(said.contains("1 mistake;"), "no rule has photos: {said}");
    }
    api.plan(on_photos(503));
    assert!(asked(&pictured()).await.0.contains("1 mistake;"), "that says nothing of the token");
    api.plan(Vec::new());
    api.set_tokens(&["another"]);
    let (said, text) = asked(&pictured()).await;
    assert!(said.contains(&at(&text, "token = ")) && said.contains("401"), "{said}");
    assert!(said.contains("2 mistakes;") && !said.contains(StandIn::TOKEN), "told once: {said}");
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

const COMPARED: &str = r#"
[[rule]]
name = "compared"
procedure = "ticket"
reconcile_by = "event_kee"
state = "NWE"
[rule.data]
event_kee = "{{ key }}"
scroe = "{{ event.score }}"
note = 5
open = true
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_name_that_the_team_has_not_is_a_note_at_its_line_in_each_plausible_shape() {
    let api = StandIn::start().await;
    let setup = Setup::new("amqp://guest:guest@127.0.0.1:1/", "none", &api.url(), StandIn::TOKEN).sections(COMPARED);
    let all = json!([
        { "id": "a1", "shortId": "event_key", "attributeType": "t1", "procedure": "p1" },
        { "id": "a2", "shortId": "score", "attributeType": "t2", "procedure": "p1" },
        { "id": "a3", "shortId": "note", "attributeType": "t1", "procedure": "p1" },
        { "id": "a4", "shortId": "open", "attributeType": "t3", "procedure": "p1" },
    ]);
    let types =
        json!([{ "id": "t1", "name": "string" }, { "id": "t2", "name": "integer" }, { "id": "t3", "name": "boolean" }]);
    for procedure in [
        json!([{ "id": "p1", "shortId": "ticket", "states": ["NEW"] }]),
        json!({ "p1": { "shortId": "ticket", "states": [{ "shortId": "NEW" }], "attributes": ["a1", "a2", "a3", "a4"] } }),
    ] {
        api.set_config(json!({ "procedures": procedure, "attributes": all, "attributeTypes": types }));
        let (said, text) = asked(&setup).await;
        for (piece, words) in [
            ("event_kee = ", "data.event_kee: the procedure has no such attribute, expected `event_key`?"),
            ("scroe", "data.scroe: the procedure has no such attribute, expected `score`?"),
            ("note = 5", "data.note: another type than the attribute's, expected string"),
            ("state = ", "state: no state \"NWE\", expected `NEW`?"),
            ("reconcile_by", "reconcile_by: no attribute of the procedure"),
        ] {
            assert!(said.contains(&format!("{}rule \"compared\".{words}", at(&text, piece))), "{words}: {said}");
        }
        assert!(said.contains("1 mistake;") && !said.contains("data.open"), "the broker alone refuses: {said}");
    }
    api.set_config(json!({ "procedures": [{ "shortId": "tikcet" }] }));
    assert!(asked(&setup).await.0.contains("Fetch Config tells no procedure \"ticket\", expected `tikcet`?"));
    for odd in
        [json!({}), json!({ "procedures": 1 }), json!({ "procedures": [{ "shortId": "ticket", "attributes": 7 }] })]
    {
        api.set_config(odd.clone());
        let (said, _) = asked(&setup).await;
        assert!(said.contains("not compared") && said.contains("1 mistake;"), "{odd}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_of_a_schema_is_made_of_what_the_team_has() {
    let api = StandIn::start().await;
    api.set_config(
        json!({ "procedures": [{ "shortId": "ticket", "attributes": [{ "shortId": "n", "type": "integer" }] }] }),
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, setup(&api).toml()).unwrap();
    let run = |procedure: &'static str| {
        let path = path.clone();
        let ran = tokio::task::spawn_blocking(move || {
            Command::new(env!("CARGO_BIN_EXE_chakra-bridge"))
                .args(["schema", "--online", procedure, "--config"])
                .arg(path)
                .output()
        });
        async { within(60, "its words", ran).await.unwrap().unwrap() }
    };
    let printed: Value = serde_json::from_slice(&run("ticket").await.stdout).unwrap();
    assert_eq!(printed["properties"], json!({ "n": { "type": "integer" } }));
    let refused = run("lead").await;
    assert_eq!(refused.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there are ticket"));
}
