//! The broker behind TLS: a private node with certificates of the test.
//!
//! Not here: the API.

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::authority::{Authority, Folder};
use crate::support::broker::{Broker, IMAGES, START_DEADLINE, Tls};
use crate::support::daemon::{Daemon, Setup, says};
use crate::support::deadline::within;
use crate::support::scene::Scene;

const EVENTS: usize = 100;
const HOST: &str = "localhost";

/// A broker with TLS, a scene on it, its files and those of the daemon.
struct Stage {
    broker: Broker,
    port: u16,
    https: u16,
    server: Folder,
    client: Folder,
    scene: Scene,
}

impl Stage {
    /// With a server's certificate of this authority.
    async fn new(authority: &Authority, demands: bool) -> Option<Self> {
        let server = Folder::new();
        server.put_server(authority, &authority.server(HOST));
        Self::with(server, demands).await
    }

    /// With the server's files in that folder.
    async fn with(server: Folder, demands: bool) -> Option<Self> {
        let started = Broker::secured(server.path(), demands);
        let (broker, tls) = within(START_DEADLINE.as_secs(), "a broker", started).await?;
        Some(Self::on(broker, &tls, server).await)
    }

    /// In a container of that image, with a server's certificate of this authority.
    async fn in_a_container(image: &str, authority: &Authority) -> Option<Self> {
        let server = Folder::new();
        server.put_server(authority, &authority.server(HOST));
        let started = Broker::secured_image(image, server.path());
        let (broker, tls) = within(START_DEADLINE.as_secs(), "a broker", started).await?;
        Some(Self::on(broker, &tls, server).await)
    }

    async fn on(broker: Broker, tls: &Tls, server: Folder) -> Self {
        println!("RabbitMQ {}", broker.version());
        let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
        Self { broker, port: tls.port, https: tls.https, server, client: Folder::new(), scene }
    }

    /// A configuration that goes to the broker by that host name, with more of `[broker]`.
    fn setup(&self, name: &str, more: &str) -> Setup {
        let mut url = reqwest::Url::parse(&self.scene.place.url.replace("amqp://", "amqps://")).unwrap();
        url.set_host(Some(name)).unwrap();
        url.set_port(Some(self.port)).unwrap();
        Setup { amqp: url.into(), ..self.scene.setup() }.broker("topology = \"declare\"").broker(more)
    }

    /// The management API by that host name, asked each second.
    fn management(&self, name: &str, more: &str) -> String {
        let (user, password) = self.scene.place.management().login();
        format!(
            "management.url = \"https://{name}:{}\"\nmanagement.user = \"{user}\"\nmanagement.password = \"{password}\"\n\
             management.interval = \"1s\"\nmanagement.{more}",
            self.https
        )
    }

    /// Starts the node again, with what its files hold now.
    async fn restart(&self) {
        within(60, "what is in the queue on disk", self.broker.settle()).await;
        within(240, "the broker again", self.broker.restart()).await;
    }

    /// A client of a broker that has been started again.
    async fn ends_well(mut self, count: usize) {
        self.scene.client = within(60, "a client", self.scene.place.client()).await;
        self.scene.ends_well(count).await;
    }
}

async fn hears(daemon: &mut Daemon, words: &str) {
    within(60, words, daemon.until(|line| says(line, "broker lost") && says(line, words))).await;
}

