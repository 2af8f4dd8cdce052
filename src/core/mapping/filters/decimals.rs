//! The filters on numbers as they are written, in tenths and not in halves: sums, money, and places behind the point.
//!
//! 0.1 + 0.2 is 0.3 here. What comes out is sent as it was calculated, or refused.
//!
//! Not here: the operators, which calculate in binary as those of every language do.

use minijinja::Error;
use minijinja::value::Value;

use super::items;
use crate::core::json;
use crate::core::mapping::answer::kind;
use crate::core::mapping::checks::{plain_text, refuse, wants};

/// The most places behind the point that are calculated with.
const PLACES_MAX: u32 = 18;

/// A number: so many units, of which ten to the power of `places` are one.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    units: i128,
    places: u32,
}

impl Decimal {
    /// The number that a text is, without an exponent.
    fn read(written: &str) -> Option<Self> {
        let written = written.trim();
        let (whole, fraction) = written.split_once('.').unwrap_or((written, "0"));
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(digits) || !is_number(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= PLACES_MAX)?;
        Some(Self { units: format!("{whole}{fraction}").parse().ok()?, places })
    }

    /// The same with at least so many places.
    fn with(self, places: u32) -> Option<Self> {
        let more = places.saturating_sub(self.places);
        let units = self.units.checked_mul(10_i128.checked_pow(more)?)?;
        Some(Self { units, places: self.places + more })
    }

    fn plus(self, other: Self) -> Option<Self> {
        let places = self.places.max(other.places);
        let units = self.with(places)?.units.checked_add(other.with(places)?.units)?;
        Some(Self { units, places })
    }

    /// As it is written with all of its places.
    fn text(self) -> String {
        let sign = if self.units < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.units.unsigned_abs(), width = self.places as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.places as usize);
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// The number, if 64 bits hold it as it is.
    fn value(self) -> Option<Value> {
        let text = self.text();
        let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        if let Ok(whole) = short.parse::<i64>() {
            return Some(Value::from(whole));
        }
        let number = short.parse::<f64>().ok()?;
        json::is_exactly(short, number).then(|| Value::from(number))
    }
}

/// The number that a value is, or that its text is.
fn decimal(who: &str, value: &Value) -> Result<Decimal, Error> {
    let written = plain_text(value).filter(|_| value.as_str().is_some() || kind(value).contains("number"));
    let written = written.ok_or_else(|| wants(who, "a number or its text", value))?;
    Decimal::read(&written).ok_or_else(|| {
        refuse(format!("`{who}` takes a number of at most {PLACES_MAX} places, or its text; this is another"))
    })
}

fn wide(who: &str) -> Error {
    refuse(format!("`{who}` would give a number that 64 bits cannot hold"))
}

/// The sum of numbers, or of texts that are numbers; 0 of an empty list.
pub(super) fn sum(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let mut sum = Decimal { units: 0, places: 0 };
    for (at, item) in items("sum", value)?.enumerate() {
        let each = decimal("sum", &item).map_err(|_| {
            refuse(format!("`sum` takes numbers or their texts; item [{at}] is {}, and none", kind(&item)))
        })?;
        sum = sum.plus(each).ok_or_else(|| wide("sum"))?;
    }
    sum.value().ok_or_else(|| wide("sum"))
}

fn places(who: &str, arguments: &[Value]) -> Result<u32, Error> {
    let places =
        arguments.first().map_or(Some(2), |places| places.as_usize().and_then(|places| u32::try_from(places).ok()));
    places.filter(|places| *places <= 15).ok_or_else(|| refuse(format!("`{who}` takes 0 to 15 decimal places")))
}

/// Minor units as the amount that they are: 1999 is 19.99.
pub(super) fn from_minor(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let (places, amount) = (places("from_minor", arguments)?, decimal("from_minor", value)?);
    if amount.places > 0 {
        return Err(refuse("`from_minor` takes whole minor units, this has a fraction".to_owned()));
    }
    Decimal { places, ..amount }.value().ok_or_else(|| wide("from_minor"))
}

/// An amount in minor units: 19.99 is 1999.
pub(super) fn to_minor(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let (places, amount) = (places("to_minor", arguments)?, decimal("to_minor", value)?);
    if amount.places > places {
        return Err(refuse(format!(
            "`to_minor({places})` takes at most {places} decimal places, this has {}",
            amount.places
        )));
    }
    let minor = amount.with(places).map(|amount| Decimal { places: 0, ..amount });
    minor.and_then(Decimal::value).ok_or_else(|| wide("to_minor"))
}

/// The text of a number with so many places; half a unit is rounded away from zero.
pub(super) fn fixed(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let (places, amount) = (places("fixed", arguments)?, decimal("fixed", value)?);
    let amount = if amount.places > places {
        let scale = 10_i128.pow(amount.places - places);
        let half = scale / 2 * amount.units.signum();
        Decimal { units: (amount.units + half) / scale, places }
    } else {
        amount.with(places).ok_or_else(|| wide("fixed"))?
    };
    Ok(Value::from(amount.text()))
}
