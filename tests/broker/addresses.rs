//! The daemon goes to the addresses that are written, and to no other.
//!
//! Not here: which texts are addresses (`config`), and a cluster of real nodes (`faults/cluster.rs`).

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::scene::Scene;
use crate::support::broker::{Broker, shared};
use crate::support::daemon::{Daemon, Setup, says};
use crate::support::deadline::within;

/// Relays of connections that were taken, and how many.
struct Way {
    address: SocketAddr,
    _running: JoinSet<()>,
}

/// A way to `to` that begins at `listen`.
async fn way(listen: &str, to: String) -> Way {
    let listener = TcpListener::bind(listen).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut running = JoinSet::new();
    running.spawn(async move {
        let mut relays = JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            let to = to.clone();
            relays.spawn(async move {
                let mut far = TcpStream::connect(to).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
            });
        }
    });
    Way { address, _running: running }
}

async fn scene() -> Scene {
    scene_on(within(240, "a broker", shared()).await).await
}

async fn scene_on(broker: &Broker) -> Scene {
    within(60, "a place", async { Scene::quorum(broker.vhost().await).await }).await
}

/// The configuration of a daemon that goes to that host.
fn at(scene: &Scene, host: &str, port: u16) -> Setup {
    let mut url = reqwest::Url::parse(&scene.place.url).unwrap();
    url.set_host(Some(host)).unwrap();
    url.set_port(Some(port)).unwrap();
    Setup { amqp: url.into(), ..scene.setup() }
}

/// A port where nobody listens.
async fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_at_an_ipv6_address_is_spoken_to_there_and_not_at_localhost() {
    at_ipv6(within(240, "a broker", shared()).await).await;
}

pub(super) async fn at_ipv6(broker: &Broker) {
    let scene = scene_on(broker).await;
    let way = way("[::1]:0", scene.listens()).await;
    let decoy = TcpListener::bind(("127.0.0.1", way.address.port())).await.unwrap();
    let mut daemon = Daemon::start(&at(&scene, "[::1]", way.address.port()));
    scene.publish(3, 100).await;
    within(60, "all created", scene.until_created(3)).await;
    assert_eq!(daemon.until(|line| says(line, "consuming")).await["broker"], way.address.to_string());
    assert!(std::future::poll_fn(|context| std::task::Poll::Ready(decoy.poll_accept(context).is_pending())).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_at_an_ipv6_address_is_asked_for_its_first_byte_there() {
    let scene = scene().await;
    let silent = TcpListener::bind("[::1]:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let _decoy = way(&format!("127.0.0.1:{port}"), scene.listens()).await;
    let setup = at(&scene, "[::1]", port).broker("call_timeout = \"200ms\"");
    let mut daemon = Daemon::start(&setup);
    let address = format!("connecting to [::1]:{port} ");
    let silence = daemon.until_count(3, |line| says(line, &address) && says(line, "said nothing"));
    within(60, "its silence", silence).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_address_is_tried_at_once_and_each_that_fails_is_named() {
    the_next(within(240, "a broker", shared()).await).await;
}

pub(super) async fn the_next(broker: &Broker) {
    let scene = scene_on(broker).await;
    let (gone, away) = (nobody().await, nobody().await);
    let way = way("127.0.0.1:0", scene.listens()).await;
    let hosts = format!("hosts = [\"127.0.0.1:{away}\", \"{}\", \"127.0.0.1\"]", way.address);
    for _ in 0..5 {
        let mut daemon = Daemon::start(&at(&scene, "127.0.0.1", gone).broker(&hosts));
        within(60, "consuming", daemon.consuming()).await;
        assert_eq!(daemon.count(|line| says(line, "broker lost")), 0);
        let named = daemon.logged(|line| says(line, "this address fails"));
        assert!(named.iter().all(|line| line["broker"] != way.address.to_string()), "{named:?}");
        daemon.signal("TERM");
        within(60, "its end", daemon.ended()).await;
    }
    let mut daemon = Daemon::start(&at(&scene, "127.0.0.1", gone).broker(&format!("hosts = [\"127.0.0.1:{away}\"]")));
    let both = |line: &serde_json::Value| says(line, "broker lost: none of the 2 addresses");
    within(60, "a round", daemon.until(both)).await;
    for port in [gone, away] {
        assert_eq!(daemon.count(|line| line["broker"] == format!("127.0.0.1:{port}")), 1, "{port}");
    }
}
