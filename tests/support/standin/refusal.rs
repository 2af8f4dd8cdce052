//! What the API refuses of a create, in words that name the field and never its value.
//!
//! Not here: tokens, paths, lists.

use serde_json::{Map, Value};

const FIELDS: [&str; 6] = ["data", "record", "status", "state", "nextActionAt", "assignedTo"];

/// The statuses a process can have.
const STATUSES: [&str; 3] = ["OPEN", "COMPLETED", "CANCELLED"];

/// Why this body is refused; an empty list of states allows any.
pub fn of_create(body: &Map<String, Value>, states: &[String]) -> Result<(), String> {
    if let Some(unknown) = body.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(format!("{unknown} is not a known field"));
    }
    for (name, value) in body {
        if let Some(path) = null_within(value) {
            return Err(format!("{name}{path} must not be null"));
        }
        field(name, value, states)?;
    }
    Ok(())
}

fn field(name: &str, value: &Value, states: &[String]) -> Result<(), String> {
    let expected = match name {
        "data" | "record" => check(value.is_object(), "an object"),
        "nextActionAt" => check(value.is_i64() || value.is_u64(), "an integer"),
        "status" => check(value.as_str().is_some_and(|text| STATUSES.contains(&text)), "OPEN, COMPLETED or CANCELLED"),
        "state" => state(value.as_str(), states),
        _ => check(value.is_string(), "a string"),
    };
    expected.map_err(|expected| format!("{name} must be {expected}"))
}

fn check(fits: bool, expected: &'static str) -> Result<(), &'static str> {
    if fits { Ok(()) } else { Err(expected) }
}

fn state(text: Option<&str>, states: &[String]) -> Result<(), &'static str> {
    let text = text.ok_or("a string")?;
    check(states.is_empty() || states.iter().any(|state| state == text), "a state of the procedure")
}

/// Where, within the value, there is a null: a path that begins with a dot, or nothing for the value itself.
fn null_within(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Array(items) => items.iter().find_map(null_within),
        Value::Object(members) => {
            members.iter().find_map(|(name, value)| Some(format!(".{name}{}", null_within(value)?)))
        }
        _ => None,
    }
}
