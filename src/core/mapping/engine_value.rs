//! Values of an event as the engine sees them, and the one that it cannot calculate with: a number that 64 bits cannot
//! hold.
//!
//! Not here: the way back (`answer`).

use std::cmp::Ordering;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr, Value};
use serde_json::Value as Json;

use crate::core::json;

/// A number as it was written, which 64 bits cannot hold. Only a text can be made of it.
#[derive(Debug)]
pub(super) struct Unheld(String);

impl Object for Unheld {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        json::order(&self.0, &other.downcast_ref::<Self>()?.0)
    }
}

/// The number as it was written, if a value is one that 64 bits cannot hold.
pub(super) fn unheld(value: &Value) -> Option<&str> {
    value.downcast_object_ref::<Unheld>().map(|number| number.0.as_str())
}

/// The value of a text, or of the number that it stands for.
pub(super) fn of_text(text: &str) -> Value {
    json::unheld(text).map_or_else(|| Value::from(text), |number| Value::from_object(Unheld(number.to_owned())))
}

/// The value of a JSON value.
pub(super) fn of_json(value: &Json) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => of_number(number),
        Json::String(text) => of_text(text),
        Json::Array(items) => items.iter().map(of_json).collect::<Vec<_>>().into(),
        Json::Object(members) => {
            Value::from_pairs(members.iter().map(|(name, member)| (name.as_str(), of_json(member))))
        }
    }
}

fn of_number(number: &serde_json::Number) -> Value {
    let integer = number.as_i64().map(Value::from).or_else(|| number.as_u64().map(Value::from));
    integer.unwrap_or_else(|| Value::from(number.as_f64().unwrap_or(f64::NAN)))
}
