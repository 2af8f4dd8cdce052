//! The daemon on a broker that `deploy/rabbitmq/setup.sh` has prepared, with exactly the rights that its files give: on
//! RabbitMQ 3.10, 4.0 and 4.3 it delays, looks and dead-letters, and may do nothing else. And its password is changed while it
//! runs.
//!
//! Not here: what becomes of events without such rights (`broker/topology.rs`). Without a Docker engine the tests say that
//! they are skipped; where `CHAKRA_BRIDGE_CI` is set, that is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::BasicGetOptions;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use support::broker::{Broker, Client};
use support::daemon::{Daemon, Setup, result, says};
use support::deadline::within;
use support::setup::LOOKED_UP;
use support::standin::{Canned, Fault, Rule, StandIn};

const VHOST: &str = "crm";
const QUEUE: &str = "crm.events";
const DEAD: &str = "crm.events.dead";
const DAEMON: &str = "chakra-bridge";
const OPERATOR: &str = "chakra-bridge-operator";
const PUBLISHER: &str = "domain-events";
const SCALER: &str = "chakra-bridge-scaler";
const EVENTS: usize = 40;
const START: u64 = 300;

const SECTIONS: &str = r#"
[lookup]
lag = "1s"
[retry]
initial = "10ms"
max_local_delay = "1s"
"#;

/// Runs the script that a person runs, against that broker.
async fn set_up(broker: &Broker, password: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/rabbitmq/setup.sh");
    let mut command = tokio::process::Command::new(script);
    command.arg(broker.management_url()).env("RABBITMQ_ADMIN", "guest:guest").kill_on_drop(true);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).await.unwrap();
    let done = within(180, "the script", child.wait_with_output()).await.unwrap();
    assert!(done.status.success(), "{done:?}");
}

fn setup(broker: &Broker, user: &str, password: &str, api: &StandIn) -> Setup {
    Setup::new(&broker.url_as(user, password, VHOST), QUEUE, &api.url(), StandIn::TOKEN)
        .sections(SECTIONS)
        .sections(LOOKED_UP)
}

/// Twice, with another password: what is run again breaks nothing, and a new password is all that it changes.
async fn prepared(image: &str) -> Option<Broker> {
    let broker = within(START, image, Broker::image(image)).await?;
    // Made by hand, and without a right: who is there already gets those of the files.
    within(180, "a user", broker.ctl(&["add_user", DAEMON, "by-hand"])).await;
    for password in ["one", "two"] {
        set_up(&broker, password).await;
        // Given to others between the two, and not taken away by the second.
        for other in [OPERATOR, PUBLISHER, SCALER] {
            if password == "one" {
                within(180, "a password", broker.ctl(&["change_password", other, "of-another"])).await;
            }
        }
    }
    within(180, "rights", broker.ctl(&["set_permissions", "-p", VHOST, "guest", ".*", ".*", ".*"])).await;
    Some(broker)
}

async fn publish(broker: &Broker, numbers: std::ops::Range<usize>) {
    let publisher = Client::connect(&broker.url_as(PUBLISHER, "of-another", VHOST)).await;
    for number in numbers {
        let properties = BasicProperties::default().with_message_id(format!("e{number}").into());
        publisher.publish(PUBLISHER, "lead.created", b"{}", properties).await;
    }
}

/// A result of every kind: some wait in a delay queue, one is looked up, one is refused.
fn plan(api: &StandIn) {
    let of = |number: usize, fault: Fault| Rule::always(fault).attribute("event_key", format!("e{number}"));
    let mut rules = vec![of(7, Canned::new(422).into()), of(8, Fault::CreateThenReset).times(1)];
    rules.extend((20..30).map(|number| of(number, Canned::new(423).retry_after("3").into()).times(1)));
    api.plan(rules);
}

async fn with_these_rights_alone(image: &str) {
    let Some(broker) = prepared(image).await else { return };
    let api = StandIn::start().await;
    plan(&api);
    within(60, "publishing", publish(&broker, 0..EVENTS)).await;
    let (mut daemon, password) = started(&setup(&broker, DAEMON, "two", &api));
    let ended = daemon.until_count(EVENTS - 1, |line| result(line, "created") || result(line, "found"));
    within(120, "all but one a process", ended).await;
    let admin = Client::connect(&broker.url_as("guest", "guest", VHOST)).await;
    admin.until_depth(DEAD, 1, Duration::from_secs(60)).await;
    complains_of_no_right(&daemon.log());
    is_read_again(&broker, &mut daemon, &password).await;
    let admin = Client::connect(&broker.url_as("guest", "guest", VHOST)).await;
    daemon.signal("TERM");
    let (code, log) = within(60, "its end", daemon.ended()).await;
    assert_eq!(code, Some(0));
    admin.until_empty(QUEUE, Duration::from_secs(60)).await;
    assert_eq!(log.iter().filter(|line| result(line, "delayed")).count(), 10);
    assert!(
        api.requests().iter().any(|request| request.path.ends_with("/list") && request.key.as_deref() == Some("e8"))
    );
    within(60, "what it may not", may_not_read_dead_letters(&broker)).await;
    within(60, "the counts", may_count_and_no_more(&broker)).await;
    finds_nothing_to_say(&broker, &api);
}

