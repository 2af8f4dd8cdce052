//! JSON texts as producers write them: how they are read, and what is wrong with one in words.
//!
//! Not here: what a document means (`decode`, `mapping`).

use serde_json::{Error, Value};

/// What a text in UTF-8 may begin with, to say that it is one.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a text.
///
/// # Errors
/// In words that begin with a verb, with the place, and without a piece of the text.
pub(in crate::core) fn parse(text: &str) -> Result<Value, String> {
    let text = bare(text)?;
    serde_json::from_str(text).map_err(|error| broken(&error))
}

/// The text without a byte order mark before it.
///
/// # Errors
/// If nothing is left, in words.
pub(in crate::core) fn bare(text: &str) -> Result<&str, String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if text.trim().is_empty() { Err("is empty".to_owned()) } else { Ok(text) }
}

/// What an error of the parser says of a text, in words that begin with a verb.
pub(in crate::core) fn broken(error: &Error) -> String {
    let what = if error.to_string().starts_with("recursion limit") {
        "is nested deeper than 128 levels"
    } else if error.is_eof() {
        "ends in the middle of JSON"
    } else {
        "is not JSON"
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}
