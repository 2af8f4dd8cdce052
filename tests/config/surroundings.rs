//! What surrounds a configuration: variables that look like ours, who may read the file, tokens as people paste them, and
//! defaults, which give way to what is written.
//!
//! Not here: single mistakes (`seeded`), the files that secrets lie in (`files`).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use chakra_bridge::config::{self, strange_variables};
use tempfile::TempDir;

use super::{load_text, seeded};

fn strange(name: &str) -> String {
    strange_variables([(name.to_owned(), "hunter2".to_owned())]).concat()
}

#[test]
fn a_variable_that_looks_like_ours_and_is_none_is_told_with_the_one_that_is_meant() {
    for (name, meant) in [
        ("CHAKRA_BRIDGE_BROKER_PREFETCH", "CHAKRA_BRIDGE__BROKER__PREFETCH"),
        ("chakra_bridge__broker__prefetch", "CHAKRA_BRIDGE__BROKER__PREFETCH"),
        ("Chakra_Bridge__Api__Timeout", "CHAKRA_BRIDGE__API__TIMEOUT"),
        ("CHAKRABRIDGE__API__TIMEOUT", "CHAKRA_BRIDGE__API__TIMEOUT"),
        ("CHAKRA-BRIDGE__API__TIMEOUT", "CHAKRA_BRIDGE__API__TIMEOUT"),
        ("CHAKRA_BRIDGE_API_TOKEN", "CHAKRA_BRIDGE__API__TOKEN"),
        ("CHAKRA_BRIDGE_NOTHING_AT_ALL_OF_THE_KIND", "CHAKRA_BRIDGE__SECTION__KEY"),
    ] {
        let said = strange(name);
        assert!(said.starts_with(name) && said.contains(meant) && !said.contains("hunter2"), "{name}: {said}");
    }
    for name in [
        "CHAKRA_BRIDGE__BROKER__PREFETCH",
        "CHAKRA_BRIDGE__BROKER_PREFETCH",
        "CHAKRA_BRIDGE_CONFIG",
        "CHAKRA_BRIDGE_SERVICE_HOST",
        "CHAKRA_BRIDGE_SERVICE_PORT_ADMIN",
        "CHAKRA_BRIDGE_PORT",
        "CHAKRA_BRIDGE_PORT_9464_TCP_ADDR",
        "CHAKRA",
        "PATH",
    ] {
        assert_eq!(strange(name), "", "{name} is a mistake of its own, or no matter of ours");
    }
}

#[test]
fn a_token_as_it_must_not_be_is_a_mistake_without_a_piece_of_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("token");
    for (token, words) in [
        ("Bearer swordfish-1", "begins with `Bearer `"),
        ("swordfish -1", "holds a blank"),
        ("swordfish-1 ", "holds a blank"),
        ("sword\nfish-1", "holds several lines"),
        ("s\0word\0fish-1", "holds a NUL"),
        (&"swordfish-1".repeat(2000), "22000 bytes long"),
    ] {
        fs::write(&path, token).unwrap();
        for [key, given, kept] in
            [["api.token", "token = \"swordfish-1\"", "token_file"], ["admin.token", "[broker]", "token_file"]]
        {
            let own = format!("{kept} = \"{}\"", path.display());
            let own = if key == "api.token" { own } else { format!("[admin]\n{own}\n[broker]") };
            let said = load_text(&seeded::GOOD.replace(given, &own), &[]).unwrap_err().to_string();
            assert!(
                said.contains(&format!("{key}_file: ")) && said.contains(words) && !said.contains("fish"),
                "{said}"
            );
        }
        if !token.contains('\0') {
            let said = load_text(seeded::GOOD, &[("CHAKRA_BRIDGE__ADMIN__TOKEN", token)]).unwrap_err().to_string();
            assert!(said.contains(words) && !said.contains("fish"), "{said}");
        }
    }
}

