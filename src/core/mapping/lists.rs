//! The filters on lists.
//!
//! Not here: those on text and numbers (`filters`).

use std::cmp::Ordering;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error};

use super::checks::{order, refuse, wants};
use super::filters::{TEXT_BYTES_MAX, string, text, too_long};

/// Adds the filters on lists.
pub(super) fn add(engine: &mut Environment<'static>) {
    engine.add_filter("first", |value: &Value| items("first", value).map(|mut items| items.next().unwrap_or_default()));
    engine.add_filter("last", |value: &Value| items("last", value).map(|items| items.last().unwrap_or_default()));
    engine.add_filter("length", length);
    engine.add_filter("join", join);
    engine.add_filter("split", split);
    engine.add_filter("min", |value: &Value| extreme("min", value, Ordering::Less));
    engine.add_filter("max", |value: &Value| extreme("max", value, Ordering::Greater));
}

fn items(who: &str, value: &Value) -> Result<impl Iterator<Item = Value>, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value.try_iter(),
        _ => Err(wants(who, "a list", value)),
    }
}

fn length(value: &Value) -> Result<usize, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => items("length", value).map(Iterator::count),
        _ => value.len().ok_or_else(|| wants("length", "text, a list or an object", value)),
    }
}

fn join(value: &Value, between: Option<&Value>) -> Result<String, Error> {
    let between = between.map_or(Ok(""), |between| text("join", between))?;
    let mut joined = String::new();
    for (count, item) in items("join", value)?.enumerate() {
        joined.push_str(if count > 0 { between } else { "" });
        joined.push_str(&string(&item)?);
        if joined.len() > TEXT_BYTES_MAX {
            return Err(too_long("join"));
        }
    }
    Ok(joined)
}

fn split(value: &Value, between: Option<&Value>) -> Result<Vec<String>, Error> {
    let value = text("split", value)?;
    match between.map(|between| text("split", between)).transpose()? {
        None => Ok(value.split_whitespace().map(str::to_owned).collect()),
        Some("") => Err(refuse("`split` takes what stands between, this is an empty text".to_owned())),
        Some(between) => Ok(value.split(between).map(str::to_owned).collect()),
    }
}

/// The least or greatest item; nothing of an empty list.
fn extreme(who: &str, value: &Value, wanted: Ordering) -> Result<Value, Error> {
    let mut best = Value::UNDEFINED;
    for item in items(who, value)? {
        let against = if best.is_undefined() { &item } else { &best };
        let better = order(who, &item, against)? == wanted;
        if better || best.is_undefined() {
            best = item;
        }
    }
    Ok(best)
}
