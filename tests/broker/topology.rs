//! What is missing or wrong on the broker is named, each time, and tried again.
//!
//! Not here: what goes away later (`survives.rs`).

use std::collections::BTreeMap;
use std::time::Duration;

use lapin::types::{AMQPValue, FieldTable};
use tokio::sync::watch;

use super::scene::Scene;
use crate::support::broker::{Broker, shared};
use crate::support::daemon::{Daemon, Setup, says};
use crate::support::deadline::within;
use crate::support::relay::{Doing, Relay, Verdict};
use crate::support::standin::{Canned, Rule};

#[tokio::test(flavor = "multi_thread")]
async fn each_missing_queue_is_named_and_asked_for_again() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    let mut daemon = scene.daemon();
    let (queue, dead) = (scene.queue(), scene.dead());
    let both = daemon.until_count(2, |line| says(line, &format!("`{queue}`")) && says(line, &format!("`{dead}`")));
    within(60, "both names, twice", both).await;
    scene.client.declare_quorum(&queue, FieldTable::default()).await;
    scene.client.declare_quorum(&dead, FieldTable::default()).await;
    within(60, "consuming", daemon.consuming()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_made_on_request_and_fit_at_the_next_start() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    let setup = scene.setup().broker("topology = \"declare\"");
    for _ in 0..2 {
        let mut daemon = Daemon::start(&setup);
        within(60, "consuming", daemon.consuming()).await;
        daemon.signal("TERM");
        assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(0));
    }
    for queue in
        [scene.queue(), scene.dead(), format!("{}.wait.10s", scene.queue()), format!("{}.wait.1h", scene.queue())]
    {
        assert!(scene.client.depth(&queue).await.is_some(), "{queue}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_queue_is_looked_for_once_at_a_connect() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    let relay = Relay::start(scene.listens()).await;
    let setup = Setup { amqp: scene.by_way_of(relay.address().port()), ..scene.setup() };
    for topology in ["declare", "declare", "verify"] {
        let (looked, mut seen) = watch::channel(BTreeMap::<String, usize>::new());
        relay.arm(Box::new(move |frame| {
            if let Doing::LooksFor(queue) = &frame.doing {
                looked.send_modify(|looked| *looked.entry(queue.clone()).or_default() += 1);
            }
            Verdict::Passes
        }));
        let daemon = Daemon::consumes(&setup.clone().broker(&format!("topology = \"{topology}\""))).await;
        daemon.signal("TERM");
        within(60, "its end", daemon.ended()).await;
        let looked = seen.borrow_and_update().clone();
        assert!(looked.len() == 6 && looked.values().all(|times| *times == 1), "{topology}: {looked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_a_missing_virtual_host_are_said_and_tried_again() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let mut url = reqwest::Url::parse(&scene.place.url).unwrap();
    url.set_password(Some("wrong")).unwrap();
    let wrong = Setup { amqp: url.to_string(), ..scene.setup() };
    let mut daemon = Daemon::start(&wrong);
    within(60, "the login", daemon.until_count(2, |line| says(line, "refused") && says(line, "password"))).await;
    let log = format!("{:?}", daemon.log());
    assert!(!log.contains("wrong\""), "the password is in the log");

    let mut url = reqwest::Url::parse(&scene.place.url).unwrap();
    url.set_path("/nosuch");
    let mut daemon = Daemon::start(&Setup { amqp: url.to_string(), ..scene.setup() });
    within(60, "the virtual host", daemon.until_count(2, |line| says(line, "virtual host"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there_is_waited_for() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let mut daemon = Daemon::start(&Setup { amqp: format!("amqp://guest:guest@{address}/%2f"), ..scene.setup() });
    within(60, "three tries", daemon.until_count(3, |line| says(line, "broker lost"))).await;
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_publish_keeps_the_event_and_the_connection() {
    let broker = within(240, "a broker", Broker::private()).await;
    let scene = within(60, "a place", async { Scene::quorum(broker.vhost().await).await }).await;
    let user = reqwest::Url::parse(&scene.place.url).unwrap().username().to_owned();
    let may = |write: &'static str| {
        let arguments = [
            "set_permissions".to_owned(),
            "-p".into(),
            scene.place.name.clone(),
            user.clone(),
            ".*".into(),
            write.into(),
            ".*".into(),
        ];
        let broker = &broker;
        async move { broker.ctl(&arguments.each_ref().map(String::as_str)).await }
    };
    scene.publish(1, 100).await;
    within(60, "no right to write", may("^$")).await;
    scene.api.plan(vec![Rule::always(Canned::new(422))]);
    let mut daemon = scene.daemon();
    within(60, "a refusal", daemon.until(|line| says(line, "publish refused"))).await;
    let admin = within(60, "the admin port", daemon.admin()).await;
    let refused = || async {
        let metrics = reqwest::get(format!("{admin}/metrics")).await.unwrap().text().await.unwrap();
        metrics.lines().any(|line| line == "chakra_bridge_publishes_refused_total 2")
    };
    crate::support::broker::eventually(Duration::from_secs(60), "two refusals", refused).await;
    assert_eq!(daemon.count(|line| says(line, "broker lost")), 0);
    within(60, "the right to write", may(".*")).await;
    scene.client.until_depth(&scene.dead(), 1, Duration::from_secs(60)).await;
    assert_eq!(scene.api.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_waited_for_without_piling_anything_up() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let setup = Setup { amqp: format!("amqp://guest:guest@{address}/%2f"), ..scene.setup() };
    let mut daemon = Daemon::start(&setup.broker("call_timeout = \"200ms\""));
    within(60, "the first words", daemon.until_count(2, |line| says(line, "said nothing"))).await;
    let threads = daemon.threads();
    within(60, "more of them", daemon.until_count(8, |line| says(line, "said nothing"))).await;
    assert_eq!(daemon.threads(), threads);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_queue_warning_of_the_queues_is_named_at_the_start_and_stops_nothing() {
    let classic = within(240, "a broker", async { Scene::classic(shared().await.vhost().await).await }).await;
    let mut daemon = classic.daemon();
    within(60, "consuming", daemon.consuming()).await;
    let warnings = |daemon: &Daemon| -> Vec<String> {
        let lines = daemon.logged(|line| says(line, "warning:"));
        lines.iter().filter_map(|line| line["argument"].as_str().map(str::to_owned)).collect()
    };
    let all = ["x-dead-letter-exchange", "x-queue-type", "x-queue-type"];
    assert_eq!(sorted(warnings(&daemon)), all);

    let bare = within(60, "a place", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let mut daemon = bare.daemon();
    within(60, "consuming", daemon.consuming()).await;
    assert_eq!(warnings(&daemon), ["x-dead-letter-exchange"]);

    let full = within(60, "a place", async { Scene::empty(shared().await.vhost().await).await }).await;
    let mut daemon = Daemon::start(&full.setup().broker("topology = \"declare\""));
    within(60, "consuming", daemon.consuming()).await;
    daemon.signal("TERM");
    within(60, "its end", daemon.ended()).await;
    full.client.delete(&full.dead()).await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1000));
    arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(60_000));
    full.client.declare_quorum(&full.dead(), arguments).await;
    let mut daemon = full.daemon();
    within(60, "consuming", daemon.consuming()).await;
    assert_eq!(sorted(warnings(&daemon)), ["x-max-length", "x-message-ttl"]);
    assert_eq!(daemon.count(|line| says(line, "queue warning: the dead-letter queue")), 2);

    let good = within(60, "a place", async { Scene::empty(shared().await.vhost().await).await }).await;
    for topology in ["declare", "verify"] {
        let mut daemon = Daemon::start(&good.setup().broker(&format!("topology = \"{topology}\"")));
        within(60, "consuming", daemon.consuming()).await;
        assert_eq!(warnings(&daemon), Vec::<String>::new());
        daemon.signal("TERM");
        within(60, "its end", daemon.ended()).await;
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}
