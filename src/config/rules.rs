//! `[[rule]]` as it was written, with the place of each piece. Attribute ids keep their case: rules are read from
//! the file alone, never through the layers.
//!
//! Not here: what a rule means (`core::mapping`).

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::names;
use super::values::NAME_BYTES_MAX;
use crate::core::mapping::written::{Action, Spot, Written, WrittenRule};
use crate::core::mistake::{Mistake, Span};

/// The name of the list of rules.
pub(super) const SECTION: &str = "rule";

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

type Value<'t> = Spanned<DeValue<'t>>;

/// All rules whose pieces could be read, and every mistake in the others.
pub(super) fn rules(file: &DeTable<'_>, mistakes: &mut Vec<Mistake>) -> Vec<WrittenRule> {
    let Some(value) = file.get(SECTION) else {
        mistakes.push(mistake(None, "rule", "is missing", "at least one [[rule]]"));
        return Vec::new();
    };
    let DeValue::Array(list) = value.get_ref() else {
        mistakes.push(mistake(Some(value.span()), "rule", "is not a list of rules", "[[rule]]"));
        return Vec::new();
    };
    if list.is_empty() {
        mistakes.push(mistake(Some(value.span()), "rule", "is empty", "at least one [[rule]]"));
    }
    list.iter().enumerate().filter_map(|(index, value)| one(index, value, mistakes)).collect()
}

fn one(index: usize, value: &Value<'_>, mistakes: &mut Vec<Mistake>) -> Option<WrittenRule> {
    let label = format!("rule {}", index + 1);
    let DeValue::Table(table) = value.get_ref() else {
        mistakes.push(mistake(Some(value.span()), &label, "is not a table", "[[rule]]"));
        return None;
    };
    let label = match table.get("name").and_then(|name| name.get_ref().as_str()) {
        Some(name) if !name.trim().is_empty() => format!("rule {name:?}"),
        _ => label,
    };
    let mut reader = RuleReader { table, span: value.span(), label, broken: false, mistakes };
    let rule = reader.rule();
    let readable = !reader.broken;
    reader.unknown();
    rule.filter(|_| readable)
}

struct RuleReader<'r, 't> {
    table: &'r DeTable<'t>,
    span: Span,
    label: String,
    broken: bool,
    mistakes: &'r mut Vec<Mistake>,
}

impl<'r, 't> RuleReader<'r, 't> {
    fn rule(&mut self) -> Option<WrittenRule> {
        let name = self.name();
        let rule = WrittenRule {
            span: self.span.clone(),
            name: Spot { value: String::new(), span: self.span.clone() },
            kinds: self.kinds(),
            when: self.text("when"),
            action: self.action(),
            procedure: self.text("procedure"),
            data: self.value("data"),
            record: self.value("record"),
            status: self.value("status"),
            state: self.value("state"),
            next_action_at: self.value("nextActionAt"),
            assigned_to: self.value("assignedTo"),
            reconcile_by: self.text("reconcile_by"),
        };
        Some(WrittenRule { name: name?, ..rule })
    }

    fn name(&mut self) -> Option<Spot<String>> {
        if self.find("name").is_none() {
            self.wrong(self.span.clone(), "name", "is missing", "a name of its own");
        }
        let name = self.text("name")?;
        if name.value.len() > NAME_BYTES_MAX {
            let what = format!("is {} bytes long", name.value.len());
            self.wrong(name.span.clone(), "name", &what, &format!("at most {NAME_BYTES_MAX} bytes"));
        }
        Some(name)
    }

    fn kinds(&mut self) -> Vec<Spot<String>> {
        match self.find("type") {
            None => Vec::new(),
            Some(value) => match value.get_ref() {
                DeValue::Array(list) if list.is_empty() => {
                    self.wrong(value.span(), "type", "is empty", "a type, or no key: then every type matches");
                    Vec::new()
                }
                DeValue::Array(list) => list.iter().filter_map(|item| self.text_of("type", item)).collect(),
                _ => self.text_of("type", value).into_iter().collect(),
            },
        }
    }