/// A daemon whose password lies in a file, and that file.
fn started(setup: &Setup) -> (Daemon, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let [config, password] = ["config.toml", "password"].map(|name| folder.path().join(name));
    let kept = format!("password_file = \"{}\"", password.display());
    std::fs::write(&config, setup.toml().replace("password = \"two\"", &kept)).unwrap();
    std::fs::write(&password, "two\n").unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
    command.arg("--config").arg(&config).env_remove("RUST_LOG");
    (Daemon::start_by(command, folder), password)
}

/// The broker gets the new password first, as it goes: until the file has it too, the daemon is refused, says so, and tries
/// again.
async fn is_read_again(broker: &Broker, daemon: &mut Daemon, password: &Path) {
    within(180, "another password", broker.ctl(&["change_password", DAEMON, "three"])).await;
    broker.close_all_connections().await;
    within(120, "that it is refused", daemon.until(|line| says(line, "check the user's password"))).await;
    std::fs::write(password, "three\n").unwrap();
    within(60, "publishing", publish(broker, EVENTS..EVENTS + 1)).await;
    let created = daemon.until_count(EVENTS, |line| result(line, "created") || result(line, "found"));
    within(120, "the next event a process", created).await;
}

fn complains_of_no_right(log: &[Value]) {
    let is_loud = |line: &Value| matches!(line["level"].as_str(), Some("WARN" | "ERROR"));
    let of_rights = ["refused", "access", "wait in memory only", "queue warning", "missing"];
    let complaints: Vec<_> =
        log.iter().filter(|line| is_loud(line) && of_rights.iter().any(|word| says(line, word))).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(log.iter().any(|line| says(line, "does not let this user see")), "that it cannot ask is said");
    // Otherwise a queue that is missing would not be noticed.
    assert!(
        !log.iter().any(|line| says(line, "does not let this user look for")),
        "it may look whether a queue is there"
    );
}

async fn may_not_read_dead_letters(broker: &Broker) {
    let daemon = Client::connect(&broker.url_as(DAEMON, "three", VHOST)).await;
    let channel = daemon.connection().create_channel().await.unwrap();
    let taken = channel.basic_get(DEAD.into(), BasicGetOptions::default()).await;
    assert!(taken.is_err_and(|error| error.to_string().contains("ACCESS_REFUSED")));
}

/// KEDA's user sees the queue with its policy, and may not take an event out of it.
async fn may_count_and_no_more(broker: &Broker) {
    let url = format!("{}/api/queues/{VHOST}/{QUEUE}", broker.management_url());
    let asked = reqwest::Client::new().get(url).basic_auth(SCALER, Some("of-another")).send().await.unwrap();
    let queue: Value = serde_json::from_slice(&asked.error_for_status().unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(queue["effective_policy_definition"]["delivery-limit"], 100, "the policy is in force: {queue}");
    let scaler = Client::connect(&broker.url_as(SCALER, "of-another", VHOST)).await;
    let channel = scaler.connection().create_channel().await.unwrap();
    let taken = channel.basic_get(QUEUE.into(), BasicGetOptions::default()).await;
    assert!(taken.is_err_and(|error| error.to_string().contains("ACCESS_REFUSED")));
}

/// The operator, who may see how queues are made, finds them as they should be.
fn finds_nothing_to_say(broker: &Broker, api: &StandIn) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, setup(broker, OPERATOR, "of-another", api).toml()).unwrap();
    // It holds secrets: what everybody may open is warned about.
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
    let said = check.arg("--config").arg(&config).args(["check", "--online"]).output().unwrap();
    let words = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(said.status.success(), "{words}");
    // A broker in a container is reached over a network, and these brokers speak no TLS (`tls.rs`): that much is said.
    // And this API has no Fetch Config.
    let of_others = ["warning: broker.url is amqp:", "warning: procedures and attributes were not compared"];
    let is_of_others = |line: &str| of_others.iter().any(|known| line.starts_with(known));
    let warns = words.lines().any(|line| line.contains("warning") && !is_of_others(line));
    assert!(!warns, "{words}");
    for bad in ["could drop", "queue warning", "has no dead-letter"] {
        assert!(!words.contains(bad), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_of_the_files_are_enough_on_rabbitmq_3_10() {
    within(600, "the rights", Box::pin(with_these_rights_alone("rabbitmq:3-management"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_of_the_files_are_enough_on_rabbitmq_4_0() {
    within(600, "the rights", Box::pin(with_these_rights_alone("rabbitmq:4.0-management"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_of_the_files_are_enough_on_rabbitmq_4_3() {
    within(600, "the rights", Box::pin(with_these_rights_alone("rabbitmq:4-management"))).await;
}
