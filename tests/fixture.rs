//! The private broker of the tests keeps its own promises: it lives through what it should, and ends with its test.
//!
//! Not here: the daemon.
#![allow(clippy::expect_used, reason = "what is not there fails the test")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use tokio::net::TcpStream;
use tokio::time::timeout;

use support::broker::{Broker, Client, Depth, START_DEADLINE, comes_true, eventually, shared};

const DEADLINE: Duration = Duration::from_secs(30);
/// In the environment of a copy of this test, started to be killed.
const COPY: &str = "CHAKRA_BRIDGE_FIXTURE_COPY";
/// What the copy prints before the address and the processes of its broker.
const MARK: &str = "broker to be orphaned:";

async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(START_DEADLINE, work).await.expect("the test ends within its deadline")
}

fn plain() -> BasicProperties {
    BasicProperties::default()
}

async fn ready(client: &Client, queue: &str) -> Option<u32> {
    client.depth(queue).await.map(|depth| depth.messages)
}

#[tokio::test]
async fn what_is_published_is_drained_in_order_with_its_properties_and_headers() {
    within(async {
        let place = shared().await.vhost().await;
        let (client, queue) = (place.client().await, place.name_of("work"));
        client.declare_quorum(&queue, FieldTable::default()).await;
        let mut headers = FieldTable::default();
        headers.insert("tenant".into(), AMQPValue::LongString("north".into()));
        client.publish("", &queue, b"one", plain().with_message_id("1".into()).with_headers(headers)).await;
        client.publish("", &queue, b"two", plain()).await;
        let drained = client.drain(&queue).await;
        assert_eq!(drained.iter().map(|message| message.data.as_slice()).collect::<Vec<_>>(), [b"one", b"two"]);
        let properties = &drained[0].properties;
        assert_eq!(properties.message_id().as_ref().map(|id| id.as_str()), Some("1"));
        assert!(properties.headers().as_ref().is_some_and(|headers| headers.contains_key("tenant")));
        assert_eq!(client.depth(&queue).await, Some(Depth { messages: 0, consumers: 0 }));
        client.delete(&queue).await;
        assert_eq!(client.depth(&queue).await, None);
    })
    .await;
}

#[tokio::test]
async fn tests_that_share_a_broker_do_not_see_each_other() {
    within(async {
        let (here, there) = (shared().await.vhost().await, shared().await.vhost().await);
        let (one, other) = (here.client().await, there.client().await);
        one.declare_classic(&here.name_of("work"), FieldTable::default()).await;
        assert!(one.depth(&here.name_of("work")).await.is_some());
        assert_eq!(other.depth(&there.name_of("work")).await, None);
        one.delete(&here.name_of("work")).await;
    })
    .await;
}

#[tokio::test]
async fn twenty_thousand_messages_are_there_within_seconds() {
    within(async {
        let place = shared().await.vhost().await;
        let (client, queue) = (place.client().await, place.name_of("many"));
        client.declare_quorum(&queue, FieldTable::default()).await;
        let messages = (0..20_000).map(|number| (format!("{number}").into_bytes(), plain())).collect();
        timeout(DEADLINE, client.publish_many("", &queue, messages))
            .await
            .expect("20,000 messages within the deadline");
        client.until_depth(&queue, 20_000, DEADLINE).await;
        client.delete(&queue).await;
    })
    .await;
}

#[tokio::test]
async fn messages_that_a_consumer_holds_are_counted_as_unanswered() {
    within(async {
        let broker = Broker::private().await;
        let place = broker.vhost().await;
        let client = place.client().await;
        client.declare_classic("work", FieldTable::default()).await;
        client.publish("", "work", b"held", plain()).await;
        let channel = client.connection().create_channel().await.expect("a channel");
        let held = channel.basic_get("work".into(), lapin::options::BasicGetOptions::default()).await;
        assert!(held.expect("an answer").is_some());
        client.until_empty("work", DEADLINE).await;
        place.until_unacked("work", 1, DEADLINE).await;
    })
    .await;
}

