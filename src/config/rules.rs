//! `[[rule]]` as it was written, with the place of each piece. Attribute ids keep their case: rules are read from
//! the file alone, never through the layers.
//!
//! Not here: what a rule means (`core::mapping`), and reading one piece of it (`tables`).

use toml::de::{DeTable, DeValue};

use super::names;
use super::tables::{List, STANDS_IN, Table, Value};
use super::values::NAME_BYTES_MAX;
use crate::core::mapping::written::{Action, Spot, Written, WrittenRule};
use crate::core::mistake::Mistake;

/// The list of rules.
pub(super) const LIST: List = List { section: "rule", named_by: "name", keys: &KEYS };

/// The keys of a rule.
pub(super) const KEYS: [&str; 17] = [
    "name",
    "type",
    "when",
    "action",
    "procedure",
    "reconcile_by",
    "reconcile",
    "keys",
    "duplicates",
    "outcomes",
    "status",
    "state",
    "nextActionAt",
    "assignedTo",
    "data",
    "record",
    "photo",
];

/// All rules, and every mistake in reading them.
pub(super) fn rules(file: &DeTable<'_>, mistakes: &mut Vec<Mistake>) -> Vec<WrittenRule> {
    LIST.demand(file, mistakes);
    LIST.read(file, mistakes, |table| {
        let rule = rule(table);
        table.is_whole();
        Some(rule)
    })
}

fn rule(table: &mut Table<'_, '_>) -> WrittenRule {
    WrittenRule {
        span: table.span.clone(),
        name: name(table),
        kinds: kinds(table),
        when: table.text_or("when", "true"),
        action: action(table),
        procedure: table.text_or("procedure", STANDS_IN),
        data: table.value("data"),
        record: table.value("record"),
        status: table.value("status"),
        state: table.value("state"),
        next_action_at: table.value("nextActionAt"),
        assigned_to: table.value("assignedTo"),
        reconcile_by: table.text("reconcile_by"),
        reconcile: table.text("reconcile"),
        keys: table.text("keys"),
        duplicates: table.text("duplicates"),
        outcomes: table.value("outcomes"),
        photo: table.value("photo"),
    }
}

fn name(table: &mut Table<'_, '_>) -> Spot<String> {
    let Some(name) = table.required("name", "a name of its own") else {
        return Spot { value: table.label().to_owned(), span: table.span.clone() };
    };
    if name.value.len() > NAME_BYTES_MAX {
        let what = format!("is {} bytes long", name.value.len());
        table.wrong(name.span.clone(), "name", &what, &format!("at most {NAME_BYTES_MAX} bytes"));
    }
    name
}

fn kinds(table: &mut Table<'_, '_>) -> Vec<Spot<String>> {
    let Some(value) = table.find("type") else { return Vec::new() };
    match value.get_ref() {
        DeValue::Array(list) if list.is_empty() => {
            table.wrong(value.span(), "type", "is empty", "a type, or no key: then every type matches");
            Vec::new()
        }
        DeValue::Array(list) => list.iter().map(|item| type_of(table, item)).collect(),
        _ => vec![type_of(table, value)],
    }
}

/// A type. One that could not be read stands for none that another rule has.
fn type_of<'t>(table: &mut Table<'_, 't>, value: &Value<'t>) -> Spot<String> {
    let own = || Spot { value: format!("{STANDS_IN}{}", value.span().start), span: value.span() };
    table.text_of("type", value).unwrap_or_else(own)
}

fn action(table: &mut Table<'_, '_>) -> Action {
    // Where nobody knows what was meant, a missing procedure is no second mistake.
    let unread = if table.find("procedure").is_some() { Action::Create } else { Action::Skip };
    let Some(word) = table.text("action") else {
        return if table.find("action").is_some() { unread } else { Action::default() };
    };
    match word.value.as_str() {
        "create" => Action::Create,
        "skip" => Action::Skip,
        other => {
            let expected = names::suggest(other, &["create", "skip"]);
            table.wrong(word.span, "action", &format!("{other:?} is not known"), &expected);
            unread
        }
    }
}

/// What stands in the data of a rule and may be meant for the rule itself, as sentences.
pub(super) fn strays(rule: &WrittenRule) -> Vec<String> {
    let Some(Spot { value: Written::Table(data), .. }) = &rule.data else { return Vec::new() };
    let missing = [
        ("when", rule.when.is_none()),
        ("reconcile_by", rule.reconcile_by.is_none()),
        ("status", rule.status.is_none()),
        ("state", rule.state.is_none()),
        ("nextActionAt", rule.next_action_at.is_none()),
        ("assignedTo", rule.assigned_to.is_none()),
    ];
    let strays =
        missing.into_iter().filter(|(key, is_missing)| *is_missing && data.iter().any(|(name, _)| name.value == *key));
    let name = &rule.name.value;
    strays
        .map(|(key, _)| {
            format!(
                "rule {name:?} sends an attribute `{key}`: is the key of the rule meant, write it above [rule.data]"
            )
        })
        .collect()
}
