//! `[[rule]]` as it was written, with the place of each piece. Attribute ids keep their case: rules are read from
//! the file alone, never through the layers.
//!
//! Not here: what a rule means (`core::mapping`), and reading one piece of it (`tables`).

use toml::de::{DeTable, DeValue};

use super::names;
use super::tables::{List, Table};
use super::values::NAME_BYTES_MAX;
use crate::core::mapping::written::{Action, Spot, WrittenRule};
use crate::core::mistake::Mistake;

/// The list of rules.
pub(super) const LIST: List = List { section: "rule", named_by: "name", keys: &KEYS };

/// The keys of a rule.
pub(super) const KEYS: [&str; 12] = [
    "name",
    "type",
    "when",
    "action",
    "procedure",
    "reconcile_by",
    "status",
    "state",
    "nextActionAt",
    "assignedTo",
    "data",
    "record",
];

/// All rules whose pieces could be read, and every mistake in the others.
pub(super) fn rules(file: &DeTable<'_>, mistakes: &mut Vec<Mistake>) -> Vec<WrittenRule> {
    LIST.demand(file, mistakes);
    LIST.read(file, mistakes, rule)
}

fn rule(table: &mut Table<'_, '_>) -> Option<WrittenRule> {
    let name = name(table);
    let rule = WrittenRule {
        span: table.span.clone(),
        name: Spot { value: String::new(), span: table.span.clone() },
        kinds: kinds(table),
        when: table.text("when"),
        action: action(table),
        procedure: table.text("procedure"),
        data: table.value("data"),
        record: table.value("record"),
        status: table.value("status"),
        state: table.value("state"),
        next_action_at: table.value("nextActionAt"),
        assigned_to: table.value("assignedTo"),
        reconcile_by: table.text("reconcile_by"),
    };
    Some(WrittenRule { name: name?, ..rule })
}

fn name(table: &mut Table<'_, '_>) -> Option<Spot<String>> {
    let name = table.required("name", "a name of its own")?;
    if name.value.len() > NAME_BYTES_MAX {
        let what = format!("is {} bytes long", name.value.len());
        table.wrong(name.span.clone(), "name", &what, &format!("at most {NAME_BYTES_MAX} bytes"));
    }
    Some(name)
}

fn kinds(table: &mut Table<'_, '_>) -> Vec<Spot<String>> {
    let Some(value) = table.find("type") else { return Vec::new() };
    match value.get_ref() {
        DeValue::Array(list) if list.is_empty() => {
            table.wrong(value.span(), "type", "is empty", "a type, or no key: then every type matches");
            Vec::new()
        }
        DeValue::Array(list) => list.iter().filter_map(|item| table.text_of("type", item)).collect(),
        _ => table.text_of("type", value).into_iter().collect(),
    }
}

fn action(table: &mut Table<'_, '_>) -> Action {
    let Some(word) = table.text("action") else { return Action::default() };
    match word.value.as_str() {
        "create" => Action::Create,
        "skip" => Action::Skip,
        other => {
            let expected = names::suggest(other, &["create", "skip"]);
            table.wrong(word.span, "action", &format!("{other:?} is not known"), &expected);
            Action::default()
        }
    }
}