async fn consumes(daemon: &mut Daemon, times: usize) {
    within(60, "consuming", daemon.until_count(times, |line| says(line, "consuming"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_daemon_trusts_stands_in_a_file_that_is_read_at_each_connect() {
    let (right, other) = (Authority::new("right"), Authority::new("other"));
    let Some(stage) = Stage::new(&right, false).await else { return };
    let mut daemon = Daemon::start(&stage.setup(HOST, &stage.client.put_trusted(&other)));
    hears(&mut daemon, "broker.ca_file").await;
    stage.client.put_trusted(&right);
    consumes(&mut daemon, 1).await;
    stage.scene.publish(EVENTS, 200).await;
    stage.ends_well(EVENTS).await;
}

async fn of_management(daemon: &mut Daemon, words: &str) {
    let told = daemon.until(|line| says(line, "the management API") && says(line, words));
    within(60, words, told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_management_api_with_tls_is_trusted_by_its_own_file_which_is_read_each_time_and_no_wrong_one_stops_an_event()
 {
    let (right, other) = (Authority::new("right"), Authority::new("other"));
    let Some(stage) = Stage::new(&right, false).await else { return };
    the_management_api_with_tls(stage, &right, &other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_management_api_with_tls_is_trusted_by_its_own_file_on_rabbitmq_4_0() {
    let (right, other) = (Authority::new("right"), Authority::new("other"));
    let Some(stage) = Stage::in_a_container(IMAGES[0], &right).await else { return };
    the_management_api_with_tls(stage, &right, &other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_management_api_with_tls_is_trusted_by_its_own_file_on_rabbitmq_4_3() {
    let (right, other) = (Authority::new("right"), Authority::new("other"));
    let Some(stage) = Stage::in_a_container(IMAGES[1], &right).await else { return };
    the_management_api_with_tls(stage, &right, &other).await;
}

async fn the_management_api_with_tls(stage: Stage, right: &Authority, other: &Authority) {
    let of_management = Folder::new();
    let file = of_management.put_trusted(other);
    let trusted = stage.client.put_trusted(right);
    let setup = |name| stage.setup(HOST, &format!("{trusted}\n{}", stage.management(name, &file)));
    let mut daemon = Daemon::start(&setup(HOST));
    self::of_management(&mut daemon, "name its file in broker.management.ca_file").await;
    consumes(&mut daemon, 1).await;
    stage.scene.publish(EVENTS, 200).await;
    within(60, "all created", stage.scene.until_created(EVENTS)).await;
    of_management.put_trusted(right);
    self::of_management(&mut daemon, "answers again").await;
    let mut by_address = Daemon::start(&setup("127.0.0.1"));
    self::of_management(&mut by_address, "another host name than the one in broker.management.url").await;
    of_management.put("trusted.pem", "half a file");
    self::of_management(&mut daemon, "broker.management.ca_file").await;
    let admin = within(60, "its port", daemon.admin()).await;
    let ready = within(60, "readiness", async { reqwest::get(format!("{admin}/readyz")).await.unwrap() }).await;
    assert_eq!(ready.status().as_u16(), 200, "an API that is away stops nothing");
    stage.ends_well(EVENTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_by_another_name_is_not_spoken_to() {
    let right = Authority::new("right");
    let Some(stage) = Stage::new(&right, false).await else { return };
    let mut daemon = Daemon::start(&stage.setup("127.0.0.1", &stage.client.put_trusted(&right)));
    hears(&mut daemon, "another host name than the one in broker.url").await;
    assert_eq!(daemon.count(|line| says(line, "consuming")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_by_its_address_is_spoken_to_where_its_certificate_is_for_that_address() {
    let right = Authority::new("right");
    let Some(stage) = Stage::new(&right, false).await else { return };
    let address = "127.0.0.1";
    let mut daemon = Daemon::start(&stage.setup(address, &stage.client.put_trusted(&right)));
    hears(&mut daemon, "another host name than the one in broker.url").await;
    stage.server.put_server(&right, &right.server(address));
    stage.restart().await;
    consumes(&mut daemon, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_expires_and_an_authority_that_changes_cost_time_only() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let Some(stage) = Stage::new(&old, false).await else { return };
    let mut daemon = Daemon::start(&stage.setup(HOST, &stage.client.put_trusted(&old)));
    consumes(&mut daemon, 1).await;
    stage.scene.publish(EVENTS, 200).await;
    within(60, "all created", stage.scene.until_created(EVENTS)).await;
    stage.server.put_server(&old, &old.expired(HOST));
    stage.restart().await;
    hears(&mut daemon, "has expired").await;
    stage.server.put_server(&new, &new.server(HOST));
    stage.restart().await;
    hears(&mut daemon, "name its file in broker.ca_file").await;
    stage.client.put("trusted.pem", "half a file");
    hears(&mut daemon, "no certificate in PEM form in it").await;
    stage.client.put_trusted(&new);
    consumes(&mut daemon, 2).await;
    stage.ends_well(EVENTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_that_is_missing_or_refused_is_named_and_a_good_one_is_taken() {
    let (right, other) = (Authority::new("right"), Authority::new("other"));
    let Some(stage) = Stage::new(&right, true).await else { return };
    let trusted = stage.client.put_trusted(&right);
    let mut without = Daemon::start(&stage.setup(HOST, &trusted));
    hears(&mut without, "set broker.client_cert_file and broker.client_key_file").await;
    drop(without);
    let files = format!("{trusted}\n{}", stage.client.put_client(&other.client()));
    let mut daemon = Daemon::start(&stage.setup(HOST, &files));
    hears(&mut daemon, "check broker.client_cert_file").await;
    let good = right.client();
    stage.client.put("client.pem", &good.cert);
    hears(&mut daemon, "is not the key of the certificate in broker.client_cert_file").await;
    stage.client.put("client.key", &good.key);
    consumes(&mut daemon, 1).await;
    stage.scene.publish(EVENTS, 200).await;
    stage.ends_well(EVENTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_is_named_at_the_next_connect_and_the_daemon_goes_on_when_it_is_back() {
    let right = Authority::new("right");
    let Some(stage) = Stage::new(&right, false).await else { return };
    let line = stage.client.put_trusted(&right);
    let mut daemon = Daemon::start(&stage.setup(HOST, &line));
    consumes(&mut daemon, 1).await;
    std::fs::remove_file(stage.client.path().join("trusted.pem")).unwrap();
    stage.restart().await;
    hears(&mut daemon, "broker.ca_file: ").await;
    stage.client.put_trusted(&right);
    consumes(&mut daemon, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_at_an_ipv6_address_is_known_by_that_address_in_its_certificate() {
    let right = Authority::new("right");
    let server = Folder::new();
    server.put_server(&right, &right.server("::1"));
    let Some(stage) = Stage::with(server, false).await else { return };
    let listener = TcpListener::bind(("::1", stage.port)).await.unwrap();
    let port = stage.port;
    let mut running = JoinSet::new();
    running.spawn(async move {
        let mut relays = JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            relays.spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
            });
        }
    });
    let trusted = stage.client.put_trusted(&right);
    let mut daemon = Daemon::start(&stage.setup("[::1]", &trusted));
    consumes(&mut daemon, 1).await;
    stage.scene.publish(EVENTS, 200).await;
    within(60, "all created", stage.scene.until_created(EVENTS)).await;
    let mut other = Daemon::start(&stage.setup(HOST, &trusted));
    hears(&mut other, "another host name than the one in broker.url").await;
}
