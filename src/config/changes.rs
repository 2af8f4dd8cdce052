//! What differs between two readings of the file: rules by their names, and keys that only a restart takes in.
//!
//! Not here: what follows from it (`reload`). Names are told, values never.

use std::borrow::Cow;
use std::collections::HashMap;

use toml::{Table, Value};

use super::known::{Known, is_list};
use super::{Source, known_keys, rules};

/// Keys outside the rules that a reload takes in.
pub(super) const RELOADED: [&str; 1] = ["log.level"];

/// Rules by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleChanges {
    /// New, or written otherwise.
    pub changed: Vec<String>,
    /// Not there any more.
    pub gone: Vec<String>,
}

/// Which rules are others than before.
#[must_use]
pub fn rule_changes(before: &Source, now: &Source) -> RuleChanges {
    let (before, now) = (table(before), table(now));
    let (known, left): (HashMap<_, _>, HashMap<_, _>) = (named(&before).collect(), named(&now).collect());
    let changed = named(&now).filter(|(name, rule)| known.get(name) != Some(rule)).map(|(name, _)| name.to_owned());
    let gone = named(&before).filter(|(name, _)| !left.contains_key(name)).map(|(name, _)| name.to_owned());
    RuleChanges { changed: changed.collect(), gone: gone.collect() }
}

/// Which keys outside the rules mean something else than they did at `start`. What a variable sets is not asked of the file.
#[must_use]
pub fn needs_restart(start: &Source, now: &Source) -> Vec<String> {
    let (before, after) = (table(start), table(now));
    let keys = known_keys().into_iter().filter(|known| !is_list(known.section));
    let changed = keys.filter(|known| meant(&before, known) != meant(&after, known));
    let names = changed.map(|known| format!("{}.{}", known.section, known.name));
    names.filter(|key| !RELOADED.contains(&key.as_str()) && !now.is_overridden(key)).collect()
}

/// A file that is not TOML has nothing in it.
fn table(source: &Source) -> Table {
    source.text().parse().unwrap_or_default()
}

fn named(file: &Table) -> impl Iterator<Item = (&str, &Value)> {
    let rules = file.get(rules::LIST.section).and_then(Value::as_array).into_iter().flatten();
    rules.filter_map(|rule| Some((rule.get("name")?.as_str()?, rule)))
}

/// What a key is set to, or else its default.
fn meant<'f>(file: &'f Table, known: &Known) -> Option<Cow<'f, Value>> {
    let mut sections = known.section.split('.');
    let section = sections.next().and_then(|outer| file.get(outer));
    let section = section.and_then(|outer| sections.try_fold(outer, |outer, inner| outer.get(inner)));
    let written = section.and_then(|section| section.get(known.name));
    written.map(Cow::Borrowed).or_else(|| known.default.map(|text| Cow::Owned(default(text))))
}

/// A default as a file would have it: a number, or else text.
fn default(text: &str) -> Value {
    let whole = text.parse().map(Value::Integer).ok();
    whole.or_else(|| text.parse().map(Value::Float).ok()).unwrap_or_else(|| Value::from(text))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const FILE: &str = r#"
[broker]
url = "amqp://bridge@127.0.0.1/crm"
password = "swordfish"
queue = "crm.events"
[api]
base_url = "http://127.0.0.1:1"
token = "swordfish"
[[rule]]
name = "one"
procedure = "lead"
[[rule]]
name = "two"
procedure = "lead"
data = { a = "{{ key }}" }
"#;

    fn source(text: &str, variables: &[(&str, &str)]) -> Source {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        super::super::load(Path::new(&path), variables).unwrap().1
    }

    fn keys(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
        needs_restart(&source(FILE, variables), &source(text, variables))
    }

    fn changes(text: &str) -> (Vec<String>, Vec<String>) {
        let RuleChanges { changed, gone } = rule_changes(&source(FILE, &[]), &source(text, &[]));
        (changed, gone)
    }

    #[test]
    fn rules_are_told_by_name_and_their_place_and_layout_are_no_change() {
        let nothing: (Vec<String>, Vec<String>) = Default::default();
        assert_eq!(changes(FILE), nothing);
        assert_eq!(changes(&FILE.replace("[[rule]]", "# moved\n\n[[rule]]")), nothing);
        assert_eq!(changes(&FILE.replace("{{ key }}", "{{ type }}")), (vec!["two".into()], vec![]));
        assert_eq!(changes(&FILE.replace("\"one\"", "\"three\"")), (vec!["three".into()], vec!["one".into()]));
    }

    #[test]
    fn keys_that_mean_something_else_are_named_without_their_values() {
        assert!(keys(FILE, &[]).is_empty());
        let other = FILE.replace("swordfish", "marlin").replace("crm.events", "crm.other");
        assert_eq!(keys(&other, &[]), ["broker.password", "broker.queue", "api.token"]);
        let key = FILE.replace("[[rule]]\nname = \"one\"", "[event]\nkey = \"event.id\"\n[[rule]]\nname = \"one\"");
        assert_eq!(keys(&key, &[]), ["event.key"]);
        assert!(
            keys(&FILE.replace("[api]", "[log]\nlevel = \"debug\"\n[api]"), &[]).is_empty(),
            "a reload takes it in"
        );
    }

    #[test]
    fn a_default_written_out_and_a_key_that_a_variable_sets_need_no_restart() {
        let retry = |more: &str| FILE.replace("[api]", &format!("[retry]\n{more}\n[api]"));
        assert!(keys(&retry("initial = \"500ms\"\nmultiplier = 2.0"), &[]).is_empty());
        assert_eq!(keys(&retry("initial = \"600ms\""), &[]), ["retry.initial"]);
        let variable = [("CHAKRA_BRIDGE__RETRY__INITIAL", "1s")];
        assert!(keys(&retry("initial = \"600ms\""), &variable).is_empty());
    }
}
