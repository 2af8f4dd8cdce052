//! The verb `test`, mapping cases and schemas as a person meets them; and the shipped mappings, each with its cases.
//!
//! Not here: each mistake in a case (`config/seeded.txt`), and the laws of cases and schemas (beside the code).

use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{GOOD, all_shipped, err, folder_with, out, run, shipped};

/// Two cases that pass, and try everything that [`GOOD`] writes.
const PASSING: &str = r#"
[[case]]
name = "noise is skipped"
type = "noise"
event = "{}"
rule = "noise"
skip = true
[[case]]
name = "a lead is created"
type = "lead.new"
message_id = "m1"
event = "event.json"
rule = "lead"
request = '''{
  "procedure": "lead", "data": { "event_key": "m1", "score": 5 }, "record": { "data": { "phone_number": "12" } },
  "status": "OPEN", "nextActionAt": 1618558867539
}'''
"#;

const EVENT: &str = r#"{"score": 5, "phone": "1-2", "at": "2021-04-16T07:41:07.539Z"}"#;

/// The verb with these sections below [`GOOD`], and `event.json` beside it.
fn tested(sections: &str, arguments: &[&str]) -> (TempDir, Output) {
    verb_of("test", sections, arguments)
}

fn verb_of(verb: &str, sections: &str, arguments: &[&str]) -> (TempDir, Output) {
    let (folder, path) = folder_with(&format!("{GOOD}\n{sections}"));
    std::fs::write(folder.path().join("event.json"), EVENT).unwrap();
    let output = run(&path, &[&[verb], arguments].concat(), "");
    (folder, output)
}

