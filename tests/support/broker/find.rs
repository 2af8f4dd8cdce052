//! Which broker the tests get: one that is named, one that is installed, one from Docker, in this order.
//!
//! Not here: installing one; `make test` does that before (`tests/support/ready.sh`).

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Once;

use futures_util::future::join_all;

use super::container::Container;
use super::node::{self, Node};
use super::secured::Tls;
use super::{Address, Broker, Place};

const AMQP: &str = "CHAKRA_BRIDGE_TEST_AMQP";
const MANAGEMENT: &str = "CHAKRA_BRIDGE_TEST_MANAGEMENT";
const IMAGE: &str = "CHAKRA_BRIDGE_TEST_IMAGE";
/// Set by `.ci/run`, where nothing may be left out.
const CI: &str = "CHAKRA_BRIDGE_CI";
const DEFAULT_IMAGE: &str = "rabbitmq:3-management";
/// Nodes of a cluster: one may die.
const CLUSTER: usize = 3;
static TOLD: Once = Once::new();

/// A broker from where there is one, or the test fails and says what is missing.
pub(super) async fn any() -> Broker {
    let Some(amqp) = variable(AMQP) else { return private().await };
    let address = Address::named(&amqp, variable(MANAGEMENT).as_deref());
    assert!(address.answers().await, "the broker that {AMQP} and {MANAGEMENT} name does not answer");
    told(Place::Named(address), &format!("the one that {AMQP} names")).await
}

/// The same, but one that may be broken: never the one that is named.
pub(super) async fn private() -> Broker {
    if let Some(server) = node::installed() {
        let node = Node::start(&server).await;
        return told(Place::Node(node), &format!("private nodes of {}", server.display())).await;
    }
    if Container::engine_answers().await {
        let image = variable(IMAGE).unwrap_or_else(|| DEFAULT_IMAGE.to_owned());
        return told(Place::Container(Container::start(&image, None).await), &format!("containers of {image}")).await;
    }
    let named =
        if variable(AMQP).is_some() { "; this test breaks its broker, so the one named does not do" } else { "" };
    panic!("no RabbitMQ found: install rabbitmq-server, start Docker or set {AMQP} to the URL of a broker{named}")
}

/// Three nodes of one cluster, of the server that is installed here, or nothing where there is none.
pub(super) async fn cluster() -> Option<Vec<Broker>> {
    let server = installed_for("a cluster")?;
    let nodes = Node::cluster(&server, CLUSTER).await;
    Some(join_all(nodes.into_iter().map(|node| Broker::of(Place::Node(node)))).await)
}

/// A node of the server that is installed here that listens with TLS as well, or nothing where there is none.
pub(super) async fn secured(folder: &Path, demands: bool) -> Option<(Broker, Tls)> {
    let (node, tls) = Node::secured(&installed_for("TLS")?, folder, demands).await;
    Some((Broker::of(Place::Node(node)).await, tls))
}

fn installed_for(what: &str) -> Option<PathBuf> {
    let server = node::installed();
    if server.is_none() {
        assert!(variable(CI).is_none(), "no rabbitmq-server is installed, and {CI} allows no skipping of {what}");
        say(&format!("skipped: no rabbitmq-server is installed for {what}"));
    }
    server
}

/// A container of that image, or nothing where no Docker engine answers.
pub(super) async fn image(image: &str) -> Option<Broker> {
    contained(image, None).await
}

/// The same that listens with TLS as well.
pub(super) async fn secured_image(image: &str, folder: &Path) -> Option<(Broker, Tls)> {
    let tls = Tls::new(folder, false);
    Some((contained(image, Some(&tls)).await?, tls))
}

async fn contained(image: &str, tls: Option<&Tls>) -> Option<Broker> {
    if Container::engine_answers().await {
        let broker = Broker::of(Place::Container(Container::start(image, tls).await)).await;
        say(&format!("RabbitMQ {}: a container of {image}", broker.version()));
        return Some(broker);
    }
    assert!(variable(CI).is_none(), "no Docker engine answers, and {CI} allows no skipping of {image}");
    say(&format!("skipped: no Docker engine for {image}"));
    None
}

async fn told(place: Place, which: &str) -> Broker {
    let broker = Broker::of(place).await;
    TOLD.call_once(|| say(&format!("RabbitMQ {}: {which}", broker.version())));
    broker
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Past the test runner, which keeps the words of tests that pass to itself.
fn say(words: &str) {
    drop(writeln!(std::io::stderr(), "{words}"));
}
