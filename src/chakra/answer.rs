//! Reads an answer into bare facts: what its body is, what its wrapper says, how long it asks to wait.
//!
//! Not here: statuses, sockets, and what any of it means (`core::judge`).

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::{Map, Value};

use crate::core::reply::{Body, ERROR_TEXT_MAX, Row, Wrapper};

#[cfg(test)]
mod tests;

/// The longest id of a process that is kept, in characters.
const ID_MAX: usize = 128;

/// What a body is. JSON is known by its content, since integrators met it under every content type.
/// Of a list, the rows are kept with their `attribute`.
pub(super) fn body(content_type: &str, bytes: &[u8], attribute: Option<&str>) -> Body {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    if text.is_empty() {
        return Body::Empty;
    }
    match serde_json::from_slice(text) {
        Ok(Value::Object(object)) => Body::Json(wrapper(&object, attribute)),
        _ if is_page(content_type, text) => Body::Html,
        _ => Body::Broken,
    }
}

/// Whether text is a page, by its content type or by how it begins.
pub(super) fn is_page(content_type: &str, bytes: &[u8]) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let is_html = ["text/html", "application/xhtml+xml"].iter().any(|html| kind.eq_ignore_ascii_case(html));
    is_html || begins(b"<!doctype") || begins(b"<html")
}

/// The wait that an answer asks for, counted from `now`. A date in the past is no wait; nonsense is ignored.
pub(super) fn retry_after(head: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = head.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let wait = date.duration_since(jiff::Timestamp::try_from(now).ok()?);
    Some(wait.try_into().unwrap_or_default())
}

fn wrapper(object: &Map<String, Value>, attribute: Option<&str>) -> Wrapper {
    let data = object.get("_data").filter(|data| !data.is_null());
    Wrapper {
        is_bare: object.is_empty(),
        has_data: data.is_some(),
        process: data.and_then(id),
        rows: attribute.and_then(|attribute| Some(rows(data?.as_array()?, attribute))),
        has_errors: object.get("_errors").is_some_and(|errors| !is_empty(errors)),
        error_text: error_text(object),
    }
}

fn id(of: &Value) -> Option<String> {
    of.get("id").and_then(Value::as_str).filter(|id| is_id(id)).map(str::to_owned)
}

/// Where a row carries its attributes is not documented: in `data`, as a create does, or beside its `id`.
fn rows(list: &[Value], attribute: &str) -> Vec<Row> {
    let value =
        |row: &Value| row.get("data").and_then(|data| data.get(attribute)).or_else(|| row.get(attribute)).cloned();
    let is_scalar = |value: &Value| value.is_string() || value.is_number();
    list.iter().map(|row| Row { process: id(row), value: value(row).filter(is_scalar) }).collect()
}

/// An id goes into log lines, so it must stay on its line.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= ID_MAX && !text.chars().any(char::is_control)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The first error text, in the places where integrators met one.
fn error_text(object: &Map<String, Value>) -> Option<String> {
    let places = [
        object.get("_errors").and_then(first),
        object.get("error"),
        object.get("message"),
        object.get("errors").and_then(first),
    ];
    places.into_iter().flatten().filter_map(text).map(clean).find(|words| !words.is_empty())
}

fn first(value: &Value) -> Option<&Value> {
    if value.is_array() { value.get(0) } else { Some(value) }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("message")?.as_str())
}

fn clean(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(ERROR_TEXT_MAX).collect()
}
