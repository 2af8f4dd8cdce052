//! Laws of rules and expressions, each group in its own file, and the reading of rules that they share.
//!
//! Not here: laws of decoding (`decode/tests`).

mod attributes;
mod bounds;
mod chains;
mod choices;
mod documents;
mod exact;
mod expressions;
mod faults;
mod filters;
mod lists;
mod lookups;
mod matching;
mod mistakes;
mod moments;
mod patterns;
mod photos;
mod requests;
mod schemas;
mod strictness;

use serde_json::{Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::content::Content;
use super::rules::{Mapped, Rules, map};
use super::written::{Action, Spot, Written, WrittenRule};
use crate::core::bounds::Bounds;
use crate::core::event::{Event, Key, KeyOrigin};
use crate::core::mistake::Mistake;
use crate::core::process::CreateProcess;
use crate::core::reason::{Fault, Reason};

fn event(document: Value) -> Event {
    Event {
        key: Key { text: "crm|42".to_owned(), origin: KeyOrigin::CloudEvents },
        kind: "case.opened".to_owned(),
        document,
        headers: json!({ "tenant": "north", "x-tries": 2 }).as_object().cloned().unwrap(),
        exchange: "crm".to_owned(),
        routing_key: "case.opened.north".to_owned(),
        message_id: None,
    }
}

fn compile(file: &str) -> Result<Rules, Vec<Mistake>> {
    let parsed = DeTable::parse(file).unwrap();
    let rules = parsed.get_ref().get("rule").unwrap();
    Rules::compile(&rules.get_ref().as_array().unwrap().iter().map(rule).collect::<Vec<_>>())
}

pub(in crate::core) fn rules(file: &str) -> Rules {
    compile(file).unwrap()
}

fn mistakes(file: &str) -> Vec<Mistake> {
    compile(file).unwrap_err()
}

/// The only mistake of a rule whose `data.x` is this text of TOML, and the piece of the file it points at.
fn mistake_of(written: &str) -> (Mistake, String) {
    let file = format!("[[rule]]\nname = 'r'\nprocedure = 'lead'\n[rule.data]\nx = {written}\n");
    let mut found = mistakes(&file);
    assert_eq!(found.len(), 1, "{found:?}");
    let mistake = found.remove(0);
    let pointed = file[mistake.span.clone().unwrap()].to_owned();
    (mistake, pointed)
}

/// What `data.x` becomes for an event, where its text is this; none where it is left out.
fn value(text: &str, document: Value) -> Result<Option<Value>, Fault> {
    let file = format!("[[rule]]\nname = 'r'\nprocedure = 'lead'\n[rule.data]\nx = '''{text}'''\n");
    made(&file, &event(document)).map(|(_, content)| content.data.unwrap().get("x").cloned())
}

fn given(text: &str, document: Value) -> Value {
    value(text, document).unwrap().unwrap()
}

fn refused(text: &str, document: Value) -> String {
    let fault = value(text, document).unwrap_err();
    assert_eq!(fault.reason, Reason::Unmappable);
    fault.text
}

fn create(file: &str, event: &Event) -> Result<CreateProcess, Fault> {
    made(file, event).map(|(request, _)| request)
}

/// The request, and what it says.
fn made(file: &str, event: &Event) -> Result<(CreateProcess, Content), Fault> {
    match map(event, &rules(file), Bounds::DEFAULT)? {
        Mapped::Create { request, content, .. } => Ok((request, content)),
        Mapped::Skip { rule } => panic!("{rule} skips"),
    }
}

/// What is sent for an event, read back.
fn sent(file: &str, document: Value) -> Value {
    serde_json::from_slice(&create(file, &event(document)).unwrap().body).unwrap()
}

fn rule(table: &Spanned<DeValue<'_>>) -> WrittenRule {
    let fields = table.get_ref().as_table().unwrap();
    let field = |name: &str| fields.get(name);
    let globs = |kinds: &Spanned<DeValue<'_>>| match kinds.get_ref() {
        DeValue::Array(globs) => globs.iter().map(text).collect(),
        _ => vec![text(kinds)],
    };
    WrittenRule {
        span: table.span(),
        name: text(field("name").unwrap()),
        kinds: field("type").map(globs).unwrap_or_default(),
        when: field("when").map(text),
        action: field("action").map_or(Action::Create, |_| Action::Skip),
        procedure: field("procedure").map(text),
        data: field("data").map(written),
        record: field("record").map(written),
        status: field("status").map(written),
        state: field("state").map(written),
        next_action_at: field("nextActionAt").map(written),
        assigned_to: field("assignedTo").map(written),
        reconcile_by: field("reconcile_by").map(text),
        reconcile: field("reconcile").map(text),
        keys: field("keys").map(text),
        duplicates: field("duplicates").map(text),
        outcomes: field("outcomes").map(written),
        photo: field("photo").map(written),
    }
}

fn text(value: &Spanned<DeValue<'_>>) -> Spot<String> {
    Spot { value: value.get_ref().as_str().unwrap().to_owned(), span: value.span() }
}

fn written(value: &Spanned<DeValue<'_>>) -> Spot<Written> {
    let meant = match value.get_ref() {
        DeValue::String(text) => Written::Text(text.to_string()),
        DeValue::Integer(number) => Written::Integer(number.as_str().parse().unwrap()),
        DeValue::Float(number) => Written::Float(number.as_str().parse().unwrap()),
        DeValue::Boolean(truth) => Written::Bool(*truth),
        DeValue::Array(items) => Written::List(items.iter().map(written).collect()),
        DeValue::Table(members) => Written::Table(
            members
                .iter()
                .map(|(name, member)| (Spot { value: name.get_ref().to_string(), span: name.span() }, written(member)))
                .collect(),
        ),
        DeValue::Datetime(_) => panic!("config turns dates away"),
    };
    Spot { value: meant, span: value.span() }
}
