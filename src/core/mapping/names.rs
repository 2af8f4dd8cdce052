//! The closed set of names that expressions may use, and the nearest known name of a misspelt one.
//!
//! Not here: what the filters do (`filters`).

use std::ops::RangeInclusive;

/// A filter or test: its name and how many arguments it takes.
pub(super) type Known = (&'static str, RangeInclusive<usize>);

/// The filters that rules may write.
pub(super) const FILTERS: [Known; 22] = [
    ("abs", 0..=0),
    ("default", 1..=1),
    ("digits", 0..=0),
    ("epoch_ms", 0..=0),
    ("first", 0..=0),
    ("float", 0..=0),
    ("int", 0..=0),
    ("join", 0..=1),
    ("json", 0..=0),
    ("last", 0..=0),
    ("length", 0..=0),
    ("lower", 0..=0),
    ("max", 0..=0),
    ("min", 0..=0),
    ("replace", 2..=2),
    ("round", 0..=1),
    ("split", 0..=1),
    ("string", 0..=0),
    ("tojson", 0..=0),
    ("trim", 0..=0),
    ("truncate", 1..=1),
    ("upper", 0..=0),
];

/// The tests that rules may write after `is`.
pub(super) const TESTS: [Known; 12] = [
    ("boolean", 0..=0),
    ("defined", 0..=0),
    ("endingwith", 1..=1),
    ("float", 0..=0),
    ("integer", 0..=0),
    ("mapping", 0..=0),
    ("none", 0..=0),
    ("number", 0..=0),
    ("sequence", 0..=0),
    ("startingwith", 1..=1),
    ("string", 0..=0),
    ("undefined", 0..=0),
];

/// The names of `known`.
pub(super) fn names(known: &[Known]) -> Vec<&'static str> {
    known.iter().map(|(name, _)| *name).collect()
}

/// What filters and tests of other languages are called here.
const ELSEWHERE: [(&str, &str); 12] = [
    ("count", "length"),
    ("downcase", "lower"),
    ("dump", "json"),
    ("integer", "int"),
    ("len", "length"),
    ("number", "float"),
    ("size", "length"),
    ("str", "string"),
    ("strip", "trim"),
    ("timestamp", "epoch_ms"),
    ("tostring", "string"),
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
