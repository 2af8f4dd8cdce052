//! The filters on lists.
//!
//! Not here: those on lists of objects (`members`), on single values (`texts`, `numbers`), choices among values (`choices`).

use std::cmp::Ordering;

use minijinja::Error;
use minijinja::value::Value;

use super::choices::is_empty;
use super::texts::too_long;
use super::{TEXT_BYTES_MAX, is_list, items, text};
use crate::core::mapping::answer::kind;
use crate::core::mapping::checks::{order, plain_text, refuse, wants};

/// The most pieces that `split` makes of a text.
const PIECES_MAX: usize = 100_000;

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
        joined.push_str(&plain_text(&item).ok_or_else(|| unjoined(count, &item))?);
        if joined.len() > TEXT_BYTES_MAX {
            return Err(too_long("join"));
        }
    }
    Ok(Value::from(joined))
}

fn unjoined(at: usize, item: &Value) -> Error {
    refuse(format!("`join` takes text, numbers, true and false; item [{at}] is {}", kind(item)))
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

/// The items that say something: without those that are missing, null, blank or empty.
pub(super) fn compact(value: &Value, _: &[Value]) -> Result<Value, Error> {
    Ok(Value::from(items("compact", value)?.filter(|item| !is_empty(item)).collect::<Vec<_>>()))
}

/// The items of lists within a list, in one list; an item that is no list stands where it stood.
pub(super) fn flatten(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let mut flat = Vec::new();
    for item in items("flatten", value)? {
        if is_list(&item) { flat.extend(item.try_iter()?) } else { flat.push(item) }
    }
    Ok(Value::from(flat))
}

/// The items from the last to the first.
pub(super) fn reverse(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let mut list: Vec<_> = items("reverse", value)?.collect();
    list.reverse();
    Ok(Value::from(list))
}

/// The items without those that stand before them already.
pub(super) fn unique(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let list: Vec<_> = items("unique", value)?.collect();
    let mut places: Vec<_> = (0..list.len()).collect();
    places.sort_by(|left, right| list[*left].cmp(&list[*right]).then(left.cmp(right)));
    places.dedup_by(|later, earlier| list[*later] == list[*earlier]);
    places.sort_unstable();
    Ok(places.into_iter().map(|at| list[at].clone()).collect::<Vec<_>>().into())
}
