//! The files of `deploy/`, as far as they can be held without a cluster: the manifests against the schemas of Kubernetes, the
//! configurations against `check`, the unit against systemd, and what must agree between them.
//!
//! Not here: the image (`image.rs`), the broker (`rights.rs`) and compose (`compose.rs`). A test whose tool is missing says
//! that it is skipped; where `CHAKRA_BRIDGE_CI` is set, that is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

#[path = "deploy/alerts.rs"]
mod alerts;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use chakra_bridge::core::delay_queue::DELAY_QUEUES;
use chakra_bridge::metrics::Metrics;
use chakra_bridge::ready::load_with;
use serde_json::Value;

const CI: &str = "CHAKRA_BRIDGE_CI";
const BASE: &str = "deploy/kubernetes/base/chakra-bridge.toml";
const COMPOSE: &str = "deploy/compose/chakra-bridge.toml";
/// Of `systemd-analyze security`, in tenths: 0 is a unit that may do nothing, 100 one that may do everything.
const EXPOSURE_MAX: &str = "15";

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(path: &str) -> Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn toml(path: &str) -> toml::Table {
    text(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether a tool is there, by a call of it that changes nothing.
fn is_there(tool: &str, arguments: &[&str]) -> bool {
    let works = Command::new(tool).args(arguments).output().is_ok_and(|output| output.status.success());
    assert!(works || std::env::var_os(CI).is_none(), "no {tool} that works, and {CI} allows no skipping of its check");
    if !works {
        // Past the test runner, which keeps the words of tests that pass to itself.
        drop(writeln!(std::io::stderr(), "skipped: no {tool} that works ({})", arguments.join(" ")));
    }
    works
}

fn passes(done: Output) {
    let words = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success(), "{words}");
}

/// What stands behind `key`, whichever line it is on.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find(|line| line.trim_start().starts_with(key)).unwrap_or_else(|| panic!("no {key}"));
    line.trim_start()[key.len()..].trim()
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.trim_end_matches('s').parse().unwrap_or_else(|_| panic!("{text} is no number of seconds")))
}

#[test]
fn the_configurations_pass_check() {
    let folder = tempfile::tempdir().unwrap();
    for secret in ["rabbitmq-password", "chakra-token"] {
        fs::write(folder.path().join(secret), "a-secret").unwrap();
    }
    for (file, secrets) in [(BASE, "/run/secrets/chakra-bridge"), (COMPOSE, "/run/secrets")] {
        // The secrets are there, as in the cluster; the rest is as it is written.
        let here = text(file).replace(secrets, &folder.path().to_string_lossy());
        let config = folder.path().join("chakra-bridge.toml");
        fs::write(&config, here).unwrap();
        let mut check = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
        passes(check.arg("--config").arg(config).arg("check").output().unwrap());
    }
}

#[test]
fn each_grace_is_longer_than_the_drain() {
    let deadline = seconds(toml(BASE)["shutdown"]["deadline"].as_str().unwrap());
    let default = Duration::from_secs(25);
    let graces = [
        (value(&text("deploy/kubernetes/base/deployment.yaml"), "terminationGracePeriodSeconds:").to_owned(), deadline),
        (value(&text("deploy/compose.yaml"), "stop_grace_period:").to_owned(), default),
        (value(&text("deploy/chakra-bridge.service"), "TimeoutStopSec=").to_owned(), default),
    ];
    for (grace, drain) in graces {
        assert!(seconds(&grace) >= drain + Duration::from_secs(5), "{grace} is too short for a drain of {drain:?}");
    }
}

#[test]
fn in_a_container_the_probes_are_asked_from_outside_at_the_port_that_the_files_name() {
    let files =
        ["deploy/kubernetes/base/deployment.yaml", "deploy/kubernetes/base/networkpolicy.yaml", "deploy/Dockerfile"];
    assert!(files.iter().all(|file| text(file).contains("9464")));
    assert!(text("deploy/compose/prometheus.yml").contains("chakra-bridge:9464"));
    for file in [BASE, COMPOSE] {
        assert_eq!(toml(file)["admin"]["listen"].as_str(), Some("0.0.0.0:9464"), "{file}");
    }
}

