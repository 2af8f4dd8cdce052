//! The variables that override scalar keys: `CHAKRA_BRIDGE__API__TIMEOUT` is `api.timeout`.
//!
//! Not here: reading the process's environment (it is an argument), and rules, which live in the file only.

use std::collections::HashMap;
use std::path::PathBuf;

use super::known::{Known, is_list};
use super::{names, renamed};
use crate::core::mistake::Mistake;

const PREFIX: &str = "CHAKRA_BRIDGE";
const SEPARATOR: &str = "__";
/// Set by systemd for a service with `LoadCredential=`.
pub(super) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// What other programs take a proxy from. In capitals and not.
const PROXIES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

/// Variables that begin like ours, and that the command line, the tests and the images read.
const OTHERS: [&str; 4] =
    ["CHAKRA_BRIDGE_CONFIG", "CHAKRA_BRIDGE_CI", "CHAKRA_BRIDGE_IMAGE", "CHAKRA_BRIDGE_FIXTURE_COPY"];

/// The variables of known keys, and the mistakes among the others.
pub(super) struct Variables {
    ours: HashMap<String, String>,
    /// Where systemd put the credentials of this service.
    pub(super) credentials: Option<PathBuf>,
    /// Variables that name no key.
    pub(super) mistakes: Vec<Mistake>,
}

impl Variables {
    /// Sorts the variables; those of other programs are left alone.
    pub(super) fn new(environment: impl IntoIterator<Item = (String, String)>, known: &[Known]) -> Self {
        let scalar = known.iter().filter(|known| !is_list(known.section));
        let names: Vec<String> = scalar.map(|known| variable(&format!("{}.{}", known.section, known.name))).collect();
        let (ours, others): (HashMap<_, _>, HashMap<_, _>) =
            environment.into_iter().partition(|(name, _)| is_ours(name));
        let credentials = others.get(CREDENTIALS).map(PathBuf::from);
        let (ours, strange): (HashMap<_, _>, HashMap<_, _>) =
            ours.into_iter().partition(|(name, _)| names.contains(name));
        let mut strange: Vec<String> = strange.into_keys().collect();
        strange.sort();
        Self { ours, credentials, mistakes: strange.into_iter().map(|name| unknown(name, &names)).collect() }
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

/// A warning where the environment names a proxy: only `api.proxy` does.
#[must_use]
pub fn ignored_proxies(environment: impl IntoIterator<Item = (String, String)>) -> Option<String> {
    let named = |name: &str| PROXIES.iter().any(|proxy| proxy.eq_ignore_ascii_case(name));
    let set = environment.into_iter().filter(|(name, value)| named(name) && !value.is_empty());
    let mut names: Vec<String> = set.map(|(name, _)| name).collect();
    names.sort();
    let words = "set in the environment and not heeded: the API is reached directly, unless api.proxy names a way";
    (!names.is_empty()).then(|| format!("{} {words}", names.join(", ")))
}

/// A warning for each variable that looks like one of ours and is none.
pub(super) fn strange(environment: impl IntoIterator<Item = (String, String)>, known: &[Known]) -> Vec<String> {
    let scalar = known.iter().filter(|known| !is_list(known.section));
    let names: Vec<String> = scalar.map(|known| variable(&format!("{}.{}", known.section, known.name))).collect();
    let mut strange: Vec<String> =
        environment.into_iter().map(|(name, _)| name).filter(|name| is_strange(name)).collect();
    strange.sort();
    let told = strange.into_iter().map(|name| match names::nearest(&name, names.iter().map(String::as_str)) {
        Some(near) => format!("{name} is set in the environment and not heeded, meant is perhaps {near}"),
        None => format!("{name} is set in the environment and not heeded: variables are {PREFIX}__SECTION__KEY"),
    });
    told.collect()
}

fn is_strange(name: &str) -> bool {
    let plain = name.to_ascii_uppercase();
    let Some(rest) = plain.replace(['_', '-'], "").strip_prefix(&PREFIX.replace('_', "")).map(str::to_owned) else {
        return false;
    };
    let is_of_a_cluster = plain.ends_with("_PORT") || plain.contains("_PORT_") || plain.contains("_SERVICE_");
    let is_of_others = OTHERS.contains(&name) || plain.contains("_TEST_");
    !is_ours(name) && !rest.is_empty() && !is_of_a_cluster && !is_of_others
}

/// The variable that would set this key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{SEPARATOR}{}", key.replace('.', SEPARATOR).to_uppercase())
}

fn unknown(name: String, names: &[String]) -> Mistake {
    let old = name[PREFIX.len()..].trim_start_matches('_').to_lowercase().replace(SEPARATOR, ".");
    if let Some(new) = renamed::key(&old) {
        return names::renamed_to(None, name, &variable(new));
    }
    let key = |name: &str| name[PREFIX.len()..].trim_start_matches('_').to_owned();
    let keys: Vec<String> = names.iter().map(|name| key(name)).collect();
    let expected = match names::nearest(&key(&name), keys.iter().map(String::as_str)) {
        Some(near) => format!("{PREFIX}{SEPARATOR}{near}"),
        None => format!("{PREFIX}__SECTION__KEY of a key outside rules"),
    };
    Mistake { span: None, key: name, what: "is not known".to_owned(), expected }
}
