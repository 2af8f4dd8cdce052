//! Thirty mistakes that people make, and what `check` prints of each: the same in `docs/mistakes.md`, word for word.
//!
//! `BLESS=1 cargo test --test mistakes` writes that page anew. Not here: every mistake there is (`config/seeded.txt`, and
//! beside the code).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail this way")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const GOOD: &str = include_str!("mistakes/good.toml");

/// A file with one mistake: what it is, the piece of the good file, and what stands in its place.
struct Slip {
    what: &'static str,
    from: &'static str,
    to: &'static str,
}

const fn slip(what: &'static str, from: &'static str, to: &'static str) -> Slip {
    Slip { what, from, to }
}

const TYPE: &str = r#"type = "signup.*""#;
const NAME: &str = r#"name = "{{ event.data.name | trim }}""#;

const SLIPS: [Slip; 30] = [
    slip("a misspelt key", "prefetch = 64", "prefech = 64"),
    slip("a key in another section", "prefetch = 64", "timeout = \"10s\""),
    slip(
        "a duration without its unit",
        "[[rule]]\nname = \"signup\"",
        "[retry]\ninitial = 5\n\n[[rule]]\nname = \"signup\"",
    ),
    slip("the password in the URL", "bridge@", "bridge:swordfish@"),
    slip("a file of the token that is not there", "token = \"swordfish\"", "token_file = \"/run/secrets/tokn\""),
    slip("a misspelt variable", NAME, r#"name = "{{ evnt.data.name | trim }}""#),
    slip("a field without the event that it is of", NAME, r#"name = "{{ data.name | trim }}""#),
    slip("a filter of another language", NAME, r#"name = "{{ event.data.name | lowercase }}""#),
    slip("a function where a filter is meant", NAME, r#"name = "{{ upper(event.data.name) }}""#),
    slip("a method", NAME, r#"name = "{{ event.data.name.strip() }}""#),
    slip("braces that are never closed", NAME, r#"name = "{{ event.data.name | trim }""#),
    slip("braces around `when`", "action = \"skip\"", "action = \"skip\"\nwhen = \"{{ event.data.beats > 5 }}\""),
    slip("`if` without `else`", NAME, r#"name = "{{ event.data.name if event.data.known }}""#),
    slip("null as a value", NAME, r#"name = "{{ event.data.name | default(none) }}""#),
    slip("a header that no message can have", NAME, r#"name = "{{ headers['user name'] }}""#),
    slip("a status that the API does not know", "status = \"OPEN\"", "status = \"Closed\""),
    slip("seconds where milliseconds are meant", "status = \"OPEN\"", "nextActionAt = 1767225600"),
    slip("a path for a procedure", "procedure = \"lead\"", "procedure = \"sales/lead\""),
    slip(
        "`reconcile_by` names what the rule does not set",
        "reconcile_by = \"event_key\"",
        "reconcile_by = \"event_id\"",
    ),
    slip("a rule that is never reached", TYPE, "type = \"*\""),
    slip("braces around `each`", NAME, r#"lines = { each = "{{ event.data.lines }}", sku = "{{ item.sku }}" }"#),
    slip(
        "no braces around what is made of an item",
        NAME,
        r#"lines = { each = "event.data.lines", sku = "item.sku" }"#,
    ),
    slip(
        "a member without the item that it is of",
        NAME,
        r#"lines = { each = "event.data.lines", sku = "{{ sku }}" }"#,
    ),
    slip("`item` without an `each`", NAME, r#"name = "{{ item.name | trim }}""#),
    slip(
        "`each` and nothing to make of an item",
        NAME,
        r#"lines = { each = "event.data.lines", where = "item.beats > 1" }"#,
    ),
    slip(
        "`then` without the list",
        NAME,
        r#"total = { each = "event.data.lines", give = "{{ item.price }}", then = "sum" }"#,
    ),
    slip("a filter of Jinja", NAME, r#"lines = "{{ event.data.lines | selectattr('beats', 1) }}""#),
    slip("a sign that compares nothing", NAME, r#"lines = "{{ event.data.lines | where('beats', '=', 1) }}""#),
    slip(
        "a member behind the parentheses of a filter",
        NAME,
        r#"tier = "{{ event.data.fields | find('id', 360001).value }}""#,
    ),
    slip(
        "a duration that is none",
        "status = \"OPEN\"",
        r#"nextActionAt = "{{ event.data.at | epoch_ms | plus('2 moons') }}""#,
    ),
];

impl Slip {
    fn printed(&self) -> String {
        assert_eq!(GOOD.matches(self.from).count(), 1, "{}: the piece stands there once", self.what);
        let (said, code) = check(&GOOD.replace(self.from, self.to));
        assert_eq!(code, Some(78), "{}: {said}", self.what);
        assert!(said.contains("\n1 mistake; nothing was started"), "{}: {said}", self.what);
        assert!(said.starts_with("config.toml:") && said.contains('^'), "{}: {said}", self.what);
        assert!(!said.contains("swordfish"), "{}: {said}", self.what);
        said.replace("\n1 mistake; nothing was started\n", "")
    }
}

/// What the real program prints of a file `config.toml` in its folder.
fn check(text: &str) -> (String, Option<i32>) {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("config.toml"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"))
        .args(["--config", "config.toml", "check"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

fn table() -> String {
    let mut table = "<table>\n<tr><th>mistake</th><th>what <code>check</code> prints</th></tr>\n".to_owned();
    for slip in &SLIPS {
        let printed = slip.printed().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let (what, code) = (coded(slip.what), printed);
        write!(table, "<tr><td>{what}</td><td><pre>\n{code}\n</pre></td></tr>\n").unwrap();
    }
    table + "</table>\n"
}

/// Backticks are no code within HTML.
fn coded(words: &str) -> String {
    let pieces = words.split('`').enumerate();
    pieces.map(|(at, piece)| if at % 2 == 1 { format!("<code>{piece}</code>") } else { piece.to_owned() }).collect()
}

const BEGIN: &str = "<!-- mistakes: made by tests/mistakes.rs -->\n";
const END: &str = "<!-- end of mistakes -->";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/mistakes.md")
}

#[test]
fn the_good_file_has_no_mistake() {
    let (said, code) = check(GOOD);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_is_printed_of_thirty_mistakes_stands_in_its_page_word_for_word() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the beginning of the section");
    let (shown, tail) = rest.split_once(END).expect("the end of the section");
    let made = table();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(page(), format!("{head}{BEGIN}{made}{END}{tail}")).unwrap();
        return;
    }
    assert!(shown == made, "docs/mistakes.md shows something else; BLESS=1 cargo test --test mistakes writes:\n{made}");
}

/// The good file with as many of the slips as fit into it side by side, and how many those are.
fn many() -> (String, usize) {
    SLIPS.iter().fold((GOOD.to_owned(), 0), |(text, count), slip| match text.contains(slip.from) {
        true => (text.replace(slip.from, slip.to), count + 1),
        false => (text, count),
    })
}

#[test]
fn many_in_one_file_are_told_in_one_go() {
    let (text, count) = many();
    let (said, _) = check(&text);
    assert!(count >= 9 && said.contains(&format!("\n{count} mistakes; ")), "{count} of:\n{text}\n{said}");
}

#[test]
fn a_rule_with_a_piece_that_cannot_be_read_is_checked_to_its_end_and_no_mistake_follows_from_another() {
    for (from, to) in [
        ("status = \"OPEN\"", "status = 2026-01-01"),
        ("procedure = \"lead\"", "procedure = 5"),
        (TYPE, "type = 5"),
        (TYPE, "type = \"signup.*\"\nwhen = true"),
        ("reconcile_by = \"event_key\"", "reconcile_by = 5"),
        ("event_key = \"{{ key }}\"", "event_key = 2026-01-01"),
        ("action = \"skip\"", "action = \"ignore\""),
        ("name = \"signup\"", "nam = \"signup\"\nname = 5"),
    ] {
        let text = GOOD.replace(from, to).replace("| trim", "| trm");
        let (said, _) = check(&text);
        let wanted = 2 + usize::from(to.contains("nam = "));
        assert!(said.contains("`trm`") && said.contains(&format!("\n{wanted} mistakes; ")), "{to}: {said}");
    }
}

#[test]
fn json_carries_the_place_and_the_words_of_each() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, GOOD.replace("{{ event.data.name | trim", "\u{e4} {{ event.data.name | trm")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"))
        .args(["check", "--json", "--config"])
        .arg(path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mistake = &said["mistakes"][0];
    assert_eq!((&mistake["line"], &mistake["key"]), (&20.into(), &"rule \"signup\".data.name".into()), "{said}");
    assert_eq!((&mistake["column"], &mistake["what"]), (&32.into(), &"unknown filter `trm`".into()), "{said}");
    assert!(mistake["expected"].as_str().is_some_and(|words| words.starts_with("`trim`?")), "{said}");
}

#[test]
fn a_key_of_a_rule_below_its_data_is_a_warning_since_it_is_sent_as_an_attribute() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config.toml");
    let strayed = GOOD.replace("status = \"OPEN\"\n", "").replace("| trim }}\"\n", "| trim }}\"\nstatus = \"OPEN\"\n");
    for (text, warned) in [(strayed.as_str(), true), (GOOD, false)] {
        std::fs::write(&path, text).unwrap();
        let output =
            Command::new(env!("CARGO_BIN_EXE_chakra-bridge")).args(["check", "--config"]).arg(&path).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(said.contains("warning: rule \"signup\" sends an attribute `status`"), warned, "{said}");
    }
}
