//! The filters that give epoch milliseconds.
//!
//! A text that has no offset of its own is a time on the clocks of a zone that the rule names. Where clocks were put
//! forward, a time that they skipped is as much later as they skipped; where they were put back, a time that they
//! showed twice is the first of the two (RFC 5545). The rules of the zones are part of the daemon: an image needs none.
//!
//! Not here: what time it is now, which no rule can ask.

use std::sync::{Arc, LazyLock};

use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, SpanRelativeTo, Timestamp};
use minijinja::Error;
use minijinja::value::{Object, ObjectRepr, Value, ValueKind};

use super::argument;
use crate::core::mapping::checks::{Wrong, refuse, wants};
use crate::core::mapping::names;

/// All zones, as they are built in: the same on every machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The seconds taken as a time: 1973 to 2286, nine or ten digits, so that milliseconds are never taken for them.
const SECONDS: std::ops::Range<f64> = 1e8..1e10;

/// A zone, made ready.
#[derive(Debug)]
struct Zone(TimeZone);

impl Object for Zone {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// The zone that is written so.
///
/// # Errors
/// If there is none of that name, with the nearest that there is.
pub(in crate::core::mapping) fn zone_named(written: &str) -> Result<Value, Wrong> {
    zone(written).map(|zone| Value::from_object(Zone(zone))).ok_or_else(|| {
        let known: Vec<_> = ZONES.available().map(|name| name.to_string()).collect();
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let nearest = names::nearest(written, &known).map(|name| format!("{name:?}? Or "));
        let expected =
            format!("{}a name such as \"Asia/Kolkata\", an offset such as \"+05:30\"", nearest.unwrap_or_default());
        (format!("unknown time zone {written:?}"), expected)
    })
}

fn zone(written: &str) -> Option<TimeZone> {
    if written.starts_with(['+', '-']) {
        return DateTimeParser::new().parse_time_zone_with(&ZONES, written).ok();
    }
    ZONES.get(written).ok()
}

/// Epoch milliseconds of a date and time. An offset in the text itself is what counts; the zone is for texts without.
pub(super) fn epoch_ms(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let wanted = "a date and time of RFC 3339 with its offset, such as 2026-01-31T09:30:00Z";
    let written = value.as_str().ok_or_else(|| wants("epoch_ms", wanted, value))?;
    if let Ok(moment) = written.parse::<Timestamp>() {
        return Ok(Value::from(moment.as_millisecond()));
    }
    let Some(zone) = arguments.first() else {
        let hint = "or the zone of those without, as `epoch_ms(\"Asia/Kolkata\")`";
        return Err(refuse(format!("`epoch_ms` takes {wanted}, {hint}; this is another text")));
    };
    let wanted = "a date such as 2026-01-31, with a time or without";
    let moment =
        local(written, zone)?.ok_or_else(|| refuse(format!("`epoch_ms` takes {wanted}; this is another text")));
    moment.map(|moment| Value::from(moment.as_millisecond()))
}

/// The moment when the clocks of a zone show this; a date alone is the start of that day.
fn local(written: &str, zone: &Value) -> Result<Option<Timestamp>, Error> {
    let Some(clock) = clock(written) else { return Ok(None) };
    if let Some(Zone(ready)) = zone.downcast_object_ref::<Zone>() {
        return Ok(ready.to_timestamp(clock).ok());
    }
    let named = zone.as_str().ok_or_else(|| wants("epoch_ms(…)", "the name of a time zone", zone))?;
    let named = self::zone(named).ok_or_else(|| refuse("`epoch_ms`: no time zone of that name".to_owned()))?;
    Ok(named.to_timestamp(clock).ok())
}

/// What a clock shows: a text that speaks of an offset or a zone, and yet is no moment, is not read as if it did not.
fn clock(written: &str) -> Option<DateTime> {
    let time = written.get(10..).unwrap_or_default();
    (!time.contains(['+', '-', 'Z', 'z', '['])).then(|| written.parse().ok()).flatten()
}

/// Epoch milliseconds of epoch seconds, to the nearest.
pub(super) fn from_epoch_s(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let wanted = "epoch seconds between 1973 and 2286, which have 9 or 10 digits";
    milliseconds("from_epoch_s", value, 1.0, wanted)
}

/// Epoch milliseconds, of which it is made sure that they are.
pub(super) fn from_epoch_ms(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let wanted = "epoch milliseconds between 1973 and 2286, which have 12 or 13 digits";
    milliseconds("from_epoch_ms", value, 1000.0, wanted)
}

/// Epoch milliseconds of epoch microseconds.
pub(super) fn from_epoch_us(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let wanted = "epoch microseconds between 1973 and 2286, which have 15 or 16 digits";
    milliseconds("from_epoch_us", value, 1e6, wanted)
}

/// Epoch milliseconds of epoch nanoseconds.
pub(super) fn from_epoch_ns(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let wanted = "epoch nanoseconds between 1973 and 2286, which have 18 or 19 digits";
    milliseconds("from_epoch_ns", value, 1e9, wanted)
}

/// Both `who` read: `per_second` of what is given are a second.
fn milliseconds(who: &str, value: &Value, per_second: f64, wanted: &str) -> Result<Value, Error> {
    let number = match value.kind() {
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::String => value.as_str().and_then(|text| text.trim().parse().ok()),
        _ => return Err(wants(who, wanted, value)),
    };
    let seconds = number.map(|number| number / per_second).filter(|seconds| SECONDS.contains(seconds));
    let seconds = seconds.ok_or_else(|| refuse(format!("`{who}` takes {wanted}; this is not")))?;
    #[expect(clippy::cast_possible_truncation, reason = "13 digits at most")]
    Ok(Value::from((seconds * 1000.0).round() as i64))
}

/// A duration, made ready: its milliseconds.
#[derive(Debug)]
struct Length(i64);

impl Object for Length {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// The duration that is written so.
///
/// # Errors
/// If it is none.
pub(in crate::core::mapping) fn length(written: &str) -> Result<Value, Wrong> {
    let length = milliseconds_of(written).ok_or_else(|| {
        (
            format!("no duration: {written:?}"),
            "one such as \"2h\", \"90m\" or \"1d 12h\"; a day has 24 hours".to_owned(),
        )
    });
    length.map(|length| Value::from_object(Length(length)))
}

/// The milliseconds of a duration. A month has no length of its own.
fn milliseconds_of(written: &str) -> Option<i64> {
    let span: Span = written.parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    i64::try_from(length.as_millis()).ok()
}

/// Epoch milliseconds, so much later.
pub(super) fn plus(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    moved("plus", value, argument(arguments, 0), 1)
}

/// Epoch milliseconds, so much earlier.
pub(super) fn minus(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    moved("minus", value, argument(arguments, 0), -1)
}

fn moved(who: &str, value: &Value, by: &Value, sign: i64) -> Result<Value, Error> {
    let wanted = "epoch milliseconds, such as `epoch_ms` gives";
    let moment = value.as_i64().filter(|_| value.is_integer()).ok_or_else(|| wants(who, wanted, value))?;
    let by = match (by.downcast_object_ref::<Length>(), by.as_str()) {
        (Some(Length(ready)), _) => *ready,
        (None, Some(written)) => milliseconds_of(written)
            .ok_or_else(|| refuse(format!("`{who}` takes a duration such as \"2h\"; this is another text")))?,
        (None, None) => return Err(wants(&format!("{who}(…)"), "a duration such as \"2h\"", by)),
    };
    let moved = by.checked_mul(sign).and_then(|by| moment.checked_add(by));
    moved.map(Value::from).ok_or_else(|| refuse(format!("`{who}` would be wider than 64 bits")))
}