#[test]
fn cases_that_pass_end_with_0_also_where_all_must_be_tried() {
    let (_folder, output) = tested(PASSING, &["--strict"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    let said = out(&output);
    assert!(
        said.starts_with("ok     noise is skipped\nok     a lead is created\n2 passed, 0 failed. Next: "),
        "{said}"
    );
}

const PICTURED: &str = r#"
[[rule]]
name = "pictured"
type = "pictured"
procedure = "visit"
data = { site = "{{ photo.site }}" }
photo = { site = { url = "{{ event.url }}" } }
[photos]
allow = ["cdn.acme.com"]
[[case]]
name = "a picture"
type = "pictured"
message_id = "m1"
event = '{ "url": "https://cdn.acme.com/1.gif?sig=S" }'
photo = { site = "site.gif" }
request = '{ "procedure": "visit", "data": { "site": "PHOTO" } }'
"#;

#[test]
fn a_case_gives_a_picture_as_a_file_and_says_whether_it_would_be_taken() {
    let with = |bytes: &[u8], name: &str| {
        let cases = PICTURED.replace("PHOTO", "8f897909-a162-5545-a33c-685a1b07dd14").replace("{ site = \"s", name);
        let (folder, path) = folder_with(&format!("{GOOD}\n{cases}"));
        std::fs::write(folder.path().join("site.gif"), bytes).unwrap();
        let output = run(&path, &["test"], "");
        (output.status.code(), format!("{}{}", out(&output), err(&output)))
    };
    let taken = with(b"GIF89a and so on", "{ site = \"s");
    assert_eq!(taken.0, Some(0), "{}", taken.1);
    for (bytes, name, words) in [
        (&b"<!DOCTYPE html>"[..], "{ site = \"s", "site: a JPEG, PNG, WebP, HEIC or GIF"),
        (b"GIF89a", "{ roof = \"s", "roof: a photo of that name in the request"),
    ] {
        let (code, said) = with(bytes, name);
        assert!(code == Some(1) && said.contains(words) && !said.contains("sig=S"), "{said}");
    }
    let (code, said) = with(b"GIF89a", "{ site = \"../gone/s");
    assert!(code == Some(78) && said.contains("photo.site: ../gone/site.gif"), "{said}");
}

#[test]
fn a_case_that_fails_ends_with_1_and_shows_each_field_that_differs() {
    let failing = PASSING.replace("\"score\": 5 }, \"record\"", "\"score\": 6, \"gone\": true }, \"record\"");
    let (_folder, output) = tested(&failing, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    let (said, at) = (out(&output), GOOD.lines().count() + 10);
    assert!(
        said.contains(&format!("config.toml:{at})")) && said.contains("failed a lead is created ("),
        "{at}: {said}"
    );
    let score = "         data.score\n           expected 6\n           got      5\n";
    let gone = "         data.gone\n           expected true\n           got      nothing\n";
    assert!(said.contains(score) && said.contains(gone) && said.contains("1 passed, 1 failed. Next: "), "{said}");
    assert!(!said.contains('\x1b'), "colour where no terminal is");
}

#[test]
fn what_no_passing_case_tries_is_named_and_fails_only_where_asked() {
    let half = &PASSING[PASSING.find("[[case]]\nname = \"a lead").unwrap()..];
    let rules = "\n[[rule]]\nname = \"left-out\"\ntype = \"left-out\"\nprocedure = \"lead\"\n\
                 data = { a = \"{{ event.a | default(omit) }}\" }\n[[case]]\nname = \"an omission\"\n\
                 type = \"left-out\"\nevent = \"{}\"\nrequest = '{\"procedure\": \"lead\", \"data\": {}}'\n";
    let sections = format!("{rules}{half}");
    let (_folder, output) = tested(&sections, &[]);
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    let said = out(&output);
    for words in ["untried: rule \"noise\": no passing case", "untried: rule \"left-out\", data.a: no passing case"] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(said.matches("untried").count(), 2, "{said}");
    assert_eq!(tested(&sections, &["--strict"]).1.status.code(), Some(1));
}

#[test]
fn a_script_gets_one_object_with_every_verdict() {
    let failing = PASSING.replace("skip = true", "reason = \"no_rule\"");
    let (_folder, output) = tested(&failing, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["passed"], &shown["failed"]), (&json!(1), &json!(1)));
    let wrong = json!([{ "about": "result", "expected": "a dead letter, no_rule", "got": "skipped" }]);
    assert_eq!((&shown["cases"][0]["wrong"], &shown["cases"][0]["passed"]), (&wrong, &json!(false)));
    assert_eq!((&shown["cases"][1]["rule"], &shown["cases"][1]["passed"]), (&json!("lead"), &json!(true)));
    assert_eq!(shown["untried"], json!({ "rules": ["noise"], "fields": [] }));
}

#[test]
fn a_file_without_cases_is_told_how_to_write_one() {
    let (_folder, output) = tested("", &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("no cases yet") && out(&output).contains("[[case]]\nname = "), "{}", out(&output));
    assert_eq!(tested("", &["--strict"]).1.status.code(), Some(1), "nothing is tried");
}

#[test]
fn the_example_that_is_told_is_a_case_once_its_dots_are_filled() {
    let said = out(&tested("", &[]).1);
    let example = &said[said.find("[[case]]").unwrap()..said.find("\nNext").unwrap()];
    let request = example.find("request").unwrap();
    let skipped = format!("{}skip = true\n", &example[..request]).replace('…', "noise");
    let (_folder, output) = tested(&skipped, &[]);
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
}

#[test]
fn a_mistake_in_a_case_ends_with_78_where_cases_are_read() {
    let bad = PASSING.replace("rule = \"lead\"", "rule = \"laed\"");
    for verb in ["test", "check"] {
        let (_folder, output) = verb_of(verb, &bad, &[]);
        assert_eq!(output.status.code(), Some(78), "{verb}");
        assert!(err(&output).contains("no rule is named \"laed\", expected lead"), "{}", err(&output));
    }
}

/// A schema that takes no score above so many.
fn score_up_to(most: u8) -> String {
    let schema = json!({ "properties": { "score": { "maximum": most } } });
    format!("[[schema]]\nprocedure = \"lead\"\ndata = '{schema}'\n")
}

#[test]
fn a_case_that_the_schema_refuses_is_a_mistake_at_its_line() {
    assert_eq!(verb_of("check", &format!("{}{PASSING}", score_up_to(5)), &[]).1.status.code(), Some(0));
    let (_folder, output) = verb_of("check", &format!("{}{PASSING}", score_up_to(4)), &[]);
    assert_eq!(output.status.code(), Some(78));
    let said = err(&output);
    let line = GOOD.lines().count() + 18;
    assert!(
        said.contains(&format!("config.toml:{line}: case \"a lead is created\".request: data.score (`maximum`")),
        "{line}: {said}"
    );
    let skipping = PASSING.replace("rule = \"lead\"\nrequest = '''", "reason = \"no_rule\"\ntext = '''");
    let (_folder, output) = verb_of("check", &format!("{}{skipping}", score_up_to(4)), &[]);
    assert_eq!(output.status.code(), Some(78), "its event makes a request that the schema refuses");
}

#[test]
fn a_case_that_the_schema_refuses_is_shown_at_the_desk_and_keeps_no_other_from_being_tried() {
    let (_folder, output) = tested(&format!("{}{PASSING}", score_up_to(4)), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let said = out(&output);
    assert!(said.contains("ok     noise is skipped") && said.contains("failed a lead is created"), "{said}");
}

#[test]
fn a_mistake_in_a_schema_file_is_told_with_the_line_that_names_it() {
    let (folder, path) = folder_with(&format!("{GOOD}\n[[schema]]\nprocedure = \"lead\"\ndata = \"lead.json\"\n"));
    let line = GOOD.lines().count() + 4;
    for (text, words) in [
        (
            r#"{"properties": {"score": {"type": "nubmer"}}}"#,
            "lead\".data: is no valid schema: at /properties/score/type",
        ),
        (r#"{"$ref": "https://example.com/lead.json"}"#, "references within the schema"),
        (r#"{"properties": "#, "lead.json is not JSON, at line 1 column 15"),
    ] {
        std::fs::write(folder.path().join("lead.json"), text).unwrap();
        let output = run(&path, &["check"], "");
        assert_eq!(output.status.code(), Some(78));
        let said = err(&output);
        assert!(said.contains(&format!("config.toml:{line}: ")) && said.contains(words), "{line}: {said}");
    }
    std::fs::write(folder.path().join("lead.json"), "{}").unwrap();
    assert_eq!(run(&path, &["check"], "").status.code(), Some(0));
}

#[test]
fn map_shows_what_a_schema_refuses_as_a_dead_letter() {
    let (_folder, path) = folder_with(&format!("{GOOD}\n{}", score_up_to(4)));
    let output = run(&path, &["map", "--kind", "lead.new", "--json"], EVENT);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["result"], &shown["reason"]), (&json!("dead_lettered"), &json!("schema")));
    assert!(shown["text"].as_str().unwrap().starts_with("rule \"lead\", data.score (`maximum`"), "{shown}");
}

#[test]
fn a_mapping_is_tried_without_the_secrets_that_the_daemon_cannot_run_without() {
    let credential = GOOD.replace("token = \"secret-of-the-api\"", "token_file = \"credential:chakra-token\"");
    let (folder, path) = folder_with(&format!("{credential}\n{PASSING}"));
    std::fs::write(folder.path().join("event.json"), EVENT).unwrap();
    assert_eq!(run(&path, &["test", "--strict"], "").status.code(), Some(0));
    let bare = GOOD.replace("token = \"secret-of-the-api\"", "token_file = \"./nowhere/token\"");
    let (folder, path) = folder_with(&format!("{bare}\n{PASSING}"));
    std::fs::write(folder.path().join("event.json"), EVENT).unwrap();
    assert_eq!(run(&path, &["test", "--strict"], "").status.code(), Some(0));
    assert_eq!(run(&path, &["map", "--kind", "lead.new"], EVENT).status.code(), Some(0));
    for verb in ["check", "run"] {
        let output = run(&path, &[verb], "");
        assert_eq!((output.status.code(), err(&output).contains("nowhere/token")), (Some(78), true), "{verb}");
    }
}

#[test]
fn every_shipped_mapping_passes_its_cases_and_leaves_nothing_untried() {
    // The least that runs has none, and is not to grow by them.
    for name in all_shipped().into_iter().filter(|name| name != "minimal.toml") {
        let output = run(&shipped(&name), &["test", "--strict", "--json"], "");
        assert_eq!(output.status.code(), Some(0), "{name}: {}{}", out(&output), err(&output));
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(shown["passed"].as_u64().unwrap() >= 3, "{name}: {shown}");
    }
    assert_eq!(run(&shipped("minimal.toml"), &["test"], "").status.code(), Some(0));
}