#[tokio::test]
async fn a_crash_and_a_stop_keep_what_was_confirmed() {
    within(async {
        let broker = Broker::private().await;
        let place = broker.vhost().await;
        place.client().await.declare_quorum("kept", FieldTable::default()).await;
        broker.settle().await;
        place.client().await.publish("", "kept", b"one", plain()).await;
        broker.kill9().await;
        assert!(!listens(broker.url()).await, "a killed broker is gone");
        broker.restart().await;
        eventually(DEADLINE, "the message after the crash", async || {
            ready(&place.client().await, "kept").await == Some(1)
        })
        .await;
        broker.restart().await;
        eventually(DEADLINE, "the message after the stop", async || {
            ready(&place.client().await, "kept").await == Some(1)
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_broker_can_be_silenced_alarmed_and_cut_from_its_clients() {
    within(async {
        let broker = Broker::private().await;
        let client = broker.client().await;
        broker.freeze().await;
        // The keeper freezes it a moment after it was asked.
        eventually(DEADLINE, "a frozen broker that answers nothing", async || {
            timeout(Duration::from_secs(2), client.depth("none")).await.is_err()
        })
        .await;
        broker.thaw().await;
        assert_eq!(broker.client().await.depth("none").await, None);
        broker.client().await.declare_classic("work", FieldTable::default()).await;
        broker.memory_alarm(true).await;
        let late = broker.client().await;
        assert!(timeout(Duration::from_secs(2), late.publish("", "work", b"x", plain())).await.is_err());
        broker.memory_alarm(false).await;
        let fresh = broker.client().await;
        fresh.publish("", "work", b"y", plain()).await;
        broker.close_all_connections().await;
        eventually(DEADLINE, "the end of the connection", async || !fresh.connection().status().connected()).await;
    })
    .await;
}

#[tokio::test]
async fn two_private_brokers_run_side_by_side_and_end_alone() {
    within(async {
        let (one, other) = tokio::join!(Broker::private(), Broker::private());
        one.client().await.declare_classic("mine", FieldTable::default()).await;
        assert_eq!(other.client().await.depth("mine").await, None);
        let (url, pids) = (one.url().to_owned(), one.pids());
        drop(one);
        assert!(!listens(&url).await, "a dropped broker is gone");
        assert!(pids.iter().all(|pid| !runs(*pid)), "and so are its processes");
        assert_eq!(other.client().await.depth("mine").await, None);
    })
    .await;
}

/// Starts a copy of itself, which starts a broker and then is killed without a chance to tidy up.
#[tokio::test]
async fn a_killed_test_process_takes_its_private_broker_with_it() {
    if std::env::var_os(COPY).is_some() {
        return within(wait_to_be_killed(Broker::private().await)).await;
    }
    within(async {
        let (mut copy, url, pids) = tokio::task::spawn_blocking(copy).await.expect("the copy tells its broker");
        assert!(listens(&url).await, "the copy's broker runs");
        assert!(pids.iter().all(|pid| runs(*pid)), "with all its processes");
        copy.kill().expect("SIGKILL");
        copy.wait().expect("its end");
        assert!(comes_true(DEADLINE, async || !listens(&url).await).await, "the broker ended");
        let all_gone = async || pids.iter().all(|pid| !runs(*pid));
        assert!(comes_true(DEADLINE, all_gone).await, "and so did its processes: {pids:?}");
    })
    .await;
}

#[tokio::test]
async fn a_broker_of_another_version_runs_in_a_container() {
    within(async {
        let Some(broker) = Broker::image("rabbitmq:4.0-management").await else { return };
        assert!(broker.version().starts_with("4.0."), "{}", broker.version());
        let place = broker.vhost().await;
        place.client().await.declare_quorum("kept", FieldTable::default()).await;
        place.client().await.publish("", "kept", b"one", plain()).await;
        broker.settle().await;
        broker.kill9().await;
        broker.restart().await;
        eventually(DEADLINE, "the message after the crash", async || {
            ready(&place.client().await, "kept").await == Some(1)
        })
        .await;
        let url = broker.url().to_owned();
        drop(broker);
        assert!(!listens(&url).await, "a dropped container is gone");
    })
    .await;
}

async fn wait_to_be_killed(broker: Broker) {
    println!("{MARK} {} {}", broker.url(), broker.pids().iter().map(u32::to_string).collect::<Vec<_>>().join(" "));
    std::future::pending().await
}

fn copy() -> (Child, String, Vec<u32>) {
    let own = std::env::current_exe().expect("a test knows its file");
    let mut copy = Command::new(own)
        .args(["--exact", "a_killed_test_process_takes_its_private_broker_with_it", "--nocapture"])
        .env(COPY, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the copy starts");
    let lines = BufReader::new(copy.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let told = lines.filter_map(|line| Some(line.split_once(MARK)?.1.to_owned())).next().expect("its line");
    let mut words = told.split_whitespace().map(str::to_owned);
    let url = words.next().expect("an address");
    (copy, url, words.map(|pid| pid.parse().expect("a pid")).collect())
}

async fn listens(url: &str) -> bool {
    let url = reqwest::Url::parse(url).expect("an address");
    let at = (url.host_str().expect("a host"), url.port().expect("a port"));
    timeout(DEADLINE, TcpStream::connect(at)).await.is_ok_and(|connected| connected.is_ok())
}

/// A zombie, whose parent is slow to look, does not run.
fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}
