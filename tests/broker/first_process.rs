//! From a queue that exists to the first process, as a new user would: the file of the README, and the two commands of
//! `docs/queues.md`, word by word.
//!
//! Not here: other queues (`existing.rs`, `queues.rs`).

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use lapin::BasicProperties;
use tempfile::TempDir;
use tokio::process::Command;

use super::existing::{arguments_of_the_company, of_the_company};
use super::scene::Scene;
use crate::support::broker::shared;
use crate::support::daemon::{Daemon, says};
use crate::support::deadline::within;
use crate::support::standin::StandIn;

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
const QUEUES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/queues.md"));

/// The first block of this language behind a heading.
fn block<'a>(page: &'a str, heading: &str, language: &str) -> &'a str {
    let (_, behind) = page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let (_, block) = behind.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("no block in {heading}"));
    block.split_once("```").unwrap().0
}

/// The user's own file: the two blocks with the addresses, the queue and the secrets of this place.
fn put_file(folder: &Path, scene: &Scene) {
    let more = block(QUEUES, "From an existing queue to the first process", "toml");
    let mut text = format!("{more}{}", block(README, "Your own queue, in ten lines", "toml"));
    let mut url = reqwest::Url::parse(&scene.place.url).unwrap();
    let secret = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        std::fs::set_permissions(folder.join(name), Permissions::from_mode(0o600)).unwrap();
        folder.join(name).display().to_string()
    };
    let password = secret("password", url.password().unwrap());
    let token = secret("token", StandIn::TOKEN);
    url.set_password(None).unwrap();
    for (theirs, ours) in [
        ("amqps://bridge@rabbit.internal/crm", url.as_str()),
        ("/run/secrets/rabbitmq-password", &password),
        ("\"crm.events\"", &format!("\"{}\"", scene.queue())),
        ("https://api.chakrahq.com", &scene.api.url()),
        ("/run/secrets/chakra-token", &token),
    ] {
        assert!(text.contains(theirs), "{theirs} is not in:\n{text}");
        text = text.replace(theirs, ours);
    }
    std::fs::write(folder.join("chakra-bridge.toml"), text).unwrap();
}

/// One line of the block as a command, in the folder of the file.
fn command(line: &str, folder: &Path) -> Command {
    let (line, _) = line.split_once('#').unwrap_or((line, ""));
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("chakra-bridge"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
    command.args(words).current_dir(folder).env("CHAKRA_BRIDGE__ADMIN__LISTEN", "127.0.0.1:0");
    command.env_remove("RUST_LOG").env_remove("CHAKRA_BRIDGE_TOOLS");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_companys_classic_queue_to_the_first_process_it_takes_two_commands_and_no_connection_is_made_twice() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    within(60, "the company's queue", of_the_company(&scene)).await;
    let folder = TempDir::new().unwrap();
    put_file(folder.path(), &scene);
    let commands: Vec<_> = block(QUEUES, "From an existing queue to the first process", "sh").lines().collect();
    let [check, run] = commands[..] else { panic!("two commands, and not {commands:?}") };
    let asked = within(60, "its words", command(check, folder.path()).output()).await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&asked.stdout), String::from_utf8_lossy(&asked.stderr));
    assert!(asked.status.success() && said.contains("is a classic queue"), "{said}");
    assert!(said.contains("beyond it the broker drops the oldest events"), "{said}");
    assert!(!said.contains("names no dead-letter exchange"), "the company's own is one: {said}");
    let command = command(run, folder.path());
    let mut daemon = Daemon::start_by(command, folder);
    within(60, "consuming", daemon.consuming()).await;
    let properties = BasicProperties::default().with_message_id("first".into()).with_type("case.opened".into());
    scene.client.publish("", &scene.queue(), b"{}", properties.with_delivery_mode(2)).await;
    within(60, "the first process", scene.until_created(1)).await;
    assert_eq!(daemon.count(|line| says(line, "consuming")), 1);
    assert_eq!(daemon.count(|line| says(line, "broker lost")), 0);
    // Declared again as it was: it would be refused if it were made otherwise now.
    scene.client.declare_classic(&scene.queue(), arguments_of_the_company()).await;
}
