//! The filters that give numbers, and the one that gives true or false.
//!
//! Not here: numbers that are times (`moments`), the order of numbers (`lists`).

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use crate::core::json;
use crate::core::mapping::checks::{refuse, wants};

fn number(who: &str, value: &Value) -> Result<f64, Error> {
    let number = (value.kind() == ValueKind::Number).then(|| f64::try_from(value.clone()).ok()).flatten();
    number.ok_or_else(|| wants(who, "a number", value))
}

pub(super) fn int(value: &Value, _: &[Value]) -> Result<Value, Error> {
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

pub(super) fn float(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let (written, number) = match value.as_str() {
        Some(written) => {
            (written.trim().to_owned(), written.trim().parse().ok().filter(|number: &f64| number.is_finite()))
        }
        None => (value.to_string(), Some(number("float", value)?)),
    };
    let number = number.ok_or_else(|| refuse("`float` takes a number, this is another text".to_owned()))?;
    if !json::is_exactly(&written, number) {
        return Err(refuse("`float` would alter this number: 64 bits cannot hold it".to_owned()));
    }
    Ok(Value::from(number))
}

pub(super) fn abs(value: &Value, _: &[Value]) -> Result<Value, Error> {
    if !value.is_integer() {
        return number("abs", value).map(|number| Value::from(number.abs()));
    }
    let integer = i128::try_from(value.clone()).ok().and_then(i128::checked_abs);
    integer.map(Value::from).ok_or_else(|| refuse("`abs` would be wider than 128 bits".to_owned()))
}

pub(super) fn round(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    if value.is_integer() {
        return Ok(value.clone());
    }
    let places = arguments.first().map_or(Some(0), |places| i32::try_from(places.clone()).ok());
    let places = places.filter(|places| (0..=15).contains(places));
    let places = places.ok_or_else(|| refuse("`round` takes 0 to 15 decimal places".to_owned()))?;
    let scale = 10_f64.powi(places);
    number("round", value).map(|number| Value::from((number * scale).round() / scale))
}

pub(super) fn bool(value: &Value, _: &[Value]) -> Result<Value, Error> {
    if value.kind() == ValueKind::Bool {
        return Ok(value.clone());
    }
    let wanted = "true or false, their texts, 1 or 0";
    let number = value.as_i64().filter(|_| value.is_integer());
    let word = value.as_str().map(|text| text.trim().to_ascii_lowercase());
    match (number, word.as_deref()) {
        (Some(1), _) | (_, Some("true" | "1")) => Ok(Value::from(true)),
        (Some(0), _) | (_, Some("false" | "0")) => Ok(Value::from(false)),
        (Some(_), _) => Err(refuse(format!("`bool` takes {wanted}; this is another number"))),
        (_, Some(_)) => Err(refuse(format!("`bool` takes {wanted}; this is another text"))),
        _ => Err(wants("bool", wanted, value)),
    }
}
