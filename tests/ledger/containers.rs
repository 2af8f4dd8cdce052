//! A Postgres in a container: of the public image if it is here, otherwise of one that is built from Debian's package. Without a Docker
//! engine the test says that it is skipped; where `CHAKRA_BRIDGE_CI` is set, that is a failure.
//!
//! Not here: what each fault of a server leads to (`faults`, `wire`).

use std::process::Stdio;
use std::time::Duration;

use chakra_bridge::core::ledger::Claimed;
use chakra_bridge::ledger::{Config, Place, Server, Tls};
use chakra_bridge::secret::{Secret, SecretSource};
use futures_util::future::join_all;
use testcontainers::core::IntoContainerPort as _;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::stage::{Run, claim, config, create, process};
use crate::support::broker::keeper::Keeper;
use crate::support::broker::{eventually, free_ports};
use crate::support::deadline::within;

const SCRIPT: &str = include_str!("../support/broker/container.sh");
const DOCKERFILE: &str = include_str!("postgres.Dockerfile");
/// In this order; the last one is built here.
const IMAGES: [&str; 4] = ["postgres:18", "postgres:17", "postgres:16", "chakra-bridge-postgres:bookworm"];
/// To install a server takes its time.
const BUILD: u64 = 600;
const START: Duration = Duration::from_secs(120);

/// Whether the engine says yes to this.
async fn says_yes(words: &[&str]) -> bool {
    let mut asked = Command::new("docker");
    asked.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().await.is_ok_and(|status| status.success())
}

/// An image of Postgres that is here, in the end.
async fn image() -> &'static str {
    for image in IMAGES {
        if says_yes(&["image", "inspect", image]).await {
            return image;
        }
    }
    let own = IMAGES[IMAGES.len() - 1];
    let mut command = Command::new("docker");
    command.args(["build", "--quiet", "--tag", own, "-"]).stdin(Stdio::piped()).kill_on_drop(true);
    let mut built = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the docker command");
    let mut into = built.stdin.take().unwrap();
    into.write_all(DOCKERFILE.as_bytes()).await.unwrap();
    drop(into);
    let built = built.wait_with_output().await.unwrap();
    assert!(built.status.success(), "the image does not build: {}", String::from_utf8_lossy(&built.stderr));
    own
}

/// A server in a container that is removed whatever becomes of this process.
async fn started(image: &str) -> (Keeper, ContainerAsync<GenericImage>, Config) {
    let [port] = free_ports();
    let (name, password) =
        (format!("chakra-bridge-tests-{:016x}", fastrand::u64(..)), format!("{:032x}", fastrand::u128(..)));
    let keeper = Keeper::start(SCRIPT, std::slice::from_ref(&name), None);
    let (image, tag) = image.split_once(':').unwrap();
    let request = GenericImage::new(image, tag).with_container_name(name).with_mapped_port(port, 5432.tcp());
    let container = request.with_env_var("POSTGRES_PASSWORD", &password).start().await.unwrap();
    let server = Server {
        host: container.get_host().await.unwrap().to_string(),
        port,
        user: "postgres".to_owned(),
        database: "postgres".to_owned(),
        password: Some(SecretSource::Given(Secret::new(password))),
        tls: Tls::Disable,
        authorities: None,
    };
    (keeper, container, config(Place::Postgres(server)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_a_container_keeps_what_was_committed_over_its_death() {
    if !says_yes(&["version"]).await {
        assert!(
            std::env::var_os("CHAKRA_BRIDGE_CI").is_none(),
            "no Docker engine, and CHAKRA_BRIDGE_CI allows no skipping"
        );
        return eprintln!("skipped: no Docker engine answers");
    }
    let image = within(BUILD, "an image of Postgres", image()).await;
    println!("{image}");
    let (_keeper, container, of) = within(120, "a container", started(image)).await;
    let run = Run::begin(of);
    eventually(START, "it answers", || async { run.status().trouble().is_none() && run.status().is_ready() }).await;
    let keys: Vec<String> = (0..200).map(|number| format!("e{number}")).collect();
    within(60, "its rows", join_all(keys.iter().map(|key| create(&run, key, key)))).await;
    assert_eq!(run.status().degraded, None);
    within(60, "its death", container.stop_with_timeout(Some(0))).await.unwrap();
    assert_eq!(run.ledger.claim(claim("meanwhile")).await, Claimed::Away);
    within(60, "its start", container.start()).await.unwrap();
    run.resumes("after").await;
    for known in join_all(keys.iter().map(|key| process(&run, key))).await.into_iter().zip(&keys) {
        assert_eq!(known.0.as_ref(), Some(known.1));
    }
    run.end().await;
}
