//! JSON texts as producers write them: how they are read, and what is wrong with one in words.
//!
//! A number that 64 bits cannot hold is not altered: it is kept as it was written, in a text with a mark, and whatever
//! would send it or calculate with it refuses. (To keep every number as a text, as the parser can, costs each of them an
//! allocation.)
//!
//! Not here: what a document means (`decode`, `mapping`).

mod tree;

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::de::IgnoredAny;
use serde_json::{Error, Map, Value};

/// What a text in UTF-8 may begin with, to say that it is one.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What the text of a number begins with that is kept as it was written. A producer that writes this itself is refused
/// where it is read.
const MARK: &str = "\u{0}number:";
/// The same in JSON, with its quote.
const WRITTEN_MARK: &str = "\"\\u0000number:";

/// Every number of so many bytes without an exponent fits into 64 bits.
const SHORT: usize = 15;

/// Why a text could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::core) enum Unread {
    /// It holds more values than are allowed.
    TooMany,
    /// In words that begin with a verb, with the place, and without a piece of the text.
    Broken(String),
}

/// Reads a text that holds at most so many values ([`Bounds::max_values`](crate::core::bounds::Bounds::max_values)). They
/// are counted while it is read: no more of them grow.
///
/// # Errors
/// Why it cannot be read.
pub(in crate::core) fn parse(text: &str, max_values: usize) -> Result<Value, Unread> {
    let text = readable(text).map_err(Unread::Broken)?;
    tree::read(&text, max_values).map_err(|error| error.map_or(Unread::TooMany, |error| Unread::Broken(broken(&error))))
}

/// Bytes without the byte order mark that they may begin with: it is no part of what a producer wrote.
#[must_use]
pub fn behind_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(bytes)
}

/// The text as a parser may read it: without a byte order mark, and with a mark on each number that it would alter.
///
/// # Errors
/// In words that begin with a verb, as far as it is known without building the value that it cannot be read.
pub(in crate::core) fn readable(text: &str) -> Result<Cow<'_, str>, String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    let marked = marked(text);
    if let Cow::Owned(_) = marked {
        // A text may stand where a number may not.
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| broken(&error))?;
    }
    Ok(marked)
}

