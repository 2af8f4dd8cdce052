//! What may be shown of a configuration: the keys in force, secrets as stars, and its first rules without their comments, in which
//! anything may stand.
//!
//! Not here: which pieces of the file are never printed beside a mistake (`hidden`), and what rules promise (`ready`).

use toml::{Table, Value};

use super::changes::RELOADED;
use super::{Source, hidden, rules};
use crate::states::in_force::{KeyInForce, Origin, RULES_MAX};

/// A longer value is cut, in characters.
const VALUE_MAX: usize = 500;

/// A longer rule is not shown, in bytes.
const RULE_MAX: usize = 4 * 1024;

/// All rules that are shown, in bytes.
const RULES_BYTES_MAX: usize = 64 * 1024;

/// Of a larger file no rule is shown: reading it once more for that would cost too much.
const FILE_MAX: usize = 1024 * 1024;

/// A key and its value, as it may be shown.
pub(super) fn key(name: String, text: &str, origin: Origin) -> KeyInForce {
    let bare = name.rsplit_once('.').map_or(name.as_str(), |(_, bare)| bare);
    let value = hidden::starred(bare, text);
    let cut = value.char_indices().nth(VALUE_MAX).map(|(at, _)| format!("{}…", &value[..at]));
    KeyInForce { key: name, value: cut.unwrap_or(value), origin }
}

/// The keys in force where a daemon that was started with `start` has read `now`: a restart takes in the others.
#[must_use]
pub fn keys_in_force(start: &Source, now: &Source) -> Vec<KeyInForce> {
    let newer = |key: &KeyInForce| now.keys().iter().find(|other| other.key == key.key).filter(|_| is_reloaded(key));
    start.keys().iter().map(|key| newer(key).unwrap_or(key).clone()).collect()
}

fn is_reloaded(key: &KeyInForce) -> bool {
    RELOADED.contains(&key.key.as_str())
}

/// The first rules of a file in TOML, in their order; none for each that is too long.
#[must_use]
pub fn rule_texts(source: &Source) -> Vec<Option<String>> {
    let text = source.text();
    let file: Table = if text.len() <= FILE_MAX { text.parse().unwrap_or_default() } else { Table::new() };
    let list = file.get(rules::LIST.section).and_then(Value::as_array).into_iter().flatten();
    let mut left = RULES_BYTES_MAX;
    let shown = list.take(RULES_MAX).map(|rule| {
        let text = toml::to_string_pretty(rule).ok().filter(|text| text.len() <= RULE_MAX.min(left))?;
        left -= text.len();
        Some(text)
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
[broker]
url = "amqp://bridge@127.0.0.1/crm"
password = "swordfish"
queue = "crm.events"
[api]
base_url = "http://127.0.0.1:1"
token = "swordfish"
timeout = "7s"
[[rule]]
name = "one" # swordfish
procedure = "lead"
data = { a = "{{ key }}" }
[[rule]]
name = "two"
procedure = "lead"
data = { a = "LONG" }
"#;

    fn source(text: &str, variables: &[(&str, &str)]) -> Source {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        super::super::load(&path, variables).unwrap().1
    }

    fn value<'k>(keys: &'k [KeyInForce], name: &str) -> (&'k str, Origin) {
        let key = keys.iter().find(|key| key.key == name).unwrap_or_else(|| panic!("{name}"));
        (&key.value, key.origin)
    }

    #[test]
    fn every_key_tells_what_is_in_force_and_where_it_comes_from_and_no_secret() {
        let variables = [("CHAKRA_BRIDGE__ADMIN__TOKEN", "swordfish"), ("CHAKRA_BRIDGE__BROKER__PREFETCH", "7")];
        let keys = source(FILE, &variables).keys().to_vec();
        assert_eq!(value(&keys, "api.timeout"), ("7s", Origin::File));
        assert_eq!(value(&keys, "broker.prefetch"), ("7", Origin::Variable));
        assert_eq!(value(&keys, "log.level"), ("info", Origin::Default));
        for secret in ["api.token", "broker.password", "admin.token"] {
            assert_eq!(value(&keys, secret).0, "***");
        }
        assert!(keys.iter().all(|key| !key.value.contains("swordfish")), "{keys:?}");
    }

    #[test]
    fn a_url_or_the_path_of_a_secret_shows_nothing_that_may_be_one() {
        for (name, text, wanted) in [
            ("url", "amqp://bridge:swordfish@h/v", "amqp://bridge:***@h/v"),
            ("base_url", "https://sword@h/x?token=fish", "https://***@h/x?***"),
            ("proxy", "http://sword:fish@h:1", "http://***@h:1"),
            ("url", "amqp://bridge@h/v", "amqp://bridge@h/v"),
            ("token_file", "swordfish", "***"),
            ("token_file", "/run/secrets/token", "/run/secrets/token"),
            ("password", "", "***"),
            ("queue", "a@b?c", "a@b?c"),
        ] {
            assert_eq!(hidden::starred(name, text), wanted, "{name}");
        }
    }

    #[test]
    fn rules_are_shown_without_comments_and_each_that_is_too_long_not_at_all() {
        let texts = rule_texts(&source(&FILE.replace("LONG", &"x".repeat(RULE_MAX)), &[]));
        let first = texts[0].as_deref().unwrap();
        assert!(first.contains("name = \"one\"") && first.contains("{{ key }}") && !first.contains("swordfish"));
        assert_eq!((texts.len(), &texts[1]), (2, &None));
    }

    #[test]
    fn a_reload_changes_the_keys_that_it_takes_in_and_no_other() {
        let start = source(FILE, &[]);
        let now = source(&format!("log.level = \"debug\"\n{}", FILE.replace("7s", "8s")), &[]);
        let keys = keys_in_force(&start, &now);
        assert_eq!((value(&keys, "log.level").0, value(&keys, "api.timeout").0), ("debug", "7s"));
    }
}
