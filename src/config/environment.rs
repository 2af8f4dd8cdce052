//! The variables that override scalar keys: `CHAKRA_BRIDGE__API__TIMEOUT` is `api.timeout`.
//!
//! Not here: reading the process's environment (it is an argument), and rules, which live in the file only.

use std::collections::HashMap;

use super::load::{self, Known};
use super::names;
use crate::core::mistake::Mistake;

const PREFIX: &str = "CHAKRA_BRIDGE";
const SEPARATOR: &str = "__";

/// The variables of known keys, and the mistakes among the others.
pub(super) struct Variables {
    ours: HashMap<String, String>,
    /// Variables that name no key.
    pub(super) mistakes: Vec<Mistake>,
}

impl Variables {
    /// Sorts the variables; those of other programs are left alone.
    pub(super) fn new(environment: impl IntoIterator<Item = (String, String)>, known: &[Known]) -> Self {
        let scalar = known.iter().filter(|known| !load::is_list(known.section));
        let names: Vec<String> = scalar.map(|known| variable(&format!("{}.{}", known.section, known.name))).collect();
        let ours = environment.into_iter().filter(|(name, _)| is_ours(name));
        let (ours, strange): (HashMap<_, _>, HashMap<_, _>) = ours.partition(|(name, _)| names.contains(name));
        let mut strange: Vec<String> = strange.into_keys().collect();
        strange.sort();
        Self { ours, mistakes: strange.into_iter().map(|name| unknown(name, &names)).collect() }
    }

    /// The layer above the file.
    pub(super) fn layer(&self) -> ::config::Environment {
        let layer = ::config::Environment::with_prefix(PREFIX).separator(SEPARATOR);
        layer.source(Some(self.ours.clone().into_iter().collect()))
    }

    /// The variable that sets this key, if one does.
    pub(super) fn that_sets(&self, key: &str) -> Option<String> {
        Some(variable(key)).filter(|name| self.ours.contains_key(name))
    }
}

/// Whether a variable is meant for us. Those that a cluster derives from a service's name have no double underscore.
pub(super) fn is_ours(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('_') && rest.contains(SEPARATOR))
}

/// The variable that would set this key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{SEPARATOR}{}", key.replace('.', SEPARATOR).to_uppercase())
}

fn unknown(name: String, names: &[String]) -> Mistake {
    let key = |name: &str| name[PREFIX.len()..].trim_start_matches('_').to_owned();
    let keys: Vec<String> = names.iter().map(|name| key(name)).collect();
    let expected = match names::nearest(&key(&name), keys.iter().map(String::as_str)) {
        Some(near) => format!("{PREFIX}{SEPARATOR}{near}"),
        None => format!("{PREFIX}__SECTION__KEY of a key outside rules"),
    };
    Mistake { span: None, key: name, what: "is not known".to_owned(), expected }
}
