//! Why each rule did or did not match an event, and what rules can read of it: for a person.
//!
//! Not here: mapping (`rules`). What is told here holds values of the event: it is for no log.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::path::{Path, Variable};
use super::rules::{Rule, Rules};
use super::scope::Scope;
use crate::core::event::Event;
use crate::core::json;

/// What came of one rule when the rules were gone through for one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// The rule's name.
    pub rule: Arc<str>,
    /// Whether it matched.
    pub matched: bool,
    /// Why it did or did not, in words.
    pub why: String,
}

/// Goes through the rules as `map` does and says of each, up to the one that ends it, what came of it.
#[must_use]
pub fn considered(event: &Event, rules: &Rules) -> Vec<Considered> {
    let mut considered = Vec::new();
    for rule in rules {
        let (matched, why, ends) = verdict(rule, event);
        considered.push(Considered { rule: Arc::clone(rule.name()), matched, why });
        if ends {
            break;
        }
    }
    considered
}

fn verdict(rule: &Rule, event: &Event) -> (bool, String, bool) {
    let kinds = kinds(rule);
    if !rule.takes(&event.kind) {
        return (false, format!("its type does not match: {:?} is not {kinds}", event.kind), false);
    }
    let when = rule.when.as_ref().map(|(_, when)| format!("`{when:?}`")).unwrap_or_default();
    match rule.holds(Scope::of(event)) {
        Ok(true) if rule.when.is_some() => (true, format!("its type matches {kinds}, and {when} is true"), true),
        Ok(true) => (true, format!("its type matches {kinds}"), true),
        Ok(false) => (false, format!("its type matches {kinds}, and {when} is false"), false),
        Err(refusal) => (false, refusal.0, true),
    }
}

/// The types that a rule takes, as it writes them.
fn kinds(rule: &Rule) -> String {
    let globs: Vec<_> = rule.kinds.iter().map(|glob| format!("{:?}", glob.to_string())).collect();
    if globs.is_empty() { "any".to_owned() } else { globs.join(" or ") }
}

/// What rules can read of an event, by the names that they write. What it does not have is not among them.
#[must_use]
pub fn variables(event: &Event) -> Map<String, Value> {
    let named = |name: &str| {
        let path = Path { variable: Variable::named(name)?, steps: Vec::new() };
        Some((name.to_owned(), Scope::of(event).find(&path).ok()?.into_owned()))
            .map(|(name, value)| (name, json::shown(value)))
    };
    Variable::NAMES.into_iter().filter_map(named).collect()
}
