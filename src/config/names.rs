//! Which names are known, and the nearest one to a name that is not.
//!
//! Not here: what the names mean.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::known::{Known, is_list};
use super::renamed;
use crate::core::mistake::Mistake;

/// Of two thirds equal letters or better, the nearest; case and underscores weigh nothing.
pub(super) fn nearest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "");
    let wanted = plain(name);
    let limit = (wanted.chars().count() / 3).max(1);
    let near = names.into_iter().map(|known| (strsim::damerau_levenshtein(&wanted, &plain(known)), known));
    near.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// The nearest name in words, or else all of them.
pub(super) fn suggest(name: &str, names: &[&str]) -> String {
    match nearest(name, names.iter().copied()) {
        Some(near) => near.to_owned(),
        None => format!("one of {}", names.join(", ")),
    }
}

/// A mistake for each section and key of the file that nobody knows. Rules and other lists look after themselves.
pub(super) fn unknown(file: &DeTable<'_>, known: &[Known]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (section, value) in file.iter().filter(|(section, _)| !is_list(section.get_ref())) {
        let keys = keys_of(section.get_ref(), known);
        match value.get_ref() {
            _ if keys.is_empty() => mistakes.extend(unknown_section(section, value.get_ref(), known)),
            DeValue::Table(table) => mistakes.extend(in_section(section.get_ref(), table, known)),
            _ => mistakes.push(Mistake {
                span: Some(value.span()),
                key: section.get_ref().to_string(),
                what: "is not a section".to_owned(),
                expected: format!("[{}]", section.get_ref()),
            }),
        }
    }
    mistakes
}

/// A section of the file, which may stand in another, such as `broker.management`; and where its name stands.
pub(super) fn section<'f, 't>(file: &'f DeTable<'t>, name: &str) -> Option<(Range<usize>, &'f DeValue<'t>)> {
    let (outer, inner) = name.split_once('.').map_or((name, None), |(outer, inner)| (outer, Some(inner)));
    let (key, value) = file.get_key_value(outer)?;
    match inner {
        Some(inner) => section(value.get_ref().as_table()?, inner),
        None => Some((key.span(), value.get_ref())),
    }
}

/// The same of a section, and of the sections in it.
fn in_section(section: &str, table: &DeTable<'_>, known: &[Known]) -> Vec<Mistake> {
    let mut mistakes: Vec<_> = unknown_keys(section, table, &keys_of(section, known), known).collect();
    for (key, value) in table {
        let inner = format!("{section}.{}", key.get_ref());
        match value.get_ref() {
            _ if keys_of(&inner, known).is_empty() => {}
            DeValue::Table(table) => mistakes.extend(in_section(&inner, table, known)),
            _ => mistakes.push(Mistake {
                span: Some(value.span()),
                what: "is not a section".to_owned(),
                expected: format!("[{inner}]"),
                key: inner,
            }),
        }
    }
    mistakes
}

/// The keys of a section, without its name.
pub(super) fn keys_of(section: &str, known: &[Known]) -> Vec<&'static str> {
    known.iter().filter(|known| known.section == section).map(|known| known.name).collect()
}

/// One mistake for a section that nobody knows; of a renamed one, another for each of its keys that is renamed with it.
fn unknown_section(section: &Spanned<Cow<'_, str>>, value: &DeValue<'_>, known: &[Known]) -> Vec<Mistake> {
    let name = section.get_ref();
    let Some(new) = renamed::section(name) else {
        let mut sections: Vec<&str> = known.iter().map(|known| known.section).collect();
        sections.dedup();
        return vec![not_known(section.span(), name, suggest(name, &sections))];
    };
    let keys = value.as_table().into_iter().flat_map(DeTable::keys);
    let renamed = keys.filter_map(|key| Some((key.span(), renamed::key(&format!("{name}.{}", key.get_ref()))?, key)));
    let keys = renamed.map(|(span, new, key)| renamed_to(Some(span), format!("{name}.{}", key.get_ref()), new));
    std::iter::once(renamed_to(Some(section.span()), format!("[{name}]"), &format!("[{new}]"))).chain(keys).collect()
}

/// A name that is another one now.
pub(super) fn renamed_to(span: Option<Range<usize>>, old: String, new: &str) -> Mistake {
    Mistake { span, key: old, what: renamed::WHAT.to_owned(), expected: new.to_owned() }
}

fn unknown_keys<'m>(
    section: &'m str,
    table: &'m DeTable<'_>,
    keys: &'m [&'static str],
    known: &'m [Known],
) -> impl Iterator<Item = Mistake> + 'm {
    let is_section = move |key: &str| !keys_of(&format!("{section}.{key}"), known).is_empty();
    let is_strange = move |key: &str| !keys.contains(&key) && !is_section(key);
    let strange = table.keys().filter(move |key| is_strange(key.get_ref()));
    strange.map(move |key| {
        let written = format!("{section}.{}", key.get_ref());
        if let Some(new) = renamed::key(&written) {
            return renamed_to(Some(key.span()), written, new);
        }
        let elsewhere = known.iter().find(|known| known.name == key.get_ref());
        let expected = match (nearest(key.get_ref(), keys.iter().copied()), elsewhere) {
            (None, Some(home)) if is_list(home.section) => format!("it under [[{}]]", home.section),
            (None, Some(home)) => format!("it under [{}]", home.section),
            _ => suggest(key.get_ref(), keys),
        };
        not_known(key.span(), &written, expected)
    })
}

/// A name that nobody knows.
pub(super) fn not_known(span: Range<usize>, key: &str, expected: String) -> Mistake {
    Mistake { span: Some(span), key: key.to_owned(), what: "is not known".to_owned(), expected }
}
