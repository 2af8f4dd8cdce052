//! Reads an answer into bare facts: what its body is, what its wrapper says, where it points.
//!
//! Not here: statuses, sockets, how long it asks to wait (`http_client`), and what any of it means (`core::judge`).

mod kept;

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use serde_json::Value;

use self::kept::Kept;
use super::encoding::{self, Undecoded};
use super::error_text::{error_text, is_api_word};
use crate::core::json::behind_byte_order_mark;
use crate::core::reply::{Body, Row, Wrapper};

#[cfg(test)]
mod tests;

/// The longest id of a process that is kept, in characters.
const ID_MAX: usize = 128;

/// What the body of a whole answer is, its encoding taken off. Nothing beyond `limit` bytes is decoded.
pub(super) fn read(head: &HeaderMap, bytes: &[u8], attribute: Option<&str>, limit: usize) -> Body {
    let (kind, names) = (content_type(head), encoding::named(head));
    if names.is_empty() || bytes.is_empty() {
        return body(kind, bytes, attribute);
    }
    match encoding::decoded(bytes, &names, limit) {
        Ok(decoded) => body(kind, &decoded, attribute),
        Err(Undecoded::TooLong(start)) => too_long(kind, &start),
        // A proxy may have decoded it and left the header: then it reads as what it is.
        Err(Undecoded::Unreadable(why)) => match body(kind, bytes, attribute) {
            Body::Broken | Body::Empty => Body::Encoded(why),
            told => told,
        },
    }
}

/// What a body is that goes on beyond the limit.
pub(super) fn beyond_limit(head: &HeaderMap, start: &[u8]) -> Body {
    too_long(content_type(head), start)
}

fn too_long(kind: &str, start: &[u8]) -> Body {
    if is_page(kind, start) { Body::Html } else { Body::Broken }
}

fn content_type(head: &HeaderMap) -> &str {
    head.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Scheme, host and port that `Location` points to, seen from where was asked.
pub(super) fn redirects_to(head: &HeaderMap, asked: &Url) -> Option<String> {
    let target = asked.join(head.get(LOCATION)?.to_str().ok()?).ok()?;
    target.has_host().then(|| target.origin().ascii_serialization())
}

/// What a body is. JSON is known by its content, since integrators met it under every content type.
/// Of a list, the rows are kept with their `attribute`.
fn body(content_type: &str, bytes: &[u8], attribute: Option<&str>) -> Body {
    let text = behind_byte_order_mark(bytes).trim_ascii();
    if text.is_empty() {
        return Body::Empty;
    }
    match kept::read(text, attribute) {
        Some(kept) => Body::Json(wrapper(&kept, attribute)),
        _ if is_page(content_type, text) => Body::Html,
        _ => Body::Broken,
    }
}

/// Whether text is a page, by its content type or by how it begins.
fn is_page(content_type: &str, bytes: &[u8]) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let text = behind_byte_order_mark(bytes).trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let is_html = ["text/html", "application/xhtml+xml"].iter().any(|html| kind.eq_ignore_ascii_case(html));
    is_html || begins(b"<!doctype") || begins(b"<html")
}

fn wrapper(Kept { object, is_bare }: &Kept, attribute: Option<&str>) -> Wrapper {
    let data = object.get("_data").filter(|data| !data.is_null());
    Wrapper {
        is_bare: *is_bare,
        has_data: data.is_some(),
        process: data.and_then(id),
        rows: attribute.and_then(|attribute| Some(rows(data?.as_array()?, attribute))),
        has_errors: object.get("_errors").is_some_and(|errors| !is_empty(errors)),
        is_api_word: is_api_word(object),
        error_text: error_text(object),
    }
}

/// A number is an id as it is written.
fn id(of: &Value) -> Option<String> {
    match of.get("id")? {
        Value::String(id) => is_id(id).then(|| id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
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
