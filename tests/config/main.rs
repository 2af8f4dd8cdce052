//! The configuration as its writers meet it: the shipped files load, the complete example is complete, and every
//! mistake is reported, with its place, in words that hold no secret.
//!
//! Not here: what expressions mean.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chakra_bridge::config::{self, Config, Known, Mistakes};
use chakra_bridge::core::bounds::Bounds;
use chakra_bridge::core::mapping::written::Written;
use tempfile::TempDir;

mod files;
mod schema;
mod seeded;
mod surroundings;

const SHIPPED: [&str; 15] = [
    "chakra-bridge.toml",
    "minimal.toml",
    "mappings/lead.toml",
    "mappings/ticket.toml",
    "mappings/fieldvisit.toml",
    "mappings/inspection.toml",
    "mappings/order.toml",
    "mappings/cancellation.toml",
    "mappings/shopify.toml",
    "mappings/stripe.toml",
    "mappings/github.toml",
    "mappings/zendesk.toml",
    "mappings/debezium.toml",
    "mappings/masstransit.toml",
    "mappings/sns.toml",
];

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

/// A folder with a secret in it, and the variables that lead there.
fn secrets() -> (TempDir, Vec<(String, String)>) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, "swordfish\n").unwrap();
    let path = file.display().to_string();
    let names = ["CHAKRA_BRIDGE__BROKER__PASSWORD_FILE", "CHAKRA_BRIDGE__API__TOKEN_FILE"];
    (folder, names.map(|name| (name.to_owned(), path.clone())).to_vec())
}

fn load(name: &str) -> Result<Config, Box<Mistakes>> {
    let (_folder, variables) = secrets();
    config::load(&shipped(name), variables).map(|(config, _)| config)
}

/// Loads a text with these variables.
fn load_text(text: &str, variables: &[(&str, &str)]) -> Result<Config, Box<Mistakes>> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bridge.toml");
    fs::write(&path, text).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    config::load(&path, variables).map(|(config, _)| config)
}

/// `section.name` of every key in a file, those that are commented out as `#key` included, with what they are set to.
fn written_keys(text: &str) -> Vec<(String, String)> {
    let (mut section, mut keys) = (String::new(), Vec::new());
    for line in text.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
            keys.extend(section.strip_prefix("rule.").map(|inner| (section_key("rule", inner), String::new())));
        } else if let Some((name, value)) = key_line(line).filter(|_| !section.starts_with("rule.")) {
            keys.push((section_key(&section, name), value.trim_matches('"').to_owned()));
        }
    }
    keys
}

fn section_key(section: &str, name: &str) -> String {
    format!("{section}.{}", name.split('.').next().unwrap())
}

fn key_line(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix('#').unwrap_or(line).split_once(" = ")?;
    name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_').then_some((name, value))
}

