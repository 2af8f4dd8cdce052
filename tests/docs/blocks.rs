//! What the documents show is run: each configuration by `check`, each call of the program by the program, each expression.
//!
//! Not here: what the program does otherwise (`verbs.rs`).

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;
use toml::{Table, Value};

use super::commands::calls;
use super::page::{Page, all, root};

/// Keys whose files the test puts in place.
const SECRETS: [&str; 3] = ["password_file", "token_file", "proxy_password_file"];
const CERTIFICATES: [&str; 3] = ["ca_file", "client_cert_file", "client_key_file"];

/// What a piece of a configuration is completed by.
const REST: &str = r#"
rule = [{ name = "any", procedure = "ticket" }]
[broker]
url = "amqps://bridge@rabbit.internal/crm"
password_file = "there"
queue = "crm.events"
[api]
base_url = "https://api.chakrahq.com"
token_file = "there"
"#;

/// A folder that holds what the blocks name: the shipped configuration, its mappings, an event, secrets and certificates.
struct Folder {
    place: TempDir,
}

impl Folder {
    fn new() -> Self {
        let place = TempDir::new().unwrap();
        let copied = Command::new("cp").arg("-R").arg(root("config/.")).arg(place.path()).status().unwrap();
        assert!(copied.success());
        let folder = Self { place };
        std::fs::copy(root("config/mappings/events/support-case.json"), folder.path("event.json")).unwrap();
        let key = rcgen::generate_simple_self_signed(["api.internal".to_owned()]).unwrap();
        for (name, text) in [
            ("secret", "swordfish".to_owned()),
            ("ca_file", key.cert.pem()),
            ("client_cert_file", key.cert.pem()),
            ("client_key_file", key.signing_key.serialize_pem()),
        ] {
            std::fs::write(folder.path(name), text).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// The program in this folder. The shipped configuration names secrets that are elsewhere.
    fn program(&self, arguments: &[String]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
        for key in ["CHAKRA_BRIDGE__BROKER__PASSWORD_FILE", "CHAKRA_BRIDGE__API__TOKEN_FILE"] {
            program.env(key, self.path("secret"));
        }
        program.args(arguments).current_dir(self.place.path()).output().unwrap()
    }

    /// `check` of a piece of a configuration; what is missing is put beside it.
    fn check(&self, piece: &str) -> Result<(), String> {
        let mut file: Table = piece.parse().map_err(|error| format!("{error}"))?;
        complete(&mut file, REST.parse().unwrap());
        for section in ["broker", "api", "admin", "ledger"] {
            if let Some(Value::Table(section)) = file.get_mut(section) {
                self.put_in_place(section);
            }
        }
        std::fs::write(self.path("piece.toml"), file.to_string()).unwrap();
        let done = self.program(&["--config", "piece.toml", "check"].map(str::to_owned));
        if done.status.success() { Ok(()) } else { Err(words(&done)) }
    }

    fn put_in_place(&self, section: &mut Table) {
        for (key, value) in section.iter_mut() {
            if let Value::Table(inner) = value {
                self.put_in_place(inner);
            }
            let name = if SECRETS.contains(&key.as_str()) { "secret" } else { key };
            if name == "secret" || CERTIFICATES.contains(&name) {
                *value = Value::from(self.path(name).to_str().unwrap());
            }
        }
    }
}

fn complete(file: &mut Table, rest: Table) {
    for (key, value) in rest {
        match (file.get_mut(&key), value) {
            (Some(Value::Table(section)), Value::Table(rest)) => complete(section, rest),
            (Some(_), _) => {}
            (None, value) => drop(file.insert(key, value)),
        }
    }
}

fn words(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// What is wrong with any block of a language, each with its place.
fn wrong(language: &str, check: impl Fn(&str) -> Result<(), String>) -> (usize, Vec<String>) {
    let blocks: Vec<_> = all().iter().flat_map(|page| page.blocks(language)).collect();
    let wrong = |block: &super::page::Block| {
        let place = &block.place;
        check(&block.text).err().map(|why| format!("{place}: {why}"))
    };
    (blocks.len(), blocks.iter().filter_map(wrong).collect())
}

#[test]
fn every_configuration_that_is_shown_passes_check() {
    let folder = Folder::new();
    let (count, wrong) = wrong("toml", |piece| folder.check(piece));
    assert!(count >= 6, "only {count} blocks");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_configuration_would_be_found() {
    let folder = Folder::new();
    for wrong in ["[broker]\nprefech = 5\n", "[[rule]]\nname = \"x\"\n", "[retry]\ninitial = 5\n"] {
        assert!(folder.check(wrong).is_err(), "{wrong}");
    }
    assert_eq!(folder.check(""), Ok(()));
}

/// Verbs that end by themselves and ask nobody are run; of the others the arguments are read.
fn call(folder: &Folder, mut arguments: Vec<String>) -> Result<(), String> {
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let is_run = ["check", "map", "test"].iter().any(|verb| has(verb)) && !has("--online") && !has("--strict");
    if !is_run {
        arguments.push("--help".to_owned());
    } else if !has("--config") {
        arguments.extend(["--config", "chakra-bridge.toml"].map(str::to_owned));
    }
    let done = folder.program(&arguments);
    if done.status.success() { Ok(()) } else { Err(format!("{}: {}", arguments.join(" "), words(&done))) }
}

#[test]
fn every_call_of_the_program_that_is_shown_is_one_that_it_takes() {
    let folder = Folder::new();
    let shown: Vec<_> = all().iter().flat_map(|page| page.blocks("sh")).flat_map(|block| calls(&block.text)).collect();
    assert!(shown.len() >= 15, "{shown:?}");
    let wrong: Vec<String> = shown.into_iter().filter_map(|arguments| call(&folder, arguments).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(call(&folder, vec!["map".to_owned(), "--no-such".to_owned()]).is_err());
    assert!(call(&folder, vec!["healthcheck".to_owned(), "--timeout".to_owned(), "x".to_owned()]).is_err());
}

#[test]
fn every_shell_block_can_be_read_by_a_shell() {
    let (count, wrong) = wrong("sh", |text| {
        let read = Command::new("sh").args(["-n", "-c", text]).output().unwrap();
        if read.status.success() { Ok(()) } else { Err(words(&read)) }
    });
    assert!(count >= 10, "only {count} blocks");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Expressions in running text and tables, unless they leave something out.
fn expressions(page: &Page) -> Vec<String> {
    let whole = |code: &&str| code.starts_with("{{") && code.ends_with("}}") && !code.contains('…');
    page.code().into_iter().map(|(_, code)| code).filter(whole).map(|code| code.replace("\\|", "|")).collect()
}

#[test]
fn every_expression_that_is_shown_compiles() {
    let folder = Folder::new();
    let shown: Vec<String> = all().iter().flat_map(expressions).collect();
    assert!(shown.len() >= 15, "{shown:?}");
    let wrong: Vec<String> = shown.iter().filter_map(|code| folder.check(&with(code)).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(folder.check(&with("{{ event.x | uper }}")).is_err());
}

/// A configuration with this expression; one of an item stands in a list.
fn with(code: &str) -> String {
    let rule: Table = [("name", "any"), ("procedure", "ticket")]
        .map(|(key, text)| (key.to_owned(), text.into()))
        .into_iter()
        .collect();
    let each = [("each", "event.items"), ("give", code)].map(|(key, text)| (key.to_owned(), Value::from(text)));
    let value = if code.contains("item.") { Value::Table(each.into_iter().collect()) } else { Value::from(code) };
    let data: Table = [("x".to_owned(), value)].into_iter().collect();
    let rule = rule.into_iter().chain([("data".to_owned(), Value::Table(data))]).collect();
    Table::from_iter([("rule".to_owned(), Value::Array(vec![Value::Table(rule)]))]).to_string()
}

#[test]
fn the_queue_of_the_readme_is_ten_lines_and_whole() {
    let folder = Folder::new();
    let own = Page::read("README.md").blocks("toml").remove(0);
    assert_eq!(own.text.lines().count(), 10);
    std::fs::write(folder.path("own.toml"), own.text).unwrap();
    let done = folder.program(&["--config", "own.toml", "check"].map(str::to_owned));
    assert!(done.status.success(), "{}", words(&done));
}
