//! Which pieces of the file are never printed: secrets, passwords in URLs, what stands where the path of a secret belongs
//! and is none, and whatever stands behind a key that nobody knows, since it may be a misspelt secret.
//!
//! Not here: printing (`source`).

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::known::Known;
use super::names::keys_of;
use crate::core::mistake::Span;
use crate::secret::is_path;

/// Names of keys that hold a secret. With `_file` behind it, each is that of the file that holds it.
pub(super) const SECRETS: [&str; 3] = ["password", "token", "proxy_password"];
const SECRET_FILES: [&str; 3] = ["password_file", "token_file", "proxy_password_file"];
/// What a line says that may hold a secret, misspelt ones included.
const SUSPECT: [&str; 5] = ["pass", "tok", "secret", "url", "://"];
/// What stands in the place of a secret.
const STARS: &str = "***";
const USERLESS: [&str; 3] = ["base_url", "proxy", "otlp"];
const URLS: [&str; 4] = ["url", USERLESS[0], USERLESS[1], USERLESS[2]];

/// The pieces of a file that could be read.
pub(super) fn pieces(file: &DeTable<'_>, text: &str, known: &[Known]) -> Vec<Span> {
    let mut hidden = Vec::new();
    for (section, value) in file {
        let section = section.get_ref();
        for table in tables(value.get_ref()) {
            in_section(section, table, (text, known), &mut hidden);
        }
        if keys_of(section, known).is_empty() || tables(value.get_ref()).is_empty() {
            leaves(value, &mut hidden);
        }
    }
    hidden
}

fn in_section(section: &str, table: &DeTable<'_>, (text, known): (&str, &[Known]), hidden: &mut Vec<Span>) {
    let keys = keys_of(section, known);
    for (key, value) in table {
        let inner = format!("{section}.{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(table) if !keys_of(&inner, known).is_empty() => {
                in_section(&inner, table, (text, known), hidden);
            }
            _ => hide(key.get_ref(), value, &keys, text, hidden),
        }
    }
}

/// The pieces of a file that is not TOML, as far as its lines show them.
pub(super) fn guessed(text: &str) -> Vec<Span> {
    let mut hidden = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let name = line.to_lowercase();
        if let Some(at) = line.find('=').filter(|_| SUSPECT.iter().any(|word| name.contains(word))) {
            let runs_on = line.contains("\"\"\"") || line.contains("'''");
            hidden.push(start + at + 1..if runs_on { text.len() } else { end });
        }
        start = end;
    }
    hidden
}

fn tables<'v, 't>(value: &'v DeValue<'t>) -> Vec<&'v DeTable<'t>> {
    match value {
        DeValue::Table(table) => vec![table],
        DeValue::Array(list) => list.iter().filter_map(|item| item.get_ref().as_table()).collect(),
        _ => Vec::new(),
    }
}

fn hide(key: &str, value: &Spanned<DeValue<'_>>, keys: &[&str], text: &str, hidden: &mut Vec<Span>) {
    if SECRETS.contains(&key) || !keys.contains(&key) {
        leaves(value, hidden);
    } else if SECRET_FILES.contains(&key) {
        if !value.get_ref().as_str().is_some_and(is_path) {
            leaves(value, hidden);
        }
    } else if URLS.contains(&key) {
        hidden.extend(credentials(key, value.span(), text));
        hidden.extend(query(value.span(), text));
    }
}

/// The text of a key with this name, the section aside, as it may be shown. It is not the file's: a variable may have set it.
pub(super) fn starred(key: &str, text: &str) -> String {
    let is_open = !SECRET_FILES.contains(&key) || is_path(text);
    if SECRETS.contains(&key) || !is_open {
        return STARS.to_owned();
    }
    if !URLS.contains(&key) {
        return text.to_owned();
    }
    // As it would stand in a file.
    let written = format!("\"{text}\"");
    let mut pieces: Vec<Span> = [credentials(key, 0..written.len(), &written), query(0..written.len(), &written)]
        .into_iter()
        .flatten()
        .collect();
    pieces.sort_by_key(|piece| piece.start);
    let (mut shown, mut at) = (String::new(), 0);
    // They may lie within each other: an `@` in a query looks like the end of a password.
    for piece in pieces {
        if piece.start >= at {
            shown.push_str(&written[at..piece.start]);
            shown.push_str(STARS);
        }
        at = at.max(piece.end);
    }
    shown.push_str(&written[at..]);
    shown.trim_matches('"').to_owned()
}

/// Every value below this one; not the headers of tables, which only name things.
fn leaves(value: &Spanned<DeValue<'_>>, hidden: &mut Vec<Span>) {
    match value.get_ref() {
        DeValue::Table(table) => table.iter().for_each(|(_, value)| leaves(value, hidden)),
        DeValue::Array(list) => list.iter().for_each(|value| leaves(value, hidden)),
        _ => hidden.push(value.span()),
    }
}

/// What stands behind the first `?` or `#`, up to the closing quote: no URL here has any, and it may be a secret.
fn query(span: Span, text: &str) -> Option<Span> {
    let url = text.get(span.clone())?.trim_end_matches(['"', '\'']);
    let start = url.find(['?', '#'])? + 1;
    Some(span.start + start..span.start + url.len())
}

/// What stands before the last `@`: the password after the user's colon; where no user belongs, all of it.
fn credentials(key: &str, span: Span, text: &str) -> Option<Span> {
    let url = text.get(span.clone())?;
    let end = url.rfind('@')?;
    let authority = url[..end].find("://").map_or(1, |at| at + 3);
    let colon = url.get(authority..end)?.find(':').map(|at| at + 1);
    let start = if USERLESS.contains(&key) { 0 } else { colon? };
    Some(span.start + authority + start..span.start + end)
}
