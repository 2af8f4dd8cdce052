//! The nearest known name of a misspelt one.
//!
//! Not here: which names there are (`filters`, `path`).

/// What filters and tests of other languages are called here.
const ELSEWHERE: [(&str, &str); 26] = [
    ("add", "sum"),
    ("capitalise", "capitalize"),
    ("count", "length"),
    ("downcase", "lower"),
    ("dump", "json"),
    ("dictsort", "entries"),
    ("filter", "where"),
    ("fromjson", "from_json"),
    ("integer", "int"),
    ("items", "entries"),
    ("len", "length"),
    ("number", "float"),
    ("parse_json", "from_json"),
    ("rejectattr", "where"),
    ("select", "where"),
    ("selectattr", "where"),
    ("size", "length"),
    ("sort_by", "sort"),
    ("str", "string"),
    ("strip", "trim"),
    ("timestamp", "epoch_ms"),
    ("titlecase", "title"),
    ("to_entries", "entries"),
    ("tostring", "string"),
    ("uniq", "unique"),
    ("upcase", "upper"),
];

/// So many names are said with the nearest one; more would hide it.
const LIST_MAX: usize = 8;

/// The nearest known name, or else all of them.
pub(super) fn expected(written: &str, known: &[&str]) -> String {
    let list = known.join(", ");
    match nearest(written, known) {
        None => format!("one of {list}"),
        Some(name) if known.len() > LIST_MAX => format!("`{name}`?"),
        Some(name) => format!("`{name}`? Known are {list}"),
    }
}

/// The known name that `written` was most likely meant to be.
pub(super) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let written = written.to_lowercase();
    let here = ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == written).map(|(_, here)| *here);
    if let Some(same) = known.iter().copied().find(|name| here == Some(name)) {
        return Some(same);
    }
    let near = |name: &&'a str| strsim::jaro_winkler(&written, &name.to_lowercase());
    let best = known.iter().copied().max_by(|left, right| near(left).total_cmp(&near(right)))?;
    // Two letters in each other's place are near for a person, and far for the measure above.
    let slip = |name: &&'a str| strsim::damerau_levenshtein(&written, &name.to_lowercase()) == 1;
    let best = known.iter().copied().find(slip).or_else(|| (near(&best) > 0.75).then_some(best));
    best.filter(|_| written.len() > 2)
}

/// A text as the engine reads it back: its escapes are those of JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
