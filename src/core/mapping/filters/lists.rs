//! The filters on lists and objects.
//!
//! Not here: those on single values (`texts`, `numbers`), choices among values (`choices`).

use std::cmp::Ordering;

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::texts::{string, too_long};
use super::{TEXT_BYTES_MAX, argument, is_omit, text};
use crate::core::mapping::checks::{order, refuse, wants};

/// The most pieces that `split` makes of a text.
const PIECES_MAX: usize = 100_000;

/// Whether a value is a list.
pub(super) fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// The items of a value that must be a list.
pub(super) fn items(who: &str, value: &Value) -> Result<impl Iterator<Item = Value>, Error> {
    if is_list(value) { value.try_iter() } else { Err(wants(who, "a list", value)) }
}

pub(super) fn first(value: &Value, _: &[Value]) -> Result<Value, Error> {
    items("first", value).map(|mut items| items.next().unwrap_or_default())
}

pub(super) fn last(value: &Value, _: &[Value]) -> Result<Value, Error> {
    items("last", value).map(|items| items.last().unwrap_or_default())
}

pub(super) fn length(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let length = if is_list(value) { Some(items("length", value)?.count()) } else { value.len() };
    length.map(Value::from).ok_or_else(|| wants("length", "text, a list or an object", value))
}

pub(super) fn join(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let between = arguments.first().map_or(Ok(""), |between| text("join", between))?;
    let mut joined = String::new();
    for (count, item) in items("join", value)?.enumerate() {
        joined.push_str(if count > 0 { between } else { "" });
        joined.push_str(&string(&item)?);
        if joined.len() > TEXT_BYTES_MAX {
            return Err(too_long("join"));
        }
    }
    Ok(Value::from(joined))
}

pub(super) fn split(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let value = text("split", value)?;
    match arguments.first().map(|between| text("split", between)).transpose()? {
        None => pieces(value.split_whitespace()),
        Some("") => Err(refuse("`split` takes what stands between, this is an empty text".to_owned())),
        Some(between) => pieces(value.split(between)),
    }
}

fn pieces<'a>(mut pieces: impl Iterator<Item = &'a str>) -> Result<Value, Error> {
    let list: Vec<_> = pieces.by_ref().take(PIECES_MAX).map(Value::from).collect();
    if pieces.next().is_some() {
        return Err(refuse(format!("`split` would make more than {PIECES_MAX} pieces")));
    }
    Ok(Value::from(list))
}

pub(super) fn min(value: &Value, _: &[Value]) -> Result<Value, Error> {
    extreme("min", value, Ordering::Less)
}

pub(super) fn max(value: &Value, _: &[Value]) -> Result<Value, Error> {
    extreme("max", value, Ordering::Greater)
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

/// One member of each item. Where an item has none, what is written for it stands in, or `omit` leaves it out.
pub(super) fn map(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let name = argument(arguments, 0);
    let mut members = Vec::new();
    for item in items("map", value)? {
        if item.kind() != ValueKind::Map {
            return Err(wants("map", "a list of objects", &item));
        }
        let member = some_member(&item, name).or_else(|| arguments.get(1).cloned());
        let member = member.ok_or_else(|| refuse(format!("`map`: an item has no member {name:?}, or null there")))?;
        members.extend(Some(member).filter(|member| !is_omit(member)));
    }
    Ok(Value::from(members))
}

/// Some members, in the order they are named in.
pub(super) fn pick(value: &Value, names: &[Value]) -> Result<Value, Error> {
    if value.kind() != ValueKind::Map {
        return Err(wants("pick", "an object", value));
    }
    let pick = |name: &Value| {
        let member = some_member(value, name);
        let member = member.ok_or_else(|| refuse(format!("`pick`: there is no member {name:?}, or null there")))?;
        Ok((name.clone(), member))
    };
    names.iter().map(pick).collect::<Result<Vec<_>, _>>().map(Value::from_pairs)
}

fn some_member(object: &Value, name: &Value) -> Option<Value> {
    let member = object.get_item(name).ok()?;
    (!member.is_undefined() && !member.is_none()).then_some(member)
}
