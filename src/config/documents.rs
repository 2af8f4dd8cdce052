//! JSON that stands in the configuration as text, or in a file beside it.
//!
//! Not here: what the JSON is for (`cases`, `schemas`).

use std::path::{Path, PathBuf};

use serde_json::{Number, Value};

use super::values::{Wrong, wrong};
use crate::core::mapping::written::{Spot, Written};
use crate::files;

/// What a text that is JSON itself begins with; any other is a path.
const OPENINGS: [char; 2] = ['{', '['];

/// The bytes that a text is, or that lie in the file it names, from `folder`.
///
/// # Errors
/// If there is no such file, or it is no regular one.
pub(super) fn bytes(folder: &Path, text: &str) -> Result<Vec<u8>, Wrong> {
    if is_json_text(text) {
        return Ok(text.as_bytes().to_vec());
    }
    let expected = "a file, by its path from the folder of the configuration, or JSON: text that begins with `{`";
    files::read(&folder.join(text), files::FILE_MAX).map_err(|error| wrong(format!("{text}: {error}"), expected))
}

/// The file that a text names; none if it is JSON itself.
pub(super) fn path(folder: &Path, text: &str) -> Option<PathBuf> {
    (!is_json_text(text)).then(|| folder.join(text))
}

/// The JSON that a text is, or that lies in the file it names, from `folder`.
///
/// # Errors
/// If there is no such file, or it holds no JSON.
pub(super) fn json(folder: &Path, text: &str) -> Result<Value, Wrong> {
    parse(text, &bytes(folder, text)?)
}

/// The JSON that these bytes are; `text` says where they came from.
///
/// # Errors
/// If they are none. The words hold nothing of them.
pub(super) fn parse(text: &str, bytes: &[u8]) -> Result<Value, Wrong> {
    serde_json::from_slice(bytes).map_err(|error| {
        let file = if is_json_text(text) { String::new() } else { format!("{text} ") };
        let (line, column) = (error.line(), error.column());
        wrong(format!("{file}is not JSON, at line {line} column {column}"), "valid JSON")
    })
}

fn is_json_text(text: &str) -> bool {
    text.trim_start().starts_with(OPENINGS)
}

/// The JSON of a written value; any text in it is taken as it is.
pub(super) fn of_written(written: &Written) -> Value {
    let item = |spot: &Spot<Written>| of_written(&spot.value);
    match written {
        Written::Text(text) => Value::from(text.as_str()),
        Written::Integer(number) => Value::from(*number),
        Written::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Written::Bool(truth) => Value::from(*truth),
        Written::List(items) => items.iter().map(item).collect(),
        Written::Table(members) => members.iter().map(|(name, member)| (name.value.clone(), item(member))).collect(),
    }
}
