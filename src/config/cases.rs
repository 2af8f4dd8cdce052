//! `[[case]]`: an event, and what is to become of it.
//!
//! Not here: running cases (`core::case`), and the JSON in files (`documents`).

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::tables::{List, Table, kind};
use super::values::Wrong;
use super::{documents, names, rules};
use crate::core::case::{Case, Expected, MEMBERS, REASONS};
use crate::core::json;
use crate::core::mapping::written::{Spot, Written};
use crate::core::message::Message;
use crate::core::mistake::Mistake;
use crate::core::reason::Reason;
use crate::files;

/// The list of cases.
pub(super) const LIST: List = List { section: "case", named_by: "name", keys: &KEYS };

/// The keys of a case.
pub(super) const KEYS: [&str; 14] = [
    "name",
    "event",
    "type",
    "content_type",
    "message_id",
    "exchange",
    "routing_key",
    "headers",
    "rule",
    "request",
    "reason",
    "text",
    "skip",
    "photo",
];

/// The largest file of a picture that is read, in bytes.
const PHOTO_BYTES_MAX: usize = 64 << 20;

/// What a case may expect: exactly one of these.
const RESULTS: [&str; 3] = ["request", "reason", "skip"];

/// All cases whose pieces could be read, and every mistake in the others. Paths in them begin in `folder`.
pub(super) fn cases(file: &DeTable<'_>, folder: &Path, mistakes: &mut Vec<Mistake>) -> Vec<Case> {
    let mut seen = HashSet::new();
    let mut reader = Cases { folder, rules: rules::LIST.texts(file, "name") };
    LIST.read(file, mistakes, |table| {
        let case = reader.case(table)?;
        if !seen.insert(case.name.value.clone()) {
            table.wrong(case.name.span.clone(), "name", "another case has this name", "a name of its own");
        }
        Some(case)
    })
}

struct Cases<'f> {
    folder: &'f Path,
    rules: Vec<&'f str>,
}