    fn action(&mut self) -> Action {
        let Some(word) = self.text("action") else { return Action::default() };
        match word.value.as_str() {
            "create" => Action::Create,
            "skip" => Action::Skip,
            other => {
                let expected = names::suggest(other, &["create", "skip"]);
                self.wrong(word.span, "action", &format!("{other:?} is not known"), &expected);
                Action::default()
            }
        }
    }

    fn text(&mut self, key: &str) -> Option<Spot<String>> {
        self.find(key).and_then(|value| self.text_of(key, value))
    }

    fn text_of(&mut self, key: &str, value: &Value<'t>) -> Option<Spot<String>> {
        match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => self.wrong(value.span(), key, "is empty", "text"),
            DeValue::String(text) => return Some(Spot { value: text.to_string(), span: value.span() }),
            other => self.wrong(value.span(), key, &format!("is {}", kind(other)), "text in quotes"),
        }
        None
    }

    fn value(&mut self, key: &str) -> Option<Spot<Written>> {
        self.find(key).and_then(|value| self.written(key, value))
    }

    fn written(&mut self, path: &str, value: &Value<'t>) -> Option<Spot<Written>> {
        let written = match value.get_ref() {
            DeValue::String(text) => Some(Written::Text(text.to_string())),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(Written::Integer),
            DeValue::Float(number) => number.as_str().parse().ok().filter(|n: &f64| n.is_finite()).map(Written::Float),
            DeValue::Boolean(flag) => Some(Written::Bool(*flag)),
            DeValue::Array(list) => Some(self.list(path, list)),
            DeValue::Table(table) => Some(self.object(path, table)),
            DeValue::Datetime(_) => None,
        };
        if written.is_none() {
            self.not_json(path, value);
        }
        written.map(|written| Spot { value: written, span: value.span() })
    }

    fn list(&mut self, path: &str, list: &[Value<'t>]) -> Written {
        let items = list.iter().enumerate().filter_map(|(index, item)| self.written(&format!("{path}[{index}]"), item));
        Written::List(items.collect())
    }

    /// The parser sorts keys by their letters; their places bring back the order they were written in.
    fn object(&mut self, path: &str, table: &DeTable<'t>) -> Written {
        let mut pairs: Vec<_> = table.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        let pairs = pairs.into_iter().filter_map(|(key, value)| {
            let spot = Spot { value: key.get_ref().to_string(), span: key.span() };
            Some((spot, self.written(&format!("{path}.{}", key.get_ref()), value)?))
        });
        Written::Table(pairs.collect())
    }

    fn not_json(&mut self, path: &str, value: &Value<'t>) {
        let expected = match value.get_ref() {
            DeValue::Datetime(_) => "text in quotes, such as \"2024-05-01T09:00:00Z\"",
            _ => "a number that JSON and 64 bits can hold",
        };
        self.wrong(value.span(), path, &format!("is {}", kind(value.get_ref())), expected);
    }

    fn find(&self, key: &str) -> Option<&'r Value<'t>> {
        self.table.get(key)
    }

    fn wrong(&mut self, span: Span, path: &str, what: &str, expected: &str) {
        self.broken = true;
        self.mistakes.push(mistake(Some(span), &format!("{}.{path}", self.label), what, expected));
    }

    /// An unknown key leaves the rule readable: what else is wrong in it can still be found.
    fn unknown(&mut self) {
        for key in self.table.keys().filter(|key| !KEYS.contains(&key.get_ref().as_ref())) {
            let path = format!("{}.{}", self.label, key.get_ref());
            self.mistakes.push(names::not_known(key.span(), &path, names::suggest(key.get_ref(), &KEYS)));
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn mistake(span: Option<Span>, key: &str, what: &str, expected: &str) -> Mistake {
    Mistake { span, key: key.to_owned(), what: what.to_owned(), expected: expected.to_owned() }
}
