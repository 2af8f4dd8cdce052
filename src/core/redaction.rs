//! What the API said, without what it was sent: APIs repeat values, and the log holds none of an event.
//!
//! Not here: which words are told, and where.
//!
//! Every value of the request of [`VALUE_MIN`] characters or more becomes `…`, in whatever case and however it is escaped
//! (JSON, percent, HTML). Of a long value its beginning or end is enough, since APIs cut short what they repeat.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::core::process::CreateProcess;

/// Shorter values say nothing of anybody, and would blank every text.
pub const VALUE_MIN: usize = 4;

/// So many characters of a longer value are enough to know it by.
const PART: usize = 8;
/// And so many of a longer secret: whoever made it may have begun it with a word.
const SECRET_PART: usize = 16;

/// The most that the values of a request may have together, in bytes: the words of a refusal of more are not told.
const VALUES_MAX: usize = 64 * 1024;

/// The longest body that is read for its values, in bytes: the values with their names and escapes.
const BODY_MAX: usize = 4 * VALUES_MAX;

/// What stands where a value stood.
const BLANK: char = '…';

/// Answers the character that stands escaped at the beginning of a text, and how many bytes that takes.
type Escape = fn(&str) -> Option<(char, usize)>;

/// How a text may be escaped.
const ESCAPES: [Escape; 4] = [in_json, in_percent, in_a_form, in_html];

/// `text` without the values of `request`; none if that has too many to look for.
#[must_use]
pub fn without_values(text: &str, request: &CreateProcess) -> Option<String> {
    Some(without(text, &values(request)?, PART))
}

/// `text` without a secret of [`VALUE_MIN`] characters or more: some servers repeat what they were shown.
#[must_use]
pub fn without_secret(text: &str, secret: &str) -> String {
    let secret: Vec<char> = secret.chars().flat_map(folded).collect();
    if secret.len() < VALUE_MIN { text.to_owned() } else { without(text, &BTreeSet::from([secret]), SECRET_PART) }
}

fn without(text: &str, values: &BTreeSet<Vec<char>>, part: usize) -> String {
    let plain = reading(text, |_| None);
    let escaped = ESCAPES.map(|escape| reading(text, escape));
    let readings: Vec<&Vec<Read>> =
        [&plain].into_iter().chain(escaped.iter().filter(|reading| **reading != plain)).collect();
    let mut blanks: Vec<(usize, usize)> = Vec::new();
    for value in values {
        readings.iter().for_each(|reading| find(reading, value, part, &mut blanks));
    }
    blanked(text, blanks)
}

/// The values, folded; none if there are too many.
fn values(request: &CreateProcess) -> Option<BTreeSet<Vec<char>>> {
    let short = Some(&request.body).filter(|body| body.len() <= BODY_MAX)?;
    let body: Map<String, Value> = serde_json::from_slice(short).ok()?;
    let mut values = Values { room: VALUES_MAX, ..Values::default() };
    // The names of attributes are the rule's; what lies deeper may be a piece of the event, names and all.
    for (name, value) in &body {
        match value {
            Value::Object(attributes) if name == "data" => attributes.values().for_each(|value| values.take(value)),
            Value::Object(members) if name == "record" => members.values().for_each(|member| values.attributes(member)),
            other => values.take(other),
        }
    }
    request.lookup.iter().for_each(|lookup| values.take(&lookup.value));
    if !request.procedure_is_literal {
        values.text(request.procedure.as_str());
    }
    (!values.is_too_much).then_some(values.list)
}

/// Values that are collected, as long as there is room.
#[derive(Default)]
struct Values {
    list: BTreeSet<Vec<char>>,
    room: usize,
    is_too_much: bool,
}

impl Values {
    fn attributes(&mut self, member: &Value) {
        match member {
            Value::Object(attributes) => attributes.values().for_each(|value| self.take(value)),
            other => self.take(other),
        }
    }

    fn take(&mut self, value: &Value) {
        match value {
            _ if self.is_too_much => {}
            Value::Null => {}
            Value::String(text) => self.text(text),
            Value::Bool(_) | Value::Number(_) => self.text(&value.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.take(item)),
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                self.text(name);
                self.take(value);
            }),
        }
    }

    fn text(&mut self, text: &str) {
        self.is_too_much |= text.len() > self.room;
        self.room = self.room.saturating_sub(text.len());
        let text = text.trim();
        if !self.is_too_much && text.chars().count() >= VALUE_MIN {
            self.list.insert(text.chars().flat_map(folded).collect());
        }
    }
}

