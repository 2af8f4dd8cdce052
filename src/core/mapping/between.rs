//! Mistakes between rules: two of one name, and one that no event reaches.
//!
//! Not here: mistakes within a rule (`compile`).

use std::collections::HashSet;

use super::written::WrittenRule;
use crate::core::mistake::Mistake;

/// Finds them all.
pub(super) fn find(written: &[WrittenRule], mistakes: &mut Vec<Mistake>) {
    find_twins(written, mistakes);
    find_unreachable(written, mistakes);
}

fn find_twins(written: &[WrittenRule], mistakes: &mut Vec<Mistake>) {
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
    let mut taken: HashSet<&str> = HashSet::new();
    for rule in written {
        let kinds: Vec<_> = rule.kinds.iter().map(|kind| kind.value.as_str()).collect();
        let kinds = if kinds.is_empty() { vec!["*"] } else { kinds };
        if taken.contains("*") || kinds.iter().all(|kind| taken.contains(kind)) {
            mistakes.push(Mistake {
                span: Some(rule.name.span.clone()),
                key: format!("rule {:?}", rule.name.value),
                what: "is never reached: earlier rules without `when` take all of its events".to_owned(),
                expected: "this rule before them, or a `when` in them".to_owned(),
            });
        }
        if rule.when.is_none() {
            taken.extend(kinds);
        }
    }
}
