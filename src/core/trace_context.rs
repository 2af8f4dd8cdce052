//! Where an event stands in a distributed trace: W3C Trace Context, as a message carries it and as a request hands it on.
//! What cannot be read is no fault of the event's: it is as if it were not there.
//!
//! Not here: spans and where they go (`telemetry`), and when a trace begins here (`dispatch`).

use std::fmt;

use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// The name of the text that holds trace, parent and flags.
pub const TRACEPARENT: &str = "traceparent";

/// The name of the text that holds what tracing systems say to themselves.
pub const TRACESTATE: &str = "tracestate";

/// The spellings of the prefix by which CloudEvents marks an attribute among the headers.
const PREFIXES: [&str; 4] = ["cloudevents:", "cloudevents_", "ce-", "ce_"];

/// The length of the text in the version that is written, and of its beginning in all later ones.
const LENGTH: usize = 55;

/// The longest text of a later version that is looked at, in bytes.
const LATER_MAX: usize = 512;

/// The flag by which whoever called says that it keeps the trace.
const SAMPLED: u8 = 1;

/// The flags that are handed on: sampled, and that the number of the trace was drawn by dice.
const HANDED_ON: u8 = 3;

/// The most members of a state.
const MEMBERS_MAX: usize = 32;

/// The longest state that is handed on, in bytes.
const STATE_MAX: usize = 512;

/// The longest state that is looked at, in bytes: as many members as may be, each as long as it may be.
const STATE_READ_MAX: usize = MEMBERS_MAX * (2 * 256 + 2);

/// A member longer than this goes first where a state is too long.
const MEMBER_LONG: usize = 128;

/// The number of a trace; never zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

/// The number of a span; never zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

/// See the head of this file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace: TraceId,
    span: SpanId,
    flags: u8,
    state: Option<Box<str>>,
}

impl TraceId {
    /// A trace of this number, or of 1 where it is 0.
    #[must_use]
    pub fn drawn(number: u128) -> Self {
        Self(number.max(1))
    }

    /// As OTLP carries it.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl SpanId {
    /// A span of this number, or of 1 where it is 0.
    #[must_use]
    pub fn drawn(number: u64) -> Self {
        Self(number.max(1))
    }

    /// As OTLP carries it.
    #[must_use]
    pub fn bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

impl TraceContext {
    /// What begins here: a trace, its first span, and whether it is kept.
    #[must_use]
    pub fn begun(trace: TraceId, span: SpanId, is_sampled: bool) -> Self {
        Self { trace, span, flags: if is_sampled { HANDED_ON } else { HANDED_ON & !SAMPLED }, state: None }
    }

    /// Reads both texts. None where the first is not one; without its state where only that is not one.
    #[must_use]
    pub fn read(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let (trace, span, flags) = parent(traceparent.trim_matches([' ', '\t']))?;
        Some(Self { trace, span, flags: flags & HANDED_ON, state: tracestate.and_then(state) })
    }

    /// What the headers of a message say: those named as in HTTP, else the attributes of the CloudEvent among them.
    #[must_use]
    pub fn of_headers(headers: &Map<String, Value>) -> Option<Self> {
        Self::among(headers, str::to_owned).or_else(|| {
            Self::among(headers, |header| {
                PREFIXES.iter().find_map(|prefix| header.strip_prefix(prefix)).unwrap_or_default().to_owned()
            })
        })
    }

    /// What the attributes of a CloudEvent say, the whole envelope.
    #[must_use]
    pub fn of_attributes(envelope: &Map<String, Value>) -> Option<Self> {
        Self::read(envelope.get(TRACEPARENT)?.as_str()?, envelope.get(TRACESTATE).and_then(Value::as_str))
    }

    fn among(headers: &Map<String, Value>, plain: impl Fn(&str) -> String) -> Option<Self> {
        // Nothing is made anew of a header that cannot be meant.
        let named = |name: &str| {
            headers
                .iter()
                .filter(|(header, _)| header.len() >= name.len() && header.len() <= name.len() + 12)
                .find_map(|(header, value)| value.as_str().filter(|_| plain(&header.to_ascii_lowercase()) == name))
        };
        Self::read(named(TRACEPARENT)?, named(TRACESTATE))
    }

    /// The same trace, gone on with by this span.
    #[must_use]
    pub fn with_span(&self, span: SpanId) -> Self {
        Self { span, ..self.clone() }
    }

    /// The number of the trace.
    #[must_use]
    pub fn trace(&self) -> TraceId {
        self.trace
    }

    /// The number of the span that went before.
    #[must_use]
    pub fn span(&self) -> SpanId {
        self.span
    }

    /// Whether the trace is kept by whoever called.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The flags that are handed on.
    #[must_use]
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// The text of `traceparent`.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace, self.span, self.flags)
    }

    /// The text of `tracestate`, if there is one.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Trace, span and flags of a `traceparent`. A later version is read by what it has in common with this one.
fn parent(text: &str) -> Option<(TraceId, SpanId, u8)> {
    if !text.is_ascii() || text.len() < LENGTH || text.len() > LATER_MAX {
        return None;
    }
    let (known, rest) = text.split_at(LENGTH);
    let mut parts = known.split('-');
    let version = hex(parts.next()?, 2)?;
    let (trace, span, flags) = (hex(parts.next()?, 32)?, hex(parts.next()?, 16)?, hex(parts.next()?, 2)?);
    let is_whole = match version {
        0 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    if !is_whole || parts.next().is_some() || trace == 0 || span == 0 {
        return None;
    }
    Some((TraceId(trace), SpanId(u64::try_from(span).ok()?), u8::try_from(flags).ok()?))
}

/// So many digits, in lower case as the standard has them.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// A state as it is handed on: the members in their order, shortened as the standard says. None where one is wrong.
fn state(text: &str) -> Option<Box<str>> {
    if text.len() > STATE_READ_MAX {
        return None;
    }
    let members: Vec<&str> =
        text.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty()).collect();
    if members.is_empty() || members.len() > MEMBERS_MAX {
        return None;
    }
    let mut keys = Vec::with_capacity(members.len());
    for member in &members {
        let (key, value) = member.split_once('=')?;
        if !is_key(key) || !is_value(value) || keys.contains(&key) {
            return None;
        }
        keys.push(key);
    }
    let kept = shortened(members);
    (!kept.is_empty()).then(|| kept.join(",").into())
}

/// Long members go first, and then the last ones.
fn shortened(mut members: Vec<&str>) -> Vec<&str> {
    let is_long = |members: &[&str]| {
        let bytes: usize = members.iter().map(|member| member.len() + 1).sum();
        bytes > STATE_MAX + 1
    };
    while is_long(&members) {
        match members.iter().rposition(|member| member.len() > MEMBER_LONG) {
            Some(at) => drop(members.remove(at)),
            None => drop(members.pop()),
        }
    }
    members
}

fn is_key(key: &str) -> bool {
    let is_begun = key.bytes().next().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit());
    let may_stand = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte);
    is_begun && key.len() <= 256 && key.bytes().all(may_stand) && key.matches('@').count() <= 1
}

fn is_value(value: &str) -> bool {
    let may_stand = |byte: u8| (0x20..=0x7e).contains(&byte) && byte != b',' && byte != b'=';
    !value.is_empty() && value.len() <= 256 && value.bytes().all(may_stand)
}