impl Cases<'_> {
    fn case(&mut self, table: &mut Table<'_, '_>) -> Option<Case> {
        let name = table.required("name", "a name that says what holds");
        let expected = self.expected(table);
        let message = self.message(table, expected.as_ref());
        let rule = self.rule(table);
        let photos = self.photos(table);
        Some(Case { name: name?, message: message?, rule, expected: expected?, photos })
    }

    /// The files of `photo`, by the names of the photos.
    fn photos(&self, table: &mut Table<'_, '_>) -> Vec<(Spot<String>, Vec<u8>)> {
        let Some(Spot { value, span }) = table.value("photo") else { return Vec::new() };
        let Written::Table(members) = value else {
            table.wrong(span, "photo", "is no table", "a file for each photo: `photo = { site = \"site.jpg\" }`");
            return Vec::new();
        };
        let mut photos = Vec::new();
        for (name, written) in members {
            let read = match &written.value {
                Written::Text(path) => {
                    files::read(&self.folder.join(path), PHOTO_BYTES_MAX).map_err(|error| format!("{path}: {error}"))
                }
                _ => Err("is no path".to_owned()),
            };
            match read {
                Ok(bytes) => photos.push((name, bytes)),
                Err(what) => {
                    table.wrong(written.span, &format!("photo.{}", name.value), &what, "the path of a picture")
                }
            }
        }
        photos
    }

    fn rule(&self, table: &mut Table<'_, '_>) -> Option<Spot<String>> {
        let rule = table.text("rule")?;
        if !self.rules.contains(&rule.value.as_str()) {
            let expected = names::suggest(&rule.value, &self.rules);
            table.wrong(rule.span.clone(), "rule", &format!("no rule is named {:?}", rule.value), &expected);
        }
        Some(rule)
    }

    fn message(&self, table: &mut Table<'_, '_>, expected: Option<&Expected>) -> Option<Message> {
        let event = table.required("event", "JSON text, or the path of a file");
        let body = event.and_then(|event| self.body(table, &event, expected));
        let mut text = |key: &str| table.text(key).map(|spot| spot.value);
        let message = Message {
            content_type: text("content_type"),
            message_id: text("message_id"),
            kind: text("type"),
            exchange: text("exchange").unwrap_or_default(),
            routing_key: text("routing_key").unwrap_or_default(),
            headers: headers(table).into(),
            ..Message::default()
        };
        Some(Message { body: Arc::new(body?), ..message })
    }

    /// The event. It must be JSON, unless the case is about one that is not.
    fn body(&self, table: &mut Table<'_, '_>, event: &Spot<String>, expected: Option<&Expected>) -> Option<Vec<u8>> {
        let may_be_broken = matches!(expected, Some(Expected::DeadLetter { reason: Reason::Undecodable, .. }));
        let read = documents::bytes(self.folder, &event.value).and_then(|bytes| {
            let checked = if may_be_broken { Ok(()) } else { parsed(&event.value, &bytes) };
            checked.map(|()| bytes)
        });
        read.map_err(|wrong| table.wrong(event.span.clone(), "event", &wrong.what, &wrong.expected)).ok()
    }

    fn expected(&self, table: &mut Table<'_, '_>) -> Option<Expected> {
        let all = RESULTS.join(", ");
        let mut said = RESULTS.into_iter().filter_map(|key| Some((key, table.find(key)?.span())));
        let (first, second) = (said.next(), said.next());
        if let Some((key, span)) = second {
            table.wrong(span, key, "stands beside another of its kind", &format!("one of {all}"));
        }
        let reason = self.reason(table);
        match first.map(|(key, _)| key) {
            Some("request") => self.request(table).map(Expected::Request),
            Some("reason") => reason,
            Some(_) => skip(table),
            None => {
                table.wrong(table.span.clone(), "request", "is missing", &format!("one of {all}"));
                None
            }
        }
    }

    fn request(&self, table: &mut Table<'_, '_>) -> Option<Spot<Value>> {
        let text = table.text("request")?;
        let read = documents::json(self.folder, &text.value);
        let value =
            read.map_err(|wrong| table.wrong(text.span.clone(), "request", &wrong.what, &wrong.expected)).ok()?;
        let Value::Object(members) = &value else {
            table.wrong(text.span, "request", "is no JSON object", "one with `procedure`, and what is sent");
            return None;
        };
        if !members.get("procedure").is_some_and(Value::is_string) {
            table.wrong(text.span.clone(), "request", "names no procedure", "`\"procedure\": \"…\"` in it");
        }
        for strange in members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
            let what = format!("has a member {strange:?}, which no request has");
            table.wrong(text.span.clone(), "request", &what, &names::suggest(strange, &MEMBERS));
        }
        Some(Spot { value, span: text.span })
    }

    fn reason(&self, table: &mut Table<'_, '_>) -> Option<Expected> {
        let (word, text) = (table.text("reason"), table.text("text"));
        if let Some(text) = text.as_ref().filter(|_| table.find("reason").is_none()) {
            table.wrong(text.span.clone(), "text", "stands without reason", "it beside the reason of a dead letter");
        }
        let word = word?;
        let Some(reason) = REASONS.into_iter().find(|reason| reason.as_str() == word.value) else {
            let known = REASONS.map(Reason::as_str);
            let of_the_api = Reason::ALL.iter().any(|reason| reason.as_str() == word.value);
            let what = if of_the_api { "is a matter of the API" } else { "is not known" };
            table.wrong(word.span, "reason", &format!("{:?} {what}", word.value), &names::suggest(&word.value, &known));
            return None;
        };
        Some(Expected::DeadLetter { reason, text: text.map(|text| text.value) })
    }
}

/// A byte order mark is no part of an event.
fn parsed(text: &str, bytes: &[u8]) -> Result<(), Wrong> {
    documents::parse(text, json::behind_byte_order_mark(bytes)).map(drop)
}

fn skip(table: &mut Table<'_, '_>) -> Option<Expected> {
    let value = table.find("skip")?;
    if value.get_ref().as_bool() == Some(true) {
        return Some(Expected::Skip);
    }
    let what = match value.get_ref() {
        DeValue::Boolean(_) => "is false",
        other => &format!("is {}", kind(other)),
    };
    table.wrong(value.span(), "skip", what, "true, or request or reason in its place");
    None
}

fn headers(table: &mut Table<'_, '_>) -> Map<String, Value> {
    let Some(headers) = table.value("headers") else { return Map::new() };
    let Written::Table(_) = &headers.value else {
        table.wrong(headers.span, "headers", "is no table", "{ \"name\" = \"value\" }");
        return Map::new();
    };
    match documents::of_written(&headers.value) {
        Value::Object(headers) => headers,
        _ => Map::new(),
    }
}
