//! Where two values of JSON differ, field by field.
//!
//! Not here: printing it.

use serde_json::{Map, Value};

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where it is, such as `data.items[0].sku`; empty for the whole.
    pub path: String,
    /// What was expected there, if anything.
    pub expected: Option<Value>,
    /// What is there, if anything.
    pub got: Option<Value>,
}

/// Every field in which `got` is not as `expected`: in the order of what was expected, then what was not. The order of
/// an object's members says nothing; a number with a fraction, even of zero, is another than one without.
#[must_use]
pub fn differences(expected: &Value, got: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(expected), Some(got), &mut found);
    found
}

fn compare(path: &str, expected: Option<&Value>, got: Option<&Value>, found: &mut Vec<Difference>) {
    match (expected, got) {
        (Some(Value::Object(expected)), Some(Value::Object(got))) => members(path, expected, got, found),
        (Some(Value::Array(expected)), Some(Value::Array(got))) => items(path, expected, got, found),
        _ if expected == got => {}
        _ => {
            found.push(Difference { path: path.to_owned(), expected: expected.cloned(), got: got.cloned() });
        }
    }
}

fn members(path: &str, expected: &Map<String, Value>, got: &Map<String, Value>, found: &mut Vec<Difference>) {
    let more = got.keys().filter(|name| !expected.contains_key(*name));
    for name in expected.keys().chain(more) {
        let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        compare(&inner, expected.get(name), got.get(name), found);
    }
}

fn items(path: &str, expected: &[Value], got: &[Value], found: &mut Vec<Difference>) {
    for at in 0..expected.len().max(got.len()) {
        compare(&format!("{path}[{at}]"), expected.get(at), got.get(at), found);
    }
}
