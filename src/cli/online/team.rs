//! What rules say against what Fetch Config tells of the procedures that they name: notes, each with its line. The shape
//! of what it tells is not documented, so that nothing here is a refusal.
//!
//! Not here: reading it (`core::team_config`).

use serde_json::Value;

use super::api::procedures;
use crate::chakra::Client;
use crate::core::mapping::written::{Spot, Written, WrittenRule};
use crate::core::mistake::{Mistake, Span};
use crate::core::team_config::{KnownProcedure, TeamConfig, nearest};
use crate::ready::Ready;

/// Asks, and says what rules name that is not there.
pub(super) async fn notes(ready: &Ready) -> Vec<String> {
    if procedures(ready).is_empty() {
        return Vec::new();
    }
    match fetched(ready).await {
        Ok(answer) => compared(ready, &TeamConfig::read(&answer)),
        Err(why) => vec![format!("procedures and attributes were not compared, Fetch Config cannot be read: {why}")],
    }
}

/// What Fetch Config answers.
///
/// # Errors
/// Why it cannot be read, in words.
pub(in crate::cli) async fn fetched(ready: &Ready) -> Result<Value, String> {
    Client::new(&ready.config.api)?.fetch_config().await
}

fn compared(ready: &Ready, team: &TeamConfig) -> Vec<String> {
    let Some(known) = &team.procedures else {
        return vec!["procedures and attributes were not compared: Fetch Config tells none in a known form".to_owned()];
    };
    let mut notes = Vec::new();
    for (procedure, rules) in procedures(ready) {
        match known.get(procedure.as_str()) {
            Some(known) => {
                if known.attributes.is_none() {
                    notes.push(format!(
                        "procedure {procedure}: its attributes were not compared, Fetch Config tells none"
                    ));
                }
                let found = rules.into_iter().flat_map(|rule| Comparison { rule, known }.all());
                notes.extend(found.map(|found| ready.source.told(&found)));
            }
            None => {
                let names: Vec<_> = known.keys().map(String::as_str).collect();
                let found = rules.into_iter().map(|rule| {
                    let span = rule.procedure.as_ref().map_or(&rule.span, |procedure| &procedure.span);
                    let what = format!("Fetch Config tells no procedure {:?}", procedure.as_str());
                    mistake(rule, "procedure", span, what, near(procedure.as_str(), &names))
                });
                notes.extend(found.map(|found| ready.source.told(&found)));
            }
        }
    }
    notes
}

struct Comparison<'a> {
    rule: &'a WrittenRule,
    known: &'a KnownProcedure,
}

impl Comparison<'_> {
    fn all(&self) -> Vec<Mistake> {
        let mut found: Vec<_> = self.attributes().into_iter().chain(self.state()).chain(self.reconcile_by()).collect();
        found.sort_by_key(|found| found.span.as_ref().map(|span| span.start));
        found
    }

    fn attributes(&self) -> Vec<Mistake> {
        let (Some(known), Some(data)) = (&self.known.attributes, &self.rule.data) else { return Vec::new() };
        let Written::Table(members) = &data.value else { return Vec::new() };
        let names: Vec<_> = known.keys().map(String::as_str).collect();
        let found = members.iter().filter_map(|(name, value)| {
            let key = format!("data.{}", name.value);
            let Some(kind) = known.get(&name.value) else {
                let what = "the procedure has no such attribute".to_owned();
                return Some(mistake(self.rule, &key, &name.span, what, near(&name.value, &names)));
            };
            let (kind, literal) = ((*kind)?, literal(value)?);
            let what = "another type than the attribute's".to_owned();
            (!kind.takes(&literal)).then(|| mistake(self.rule, &key, &value.span, what, kind.word().to_owned()))
        });
        found.collect()
    }

    fn state(&self) -> Option<Mistake> {
        let (states, written) = (self.known.states.as_ref()?, self.rule.state.as_ref()?);
        let state = literal(written)?;
        let state = state.as_str().filter(|state| !states.iter().any(|known| known == state))?;
        let names: Vec<_> = states.iter().map(String::as_str).collect();
        Some(mistake(self.rule, "state", &written.span, format!("no state {state:?}"), near(state, &names)))
    }

    fn reconcile_by(&self) -> Option<Mistake> {
        let (known, written) = (self.known.attributes.as_ref()?, self.rule.reconcile_by.as_ref()?);
        let names: Vec<_> = known.keys().map(String::as_str).collect();
        let what = "no attribute of the procedure: nothing is ever found by it".to_owned();
        let is_known = known.contains_key(&written.value);
        (!is_known).then(|| mistake(self.rule, "reconcile_by", &written.span, what, near(&written.value, &names)))
    }
}

/// A value that is the same for every event.
fn literal(written: &Spot<Written>) -> Option<Value> {
    match &written.value {
        Written::Text(text) if !text.contains("{{") => Some(Value::from(text.as_str())),
        Written::Integer(number) => Some(Value::from(*number)),
        Written::Float(number) => Some(Value::from(*number)),
        Written::Bool(truth) => Some(Value::from(*truth)),
        _ => None,
    }
}

fn near(written: &str, names: &[&str]) -> String {
    nearest(written, names).map_or_else(|| format!("one of {}", names.join(", ")), |name| format!("`{name}`?"))
}

fn mistake(rule: &WrittenRule, key: &str, span: &Span, what: String, expected: String) -> Mistake {
    Mistake { span: Some(span.clone()), key: format!("rule {:?}.{key}", rule.name.value), what, expected }
}
