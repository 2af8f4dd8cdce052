//! `trace` of what a ledger knows, of what only the API knows, and of what nobody does; and `check --online` of a ledger.
//!
//! Not here: the words of each fact (`cli::trace`).

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use super::stage::{Run, claim, create, file};
use crate::support::deadline::within;
use crate::support::setup::Setup;
use crate::support::standin::StandIn;

/// The program with these arguments: its exit code, and what it prints.
async fn program(folder: &Path, api: &StandIn, ledger: bool, arguments: &[&str]) -> (i32, String) {
    let setup = Setup::new("amqp://bridge:secret@127.0.0.1:1/crm", "crm.events", &api.url(), StandIn::TOKEN);
    let mut text = setup.sections(crate::support::setup::LOOKED_UP).toml();
    if ledger {
        write!(text, "\n[ledger]\nurl = \"sqlite://{}\"\n", folder.join("ledger.db").display()).unwrap();
    }
    let path = folder.join("config.toml");
    std::fs::write(&path, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
    let output = command.arg("--config").arg(path).args(arguments).output().await.unwrap();
    let both = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(both).unwrap())
}

async fn stage() -> (tempfile::TempDir, StandIn) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let api = StandIn::start().await;
    let url = format!("{}/v1/ext/procedure/lead/process", api.url());
    let body = json!({ "data": { "event_key": "only-the-api" } }).to_string();
    let asked = reqwest::Client::new().post(url).bearer_auth(StandIn::TOKEN).header("content-type", "application/json");
    assert!(asked.body(body).send().await.unwrap().status().is_success());
    (tempfile::tempdir().unwrap(), api)
}

#[tokio::test]
async fn what_the_ledger_or_the_api_knows_is_told_and_what_nobody_knows_is_said_with_a_code() {
    within(60, "all of it", async {
        let (folder, api) = stage().await;
        let run = Run::up(file(folder.path())).await;
        create(&run, "done", "p4711").await;
        run.ledger.claim(claim("open")).await;
        let (code, page) = program(folder.path(), &api, true, &["trace", "done", "open", "only-the-api"]).await;
        assert_eq!(code, 0, "{page}");
        for words in [
            "is the process p4711",
            "has it, and its lease runs for",
            "1 create may have been applied",
            "found by event_key",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let keys = folder.path().join("keys");
        std::fs::write(&keys, "done\n\nnobody\r\n").unwrap();
        let (code, lines) =
            program(folder.path(), &api, true, &["trace", "--json", "--file", keys.to_str().unwrap()]).await;
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((code, lines.len()), (1, 2));
        assert_eq!((&lines[0]["ledger"][0]["process"], &lines[0]["not_known"]), (&json!("p4711"), &json!([])));
        assert_eq!((&lines[1]["known"], &lines[1]["looked_up"][0]["processes"]), (&json!(false), &json!(0)));
        run.end().await;
    })
    .await;
}

#[tokio::test]
async fn without_a_ledger_the_api_is_asked_and_what_cannot_be_known_is_said() {
    within(60, "all of it", async {
        let (folder, api) = stage().await;
        let (code, page) = program(folder.path(), &api, false, &["trace", "only-the-api"]).await;
        assert_eq!(code, 0, "{page}");
        assert!(page.contains("of lead, found by event_key") && page.contains("no ledger is configured"), "{page}");
        let (code, page) = program(folder.path(), &api, false, &["trace", "nobody"]).await;
        assert!(code == 1 && page.contains("whether it is a dead letter in crm.events.dead: "), "{code} {page}");
        let (code, page) = program(folder.path(), &api, true, &["trace", "only-the-api"]).await;
        assert!(code == 0 && page.contains("not known: what the ledger has of it"), "{code} {page}");
    })
    .await;
}

#[tokio::test]
async fn a_ledger_that_cannot_be_used_is_a_mistake_of_its_line_before_the_daemon_runs() {
    within(60, "all of it", async {
        let (folder, api) = stage().await;
        std::fs::write(folder.path().join("ledger.db"), "no database at all, and long enough ".repeat(100)).unwrap();
        let (code, said) = program(folder.path(), &api, true, &["check", "--online"]).await;
        assert_eq!(code, 78);
        assert!(said.contains("ledger.url: the ledger cannot be used: the file is damaged, or no database"), "{said}");
    })
    .await;
}