/// One character of a text as it is compared, and the bytes of the text that it stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Read {
    folded: char,
    from: usize,
    to: usize,
}

/// Whatever its case; what is not printed counts as a blank, as it does in what the API is quoted with.
fn folded(character: char) -> impl Iterator<Item = char> {
    let character = if character.is_control() || character.is_whitespace() { ' ' } else { character };
    character.to_lowercase()
}

/// A text as it reads where `escape` knows what stands for what.
fn reading(text: &str, escape: Escape) -> Vec<Read> {
    let (mut read, mut from) = (Vec::new(), 0);
    while let Some(next) = text[from..].chars().next() {
        let (character, length) = escape(&text[from..]).unwrap_or((next, next.len_utf8()));
        let to = from + length;
        read.extend(folded(character).map(|folded| Read { folded, from, to }));
        from = to;
    }
    read
}

fn in_json(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('\\')?;
    let plain = |character| Some((character, 2));
    match rest.chars().next()? {
        escaped @ ('"' | '\\' | '/' | '\'') => plain(escaped),
        'n' | 'r' | 't' | 'b' | 'f' => plain(' '),
        'u' => {
            let first = unit(text)?;
            if let Some(one) = char::from_u32(first) {
                return Some((one, 6));
            }
            let second = unit(text.get(6..)?)?;
            let pair = char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?]).next()?.ok()?;
            Some((pair, 12))
        }
        _ => None,
    }
}

/// `\uXXXX`
fn unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

fn in_percent(text: &str) -> Option<(char, usize)> {
    let byte = |at: usize| {
        let hex = text.get(at..at + 3)?.strip_prefix('%')?;
        u8::from_str_radix(hex, 16).ok()
    };
    let first = byte(0)?;
    let length = match first {
        0..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    let bytes = (0..length).map(|number| byte(number * 3)).collect::<Option<Vec<u8>>>()?;
    let character = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    Some((character, length * 3))
}

/// As in the query of a URL, where `+` is a blank.
fn in_a_form(text: &str) -> Option<(char, usize)> {
    if text.starts_with('+') { Some((' ', 1)) } else { in_percent(text) }
}

fn in_html(text: &str) -> Option<(char, usize)> {
    let name = text.strip_prefix('&')?.split_once(';').map(|(name, _)| name).filter(|name| name.len() <= 8)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']).map(|hex| u32::from_str_radix(hex, 16));
            char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)?
        }
    };
    Some((character, name.len() + 2))
}

/// Notes where a value stands, or of a long one the beginning or the end.
fn find(reading: &[Read], value: &[char], part: usize, blanks: &mut Vec<(usize, usize)>) {
    let part = value.len().min(part);
    let (start, end) = (&value[..part], &value[value.len() - part..]);
    for at in 0..(reading.len() + 1).saturating_sub(part) {
        if is_here(reading, at, start) {
            let more = reading[at + part..].iter().zip(&value[part..]);
            let length = part + more.take_while(|(read, wanted)| read.folded == **wanted).count();
            blanks.push((reading[at].from, reading[at + length - 1].to));
        }
        if part < value.len() && is_here(reading, at, end) {
            let before = reading[..at].iter().rev().zip(value[..value.len() - part].iter().rev());
            let length = before.take_while(|(read, wanted)| read.folded == **wanted).count();
            blanks.push((reading[at - length].from, reading[at + part - 1].to));
        }
    }
}

fn is_here(reading: &[Read], at: usize, wanted: &[char]) -> bool {
    wanted.iter().zip(&reading[at..]).all(|(wanted, read)| *wanted == read.folded)
}

/// `text` with these ranges of bytes blanked.
fn blanked(text: &str, mut blanks: Vec<(usize, usize)>) -> String {
    blanks.sort_unstable();
    let (mut told, mut end) = (String::new(), 0);
    for (from, to) in blanks {
        if from > end || told.is_empty() {
            told.push_str(&text[end..from.max(end)]);
            told.push(BLANK);
        }
        end = end.max(to);
    }
    told.push_str(&text[end..]);
    told
}

#[cfg(test)]
mod tests;