#[test]
fn the_image_ends_as_nobody_without_a_base() {
    let dockerfile = text("deploy/Dockerfile");
    let last = &dockerfile[dockerfile.rfind("\nFROM ").unwrap() + 1..];
    assert!(last.starts_with("FROM scratch\n"), "{last}");
    assert_eq!(value(last, "USER "), "65532:65532");
    let pod = text("deploy/kubernetes/base/deployment.yaml");
    assert_eq!([value(&pod, "runAsUser:"), value(&pod, "fsGroup:")], ["65532", "65532"]);
}

#[test]
fn the_stand_in_of_compose_is_compiled_from_the_crates_that_the_tests_have() {
    let crates = |lock: &str| -> BTreeSet<String> {
        let packages = toml(lock)["package"].as_array().unwrap().clone();
        packages.iter().map(|package| format!("{} {}", package["name"], package["version"])).collect()
    };
    let [here, of_compose] = ["Cargo.lock", "deploy/stand-in/Cargo.lock"].map(crates);
    let other: Vec<_> = of_compose.difference(&here).filter(|name| !name.contains("chakra-bridge")).collect();
    assert!(other.is_empty(), "copy Cargo.lock to deploy/stand-in and run `cargo metadata` there: {other:?}");
}

#[test]
fn the_queues_of_the_broker_are_those_that_the_daemon_lookups_for() {
    let configured: BTreeSet<String> =
        [BASE, COMPOSE].map(|file| toml(file)["broker"]["queue"].as_str().unwrap().to_owned()).into();
    let queue = configured.first().filter(|_| configured.len() == 1).expect("one queue in all files");
    let waits = DELAY_QUEUES.map(|delay_queue| format!("{queue}.wait.{}", delay_queue.label));
    let wanted: BTreeSet<String> = [queue.clone(), format!("{queue}.dead")].into_iter().chain(waits).collect();
    let definitions = json("deploy/rabbitmq/definitions.json");
    let made = definitions["queues"].as_array().unwrap();
    let names: BTreeSet<String> = made.iter().map(|queue| queue["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, wanted);
    for delay_queue in DELAY_QUEUES {
        let name = format!("{queue}.wait.{}", delay_queue.label);
        let wait = made.iter().find(|queue| queue["name"] == name).unwrap();
        assert_eq!(u128::from(wait["arguments"]["x-message-ttl"].as_u64().unwrap()), delay_queue.wait.as_millis());
    }
}

#[test]
fn no_user_of_the_broker_has_a_password_in_the_files_and_the_daemon_may_configure_nothing() {
    let users = json("deploy/rabbitmq/users.json");
    for user in users["users"].as_array().unwrap() {
        assert_eq!(user["password_hash"], "", "{}", user["name"]);
        assert_ne!(user["tags"], "administrator", "{}", user["name"]);
    }
    let permissions = users["permissions"].as_array().unwrap();
    let daemon = permissions.iter().find(|permission| permission["user"] == "chakra-bridge").unwrap();
    assert_eq!(daemon["configure"], "^$");
    assert!(permissions.iter().all(|permission| permission["read"] != ".*"));
}

fn held(folder: &Path) -> Output {
    Command::new("python3").arg(root("tests/deploy/manifests.py")).arg(folder).output().unwrap()
}

#[test]
fn the_manifests_fit_the_schemas_of_kubernetes() {
    if is_there("python3", &["-c", "import kubernetes_validate"]) {
        passes(held(&root("deploy/kubernetes")));
    }
}

/// Each of these is what somebody could write: a word that no schema has, a pod that may be root, a file that is left out.
#[test]
fn a_manifest_that_is_wrong_is_found() {
    if !is_there("python3", &["-c", "import kubernetes_validate"]) {
        return;
    }
    let wrong = [
        ("base/deployment.yaml", "minReadySeconds:", "minReadySecond:", "minReadySecond"),
        ("base/deployment.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "may run as root"),
        ("base/kustomization.yaml", "  - networkpolicy.yaml\n", "", "networkpolicy.yaml"),
        ("base/pdb.yaml", "name: chakra-bridge\n  #", "name: another\n  #", "PodDisruptionBudget selects"),
        ("overlays/autoscaling/scaledobject.yaml", "protocol: http", "protocol: amqp", "amqp does not see"),
        (
            "overlays/autoscaling/scaledobject.yaml",
            "replicas * 200 : backlog",
            "backlog : replicas * 200",
            "asks for 5.0 replicas, not for 3",
        ),
    ];
    for (file, is, becomes, found) in wrong {
        let folder = tempfile::tempdir().unwrap();
        let copied = Command::new("cp").arg("-R").arg(root("deploy/kubernetes/.")).arg(folder.path()).status().unwrap();
        assert!(copied.success());
        let path = folder.path().join(file);
        let written = fs::read_to_string(&path).unwrap();
        assert!(written.contains(is), "{file} has no {is}");
        fs::write(&path, written.replacen(is, becomes, 1)).unwrap();
        let held = held(folder.path());
        let words = String::from_utf8_lossy(&held.stdout).into_owned();
        assert!(!held.status.success() && words.contains(found), "{file}: {words}");
    }
}

/// KEDA would take a metric that nobody writes for a gate that was never shut.
#[test]
fn the_metrics_that_are_asked_for_are_there() {
    let metrics = Metrics::new();
    metrics.gates([("everything", "paused")]);
    let metrics = metrics.text();
    let asked = text("deploy/kubernetes/overlays/autoscaling/scaledobject.yaml");
    let names: BTreeSet<&str> = asked
        .match_indices("chakra_bridge_")
        .map(|(at, _)| asked[at..].split(['{', ' ', ')']).next().unwrap())
        .collect();
    assert_eq!(names.len(), 2);
    for name in names {
        assert!(metrics.lines().any(|line| line.starts_with(name)), "{name} is none of: {metrics}");
    }
}

#[test]
fn the_unit_is_one_that_systemd_takes_and_may_do_little() {
    if !is_there("systemd-analyze", &["--version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("chakra-bridge.service");
    // systemd asks whether the program is there, and here it is not installed.
    let written = text("deploy/chakra-bridge.service");
    let program = value(&written, "ExecStart=").split(' ').next().unwrap().to_owned();
    fs::write(&unit, written.replace(&program, "/bin/true")).unwrap();
    let verified = Command::new("systemd-analyze").arg("verify").arg(&unit).output().unwrap();
    let words = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(!words.contains("chakra-bridge.service"), "{words}");
    passes(verified);
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    let mut exposure = Command::new("systemd-analyze");
    passes(exposure.args(["security", "--offline=true", "--no-pager", &threshold]).arg(&unit).output().unwrap());
}

fn mebibytes(limit: &str) -> u64 {
    limit.trim_end_matches(char::is_alphabetic).parse().unwrap_or_else(|_| panic!("{limit} is no number of MiB"))
}

/// What the formula gives, rounded up.
#[test]
fn each_memory_limit_is_what_the_configuration_beside_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("chakra-token"), "a-secret").unwrap();
    fs::write(folder.path().join("rabbitmq-password"), "a-secret").unwrap();
    let needed = |file: &str, secrets: &str| {
        let config = folder.path().join("chakra-bridge.toml");
        fs::write(&config, text(file).replace(secrets, &folder.path().to_string_lossy())).unwrap();
        load_with(&config, []).unwrap_or_else(|mistakes| panic!("{mistakes}")).memory().total
    };
    let (pod, unit) = (text("deploy/kubernetes/base/deployment.yaml"), text("deploy/chakra-bridge.service"));
    let limits = pod[pod.find("limits:").unwrap()..].to_owned();
    let table = [
        (needed(BASE, "/run/secrets/chakra-bridge"), value(&limits, "memory:").to_owned()),
        (needed(COMPOSE, "/run/secrets"), value(&text("deploy/compose.yaml"), "mem_limit:").to_owned()),
        (needed("config/minimal.toml", "/run/secrets"), value(&unit, "MemoryMax=").to_owned()),
    ];
    for (needed, limit) in table {
        let step = 64 << 20;
        assert_eq!(
            needed.div_ceil(step) * step,
            mebibytes(&limit) << 20,
            "{needed} bytes are needed, {limit} is the limit"
        );
    }
    let conf = text("deploy/compose/rabbitmq.conf");
    let sizes = [BASE, COMPOSE].map(|file| toml(file)["event"]["max_size"].as_str().unwrap().to_owned());
    let largest = value(&conf, "max_message_size =").parse::<u64>().unwrap();
    assert_eq!(sizes, ["256KiB", "256KiB"]);
    assert_eq!(largest, 256 << 10, "what the broker lets through is what the daemon takes");
}
