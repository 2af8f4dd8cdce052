//! `init` as a new user meets it: from an empty folder to a green `test`.
//!
//! Not here: names of attributes (beside the code).

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The program in this folder, on no terminal, with these words.
fn run_in(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
    command.args(words).current_dir(folder).env("NO_COLOR", "1").env_remove("CHAKRA_BRIDGE_CONFIG").output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A green `test --strict` of what `init` makes with these words; the file that it made.
fn green(folder: &Path, words: &[&str]) -> String {
    let made = run_in(folder, &[&["init"], words].concat());
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let tested = run_in(folder, &["--config", "chakra-bridge.toml", "test", "--strict"]);
    let file = std::fs::read_to_string(folder.join("chakra-bridge.toml")).unwrap();
    assert_eq!(tested.status.code(), Some(0), "{}{file}", said(&tested));
    assert!(said(&tested).contains("1 passed, 0 failed") && !said(&tested).contains('\u{1b}'), "{}", said(&tested));
    file
}

fn with(event: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("event.json"), event).unwrap();
    folder
}

#[test]
fn an_empty_folder_comes_to_a_green_test_without_an_event() {
    let folder = TempDir::new().unwrap();
    let file = green(folder.path(), &[]);
    assert!(file.contains("type = \"com.acme.support.case.opened\""), "{file}");
    assert!(file.contains("each = \"event.data.devices\""), "{file}");
}

#[test]
fn an_event_is_proposed_line_by_line_and_its_case_passes() {
    let folder = with(
        r#"{ "id": 7, "firstName": "Ada", "odd name": 1, "status": "new", "at": "2026-11-20T08:15:00Z", "none": null, "big": 123456789012345678901,
        "it's": 1, "a": { "id": 2, "b": { "id": "'''" } }, "tags": ["x", null], "empty": [], "lines": [{ "sku": "A", "n": 1, "each": 1 }, { "sku": null }] }"#,
    );
    let file = green(folder.path(), &["--event", "event.json", "--procedure", "lead"]);
    for line in [
        "procedure = \"lead\"",
        "key = \"event.id\"",
        "first_name = \"{{ event.firstName }}\"",
        "odd_name = \"{{ event['odd name'] }}\"",
        "status_of_event = \"{{ event.status }}\"",
        "at = \"{{ event.at | epoch_ms }}\"",
        "# none = \"{{ event.none | default(omit) }}\"",
        "big = \"{{ event.big | string }}\"",
        "a_id = \"{{ event.a.id }}\"",
        "b_id = \"{{ event.a.b.id }}\"",
        "[rule.data.lines]\neach = \"event.lines\"",
        "sku = \"{{ item.sku | default(omit) }}\"",
    ] {
        assert!(file.contains(line), "{line}: {file}");
    }
}

#[test]
fn every_event_of_the_shipped_feeds_comes_to_a_green_test() {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/mappings/events");
    for event in std::fs::read_dir(events).unwrap() {
        let folder = TempDir::new().unwrap();
        green(folder.path(), &["--event", event.unwrap().path().to_str().unwrap(), "--kind", "a.b"]);
    }
}

#[test]
fn a_byte_order_mark_before_an_event_is_no_part_of_it_for_any_verb() {
    let folder = with("\u{feff}{ \"id\": 7, \"name\": \"Ada\" }\n");
    green(folder.path(), &["--event", "event.json"]);
    let map = |event: &str| run_in(folder.path(), &["--config", "chakra-bridge.toml", "map", "--json", event]);
    let mapped = map("event.json");
    assert_eq!(mapped.status.code(), Some(0), "{}", said(&mapped));
    let lines = "\u{feff}{ \"id\": 7, \"name\": \"Ada\" }\n{ \"id\": 8, \"name\": \"Bo\" }\n";
    std::fs::write(folder.path().join("lines.json"), lines).unwrap();
    let mapped = map("lines.json");
    assert_eq!((mapped.status.code(), said(&mapped).lines().count()), (Some(0), 2), "{}", said(&mapped));
    std::fs::write(folder.path().join("event.json"), "\u{feff}{").unwrap();
    let broken = run_in(folder.path(), &["--config", "chakra-bridge.toml", "test"]);
    assert!(said(&broken).contains("event.json is not JSON, at line 1 column 1"), "{}", said(&broken));
}

#[test]
fn a_file_that_is_there_is_not_touched_and_what_is_no_event_makes_none() {
    let folder = with("[1]");
    let refused = run_in(folder.path(), &["init", "--event", "event.json"]);
    assert_eq!(refused.status.code(), Some(64), "{}", said(&refused));
    assert!(!folder.path().join("chakra-bridge.toml").exists());
    std::fs::write(folder.path().join("chakra-bridge.toml"), "mine").unwrap();
    let refused = run_in(folder.path(), &["init"]);
    assert_eq!((refused.status.code(), said(&refused).contains("chakra-bridge.toml")), (Some(64), true));
    assert_eq!(std::fs::read_to_string(folder.path().join("chakra-bridge.toml")).unwrap(), "mine");
    let bad = run_in(folder.path(), &["init", "--procedure", "a/b", "new.toml"]);
    assert_eq!(bad.status.code(), Some(64), "{}", said(&bad));
    assert!(!folder.path().join("new.toml").exists() && said(&bad).contains("procedure"), "{}", said(&bad));
}
