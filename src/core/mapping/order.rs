//! Mistakes between rules: two of one name, and one that earlier rules leave no event.
//!
//! Not here: mistakes inside a rule (`compile`).

use std::collections::HashSet;

use wildmatch::WildMatch;

use super::written::WrittenRule;
use crate::core::mistake::Mistake;

/// Finds them.
pub(super) fn check(written: &[WrittenRule], mistakes: &mut Vec<Mistake>) {
    find_copies(written, mistakes);
    find_unreachable(written, mistakes);
}

fn find_copies(written: &[WrittenRule], mistakes: &mut Vec<Mistake>) {
    let mut seen = HashSet::new();
    for rule in written.iter().filter(|rule| !seen.insert(rule.name.value.as_str())) {
        mistakes.push(Mistake {
            span: Some(rule.name.span.clone()),
            key: format!("rule {:?}.name", rule.name.value),
            what: "another rule has this name".to_owned(),
            expected: "a name of its own".to_owned(),
        });
    }
}

/// Finds rules whose every event an earlier rule takes without asking further.
fn find_unreachable(written: &[WrittenRule], mistakes: &mut Vec<Mistake>) {
    let mut greedy: Vec<&WrittenRule> = Vec::new();
    for rule in written {
        if let Some(before) = shadows(&greedy, rule) {
            mistakes.push(Mistake {
                span: Some(rule.name.span.clone()),
                key: format!("rule {:?}", rule.name.value),
                what: format!("is never reached: {before} before it takes all of its events, without `when`"),
                expected: "the narrower rule first, or a `when` in the wider".to_owned(),
            });
        }
        if rule.when.is_none() {
            greedy.push(rule);
        }
    }
}

/// Which of the rules before take every type of this one, in words.
fn shadows(before: &[&WrittenRule], rule: &WrittenRule) -> Option<String> {
    let mut names = Vec::new();
    for kind in kinds(rule) {
        let taker = before.iter().find(|other| kinds(other).iter().any(|wider| covers(wider, kind)))?;
        let name = format!("rule {:?}", taker.name.value);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Some(names.join(" and "))
}

fn kinds(rule: &WrittenRule) -> Vec<&str> {
    if rule.kinds.is_empty() { vec!["*"] } else { rule.kinds.iter().map(|kind| kind.value.as_str()).collect() }
}

/// Whether every type that `narrow` matches is one that `wide` matches. Read as a text, a glob stands for all of its types,
/// except that `?` would take its `*` for one character: then it is not said.
fn covers(wide: &str, narrow: &str) -> bool {
    wide == narrow || (WildMatch::new(wide).matches(narrow) && !(wide.contains('?') && narrow.contains('*')))
}
