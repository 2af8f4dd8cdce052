//! The filters that choose: a value among several, or whether a value is one of those allowed.
//!
//! Not here: choices by a condition, which are the `if` of an expression.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::{argument, is_list, is_omit, items};
use crate::core::mapping::checks::{plain_text, refuse, wants};

pub(super) fn default(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let is_there = !value.is_undefined() && !value.is_none();
    Ok(if is_there { value } else { argument(arguments, 0) }.clone())
}

/// The first item that says something; missing if none does, so that `default` can stand behind.
pub(super) fn first_non_empty(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let mut items = items("first_non_empty", value)?;
    Ok(items.find(|item| !is_empty(item)).unwrap_or_default())
}

/// Whether a value says nothing.
pub(super) fn is_empty(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => true,
        ValueKind::String => value.as_str().unwrap_or_default().trim().is_empty(),
        ValueKind::Seq | ValueKind::Map => value.len() == Some(0),
        _ => is_omit(value),
    }
}

/// The value itself, if it is one of those written; of a list, each item must be.
pub(super) fn one_of(value: &Value, allowed: &[Value]) -> Result<Value, Error> {
    if is_list(value) {
        items("one_of", value)?.try_for_each(|item| among(&item, allowed))?;
    } else {
        among(value, allowed)?;
    }
    Ok(value.clone())
}

fn among(value: &Value, allowed: &[Value]) -> Result<(), Error> {
    let list = || allowed.iter().map(|each| format!("{each:?}")).collect::<Vec<_>>().join(", ");
    match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => {
            let is_known = allowed.iter().any(|each| each.kind() == value.kind() && each == value);
            let kind = crate::core::mapping::answer::kind(value);
            is_known.then_some(()).ok_or_else(|| refuse(format!("`one_of` takes {}; this is {kind}, another", list())))
        }
        _ => Err(wants("one_of", &list(), value)),
    }
}

/// What an object has under the text of a value; of a list, what it has for each item. Missing if it has nothing.
pub(super) fn lookup(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let object = argument(arguments, 0);
    if object.kind() != ValueKind::Map {
        return Err(wants("lookup(…)", "an object to look in", object));
    }
    if !is_list(value) {
        return found(value, object);
    }
    let mut list = Vec::new();
    for item in items("lookup", value)? {
        let member = found(&item, object)?;
        if member.is_undefined() {
            return Ok(Value::UNDEFINED);
        }
        list.extend(Some(member).filter(|member| !is_omit(member)));
    }
    Ok(Value::from(list))
}

fn found(value: &Value, object: &Value) -> Result<Value, Error> {
    let name = plain_text(value).ok_or_else(|| wants("lookup", "text, a number, true or false", value))?;
    Ok(object.get_item(&Value::from(name)).unwrap_or_default())
}
