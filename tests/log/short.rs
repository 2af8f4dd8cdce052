//! The program with too few descriptors for its prefetch, under load: that is our own trouble, and costs events only time.
//!
//! Not here: what is said of the limit at the start (`said`), and what the machine makes of it (`core::delivery`).

use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::{AbortHandle, JoinSet};

use crate::support::broker::shared;
use crate::support::daemon::{Daemon, Setup, program, says};
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::standin::{Fault, Rule, StandIn};

/// More events than descriptors, and far more places.
const EVENTS: usize = 600;

/// A daemon that may have 64 files open, its token in a file.
fn short(scene: &Scene) -> Daemon {
    short_by(scene.setup())
}

fn short_by(setup: Setup) -> Daemon {
    let folder = TempDir::new().unwrap();
    let (config, token) = (folder.path().join("config.toml"), folder.path().join("token"));
    std::fs::write(&token, StandIn::TOKEN).unwrap();
    let setup = Setup { token: token.to_str().unwrap().to_owned(), ..setup };
    std::fs::write(&config, setup.broker("prefetch = 256").toml()).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$@\"", "sh"]).arg(program()).arg("--config").arg(config);
    command.env_remove("RUST_LOG").env("CHAKRA_BRIDGE__RETRY__RESEND_AFTER", "0s");
    Daemon::start_by(command, folder)
}

/// What the daemon says of itself, asked again until a descriptor is free for the question.
pub(crate) async fn told(admin: &str, path: &str) -> String {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build().unwrap();
    loop {
        if let Ok(answer) = client.get(format!("{admin}{path}")).send().await
            && let Ok(text) = answer.text().await
        {
            return text;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_64_descriptors_under_load_no_event_is_lost_dead_or_in_doubt_and_the_gate_stays_open() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 400 })]);
    within(60, "publishing", scene.publish(EVENTS, 300)).await;
    let mut daemon = short(&scene);
    let admin = within(60, "its port", daemon.admin()).await;
    let first = daemon.until(|line| line["reason"] == "no_descriptors");
    let first = within(120, "a shortage", first).await;
    assert!(says(&first, "try failed") && first["next"] == "create", "{first}");
    let ready = within(60, "an answer", told(&admin, "/readyz")).await;
    assert!(ready.contains("descriptors_short"), "{ready}");
    within(240, "all created", scene.until_created(EVENTS)).await;
    within(60, "all settled", daemon.until_count(EVENTS, |line| line["result"] == "created")).await;
    let metrics = within(60, "an answer", told(&admin, "/metrics")).await;
    let counted = metrics.lines().find(|line| line.contains("descriptor_shortages_total{connection=\"api\"}"));
    assert!(counted.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
    for words in ["gate shut", "possible duplicate:", "broker lost", "panic"] {
        let said = daemon.logged(|line| says(line, words));
        assert!(said.is_empty(), "{said:?}");
    }
    assert_eq!(daemon.count(|line| line["result"] == "dead_lettered"), 0);
    assert!(scene.processes().values().all(|times| *times == 1), "a second process");
    assert_eq!(scene.processes().len(), EVENTS);
}

/// A way to the broker that can be cut.
struct Way {
    port: u16,
    running: JoinSet<()>,
    /// What is open now.
    open: std::sync::Arc<std::sync::Mutex<Vec<AbortHandle>>>,
}

impl Way {
    async fn to(broker: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, open) =
            (listener.local_addr().unwrap().port(), std::sync::Arc::<std::sync::Mutex<Vec<_>>>::default());
        let (mut running, opened) = (JoinSet::new(), std::sync::Arc::clone(&open));
        running.spawn(async move {
            let mut ways = JoinSet::new();
            while let Ok((mut from, _)) = listener.accept().await {
                let broker = broker.clone();
                let way = ways.spawn(async move {
                    let mut to = TcpStream::connect(broker).await.unwrap();
                    drop(copy_bidirectional(&mut from, &mut to).await);
                });
                opened.lock().unwrap().push(way);
            }
        });
        Self { port, running, open }
    }

    fn cut(&self) {
        self.open.lock().unwrap().drain(..).for_each(|way| way.abort());
    }
}

/// So many connections that say nothing wait at the admin port, and as soon as one is closed another comes.
fn crowd(admin: &str, size: usize) -> JoinSet<()> {
    let address = admin.trim_start_matches("http://").to_owned();
    let mut crowd = JoinSet::new();
    for _ in 0..size {
        let address = address.clone();
        crowd.spawn(async move {
            loop {
                if let Ok(mut silent) = TcpStream::connect(&address).await {
                    drop(silent.read(&mut [0; 64]).await);
                }
            }
        });
    }
    crowd
}

/// What a cut frees is taken by whoever comes first: the daemon, which connects again, or the crowd.
async fn cut_until_there_is_none(way: &Way, daemon: &mut Daemon) {
    loop {
        way.cut();
        let lost = daemon.until(|line| says(line, "broker lost") && line.to_string().contains("Too many open files"));
        if tokio::time::timeout(Duration::from_secs(3), lost).await.is_ok() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_64_descriptors_that_strangers_hold_the_broker_is_reached_again_when_some_are_free_and_no_event_suffers() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 400 })]);
    let way = Way::to(scene.listens()).await;
    let mut daemon = short_by(Setup { amqp: scene.by_way_of(way.port), ..scene.setup() });
    let admin = within(60, "its port", daemon.admin()).await;
    within(60, "a start", daemon.consuming()).await;
    within(60, "publishing", scene.publish(EVENTS, 300)).await;
    let crowd = crowd(&admin, 200);
    let refused = daemon.until(|line| says(line, "the admin port cannot accept a connection for now"));
    let refused = within(60, "a refusal", refused).await;
    assert!(refused.to_string().contains("Too many open files"), "{refused}");
    within(120, "a connection that cannot be opened", cut_until_there_is_none(&way, &mut daemon)).await;
    drop(crowd);
    within(60, "alive", told(&admin, "/livez")).await;
    within(240, "all created", scene.until_created(EVENTS)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    let metrics = within(60, "an answer", told(&admin, "/metrics")).await;
    for connection in ["admin", "broker"] {
        let name = format!("descriptor_shortages_total{{connection=\"{connection}\"}}");
        let counted = metrics.lines().find(|line| line.contains(&name));
        assert!(counted.is_some_and(|line| !line.ends_with(" 0")), "{connection}: {metrics}");
    }
    for words in ["gate shut", "panic"] {
        let said = daemon.logged(|line| says(line, words));
        assert!(said.is_empty(), "{said:?}");
    }
    assert_eq!(daemon.count(|line| line["result"] == "dead_lettered"), 0);
    assert!(scene.processes().values().all(|times| *times == 1), "a second process");
    assert_eq!(scene.processes().len(), EVENTS);
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(0));
    drop(way.running);
}