/// What an error of the parser says of a text, in words that begin with a verb.
pub(in crate::core) fn broken(error: &Error) -> String {
    let what = if error.to_string().starts_with("recursion limit") {
        "is nested deeper than 128 levels"
    } else if error.is_eof() {
        "ends in the middle of JSON"
    } else {
        "is not JSON"
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

/// The number that a text stands for, as it was written, if it is one that 64 bits cannot hold.
pub(in crate::core) fn unheld(text: &str) -> Option<&str> {
    text.strip_prefix(MARK)
}

/// The text that stands for such a number, as it was written.
pub(in crate::core) fn marked_as_unheld(number: &str) -> String {
    format!("{MARK}{number}")
}

/// Whether a value is such a number, or one lies below it.
pub(in crate::core) fn holds_unheld(value: &Value) -> bool {
    match value {
        Value::String(text) => unheld(text).is_some(),
        Value::Array(items) => items.iter().any(holds_unheld),
        Value::Object(members) => members.values().any(holds_unheld),
        _ => false,
    }
}

/// The value for a person to read: such numbers as texts, as they were written.
pub(in crate::core) fn shown(value: Value) -> Value {
    match value {
        Value::String(text) => Value::from(unheld(&text).unwrap_or(&text)),
        Value::Array(items) => items.into_iter().map(shown).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, member)| (name, shown(member))).collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn marked(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut made, mut from, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = behind_text(bytes, at),
            b'-' | b'0'..=b'9' => {
                let end = behind_number(bytes, at);
                let number = &text[at..end];
                if end - at > SHORT || number.contains(['e', 'E']) {
                    mark(number, &text[from..at], &mut made).then(|| from = end);
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    made.push_str(&text[from..]);
    Cow::Owned(made)
}

/// Writes down what stands before a number, and the number with its mark, if it needs one.
fn mark(number: &str, before: &str, made: &mut String) -> bool {
    let needs_one = !is_exact(number) && serde_json::from_str::<IgnoredAny>(number).is_ok();
    if needs_one {
        [before, WRITTEN_MARK, number, "\""].iter().for_each(|piece| made.push_str(piece));
    }
    needs_one
}

fn behind_text(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn behind_number(bytes: &[u8], from: usize) -> usize {
    let is_of_it = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    from + bytes[from..].iter().take_while(|byte| is_of_it(byte)).count()
}

/// Whether 64 bits hold a number as it is written: as an integer, or as a fraction that is written down as the same again.
#[must_use]
pub fn is_exact(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    // An integer beyond them would come out as a fraction.
    number.contains(['.', 'e', 'E']) && number.parse().is_ok_and(|fraction| is_exactly(number, fraction))
}

/// Whether a fraction is the number that is written.
pub(in crate::core) fn is_exactly(written: &str, fraction: f64) -> bool {
    fraction.is_finite() && order(written, &format!("{fraction:e}")) == Some(Ordering::Equal)
}

/// [`Ordering::Equal`] if two numbers are the same, however they are written; none if one is no number.
pub(in crate::core) fn order(one: &str, other: &str) -> Option<Ordering> {
    Some(decimal(one)?.cmp(&decimal(other)?))
}

/// Whether it is negative, its digits without zeros at the ends, and the power of ten that they are multiplied by.
fn decimal(written: &str) -> Option<(bool, String, i64)> {
    let (mantissa, power) = written.split_once(['e', 'E']).unwrap_or((written, "0"));
    let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_end_matches('0');
    let zeros = all.len() - digits.len();
    let power = power.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let power = power.checked_add(i64::try_from(zeros).ok()?)?;
    let digits = digits.trim_start_matches('0').to_owned();
    Some(if digits.is_empty() { (false, digits, 0) } else { (is_negative, digits, power) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_64_bits_hold_is_read_and_any_other_is_kept_as_it_was_written() {
        for held in [
            "0",
            "-0",
            "18446744073709551615",
            "-9223372036854775808",
            "0.1",
            "1.10",
            "1E2",
            "-0.0",
            "1e-7",
            "100e-2",
            "0.30000000000000004",
            "77.10770122148199",
            "1.7976931348623157e308",
            "5e-324",
            "123456789012345.6",
            "0.000000000000000000000000000000",
            "1000000000000000000000.0",
        ] {
            assert!(parse(held, 1).unwrap().is_number(), "{held}");
        }
        for wide in [
            "18446744073709551616",
            "-9223372036854775809",
            "123456789012345678901234567890",
            "1234567890123456.78",
            "0.1234567890123456789",
            "9007199254740993.0",
            "1e400",
            "-1e400",
            "1e-400",
            "1e99999999999999999999",
            "1000000000000000000001.0",
        ] {
            let value = parse(&format!(" [{wide} ,\"{wide}\"]"), 4).unwrap();
            assert_eq!(value[0].as_str().and_then(unheld), Some(wide));
            assert_eq!(value[1], Value::from(wide), "a text is no number");
            assert!(holds_unheld(&value));
            assert_eq!(shown(value), serde_json::json!([wide, wide]));
        }
    }

    #[test]
    fn a_mark_makes_no_json_of_what_is_none() {
        for text in [
            "{123456789012345678901: 1}",
            "[0123456789012345678901]",
            "[123456789012345678901x]",
            "[1e400.5]",
            "[-]",
            "[1234567890123456789-1]",
            "123456789012345678901 1",
            "[\"\\",
            "[\"",
        ] {
            assert!(matches!(parse(text, 100), Err(Unread::Broken(_))), "{text}");
        }
    }

    #[test]
    fn no_more_values_grow_than_are_allowed_whatever_their_shape() {
        for (text, weight) in
            [("1", 1), ("[]", 2), ("{}", 4), (r#"{"a":1}"#, 5), ("[[1,2],{}]", 10), (r#"["a",null]"#, 4)]
        {
            assert!(parse(text, weight).is_ok(), "{text}");
            assert_eq!(parse(text, weight - 1), Err(Unread::TooMany), "{text}");
        }
        // What comes behind was not read: it is no JSON.
        assert_eq!(parse("[1,1,1,x", 4), Err(Unread::TooMany));
    }
}