#[test]
fn a_secret_from_a_variable_wins_over_the_other_form_of_it_in_the_file() {
    let folder = TempDir::new().unwrap();
    let kept = folder.path().join("kept");
    fs::write(&kept, "of-a-file\n").unwrap();
    let kept = kept.to_str().unwrap();
    let login = |name: &str, value: &str| {
        let proxy = format!("[api]\nproxy = \"http://proxy:80\"\nproxy_user = \"me\"\nproxy_{name} = \"{value}\"");
        let text = seeded::GOOD.replace("password = \"hunter2-hunter2\"", &format!("{name} = \"{value}\""));
        text.replace("token = \"swordfish-1\"", &format!("{} = \"{value}\"", name.replace("password", "token")))
            .replace("[api]", &format!("[admin]\n{} = \"{value}\"\n{proxy}", name.replace("password", "token")))
    };
    let (given, file) = (login("password", "of-the-config"), login("password_file", "/nowhere/at-all"));
    for (text, end, value, is) in [(&file, "", "of-a-variable", "of-a-variable"), (&given, "_FILE", kept, "of-a-file")]
    {
        let names = ["BROKER__PASSWORD", "API__TOKEN", "API__PROXY_PASSWORD", "ADMIN__TOKEN"];
        let names = names.map(|name| format!("CHAKRA_BRIDGE__{name}{end}"));
        let variables: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), value)).collect();
        let config = load_text(text, &variables).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let proxy = &config.api.proxy_login.as_ref().unwrap().1;
        for secret in [&config.broker.password, &config.api.token, proxy, config.admin.token.as_ref().unwrap()] {
            assert_eq!(secret.read_now().unwrap().expose(), is);
        }
        assert!(load_text(text, &variables[1..]).is_err() || end == "_FILE", "the others are those of the file");
    }
    for (text, variables) in [
        (seeded::GOOD.to_owned(), vec![("CHAKRA_BRIDGE__API__TOKEN", "one"), ("CHAKRA_BRIDGE__API__TOKEN_FILE", kept)]),
        (seeded::GOOD.replace("[api]", &format!("[api]\ntoken_file = \"{kept}\"")), vec![]),
    ] {
        let said = load_text(&text, &variables).unwrap_err().to_string();
        assert!(said.contains("stands beside api.token, expected one of the two"), "{said}");
    }
}

#[test]
fn a_secret_in_a_file_that_others_may_read_is_warned_about() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bridge.toml");
    fs::write(&path, seeded::GOOD).unwrap();
    for (mode, count) in [(0o600, 0), (0o640, 0), (0o644, 2), (0o604, 2)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let (config, source) = config::load(&path, []).unwrap();
        let said = config.open_secrets(&source);
        assert_eq!(said.len(), count, "{mode:o}: {said:?}");
        let said = said.concat();
        assert!(count == 0 || (said.contains("api.token: ") && said.contains("chmod o=")), "{said}");
        assert!(seeded::SECRETS.iter().all(|secret| !said.contains(secret)), "{said}");
    }
    let elsewhere = ["BROKER__PASSWORD", "API__TOKEN"].map(|key| (format!("CHAKRA_BRIDGE__{key}"), "other".to_owned()));
    let (config, source) = config::load(&path, elsewhere).unwrap();
    assert_eq!(config.open_secrets(&source), Vec::<String>::new(), "the file is not asked");
}

#[test]
fn a_secret_in_the_query_of_a_url_is_not_repeated() {
    for (from, to) in [
        ("https://api.chakrahq.com", "https://api.chakrahq.com/?token=hunter2"),
        ("https://api.chakrahq.com", "https://api.chakrahq.com#hunter2"),
        ("https://api.chakrahq.com", "https://a:hunter2@api.chakrahq.com?key=hunter2@x"),
        ("[api]", "[api]\nproxy = 'http://proxy:80?hunter2'"),
        ("rabbit.internal/crm", "rabbit.internal/crm?password=hunter2"),
    ] {
        assert!(seeded::GOOD.contains(from), "{from}");
        let said = load_text(&seeded::GOOD.replace(from, to), &[]).unwrap_err().to_string();
        assert!(!said.contains("hunter2"), "{said}");
    }
}

