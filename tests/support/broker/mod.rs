//! A private RabbitMQ for tests and the demonstration: found, started, broken on purpose, and ended whatever happens.
//!
//! Everything is ephemeral: folders, ports, names; any number of test runs fit beside each other. Where a verb fails,
//! the test fails with words. Not here: what is tested.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::expect_used,
    reason = "each test uses a part of it, and a fixture that fails is a test that fails"
)]

mod address;
mod client;
mod container;
mod find;
pub mod keeper;
mod management;
mod node;
mod ports;
mod secured;
mod vhost;
mod wait;

use std::time::Duration;

use tokio::sync::OnceCell;

use address::Address;
use container::Container;
use node::Node;

pub use client::{Client, Depth};
pub use ports::free as free_ports;
pub use secured::Tls;
pub use vhost::Vhost;
pub use wait::{comes_true, eventually};

/// One for all tests of a binary. Statics are not dropped: the keeper of the node sees the end of the process.
static SHARED: OnceCell<Broker> = OnceCell::const_new();

/// The images of the other versions that are supported, the older one first.
pub const IMAGES: [&str; 2] = ["rabbitmq:4.0-management", "rabbitmq:4-management"];
/// One container of each of them for all tests of a binary.
static OF_IMAGES: [OnceCell<Option<Broker>>; 2] = [const { OnceCell::const_new() }; 2];

/// A running broker.
pub struct Broker {
    place: Place,
    version: String,
}

enum Place {
    Named(Address),
    Node(Node),
    Container(Container),
}

/// The broker that all tests of this binary share; each takes a `vhost` of its own, and none of the faults.
pub async fn shared() -> &'static Broker {
    SHARED.get_or_init(Broker::start).await
}

/// The container that all tests of this binary share, of the image with that number in `IMAGES`. Nothing, and said so, where
/// no Docker engine answers; a failure where `CHAKRA_BRIDGE_CI` is set.
pub async fn shared_image(index: usize) -> Option<&'static Broker> {
    OF_IMAGES[index].get_or_init(|| Broker::image(IMAGES[index])).await.as_ref()
}

impl Broker {
    /// A broker: the one named in the environment (which is shared and cannot be broken), a local server, Docker.
    pub async fn start() -> Self {
        find::any().await
    }

    /// A broker that this test alone may break: as `start`, but never the one that is named.
    pub async fn private() -> Self {
        find::private().await
    }

    /// A container of that image, `name:tag`. Nothing, and said so, where no Docker engine answers; a failure where
    /// `CHAKRA_BRIDGE_CI` is set.
    pub async fn image(image: &str) -> Option<Self> {
        find::image(image).await
    }

    /// Three nodes that are one cluster, each a broker that may be broken. Nothing, and said so, where no server is
    /// installed; a failure where `CHAKRA_BRIDGE_CI` is set.
    pub async fn cluster() -> Option<Vec<Self>> {
        find::cluster().await
    }

    /// A broker that this test alone may break, and where it listens with TLS, with the certificates in that folder; see
    /// `secured::Tls`. Nothing, and said so, where no server is installed; a failure where `CHAKRA_BRIDGE_CI` is set.
    pub async fn secured(folder: &std::path::Path, demands: bool) -> Option<(Self, secured::Tls)> {
        find::secured(folder, demands).await
    }

    /// The same in a container of that image. Nothing, and said so, where no Docker engine answers; a failure where
    /// `CHAKRA_BRIDGE_CI` is set.
    pub async fn secured_image(image: &str, folder: &std::path::Path) -> Option<(Self, secured::Tls)> {
        find::secured_image(image, folder).await
    }

    async fn of(place: Place) -> Self {
        let mut broker = Self { place, version: "of unknown version".to_owned() };
        if let Some(management) = &broker.address().management {
            broker.version = management.version().await.unwrap_or(broker.version);
        }
        broker
    }

    /// The version, as the management API tells it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The AMQP address with user and password, in the default vhost. Tests on a shared broker take a `vhost`.
    pub fn url(&self) -> &str {
        self.address().url()
    }

    /// The same, in another vhost of this broker or of the cluster that it belongs to.
    pub fn url_in(&self, vhost: &Vhost) -> String {
        self.address().in_vhost(&vhost.name)
    }

    /// A connection of its own into the default vhost.
    pub async fn client(&self) -> Client {
        Client::connect(self.url()).await
    }

