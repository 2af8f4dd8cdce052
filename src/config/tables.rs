//! A list of tables such as `[[rule]]`, read piece by piece: each piece keeps its place, and reading goes on after each
//! mistake.
//!
//! Not here: which pieces there are and what they mean (`rules`, `cases`, `schemas`).

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::names;
use crate::core::json;
use crate::core::mapping::written::{Spot, Written};
use crate::core::mistake::{Mistake, Span};

/// What stands in the place of a piece that could not be read, so that the rest is checked as well: it passes every check. It
/// is never run, since one mistake makes the whole unusable.
pub(super) const STANDS_IN: &str = "{{ key }}";

/// A value and its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// One kind of list.
pub(super) struct List {
    /// Its name, which is that of each of its tables.
    pub(super) section: &'static str,
    /// The key that tells its tables apart in mistakes.
    pub(super) named_by: &'static str,
    /// The keys of each table.
    pub(super) keys: &'static [&'static str],
}

impl List {
    /// At least one table must be there.
    pub(super) fn demand(&self, file: &DeTable<'_>, mistakes: &mut Vec<Mistake>) {
        let expected = format!("at least one [[{}]]", self.section);
        match file.get(self.section).map(|value| (value.get_ref(), value.span())) {
            None => mistakes.push(mistake(None, self.section, "is missing", &expected)),
            Some((DeValue::Array(list), span)) if list.is_empty() => {
                mistakes.push(mistake(Some(span), self.section, "is empty", &expected));
            }
            Some(_) => {}
        }
    }

    /// Every text under this key in any of its tables.
    pub(super) fn texts<'t>(&self, file: &'t DeTable<'_>, key: &str) -> Vec<&'t str> {
        let list = file.get(self.section).and_then(|value| value.get_ref().as_array());
        let tables = list.into_iter().flatten().filter_map(|value| value.get_ref().as_table());
        tables.filter_map(|table| table.get(key)?.get_ref().as_str()).collect()
    }

    /// What `read` makes of each table, where nothing is wrong with it; and every mistake in the others.
    pub(super) fn read<T>(
        &self,
        file: &DeTable<'_>,
        mistakes: &mut Vec<Mistake>,
        mut read: impl FnMut(&mut Table<'_, '_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = file.get(self.section) else { return Vec::new() };
        let DeValue::Array(list) = value.get_ref() else {
            let what = format!("is not a list of {}s", self.section);
            mistakes.push(mistake(Some(value.span()), self.section, &what, &format!("[[{}]]", self.section)));
            return Vec::new();
        };
        let tables = list.iter().enumerate();
        tables.filter_map(|(index, value)| self.one(index, value, mistakes, &mut read)).collect()
    }

    fn one<T>(
        &self,
        index: usize,
        value: &Value<'_>,
        mistakes: &mut Vec<Mistake>,
        read: &mut impl FnMut(&mut Table<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        let label = format!("{} {}", self.section, index + 1);
        let DeValue::Table(table) = value.get_ref() else {
            mistakes.push(mistake(Some(value.span()), &label, "is not a table", &format!("[[{}]]", self.section)));
            return None;
        };
        let label = match table.get(self.named_by).and_then(|name| name.get_ref().as_str()) {
            Some(name) if !name.trim().is_empty() => format!("{} {name:?}", self.section),
            _ => label,
        };
        let mut table = Table { table, span: value.span(), label, broken: false, mistakes };
        let made = read(&mut table);
        let readable = !table.broken;
        table.unknown(self.keys);
        made.filter(|_| readable)
    }
}

/// One table of a list.
pub(super) struct Table<'r, 't> {
    table: &'r DeTable<'t>,
    /// Its place.
    pub(super) span: Span,
    label: String,
    broken: bool,
    mistakes: &'r mut Vec<Mistake>,
}

impl<'r, 't> Table<'r, 't> {
    /// The value of a key, if it is there.
    pub(super) fn find(&self, key: &str) -> Option<&'r Value<'t>> {
        self.table.get(key)
    }

    /// A text that may be missing.
    pub(super) fn text(&mut self, key: &str) -> Option<Spot<String>> {
        self.find(key).and_then(|value| self.text_of(key, value))
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, key: &str, expected: &str) -> Option<Spot<String>> {
        if self.find(key).is_none() {
            self.wrong(self.span.clone(), key, "is missing", expected);
        }
        self.text(key)
    }

    /// A text that is not empty.
    pub(super) fn text_of(&mut self, key: &str, value: &Value<'t>) -> Option<Spot<String>> {
        match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => self.wrong(value.span(), key, "is empty", "text"),
            DeValue::String(text) => return Some(Spot { value: text.to_string(), span: value.span() }),
            other => self.wrong(value.span(), key, &format!("is {}", kind(other)), "text in quotes"),
        }
        None
    }

    /// A text that may be missing; this one where it is there and could not be read.
    pub(super) fn text_or(&mut self, key: &str, instead: &str) -> Option<Spot<String>> {
        let span = self.find(key)?.span();
        Some(self.text(key).unwrap_or_else(|| Spot { value: instead.to_owned(), span }))
    }

    /// A value of JSON that may be missing.
    pub(super) fn value(&mut self, key: &str) -> Option<Spot<Written>> {
        self.find(key).map(|value| self.written(key, value))
    }

    /// What could not be read has [`STANDS_IN`] in its place.
    fn written(&mut self, path: &str, value: &Value<'t>) -> Spot<Written> {
        let written = match value.get_ref() {
            DeValue::String(text) => Some(Written::Text(text.to_string())),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(Written::Integer),
            DeValue::Float(number) if json::is_exact(number.as_str()) => {
                number.as_str().parse().ok().map(Written::Float)
            }
            DeValue::Boolean(flag) => Some(Written::Bool(*flag)),
            DeValue::Array(list) => Some(self.list(path, list)),
            DeValue::Table(table) => Some(self.object(path, table)),
            DeValue::Float(_) | DeValue::Datetime(_) => None,
        };
        if written.is_none() {
            self.not_json(path, value);
        }
        Spot { value: written.unwrap_or_else(|| Written::Text(STANDS_IN.to_owned())), span: value.span() }
    }

    fn list(&mut self, path: &str, list: &[Value<'t>]) -> Written {
        let items = list.iter().enumerate().map(|(index, item)| self.written(&format!("{path}[{index}]"), item));
        Written::List(items.collect())
    }

    /// The parser sorts keys by their letters; their places bring back the order they were written in.
    fn object(&mut self, path: &str, table: &DeTable<'t>) -> Written {
        let mut pairs: Vec<_> = table.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        let pairs = pairs.into_iter().map(|(key, value)| {
            let spot = Spot { value: key.get_ref().to_string(), span: key.span() };
            (spot, self.written(&format!("{path}.{}", key.get_ref()), value))
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

    /// How mistakes in it are told.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Whatever could not be read has something in its place, so that the rest of the table can be checked as well.
    pub(super) fn is_whole(&mut self) {
        self.broken = false;
    }

    /// Says what is wrong with a piece: the table will not be used.
    pub(super) fn wrong(&mut self, span: Span, path: &str, what: &str, expected: &str) {
        self.broken = true;
        self.mistakes.push(mistake(Some(span), &format!("{}.{path}", self.label), what, expected));
    }

    /// An unknown key leaves the table readable: what else is wrong in it can still be found.
    fn unknown(&mut self, keys: &[&str]) {
        for key in self.table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())) {
            let path = format!("{}.{}", self.label, key.get_ref());
            self.mistakes.push(names::not_known(key.span(), &path, names::suggest(key.get_ref(), keys)));
        }
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
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
