//! The filters on texts.
//!
//! Not here: regular expressions (`patterns`), texts that are dates (`moments`).

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::{TEXT_BYTES_MAX, argument, text};
use crate::core::mapping::answer::{Budget, to_json};
use crate::core::mapping::checks::{plain_text, refuse, wants};

/// What stands within a word and ends none.
const APOSTROPHES: [char; 2] = ['\'', '’'];

pub(super) fn lower(value: &Value, _: &[Value]) -> Result<Value, Error> {
    text("lower", value).map(|text| Value::from(text.to_lowercase()))
}

pub(super) fn upper(value: &Value, _: &[Value]) -> Result<Value, Error> {
    text("upper", value).map(|text| Value::from(text.to_uppercase()))
}

/// Each word with a capital, and small letters behind it.
pub(super) fn title(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let mut titled = String::new();
    let mut is_inside = false;
    for char in text("title", value)?.chars() {
        if is_inside {
            titled.extend(char.to_lowercase())
        } else {
            titled.extend(char.to_uppercase())
        }
        is_inside = char.is_alphanumeric() || (is_inside && APOSTROPHES.contains(&char));
    }
    Ok(Value::from(titled))
}

/// The first letter in a capital; the rest as it is.
pub(super) fn capitalize(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let mut chars = text("capitalize", value)?.chars();
    let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    Ok(Value::from(first + chars.as_str()))
}

/// The first letter of each word, in capitals: of a name with a hyphen, of both of its parts.
pub(super) fn initials(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let words = text("initials", value)?.split(|char: char| char.is_whitespace() || char == '-');
    let firsts = words.filter_map(|word| word.chars().find(|char| char.is_alphanumeric()));
    Ok(Value::from(firsts.flat_map(char::to_uppercase).collect::<String>()))
}

pub(super) fn trim(value: &Value, _: &[Value]) -> Result<Value, Error> {
    text("trim", value).map(|text| Value::from(text.trim()))
}

pub(super) fn replace(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let value = text("replace", value)?;
    let (from, to) = (text("replace", argument(arguments, 0))?, text("replace", argument(arguments, 1))?);
    if from.is_empty() {
        return Err(refuse("`replace` takes something to look for, this is an empty text".to_owned()));
    }
    let grown = value.matches(from).count().saturating_mul(to.len()).saturating_add(value.len());
    if grown > TEXT_BYTES_MAX { Err(too_long("replace")) } else { Ok(Value::from(value.replace(from, to))) }
}

/// `who` would make a text longer than [`TEXT_BYTES_MAX`].
pub(super) fn too_long(who: &str) -> Error {
    refuse(format!("`{who}` would make a text of more than {TEXT_BYTES_MAX} bytes"))
}

/// Text, or the text of a number, true or false.
pub(super) fn string(value: &Value) -> Result<String, Error> {
    plain_text(value).ok_or_else(|| wants("string", "text, a number, true or false", value))
}

pub(super) fn string_of(value: &Value, _: &[Value]) -> Result<Value, Error> {
    string(value).map(Value::from)
}

pub(super) fn digits(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let only = |written: &str| Value::from(written.chars().filter(char::is_ascii_digit).collect::<String>());
    match value.kind() {
        ValueKind::String => Ok(only(value.as_str().unwrap_or_default())),
        ValueKind::Number if value.is_integer() => Ok(only(&value.to_string())),
        _ => Err(wants("digits", "text or an integer", value)),
    }
}

pub(super) fn truncate(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let written = text("truncate", value)?;
    let most = argument(arguments, 0).as_usize().filter(|most| *most > 0);
    let most = most.ok_or_else(|| refuse("`truncate` takes a number of characters, at least 1".to_owned()))?;
    if written.len() <= most || written.chars().nth(most).is_none() {
        return Ok(value.clone());
    }
    Ok(Value::from(written.chars().take(most - 1).chain(['…']).collect::<String>()))
}

pub(super) fn json(value: &Value, _: &[Value]) -> Result<Value, Error> {
    if value.is_none() || value.is_undefined() {
        return Err(wants("json", "a value", value));
    }
    let json = to_json(value, &mut Budget::of_one()).map_err(|refusal| refuse(refusal.0))?;
    Ok(Value::from(json.to_string()))
}