#[test]
fn every_shipped_file_loads_without_a_mistake() {
    for name in SHIPPED {
        let loaded = load(name);
        assert!(loaded.is_ok(), "{}", loaded.unwrap_err());
        assert_eq!(loaded.unwrap().warnings(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_complete_example_holds_exactly_the_known_keys() {
    let written = written_keys(&fs::read_to_string(shipped("chakra-bridge.toml")).unwrap());
    let written: BTreeSet<String> = written.into_iter().map(|(key, _)| key).collect();
    let known = config::known_keys();
    let known: BTreeSet<String> = known.iter().map(|Known { section, name, .. }| format!("{section}.{name}")).collect();
    assert!(known.len() > 40, "{known:?}");
    assert_eq!(written, known);
}

#[test]
fn the_complete_example_shows_every_default() {
    let written = written_keys(&fs::read_to_string(shipped("chakra-bridge.toml")).unwrap());
    for Known { section, name, default, .. } in config::known_keys() {
        let Some(default) = default else { continue };
        let values: Vec<&str> = written
            .iter()
            .filter(|(key, _)| *key == format!("{section}.{name}"))
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(values, [default], "{section}.{name}");
    }
}

#[test]
fn a_missing_key_means_its_default() {
    let (complete, minimal) = (load("chakra-bridge.toml").unwrap(), load("minimal.toml").unwrap());
    assert_eq!(complete.policy, minimal.policy);
    assert_eq!(complete.gate, minimal.gate);
    assert_eq!(complete.log, minimal.log);
    assert_eq!(complete.bounds, Bounds::DEFAULT);
    assert_eq!(minimal.bounds, Bounds::DEFAULT);
    assert_eq!(minimal.broker.dead_letter_queue, "crm.events.dead");
    assert_eq!(minimal.policy.give_up_after, Duration::from_secs(86_400));
}

#[test]
fn a_variable_wins_over_the_file_and_other_programs_variables_are_left_alone() {
    let file = format!("{}\n[retry]\ninitial = \"1s\"\nmultiplier = 3", seeded::GOOD);
    let config = load_text(
        &file,
        &[
            ("CHAKRA_BRIDGE__RETRY__INITIAL", "250ms"),
            ("CHAKRA_BRIDGE__BROKER__PREFETCH", "7"),
            ("CHAKRA_BRIDGE__LOG__LEVEL", "debug"),
            ("CHAKRA_BRIDGE_SERVICE_HOST", "10.0.0.1"),
            ("PATH", "/bin"),
        ],
    );
    let config = config.unwrap();
    assert_eq!(config.policy.initial, Duration::from_millis(250));
    assert!((config.policy.multiplier - 3.0).abs() < f64::EPSILON);
    assert_eq!(config.broker.prefetch, 7);
    assert_eq!(config.log.level.to_string(), "debug");
}

#[test]
fn attributes_keep_their_case_their_order_and_their_place() {
    let text = format!("{}Zeta = 1\nalpha = [true, 2.5]\nnextAt.deep = \"x\"\n", seeded::GOOD);
    let rule = load_text(&text, &[]).unwrap().rules[0].clone();
    let Written::Table(pairs) = rule.data.unwrap().value else { panic!("data is a table") };
    let names: Vec<&str> = pairs.iter().map(|(key, _)| key.value.as_str()).collect();
    assert_eq!(names, ["email", "Zeta", "alpha", "nextAt"]);
    assert_eq!(&text[pairs[0].1.span.clone()], "\"{{ event.data.email }}\"");
    assert_eq!(&text[rule.name.span], "\"lead\"");
}

#[test]
fn plain_text_across_the_network_is_allowed_with_a_warning() {
    let remote = seeded::GOOD.replace("amqps://", "amqp://").replace("https://", "http://");
    assert_eq!(load_text(&remote, &[]).unwrap().warnings().len(), 2);
    let local = remote.replace("rabbit.internal", "127.0.0.1").replace("api.chakrahq.com", "localhost:8080");
    assert_eq!(load_text(&local, &[]).unwrap().warnings().len(), 0);
}

#[test]
fn mistakes_found_later_print_in_the_same_list() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bridge.toml");
    fs::write(&path, seeded::GOOD.replace("[broker]", "[broker]\nprefetch = 0")).unwrap();
    let mut reading = config::read(&path, []);
    let when = reading.rules[0].procedure.clone().unwrap();
    reading.mistakes.push(chakra_bridge::core::mistake::Mistake {
        span: Some(when.span),
        key: "rule \"lead\".procedure".to_owned(),
        what: "has no such filter".to_owned(),
        expected: "trim".to_owned(),
    });
    let printed = reading.finish().unwrap_err().to_string();
    assert!(printed.contains("bridge.toml:2: broker.prefetch:"), "{printed}");
    assert!(printed.ends_with("procedure = \"lead\"\n     |             ^^^^^^"), "{printed}");
}

#[test]
fn a_file_that_is_not_there_or_no_text_is_one_mistake() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bridge.toml");
    let printed = |path: &Path| config::load(path, []).unwrap_err().to_string().replace(path.to_str().unwrap(), "F");
    let words = "F: cannot be read: No such file or directory (os error 2), expected a configuration file";
    assert_eq!(printed(&path), words);
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert_eq!(printed(&path), "F: cannot be read: stream did not contain valid UTF-8, expected a configuration file");
}

#[tokio::test]
async fn a_secret_is_read_anew_at_each_use_and_without_its_line_end() {
    let (folder, variables) = secrets();
    let (config, _) = config::load(&shipped("minimal.toml"), variables).unwrap();
    for secret in ["swordfish", "changed"] {
        fs::write(folder.path().join("secret"), format!("{secret}\r\n")).unwrap();
        let read = tokio::time::timeout(Duration::from_secs(5), config.api.token.read()).await.unwrap();
        assert_eq!(read.unwrap().expose(), secret);
    }
}

#[test]
fn a_configuration_prints_without_its_secrets() {
    let config = load_text(seeded::GOOD, &[]).unwrap();
    let printed = format!("{config:?}");
    for secret in seeded::SECRETS {
        assert!(seeded::GOOD.contains(secret) && !printed.contains(secret));
    }
}

#[test]
fn colour_is_printed_only_when_told() {
    let mistakes = load_text("[broker", &[]).unwrap_err();
    assert!(!mistakes.render(false).contains('\x1b'));
    assert!(mistakes.render(true).contains('\x1b'));
}

#[test]
fn the_addresses_of_a_cluster_are_that_of_the_url_and_the_further_ones_each_once() {
    let read = |hosts: &str, variables: &[(&str, &str)]| {
        let config = load_text(&seeded::GOOD.replace("[broker]", &format!("[broker]\n{hosts}")), variables);
        config.map(|config| config.broker.addresses.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let one = read("", &[]).unwrap();
    assert_eq!(one.len(), 1);
    let hosts = format!("hosts = [\"B\", \"c:5000\", \"b\", \"[fd00::2]\", \"fd00::3\", \"{}\"]", one[0]);
    let port = one[0].rsplit_once(':').unwrap().1;
    let all = [
        one[0].clone(),
        format!("b:{port}"),
        "c:5000".into(),
        format!("[fd00::2]:{port}"),
        format!("[fd00::3]:{port}"),
    ];
    assert_eq!(read(&hosts, &[]).unwrap(), all);
    let variable = [("CHAKRA_BRIDGE__BROKER__HOSTS", "b, c:5000")];
    assert_eq!(read("", &variable).unwrap(), all[..3]);
    for (hosts, said) in [
        ("\"b,c\"", "is text"),
        ("[\"amqps://b\"]", "holds more than hosts"),
        ("[\"me:hunter2@b\"]", "holds more than hosts"),
        ("[\"b:x\"]", "is no address"),
        ("[\"0.0.0.0\"]", "nobody can be reached"),
        ("[1]", "no whole IPv4 address"),
    ] {
        let words = read(&format!("hosts = {hosts}"), &[]).unwrap_err().to_string();
        assert!(words.contains("broker.hosts: ") && words.contains(said), "{hosts}: {words}");
    }
}

#[test]
fn statuses_that_mean_nothing_was_done_are_a_list_of_those_that_leave_a_doubt() {
    let read = |api: &str, variables: &[(&str, &str)]| {
        let config = load_text(&seeded::GOOD.replace("[api]", &format!("[api]\n{api}")), variables);
        config.map(|config| config.policy.not_processed)
    };
    assert!(!read("", &[]).unwrap().has(503), "none is known by itself");
    let known = read("not_processed = [503, 408]", &[]).unwrap();
    assert!(known.has(503) && known.has(408) && !known.has(500));
    assert!(read("", &[("CHAKRA_BRIDGE__API__NOT_PROCESSED", "502, 503")]).unwrap().has(502));
    for (list, said) in [
        ("503", "is a number"),
        ("[200]", "names 200"),
        ("[404]", "names 404"),
        ("[501]", "names 501"),
        ("[\"5xx\"]", "names 5xx"),
        ("[503.5]", "is a list"),
    ] {
        let words = read(&format!("not_processed = {list}"), &[]).unwrap_err().to_string();
        assert!(words.contains("api.not_processed: ") && words.contains(said), "{list}: {words}");
    }
}
