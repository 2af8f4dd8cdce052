//! Mistakes between rules: two of one name, and one that earlier rules leave no event.
//!
//! Not here: mistakes inside a rule (`compile`).

use std::collections::{HashMap, HashSet};

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
    let mut greedy = Greedy::default();
    for rule in written {
        if let Some(before) = greedy.shadows(rule) {
            mistakes.push(Mistake {
                span: Some(rule.name.span.clone()),
                key: format!("rule {:?}", rule.name.value),
                what: format!("is never reached: {before} before it takes all of its events, without `when`"),
                expected: "the narrower rule first, or a `when` in the wider".to_owned(),
            });
        }
        if rule.when.is_none() {
            greedy.add(rule);
        }
    }
}

/// Rules without `when`, by what each of their globs begins with before its first `*` or `?`: of many rules, only few can
/// take a type.
#[derive(Default)]
struct Greedy<'w> {
    by_start: HashMap<&'w str, Vec<Taker<'w>>>,
    /// How many rules were added.
    count: usize,
}

struct Taker<'w> {
    /// Its place among the rules.
    at: usize,
    name: &'w str,
    glob: &'w str,
}

impl<'w> Greedy<'w> {
    fn add(&mut self, rule: &'w WrittenRule) {
        for glob in kinds(rule) {
            let start = glob.split(['*', '?']).next().unwrap_or_default();
            let takers = self.by_start.entry(start).or_default();
            // Of two that are the same, the first takes all.
            if !takers.iter().any(|other| other.glob == glob) {
                takers.push(Taker { at: self.count, name: &rule.name.value, glob });
            }
        }
        self.count += 1;
    }

    /// Which of them take every type of this rule, in words.
    fn shadows(&self, rule: &WrittenRule) -> Option<String> {
        let mut names = Vec::new();
        for kind in kinds(rule) {
            let name = format!("rule {:?}", self.taker(kind)?.name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Some(names.join(" and "))
    }

    /// The first that takes every type that this glob matches.
    fn taker(&self, kind: &str) -> Option<&Taker<'w>> {
        let starts = (0..=kind.len()).filter_map(|end| self.by_start.get(kind.get(..end)?));
        starts.flatten().filter(|taker| covers(taker.glob, kind)).min_by_key(|taker| taker.at)
    }
}

fn kinds(rule: &WrittenRule) -> Vec<&str> {
    if rule.kinds.is_empty() { vec!["*"] } else { rule.kinds.iter().map(|kind| kind.value.as_str()).collect() }
}

/// Whether every type that `narrow` matches is one that `wide` matches. Read as a text, a glob stands for all of its types,
/// except that `?` would take its `*` for one character: then it is not said.
fn covers(wide: &str, narrow: &str) -> bool {
    wide == narrow || (WildMatch::new(wide).matches(narrow) && !(wide.contains('?') && narrow.contains('*')))
}
