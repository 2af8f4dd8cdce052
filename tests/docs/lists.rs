//! The lists of the documents against those of the code, both ways.
//!
//! Not here: metrics (`metrics`).

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

use chakra_bridge::admin::health::Health;
use chakra_bridge::amqp::DEAD_LETTER_HEADERS;
use chakra_bridge::cli::exit::Exit;
use chakra_bridge::config::known_keys;
use chakra_bridge::core::delay_queue::DELAY_QUEUES;
use chakra_bridge::core::delivery::{DELAY_REASONS, Place};
use chakra_bridge::core::judge::{Judgement, judge};
use chakra_bridge::core::reason::{Cause, HaltReason, Reason};
use chakra_bridge::core::reply::{Body, Reply, Response, Wrapper};
use chakra_bridge::metrics::{Descriptors, LogState};
use chakra_bridge::states::broker::{BrokerState, BrokerStatus};
use chakra_bridge::states::dead_letters::DeadLetters;
use chakra_bridge::states::ledger::LedgerStatus;
use chakra_bridge::states::lookups::LookupWaits;
use chakra_bridge::states::phase::{Phase, Pulse};
use chakra_bridge::states::rules::RulesState;
use tokio::sync::watch;

use super::page::{Page, all, named};
use super::source::{fields_of, words_of};

/// Sections of the file that are lists of tables.
const LISTS: [&str; 3] = ["rule", "schema", "case"];

/// Fails with what one list has and the other has not.
pub(crate) fn same(what: &str, documents: &BTreeSet<String>, code: &BTreeSet<String>) {
    let only = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect::<Vec<_>>().join(", ");
    let (extra, missing) = (only(documents, code), only(code, documents));
    assert!(documents == code, "{what}: not in the code: [{extra}]; not in the documents: [{missing}]");
}

fn set(words: impl IntoIterator<Item = &'static str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

fn names(page: &str, heading: &str) -> BTreeSet<String> {
    Page::read(page).names(heading)
}

/// What `check` says of a file.
fn checked(folder: &std::path::Path, text: &str) -> String {
    let file = folder.join("config.toml");
    std::fs::write(&file, text).unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
    String::from_utf8(check.arg("--config").arg(&file).arg("check").output().unwrap().stderr).unwrap()
}

/// What the program says is known, where a rule has this for a value.
fn known(expression: &str, from: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let rule = format!("[[rule]]\nname = \"x\"\nprocedure = \"x\"\ndata = {{ x = \"{expression}\" }}\n");
    let said = checked(folder.path(), &rule);
    let line = said.lines().find(|line| line.contains(from)).unwrap_or_else(|| panic!("{from} is not in:\n{said}"));
    line.split_once(from).unwrap().1.split(", ").map(|name| name.trim().to_owned()).collect()
}

#[test]
fn filters_tests_and_variables_are_those_that_the_program_knows() {
    same("filters", &names("docs/mapping.md", "Filters"), &known("{{ 1 | qqqqqqqq }}", "expected one of "));
    same("tests", &names("docs/mapping.md", "Tests after is"), &known("{{ 1 is qqqqqqqq }}", "expected one of "));
    same("variables", &names("docs/mapping.md", "Expressions"), &known("{{ qqqqqqqq }}", "Known are "));
}

/// The keys of the configuration as the documents tell them: name and default.
fn documented_keys() -> BTreeSet<(String, String)> {
    let page = Page::read("docs/configuration.md");
    let of =
        |section: &str| page.table(section).into_iter().map(|row| (row[0].clone(), row[1].clone())).collect::<Vec<_>>();
    let sections = sections();
    let single = sections.iter().filter(|section| !LISTS.contains(&section.as_str())).flat_map(|section| of(section));
    let lists = ["Rules", "Schemas", "Cases"].into_iter().flat_map(of).map(|(key, _)| (key, String::new()));
    let plain = |text: String| text.trim_matches('`').to_owned();
    single.chain(lists).map(|(key, default)| (plain(key), plain(default))).collect()
}

fn sections() -> BTreeSet<String> {
    known_keys().iter().map(|known| known.section.to_owned()).collect()
}

#[test]
fn keys_and_their_defaults_are_those_that_the_program_knows() {
    let known = known_keys();
    let keys =
        known.iter().map(|known| (format!("{}.{}", known.section, known.name), known.default)).collect::<Vec<_>>();
    let documented = documented_keys();
    same(
        "keys",
        &documented.iter().map(|(key, _)| key.clone()).collect(),
        &keys.iter().map(|(key, _)| key.clone()).collect(),
    );
    for (key, written) in documented {
        let default = keys.iter().find(|(known, _)| *known == key).and_then(|(_, default)| *default);
        match default {
            Some(default) => assert_eq!(written, default, "{key}"),
            None => {
                assert!(written.is_empty() || written == "none" || written.starts_with("required"), "{key}: {written}")
            }
        }
    }
}

#[test]
fn renamed_keys_are_told_by_the_changelog_and_by_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let rows = Page::read("CHANGELOG.md").table("Changed: names");
    let keys: Vec<_> = rows.iter().filter(|row| row[0] == "key").collect();
    assert!(!keys.is_empty());
    for row in keys {
        let (old, new) = (row[1].trim_matches('`'), row[2].trim_matches('`'));
        let (section, key) = old.split_once('.').unwrap();
        let said = checked(folder.path(), &format!("[{section}]\n{key} = \"1s\"\n"));
        assert!(said.lines().any(|line| line.contains(old) && line.contains(new)), "{old}: {said}");
    }
}

