//! What every line of a log has to keep: one type for each field, times in seconds with three digits at most, numbers that are
//! numbers, and a key, a cause and a next step where there is one.
//!
//! Not here: which lines there are, and what they say.

#![allow(dead_code, unreachable_pub, reason = "each test that includes it uses a part of it")]

use std::collections::BTreeMap;

use serde_json::Value;

/// Fields that are numbers without a unit. Times end in `_s`.
const COUNTS: [&str; 16] = [
    "attempt",
    "attempts",
    "copies",
    "cut_off",
    "events",
    "failures",
    "lines",
    "mistakes",
    "prefetch",
    "probes",
    "rejections",
    "rules",
    "serious",
    "status",
    "times",
    "waiting",
];

/// What a reader would take for a number with its unit, written as a text.
fn is_a_number_in_words(text: &str) -> bool {
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic() || character == 'µ');
    !number.is_empty() && number.parse::<f64>().is_ok()
}

/// Texts that may look like numbers, since others chose them.
const NAMES: [&str; 14] = [
    "changed",
    "gone",
    "key",
    "rule",
    "process",
    "message_id",
    "event_type",
    "exchange",
    "routing_key",
    "queue",
    "scope",
    "from",
    "version",
    "keys",
];

/// What is wrong with a line's fields; nothing if nothing is. Lines of libraries are not ours.
pub fn wrong(line: &Value) -> Option<String> {
    let fields = line.as_object().filter(|fields| fields.contains_key("message"))?;
    fields.iter().find_map(|(name, value)| Some(format!("{name}: {} in {line}", wrong_field(name, value)?)))
}

fn wrong_field(name: &str, value: &Value) -> Option<&'static str> {
    match value {
        Value::Number(number) if name.ends_with("_s") => {
            let thousands = number.as_f64()? * 1000.0;
            let is_rounded = (thousands - thousands.round()).abs() < 1e-3;
            (!is_rounded).then_some("more than three digits behind the point")
        }
        Value::Number(_) if COUNTS.contains(&name) => None,
        Value::Number(_) => Some("a number that is neither a time in seconds nor a known count"),
        _ if name.ends_with("_s") || COUNTS.contains(&name) => Some("no number"),
        Value::String(text) if !NAMES.contains(&name) && is_a_number_in_words(text) => Some("a number as a text"),
        Value::String(_) => None,
        _ => Some("neither a number nor a text"),
    }
}

/// Lines of the walk of one event, and the fields without which nobody can follow it.
const NEEDED: [(&str, &[&str]); 8] = [
    ("event settled", &["result", "attempts", "took_s"]),
    ("try failed", &["key", "asked", "attempt", "reason", "next", "next_in_s", "waits_in"]),
    ("event delayed", &["reason", "queue", "for_s", "until"]),
    ("event given back", &["result"]),
    ("possible duplicate", &["key", "cause"]),
    ("gate shut", &["scope", "why", "probe_in_s"]),
    ("rule held", &["rule", "rejections"]),
    ("publish refused", &["queue"]),
];

/// What of key, cause and next step a line lacks that has one; nothing if nothing is missing.
pub fn lacks(line: &Value) -> Option<String> {
    let message = line["message"].as_str()?;
    let has = |field: &str| line.get(field).is_some_and(|value| value.as_str() != Some(""));
    let fields = NEEDED.iter().find(|(start, _)| message.starts_with(start)).map_or(&[][..], |(_, fields)| fields);
    let more: &[&str] = match (message, line["result"].as_str()) {
        // What cannot be decoded has no key: then the message itself and its route are named.
        ("event settled", Some("dead_lettered")) if !has("key") => &["reason", "why", "exchange", "routing_key"],
        ("event settled", Some("dead_lettered")) => &["key", "reason", "why"],
        // It is known by its key, before any rule is asked.
        ("event settled", Some("already_created")) => &["key"],
        // Nor has a key what is not decoded, since it may be what the process dies of.
        ("event delayed", _) if !has("key") => &["message_id"],
        ("event delayed", _) => &["key"],
        ("event settled", _) => &["key", "rule"],
        _ if message.starts_with("gate shut") && line["why"] != "paused" && !is_of_the_moment(line) => &["next"],
        _ => &[],
    };
    let missing: Vec<&str> =
        fields.iter().chain(more).copied().filter(|field| !is_optional(field, line) && !has(field)).collect();
    (!missing.is_empty()).then(|| format!("without {}: {line}", missing.join(", ")))
}

/// A publisher may leave the exchange empty: that is the default one.
fn is_optional(field: &str, line: &Value) -> bool {
    field == "exchange" && line.get("exchange").is_some()
}

/// A gate that failures shut opens by itself: there is no step for a person.
fn is_of_the_moment(line: &Value) -> bool {
    line.get("next").is_none()
        && !["unauthorized", "token_unreadable", "certificate", "proxy", "redirected", "forbidden"]
            .contains(&line["why"].as_str().unwrap_or_default())
}

/// Each field has one type in all these lines.
pub fn of_one_type<'a>(lines: impl Iterator<Item = &'a Value>) -> Result<(), String> {
    let mut types: BTreeMap<String, (&'static str, &'a Value)> = BTreeMap::new();
    for line in lines {
        for (name, value) in line.as_object().into_iter().flatten() {
            let kind = kind(value);
            let (known, first) = types.entry(name.clone()).or_insert((kind, line));
            if *known != kind {
                return Err(format!("{name} is a {known} in {first} and a {kind} in {line}"));
            }
        }
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
        Value::Array(_) | Value::Object(_) => "tree",
    }
}
