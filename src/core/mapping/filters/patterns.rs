//! Regular expressions. They run in linear time, and each is compiled when its rule is loaded: none comes from an event.
//!
//! Not here: texts that are found as they are (`texts`).

use std::sync::Arc;

use minijinja::Error;
use minijinja::value::{Object, ObjectRepr, Value};
use regex::{Captures, Regex, RegexBuilder};

use super::texts::too_long;
use super::{TEXT_BYTES_MAX, argument, text};
use crate::core::mapping::checks::{Wrong, refuse, wants};

/// The most that a compiled pattern may hold, in bytes.
const COMPILED_BYTES_MAX: usize = 256 * 1024;

/// A pattern that holds no more than this is a small one.
const SMALL_BYTES_MAX: usize = 32 * 1024;

/// The most that a pattern remembers while it runs, in bytes: with less it forgets, and becomes slow.
const REMEMBERED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The longest text that a small pattern is laid on, in bytes, and a large one. Time is their product at worst.
const SEARCHED_BYTES_MAX: [usize; 2] = [64 * 1024, 8 * 1024];

/// How often `regex_replace` may find its pattern: each search may read the rest of the text.
const FOUND_MAX: usize = 10_000;

/// A pattern, made ready, and the longest text that it is laid on, in bytes.
#[derive(Debug)]
struct Pattern(Regex, usize);

impl Object for Pattern {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// The pattern that is written so.
///
/// # Errors
/// If it is none, or compiles to too much.
pub(in crate::core::mapping) fn compile(written: &str) -> Result<Value, Wrong> {
    let build = |compiled_bytes_max: usize| {
        let mut builder = RegexBuilder::new(written);
        builder.size_limit(compiled_bytes_max).dfa_size_limit(REMEMBERED_BYTES_MAX).nest_limit(50).build()
    };
    let pattern = build(COMPILED_BYTES_MAX).map_err(|error| {
        let words = match error {
            regex::Error::CompiledTooBig(_) => format!("it compiles to more than {COMPILED_BYTES_MAX} bytes"),
            other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        };
        (format!("no regular expression: {words}"), "a pattern of the crate `regex`".to_owned())
    })?;
    let searched_bytes_max = SEARCHED_BYTES_MAX[usize::from(build(SMALL_BYTES_MAX).is_err())];
    Ok(Value::from_object(Pattern(pattern, searched_bytes_max)))
}

/// The number of a group of the pattern before it.
///
/// # Errors
/// If the pattern has no such group.
pub(in crate::core::mapping) fn group(written: &Value, before: &[Value]) -> Result<Value, String> {
    let Some(Pattern(pattern, _)) = argument(before, 0).downcast_object_ref::<Pattern>() else {
        return Ok(Value::from(0));
    };
    let number = match written.as_str() {
        Some(name) => pattern.capture_names().position(|known| known == Some(name)),
        None => written.as_usize().filter(|number| written.is_integer() && *number < pattern.captures_len()),
    };
    number.map(Value::from).ok_or_else(|| format!("the pattern has no group {written:?}"))
}

/// The text that takes the place of what is found.
///
/// # Errors
/// If it speaks of a group that the pattern before it has not.
pub(in crate::core::mapping) fn replacement(written: &str, before: &[Value]) -> Result<Value, Wrong> {
    let mut rest = written;
    while let Some((_, after)) = rest.split_once('$') {
        let (name, behind) = reference(after);
        if let Some(name) = name {
            let number = name.parse::<usize>().map_or_else(|_| Value::from(name), Value::from);
            let expected = "`$1`, `${1}text` or `${name}` of a group that is there; `$$` is a dollar".to_owned();
            group(&number, before).map_err(|wrong| (wrong, expected))?;
        }
        rest = behind;
    }
    Ok(Value::from(written))
}

/// The group that is spoken of behind a `$`, if one is, and what follows.
fn reference(after: &str) -> (Option<&str>, &str) {
    if let Some(behind) = after.strip_prefix('$') {
        return (None, behind);
    }
    if let Some((name, behind)) = after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        return (Some(name), behind);
    }
    let is_name = |each: char| each.is_ascii_alphanumeric() || each == '_';
    let (name, behind) = after.split_at(after.find(|each| !is_name(each)).unwrap_or(after.len()));
    (Some(name).filter(|name| !name.is_empty()), behind)
}

/// The pattern and the text that it is laid on.
fn laid<'a>(who: &str, value: &'a Value, pattern: &'a Value) -> Result<(&'a Regex, &'a str), Error> {
    let searched = text(who, value)?;
    let ready = pattern.downcast_object_ref::<Pattern>();
    let Pattern(pattern, most) = ready.ok_or_else(|| wants(who, "a pattern", pattern))?;
    if searched.len() > *most {
        return Err(refuse(format!("`{who}` reads texts of at most {most} bytes with this pattern, this is longer")));
    }
    Ok((pattern, searched))
}

/// Whether the pattern is found anywhere in the text.
pub(super) fn matches(value: &Value, pattern: &Value) -> Result<bool, Error> {
    laid("matches", value, pattern).map(|(pattern, searched)| pattern.is_match(searched))
}

/// The first group of the pattern where it is first found, or all of it where it has none, or the group that is named.
/// Missing if it is not found.
pub(super) fn capture(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let (pattern, searched) = laid("capture", value, argument(arguments, 0))?;
    let first = usize::from(pattern.captures_len() > 1);
    let group = argument(arguments, 1).as_usize().unwrap_or(first);
    let found = pattern.captures(searched).and_then(|captures| captures.get(group));
    Ok(found.map(|found| Value::from(found.as_str())).unwrap_or_default())
}

/// The text with every place where the pattern is found replaced.
pub(super) fn replace(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let (pattern, searched) = laid("regex_replace", value, argument(arguments, 0))?;
    let with = text("regex_replace", argument(arguments, 1))?;
    let (mut made, mut from) = (String::new(), 0);
    for (count, captures) in pattern.captures_iter(searched).enumerate() {
        if count == FOUND_MAX {
            return Err(refuse(format!("`regex_replace` finds its pattern more than {FOUND_MAX} times")));
        }
        let found = captures.get_match();
        made.push_str(&searched[from..found.start()]);
        from = found.end();
        grow(&mut made, &captures, with)?;
    }
    made.push_str(&searched[from..]);
    Ok(Value::from(made))
}

/// Appends a replacement, unless it could be too long: no group is longer than what was found.
fn grow(made: &mut String, captures: &Captures<'_>, with: &str) -> Result<(), Error> {
    let longest = captures.get_match().len().saturating_mul(with.matches('$').count()).saturating_add(with.len());
    if longest.saturating_add(made.len()) > TEXT_BYTES_MAX {
        return Err(too_long("regex_replace"));
    }
    captures.expand(with, made);
    Ok(())
}
