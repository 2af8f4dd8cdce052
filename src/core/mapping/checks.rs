//! The checks that each operand of an expression passes, as filters that only our own rewriting names.
//!
//! Not here: where they are put (`strict`), the filters that rules write (`filters`).

use std::cmp::Ordering;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::answer::is_omit;
use super::answer::{Refusal, kind};
use super::engine_value;

/// What is wrong with an argument, and what was expected.
pub(super) type Wrong = (String, String);

/// Adds the checks.
pub(super) fn add(engine: &mut Environment<'static>) {
    engine.add_filter("_get", get);
    engine.add_filter("_known", known);
    engine.add_filter("_some", some);
    engine.add_filter("_truth", truth);
    engine.add_filter("_text", text);
    engine.add_filter("_number", number);
    engine.add_filter("_summand", summand);
    engine.add_filter("_kept", kept);
    engine.add_filter("_lt", |left: &Value, right: &Value| order("<", left, right).map(Ordering::is_lt));
    engine.add_filter("_le", |left: &Value, right: &Value| order("<=", left, right).map(Ordering::is_le));
    engine.add_filter("_gt", |left: &Value, right: &Value| order(">", left, right).map(Ordering::is_gt));
    engine.add_filter("_ge", |left: &Value, right: &Value| order(">=", left, right).map(Ordering::is_ge));
}

/// An error of ours: its words travel as its source, since those of the engine may quote the event.
pub(super) fn refuse(words: String) -> Error {
    Error::from(ErrorKind::InvalidOperation).with_source(Refusal(words))
}

/// `who` wants one kind of value and got another.
pub(super) fn wants(who: &str, what: &str, got: &Value) -> Error {
    if got.is_undefined() {
        return Error::from(ErrorKind::UndefinedError);
    }
    refuse(format!("`{who}` takes {what}, this is {}", kind(got)))
}

/// A member or an item; what is not there is undefined at any depth, so that `default` can stand behind. What is left
/// out has nothing below it, and stays left out.
fn get(value: &Value, at: &Value) -> Value {
    if is_omit(value) {
        return value.clone();
    }
    let fits = match value.kind() {
        ValueKind::Map => at.as_str().is_some(),
        ValueKind::Seq | ValueKind::Iterable => at.is_integer(),
        _ => false,
    };
    if fits { value.get_item(at).unwrap_or_default() } else { Value::UNDEFINED }
}

fn known(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() { Err(Error::from(ErrorKind::UndefinedError)) } else { Ok(value.clone()) }
}

fn some(value: &Value) -> Result<Value, Error> {
    if value.is_none() { Err(refuse("null where a value is needed".to_owned())) } else { known(value) }
}

/// A written list or object without what is `omit` in it.
fn kept(value: &Value) -> Result<Value, Error> {
    if value.kind() == ValueKind::Map {
        let members = value.try_iter()?.map(|name| (name.clone(), value.get_item(&name).unwrap_or_default()));
        return Ok(Value::from_pairs(members.filter(|(_, member)| !is_omit(member))));
    }
    Ok(value.try_iter()?.filter(|item| !is_omit(item)).collect())
}

fn truth(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Bool => Ok(value.clone()),
        _ => Err(wants("if, and, or, not", "true or false", value)),
    }
}

fn text(value: &Value) -> Result<String, Error> {
    plain_text(value).ok_or_else(|| wants("~", "text, numbers, true and false", value))
}

/// The text of a text, a number, true or false: as JSON writes it, and not as Python does.
pub(super) fn plain_text(value: &Value) -> Option<String> {
    match value.kind() {
        ValueKind::String | ValueKind::Number => Some(value.to_string()),
        ValueKind::Bool => Some(value.is_true().to_string()),
        _ => engine_value::unheld(value).map(str::to_owned),
    }
}

fn number(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Number => Ok(value.clone()),
        _ => Err(wants("- * / // % **", "numbers", value)),
    }
}

fn summand(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Number | ValueKind::String | ValueKind::Seq | ValueKind::Iterable => Ok(value.clone()),
        _ => Err(wants("+", "numbers, texts or lists", value)),
    }
}

/// How two numbers or two texts stand to each other.
pub(super) fn order(sign: &str, left: &Value, right: &Value) -> Result<Ordering, Error> {
    let wanted = "two numbers or two texts";
    match (left.kind(), right.kind()) {
        (ValueKind::Number, ValueKind::Number) | (ValueKind::String, ValueKind::String) => Ok(left.cmp(right)),
        (ValueKind::Number | ValueKind::String, _) => Err(wants(sign, wanted, right)),
        _ => Err(wants(sign, wanted, left)),
    }
}
