//! The filters on objects, and on lists of them: by the name of a member, or by the path of one below it.
//!
//! Not here: lists of anything (`lists`), one object for each item (`each`).

use std::cmp::Ordering;

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::{argument, is_list, is_omit, items};
use crate::core::mapping::answer::kind;
use crate::core::mapping::checks::{order, refuse, wants};

/// The signs that `where` and `find` compare by.
pub(in crate::core::mapping) const SIGNS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// One member of each item. Where an item has none, what is written for it stands in, or `omit` leaves it out.
pub(super) fn map(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let mut members = Vec::new();
    for (at, item) in items("map", value)?.enumerate() {
        let member = some_member("map", (at, &item), argument(arguments, 0), arguments.get(1))?;
        members.extend(Some(member).filter(|member| !is_omit(member)));
    }
    Ok(Value::from(members))
}

/// The items of which a member is a value, or stands to it as a sign says.
pub(super) fn r#where(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let mut kept = Vec::new();
    for (at, item) in items("where", value)?.enumerate() {
        kept.extend(satisfies("where", (at, &item), arguments)?.then_some(item));
    }
    Ok(Value::from(kept))
}

/// The first of them; missing if there is none.
pub(super) fn find(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    for (at, item) in items("find", value)?.enumerate() {
        if satisfies("find", (at, &item), arguments)? {
            return Ok(item);
        }
    }
    Ok(Value::UNDEFINED)
}

/// An item without the member is equal to nothing; it cannot be less or greater.
fn satisfies(who: &str, (at, item): (usize, &Value), arguments: &[Value]) -> Result<bool, Error> {
    let (sign, wanted) = match arguments {
        [_, wanted] => ("==", wanted),
        _ => (argument(arguments, 1).as_str().unwrap_or_default(), argument(arguments, 2)),
    };
    let name = argument(arguments, 0);
    if wanted.is_undefined() {
        return Err(wants(who, "a value to compare with", wanted));
    }
    if let "==" | "!=" = sign {
        let member = member_of(who, (at, item), name)?;
        let is_equal = !member.is_undefined() && member == *wanted;
        return Ok(is_equal == (sign == "=="));
    }
    let member = some_member(who, (at, item), name, None)?;
    let order = order(who, &member, wanted).map_err(|_| {
        refuse(format!(
            "`{who}` compares two numbers or two texts; {} is {}, beside {}",
            spot(at, name),
            kind(&member),
            kind(wanted)
        ))
    })?;
    match sign {
        "<" => Ok(order.is_lt()),
        "<=" => Ok(order.is_le()),
        ">" => Ok(order.is_gt()),
        ">=" => Ok(order.is_ge()),
        _ => Err(refuse(format!("`{who}` compares by one of {}", SIGNS.join(" ")))),
    }
}

/// The items in the order of one member, or of themselves; equal ones stay as they stood.
pub(super) fn sort(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let mut keyed = Vec::new();
    for (at, item) in items("sort", value)?.enumerate() {
        let key = match arguments.first() {
            Some(name) => some_member("sort", (at, &item), name, None)?,
            None => item.clone(),
        };
        // Against the first: all of them are numbers then, or all of them texts.
        order("sort", &key, keyed.first().map_or(&key, |(first, _)| first))?;
        keyed.push((key, item));
    }
    keyed.sort_by(|(left, _), (right, _)| order("sort", left, right).unwrap_or(Ordering::Equal));
    Ok(keyed.into_iter().map(|(_, item)| item).collect::<Vec<_>>().into())
}

/// Some members, in the order they are named in; of a list, of each item.
pub(super) fn pick(value: &Value, names: &[Value]) -> Result<Value, Error> {
    if is_list(value) {
        let each = items("pick", value)?.enumerate().map(|(at, item)| picked(Some(at), &item, names));
        return each.collect::<Result<Vec<_>, _>>().map(Value::from);
    }
    picked(None, value, names)
}

fn picked(at: Option<usize>, object: &Value, names: &[Value]) -> Result<Value, Error> {
    if object.kind() != ValueKind::Map {
        return Err(wants("pick", "an object, or a list of objects", object));
    }
    let pick = |name: &Value| {
        let member = object.get_item(name).unwrap_or_default();
        if member.is_undefined() || member.is_none() {
            let item = at.map(|at| format!("item [{at}]: ")).unwrap_or_default();
            return Err(refuse(format!("`pick`: {item}there is no member {name:?}, or null there")));
        }
        Ok((name.clone(), member))
    };
    names.iter().map(pick).collect::<Result<Vec<_>, _>>().map(Value::from_pairs)
}

/// The members of an object as a list of objects, each with `key` and `value`.
pub(super) fn entries(value: &Value, _: &[Value]) -> Result<Value, Error> {
    if value.kind() != ValueKind::Map {
        return Err(wants("entries", "an object", value));
    }
    let entry = |name: Value| {
        let member = value.get_item(&name).unwrap_or_default();
        Value::from_pairs([("key", name), ("value", member)])
    };
    Ok(Value::from(value.try_iter()?.map(entry).collect::<Vec<_>>()))
}

/// A member of an item that must be there, or what stands in for it.
fn some_member(who: &str, (at, item): (usize, &Value), name: &Value, instead: Option<&Value>) -> Result<Value, Error> {
    let member = member_of(who, (at, item), name)?;
    if !member.is_undefined() && !member.is_none() {
        return Ok(member);
    }
    let is = if member.is_none() { "null" } else { "missing" };
    instead.cloned().ok_or_else(|| refuse(format!("`{who}`: {} is {is}", spot(at, name))))
}

/// The member of this name, or else what the path leads to that the name is.
fn member_of(who: &str, (at, item): (usize, &Value), name: &Value) -> Result<Value, Error> {
    if item.kind() != ValueKind::Map {
        return Err(refuse(format!("`{who}` takes a list of objects; item [{at}] is {}", kind(item))));
    }
    let member = item.get_item(name).unwrap_or_default();
    let path = name.as_str().filter(|name| member.is_undefined() && name.contains('.'));
    Ok(path.map_or(member, |path| {
        let step = |here: Value, name: &str| {
            if here.kind() == ValueKind::Map { here.get_attr(name).unwrap_or_default() } else { Value::UNDEFINED }
        };
        path.split('.').fold(item.clone(), step)
    }))
}

fn spot(at: usize, name: &Value) -> String {
    format!("[{at}].{}", name.as_str().unwrap_or_default())
}