    /// A place of its own: a fresh vhost where there is a management API, otherwise marked names.
    pub async fn vhost(&self) -> Vhost {
        let (address, mark) = (self.address(), format!("t{:016x}", fastrand::u64(..)));
        let Some(management) = address.management.clone() else {
            let (url, name) = (address.url().to_owned(), address.vhost());
            return Vhost { url, name, management: None, mark: Some(mark), leaves: false };
        };
        management.make_vhost(&mark, address.user()).await;
        let leaves = matches!(self.place, Place::Named(_));
        Vhost { url: address.in_vhost(&mark), name: mark, management: Some(management), mark: None, leaves }
    }

    /// A place under the name of a place on another broker.
    pub async fn vhost_named(&self, name: &str) -> Vhost {
        let address = self.address();
        let management = address.management.clone().expect("a management API");
        management.make_vhost(name, address.user()).await;
        let (url, name) = (address.in_vhost(name), name.to_owned());
        Vhost { url, name, management: Some(management), mark: None, leaves: false }
    }

    /// Crashes the broker at once; its data stay. See `settle`.
    pub async fn kill9(&self) {
        match &self.place {
            Place::Named(_) => not_ours(),
            Place::Node(node) => node.kill9().await,
            Place::Container(container) => container.kill9().await,
        }
    }

    /// Stops the broker in order; takes up to 6 s.
    pub async fn stop(&self) {
        match &self.place {
            Place::Named(_) => not_ours(),
            Place::Node(node) => node.stop().await,
            Place::Container(container) => container.stop().await,
        }
    }

    /// Starts the broker again, with its data and at its address, and waits until it answers; one that runs is stopped.
    pub async fn restart(&self) {
        match &self.place {
            Place::Named(_) => not_ours(),
            Place::Node(node) => node.restart().await,
            Place::Container(container) => container.restart().await,
        }
    }

    /// Makes the broker silent: nothing is answered, and no connection ends.
    pub async fn freeze(&self) {
        match &self.place {
            Place::Named(_) => not_ours(),
            Place::Node(node) => node.freeze(),
            Place::Container(container) => container.freeze().await,
        }
    }

    /// Ends `freeze`.
    pub async fn thaw(&self) {
        match &self.place {
            Place::Named(_) => not_ours(),
            Place::Node(node) => node.thaw(),
            Place::Container(container) => container.thaw().await,
        }
    }

    /// Closes all connections from the broker's side, with code 320.
    pub async fn close_all_connections(&self) {
        self.ctl(&["close_all_connections", "--global", "asked for by a test"]).await;
    }

    /// Raises or ends the memory alarm: connections that publish are blocked while it lasts.
    pub async fn memory_alarm(&self, on: bool) {
        self.ctl(&["set_vm_memory_high_watermark", if on { "0.0000001" } else { "0.6" }]).await;
    }

    /// Writes down which queues there are. Needed between declaring a quorum queue and a crash: the broker does it
    /// by itself only every half second, and until then a crash loses the queue with all that was confirmed.
    pub async fn settle(&self) {
        self.ctl(&["eval", "[dets:sync(Table) || Table <- dets:all()]."]).await;
    }

    /// Runs `rabbitmqctl` with these arguments and gives what it prints.
    pub async fn ctl(&self, arguments: &[&str]) -> String {
        let done = match &self.place {
            Place::Named(_) => not_ours(),
            Place::Node(node) => node.ctl(arguments).await,
            Place::Container(container) => container.ctl(arguments).await,
        };
        done.unwrap_or_else(|complained| panic!("rabbitmqctl {}: {complained}", arguments.join(" ")))
    }

    /// The name of its container, for the `docker` command; only a broker of `image` has one for sure.
    pub fn container_name(&self) -> &str {
        let Place::Container(container) = &self.place else { panic!("this broker is in no container") };
        container.name()
    }

    /// Where its management API is, without user and password.
    pub fn management_url(&self) -> String {
        self.address().management.as_ref().expect("a management API").url()
    }

    /// Its AMQP address for another user, in a vhost with a plain name.
    pub fn url_as(&self, user: &str, password: &str, vhost: &str) -> String {
        self.address().as_user(user, password, vhost)
    }

    /// The processes of a private node; empty for other brokers.
    pub fn pids(&self) -> Vec<u32> {
        if let Place::Node(node) = &self.place { node.pids() } else { Vec::new() }
    }

    fn address(&self) -> &Address {
        match &self.place {
            Place::Named(address) => address,
            Place::Node(node) => node.address(),
            Place::Container(container) => container.address(),
        }
    }
}

fn not_ours() -> ! {
    panic!("a broker named in the environment is not ours to break: unset CHAKRA_BRIDGE_TEST_AMQP for this test")
}

/// Longer than a private broker takes to start on a busy machine; for the deadlines of tests that start one.
pub const START_DEADLINE: Duration = Duration::from_secs(240);
