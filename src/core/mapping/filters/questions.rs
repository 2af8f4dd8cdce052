//! The tests that rules may write after `is`.
//!
//! Not here: the filters.

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error};

use super::{is_list, patterns, text};
use crate::core::mapping::arguments::Argument::{Pattern, Text};
use crate::core::mapping::arguments::Signature;

/// Every test.
pub(in crate::core::mapping) static TESTS: [Signature; 13] = [
    Signature::new("boolean"),
    Signature::new("defined"),
    Signature::new("endingwith").taking(1, 1, &[Text]),
    Signature::new("float"),
    Signature::new("integer"),
    Signature::new("mapping"),
    Signature::new("matches").taking(1, 1, &[Pattern]),
    Signature::new("none"),
    Signature::new("number"),
    Signature::new("sequence"),
    Signature::new("startingwith").taking(1, 1, &[Text]),
    Signature::new("string"),
    Signature::new("undefined"),
];

/// Adds them to an engine.
pub(super) fn add(engine: &mut Environment<'static>) {
    engine.add_test("defined", |value: &Value| !value.is_undefined());
    engine.add_test("undefined", Value::is_undefined);
    engine.add_test("none", Value::is_none);
    engine.add_test("boolean", |value: &Value| value.kind() == ValueKind::Bool);
    engine.add_test("string", |value: &Value| value.kind() == ValueKind::String);
    engine.add_test("number", |value: &Value| value.kind() == ValueKind::Number);
    engine.add_test("integer", Value::is_integer);
    engine.add_test("float", |value: &Value| value.kind() == ValueKind::Number && !value.is_integer());
    engine.add_test("mapping", |value: &Value| value.kind() == ValueKind::Map);
    engine.add_test("sequence", is_list);
    engine.add_test("matches", patterns::matches);
    engine.add_test("startingwith", |value: &Value, start: &Value| {
        Ok::<_, Error>(text("startingwith", value)?.starts_with(text("startingwith", start)?))
    });
    engine.add_test("endingwith", |value: &Value, end: &Value| {
        Ok::<_, Error>(text("endingwith", value)?.ends_with(text("endingwith", end)?))
    });
}