#[test]
fn every_key_that_a_document_names_is_known() {
    let keys: BTreeSet<String> = known_keys().iter().map(|known| format!("{}.{}", known.section, known.name)).collect();
    let sections: BTreeSet<String> =
        sections().into_iter().filter(|section| !["event", "rule"].contains(&section.as_str())).collect();
    let is_key = |code: &str| {
        code.split_once('.').is_some_and(|(section, key)| {
            sections.contains(section)
                && !key.is_empty()
                && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    };
    for page in all().iter().filter(|page| page.name != "CHANGELOG.md") {
        for (line, code) in page.code().into_iter().filter(|(_, code)| is_key(code)) {
            assert!(keys.contains(code), "{}:{line}: there is no key {code}", page.name);
        }
    }
}

#[test]
fn reasons_causes_and_halts_are_those_of_the_code() {
    let page = "docs/delivery.md";
    same("reasons", &names(page, "Dead letters"), &set(Reason::ALL.map(Reason::as_str)));
    let tables = Page::read(page).tables("What each answer becomes");
    same("halts", &named(&tables[1]), &set(HaltReason::ALL.map(HaltReason::as_str)));
    same("causes", &named(&tables[2]), &set(Cause::ALL.map(Cause::as_str)));
    same("doubts", &names(page, "Possible duplicates"), &words_of("Doubt"));
}

/// What a status means, in one word of the tables: a 4xx in the API's words, all others without a body.
fn meaning(status: u16) -> &'static str {
    let in_words = Body::Json(Wrapper { is_api_word: true, ..Wrapper::default() });
    let body = if (400..500).contains(&status) { in_words } else { Body::Empty };
    let response = Response::new(status, body);
    match judge(&Reply::Response(response), true) {
        Judgement::Halt { reason, .. } => reason.as_str(),
        Judgement::Retry { cause, .. } | Judgement::Unsure { cause, .. } => cause.as_str(),
        other => other.as_str(),
    }
}

#[test]
fn the_statuses_of_each_halt_and_cause_are_those_that_are_judged_so() {
    let tables = Page::read("docs/delivery.md").tables("What each answer becomes");
    for row in tables[1..].iter().flatten() {
        let statuses: Vec<u16> = row[1].split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
        let word = row[0].trim_matches('`');
        let judged: Vec<u16> = (100..=599).filter(|status| meaning(*status) == word).collect();
        // Whole hundreds are told as such.
        assert!(statuses == judged || (statuses.is_empty() && judged.len() != 1), "{word}: {statuses:?}, {judged:?}");
    }
}

#[test]
fn delay_queues_are_those_that_the_daemon_looks_for() {
    let queues = DELAY_QUEUES.map(|queue| format!("<queue>.wait.{}", queue.label));
    same("delay queues", &names("docs/delivery.md", "Delays"), &queues.into());
}

#[test]
fn headers_of_dead_letters_are_those_that_are_written() {
    let documented = named(&Page::read("docs/delivery.md").tables("Dead letters")[1]);
    same("headers", &documented, &set(DEAD_LETTER_HEADERS));
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let codes = Exit::ALL.map(|exit| exit.code().to_string());
    same("exit codes", &names("docs/operations.md", "Exit codes"), &codes.into());
}

#[test]
fn fields_of_the_log_and_of_readyz_are_those_that_are_written() {
    same("fields of the log", &names("docs/operations.md", "The log"), &fields_of("event settled"));
    let tables = Page::read("docs/operations.md").tables("The log");
    same("places where events wait", &named(&tables[2]), &set(Place::WORDS));
    same("reasons of a delay", &named(&tables[3]), &set(DELAY_REASONS));
    let (_, phase) = watch::channel(Phase::Running);
    let (_, broker) = watch::channel(BrokerStatus::from(BrokerState::Consuming));
    let (_, gate) = watch::channel(Vec::new());
    let (_, gates) = watch::channel(Vec::new());
    let (_, letters) = watch::channel(DeadLetters::default());
    let (_, ledger) = watch::channel(LedgerStatus::default());
    let (_, rules) = watch::channel(RulesState::default());
    let (_, waits) = watch::channel(LookupWaits::default());
    let pulse = Arc::new(Pulse::new(tokio::time::Instant::now()));
    let log = LogState::default();
    let descriptors = Descriptors::default();
    let told = Health { phase, broker, gate, gates, waits, ledger, letters, rules, log, descriptors, pulse };
    let told = told.ready_details();
    let fields = told.as_object().unwrap().keys().cloned().collect();
    let documented = named(&Page::read("docs/operations.md").tables("Health checks")[1]);
    same("fields of /readyz", &documented, &fields);
}
