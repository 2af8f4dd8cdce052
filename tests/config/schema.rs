//! The JSON Schema of the configuration file, by which editors complete and explain keys: `config/chakra-bridge.schema.json` is made
//! of the keys that the code knows and of what the documents say of each. `BLESS=1 cargo test --test config` writes it anew.
//!
//! Not here: what the daemon itself checks, which is more.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chakra_bridge::config::{self, Kind, Known};
use serde_json::{Map, Value, json};

use super::{SHIPPED, shipped};

const FILE: &str = "chakra-bridge.schema.json";
/// The sections that are lists of tables.
const LISTS: [&str; 3] = ["rule", "case", "schema"];

/// What the documents say of each key.
fn described() -> BTreeMap<String, String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let page = fs::read_to_string(page).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ").collect();
        let key = cells.first()?.strip_suffix('`')?;
        Some((key.to_owned(), without_links(cells.last()?)))
    };
    page.lines().filter_map(row).collect()
}

/// The words of a link without where it leads: an editor shows text.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        let Some((words, tail)) = after.split_once("](") else { break };
        plain.push_str(words);
        rest = tail.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    plain
}

fn of_kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Duration => json!({ "type": "string", "examples": ["500ms", "30s", "10m", "24h"] }),
        Kind::Size => json!({ "type": "string", "examples": ["256KiB", "1MiB"] }),
        Kind::Number { least, most, is_whole } => {
            let bound = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            let named = if *is_whole { "integer" } else { "number" };
            json!({ "type": named, "minimum": bound(least), "maximum": bound(most) })
        }
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::List => json!({ "type": "array", "items": { "type": ["string", "integer"] } }),
        Kind::Any => json!({}),
    }
}

fn property(known: &Known, described: &BTreeMap<String, String>) -> Value {
    let mut property = of_kind(&known.kind);
    let words = described.get(&format!("{}.{}", known.section, known.name));
    let words = words.unwrap_or_else(|| panic!("no row for {}.{}", known.section, known.name));
    property["description"] = json!(words);
    if let Some(default) = known.default {
        let is_number = matches!(known.kind, Kind::Number { .. } | Kind::Flag);
        property["default"] = if is_number { serde_json::from_str(default).unwrap() } else { json!(default) };
    }
    property
}

fn table(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// The table of a section, which may lie within another.
fn section<'s>(root: &'s mut Value, path: &str) -> &'s mut Map<String, Value> {
    let mut at = root;
    for name in path.split('.') {
        let inner = at["properties"].as_object_mut().unwrap();
        at = inner.entry(name).or_insert_with(|| table(Map::new()));
    }
    at["properties"].as_object_mut().unwrap()
}

fn schema() -> Value {
    let described = described();
    let mut root = table(Map::new());
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!("chakra-bridge");
    let mut lists: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for known in config::known_keys() {
        let property = property(&known, &described);
        if LISTS.contains(&known.section) {
            lists.entry(known.section).or_default().insert(known.name.to_owned(), property);
        } else {
            section(&mut root, known.section).insert(known.name.to_owned(), property);
        }
    }
    for (name, properties) in lists {
        let list = json!({ "type": "array", "items": table(properties) });
        root["properties"].as_object_mut().unwrap().insert(name.to_owned(), list);
    }
    root
}

/// A file as an editor sees it: TOML as JSON.
fn as_json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

#[test]
fn the_schema_for_editors_is_made_of_the_code_and_the_documents() {
    let made = format!("{:#}\n", schema());
    if std::env::var_os("BLESS").is_some() {
        fs::write(shipped(FILE), &made).unwrap();
    }
    assert!(fs::read_to_string(shipped(FILE)).unwrap() == made, "BLESS=1 cargo test --test config writes {FILE} anew");
}

#[test]
fn every_shipped_file_names_the_schema_and_keeps_it() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    for name in SHIPPED {
        let text = fs::read_to_string(shipped(name)).unwrap();
        let to = if name.starts_with("mappings/") { "../" } else { "" };
        assert!(text.starts_with(&format!("#:schema {to}{FILE}\n")), "{name}");
        let wrong: Vec<_> = schema.iter_errors(&as_json(&text)).map(|error| error.to_string()).collect();
        assert_eq!(wrong, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn an_editor_marks_a_misspelt_key_a_wrong_word_and_a_number_out_of_range() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    for (text, is_good) in [
        ("[broker]\nprefetch = 64\n[retry]\nmultiplier = 2.5", true),
        ("[broker]\nprefech = 64", false),
        ("[broker]\nprefetch = 4000", false),
        ("[broker]\nprefetch = \"64\"", false),
        ("[retry]\non_unknown = \"retry\"", false),
        ("[broker.management]\nurl = 1", false),
        ("[[rule]]\nname = \"x\"\nprocedur = \"lead\"", false),
        ("[brokers]\nqueue = \"x\"", false),
    ] {
        assert_eq!(schema.is_valid(&as_json(text)), is_good, "{text}");
    }
}