/// Keys that constrain each other: each alone, at the ends of what it may be.
#[test]
fn a_default_never_contradicts_what_is_written() {
    let keys = [
        ("api", "timeout", ["2ms", "1s", "4s", "5s", "600s"]),
        ("api", "connect_timeout", ["1ms", "5s", "30s", "45s", "599s"]),
        ("lookup", "window", ["2ms", "10s", "20s", "44s", "24h"]),
        ("lookup", "lag", ["0s", "1ms", "15s", "30m", "1h"]),
        ("retry", "initial", ["1ms", "1s", "11m", "30m", "1h"]),
        ("retry", "max_interval", ["1ms", "100ms", "1s", "10m", "24h"]),
        ("retry", "max_local_delay", ["1ms", "1s", "10s", "1m", "10m"]),
        ("retry", "give_up_after", ["1ms", "1s", "1m", "24h", "720h"]),
        ("retry", "retry_after_max", ["1ms", "1s", "1m", "1h", "24h"]),
        ("gate", "probe_initial", ["1ms", "1s", "31s", "1m", "1h"]),
        ("gate", "probe_max", ["1ms", "1s", "30s", "1m", "1h"]),
        ("gate", "release_after", ["1ms", "1s", "30s", "1m", "24h"]),
        ("broker", "reconnect_initial", ["1ms", "1s", "31s", "1m", "1h"]),
        ("broker", "reconnect_max", ["1ms", "1s", "30s", "1m", "1h"]),
        ("broker", "heartbeat", ["1s", "10s", "60s", "61s", "300s"]),
        ("broker", "call_timeout", ["1ms", "1s", "10s", "1m", "300s"]),
        ("broker", "stall_timeout", ["1s", "5s", "30s", "1m", "1h"]),
        ("shutdown", "deadline", ["1ms", "1s", "25s", "1m", "1h"]),
    ];
    for (section, key, values) in keys {
        for value in values {
            let loaded = load_text(&with(&[(section, key, value)]), &[]);
            let config = loaded.unwrap_or_else(|mistakes| panic!("{section}.{key} = {value} alone: {mistakes}"));
            assert!(config.api.connect_timeout < config.api.timeout && !config.api.connect_timeout.is_zero());
            assert!(config.policy.lookup_window >= config.api.timeout);
            assert!(config.policy.initial <= config.policy.max_interval);
            assert!(config.gate.probe_initial <= config.gate.probe_max);
            assert!(config.broker.reconnect.0 <= config.broker.reconnect.1);
        }
    }
}

#[test]
fn two_keys_that_are_written_are_held_against_each_other() {
    for (one, other) in [
        (("api", "timeout", "4s"), ("api", "connect_timeout", "4s")),
        (("retry", "initial", "2s"), ("retry", "max_interval", "1s")),
        (("gate", "probe_initial", "2s"), ("gate", "probe_max", "1s")),
        (("broker", "reconnect_initial", "2s"), ("broker", "reconnect_max", "1s")),
        (("lookup", "window", "20s"), ("api", "timeout", "30s")),
        (("lookup", "window", "20s"), ("lookup", "lag", "20s")),
        (("lookup", "window", "5s"), ("api", "connect_timeout", "5s")),
        (("lookup", "window", "10s"), ("lookup", "lag", "20s")),
    ] {
        assert!(load_text(&with(&[one, other]), &[]).is_err(), "{one:?} {other:?}");
    }
    let config = load_text(&with(&[("lookup", "window", "20s"), ("api", "connect_timeout", "16s")]), &[]).unwrap();
    assert_eq!(config.api.timeout, Duration::from_secs(18));
    let config = load_text(&with(&[("lookup", "window", "25s"), ("lookup", "lag", "20s")]), &[]).unwrap();
    assert_eq!(config.api.timeout, Duration::from_secs(5));
}

fn with(written: &[(&str, &str, &str)]) -> String {
    let mut text = seeded::GOOD.to_owned();
    for (section, key, value) in written {
        let (header, line) = (format!("[{section}]\n"), format!("{key} = \"{value}\"\n"));
        text = match text.contains(&header) {
            true => text.replace(&header, &format!("{header}{line}")),
            false => format!("{header}{line}{text}"),
        };
    }
    text
}
