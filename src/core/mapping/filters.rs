//! The filters and tests that rules write: a closed set, each refusing what it cannot mean.
//!
//! Not here: their names and numbers of arguments (`names`), filters on lists (`lists`).

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error};

use super::answer::{Budget, to_json};
use super::checks::{plain_text, refuse, wants};
use super::lists;

/// The longest text that a filter may make, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Adds the filters and tests.
pub(super) fn add(engine: &mut Environment<'static>) {
    add_text(engine);
    add_numbers(engine);
    engine.add_filter(
        "default",
        |value: &Value, other: &Value| {
            if value.is_undefined() || value.is_none() { other.clone() } else { value.clone() }
        },
    );
    engine.add_filter("json", json);
    engine.add_filter("tojson", json);
    lists::add(engine);
    add_tests(engine);
}

fn add_text(engine: &mut Environment<'static>) {
    engine.add_filter("lower", |value: &Value| text("lower", value).map(str::to_lowercase));
    engine.add_filter("upper", |value: &Value| text("upper", value).map(str::to_uppercase));
    engine.add_filter("trim", |value: &Value| text("trim", value).map(|text| text.trim().to_owned()));
    engine.add_filter("replace", replace);
    engine.add_filter("digits", digits);
    engine.add_filter("truncate", truncate);
    engine.add_filter("epoch_ms", epoch_ms);
    engine.add_filter("string", string);
}

fn add_numbers(engine: &mut Environment<'static>) {
    engine.add_filter("int", int);
    engine.add_filter("float", float);
    engine.add_filter("abs", abs);
    engine.add_filter("round", round);
}

fn add_tests(engine: &mut Environment<'static>) {
    engine.add_test("defined", |value: &Value| !value.is_undefined());
    engine.add_test("undefined", Value::is_undefined);
    engine.add_test("none", Value::is_none);
    engine.add_test("boolean", |value: &Value| value.kind() == ValueKind::Bool);
    engine.add_test("string", |value: &Value| value.kind() == ValueKind::String);
    engine.add_test("number", |value: &Value| value.kind() == ValueKind::Number);
    engine.add_test("integer", Value::is_integer);
    engine.add_test("float", |value: &Value| value.kind() == ValueKind::Number && !value.is_integer());
    engine.add_test("mapping", |value: &Value| value.kind() == ValueKind::Map);
    engine.add_test("sequence", |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable));
    engine.add_test("startingwith", |value: &Value, start: &Value| {
        Ok::<_, Error>(text("startingwith", value)?.starts_with(text("startingwith", start)?))
    });
    engine.add_test("endingwith", |value: &Value, end: &Value| {
        Ok::<_, Error>(text("endingwith", value)?.ends_with(text("endingwith", end)?))
    });
}

/// The text of a value that must be one.
pub(super) fn text<'a>(who: &str, value: &'a Value) -> Result<&'a str, Error> {
    value.as_str().ok_or_else(|| wants(who, "text", value))
}

fn number(who: &str, value: &Value) -> Result<f64, Error> {
    let number = (value.kind() == ValueKind::Number).then(|| f64::try_from(value.clone()).ok()).flatten();
    number.ok_or_else(|| wants(who, "a number", value))
}

fn replace(value: &Value, from: &Value, to: &Value) -> Result<String, Error> {
    let (value, from, to) = (text("replace", value)?, text("replace", from)?, text("replace", to)?);
    if from.is_empty() {
        return Err(refuse("`replace` takes something to look for, this is an empty text".to_owned()));
    }
    let grown = value.matches(from).count().saturating_mul(to.len()).saturating_add(value.len());
    if grown > TEXT_BYTES_MAX { Err(too_long("replace")) } else { Ok(value.replace(from, to)) }
}

/// `who` would make a text longer than [`TEXT_BYTES_MAX`].
pub(super) fn too_long(who: &str) -> Error {
    refuse(format!("`{who}` would make a text of more than {TEXT_BYTES_MAX} bytes"))
}

/// Text, or the text of a number, true or false.
pub(super) fn string(value: &Value) -> Result<String, Error> {
    plain_text(value).ok_or_else(|| wants("string", "text, a number, true or false", value))
}

fn digits(value: &Value) -> Result<String, Error> {
    let written = match value.kind() {
        ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::Number if value.is_integer() => value.to_string(),
        _ => return Err(wants("digits", "text or an integer", value)),
    };
    Ok(written.chars().filter(char::is_ascii_digit).collect())
}

fn truncate(value: &Value, most: &Value) -> Result<String, Error> {
    let value = text("truncate", value)?;
    let most = most.as_usize().filter(|most| *most > 0);
    let most = most.ok_or_else(|| refuse("`truncate` takes a number of characters, at least 1".to_owned()))?;
    if value.chars().nth(most).is_none() {
        return Ok(value.to_owned());
    }
    Ok(value.chars().take(most - 1).chain(['…']).collect())
}

fn epoch_ms(value: &Value) -> Result<i64, Error> {
    let wanted = "a date and time of RFC 3339 with its offset, such as 2026-01-31T09:30:00Z";
    let written = value.as_str().ok_or_else(|| wants("epoch_ms", wanted, value))?;
    let moment: jiff::Timestamp =
        written.parse().map_err(|_| refuse(format!("`epoch_ms` takes {wanted}; this is another text")))?;
    Ok(moment.as_millisecond())
}

fn int(value: &Value) -> Result<Value, Error> {
    if value.is_integer() {
        return Ok(value.clone());
    }
    if let Some(written) = value.as_str() {
        let parsed = written.trim().parse::<i64>().map(Value::from);
        return parsed.map_err(|_| refuse("`int` takes a number, this is another text".to_owned()));
    }
    whole(number("int", value)?.trunc()).ok_or_else(|| refuse("`int` would be wider than 64 bits".to_owned()))
}

fn whole(number: f64) -> Option<Value> {
    let text = format!("{number:.0}");
    text.parse::<i64>().ok().map(Value::from)
}

fn float(value: &Value) -> Result<f64, Error> {
    let Some(written) = value.as_str() else { return number("float", value) };
    let parsed = written.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    parsed.ok_or_else(|| refuse("`float` takes a number, this is another text".to_owned()))
}

fn abs(value: &Value) -> Result<Value, Error> {
    if !value.is_integer() {
        return number("abs", value).map(|number| Value::from(number.abs()));
    }
    let integer = i128::try_from(value.clone()).ok().and_then(i128::checked_abs);
    integer.map(Value::from).ok_or_else(|| refuse("`abs` would be wider than 128 bits".to_owned()))
}

fn round(value: &Value, places: Option<i32>) -> Result<Value, Error> {
    if value.is_integer() {
        return Ok(value.clone());
    }
    let places = places.unwrap_or(0);
    if !(0..=15).contains(&places) {
        return Err(refuse("`round` takes 0 to 15 decimal places".to_owned()));
    }
    let scale = 10_f64.powi(places);
    number("round", value).map(|number| Value::from((number * scale).round() / scale))
}

fn json(value: &Value) -> Result<String, Error> {
    let json = to_json(value, &mut Budget::of_a_request()).map_err(|refusal| refuse(refusal.0))?;
    Ok(json.to_string())
}
