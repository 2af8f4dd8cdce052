//! Dead letters that no queue takes: good events beside more bad ones than there are places are created in seconds, it is said, and each
//! bad one gets its letter once.
//!
//! Not here: what a letter holds (`dead_letters`), and the same against an adversary (`tests/model`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lapin::types::{AMQPValue, FieldTable};
use serde_json::Value;

use super::scene::{Scene, id};
use crate::support::broker::{Broker, shared};
use crate::support::daemon::{Daemon, Setup, result, says};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule};

/// More than places.
const BAD: usize = 40;
const GOOD: usize = 50;
const PLACES: usize = 16;
const MINUTE: Duration = Duration::from_secs(60);

const RULES: &str = r#"
[gate]
rejections = 0
[[rule]]
name = "bad"
when = "message_id is not none and (event.filler | length) > 50"
procedure = "ticket"
data = { event_key = "{{ key }}" }
[[rule]]
name = "good"
procedure = "lead"
data = { event_key = "{{ key }}" }
"#;

fn setup(scene: &Scene) -> Setup {
    scene.api.plan(vec![Rule::always(Canned::new(422)).procedure("ticket")]);
    scene.setup().sections(RULES).broker(&format!("topology = \"declare\"\nprefetch = {PLACES}"))
}

async fn readyz(admin: &str) -> Value {
    let text = reqwest::get(format!("{admin}/readyz")).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Bad ones, then good ones: all good ones are created, and `/readyz` says what stands.
async fn bad_and_good(scene: &Scene, daemon: &mut Daemon) -> Duration {
    let admin = within(60, "the admin port", daemon.admin()).await;
    scene.publish_those(GOOD..GOOD + BAD, 200).await;
    within(60, "a word", daemon.until(|line| says(line, "dead letters wait"))).await;
    let begun = Instant::now();
    scene.publish_those(0..GOOD, 20).await;
    within(60, "all good ones", scene.until_created(GOOD)).await;
    let took = begun.elapsed();
    let ready = readyz(&admin).await;
    assert_eq!(ready["ready"], true);
    let degraded = ready["degraded"].as_array().unwrap();
    for name in ["publishes_refused", "dead_letters_waiting"] {
        assert!(degraded.iter().any(|told| told == name), "{name} in {ready}");
    }
    assert!(ready["publishes_refused"][scene.dead()].is_string(), "{ready}");
    let metrics = reqwest::get(format!("{admin}/metrics")).await.unwrap().text().await.unwrap();
    let waiting = metrics.lines().find_map(|line| line.strip_prefix("chakra_bridge_dead_letters_waiting "));
    assert!(waiting.is_some_and(|waiting| waiting != "0"), "{waiting:?}");
    took
}

/// Empties the dead-letter queue again and again until each bad event has its letter; it has one, and was asked once.
async fn each_gets_its_letter_once(scene: &Scene, daemon: &Daemon) {
    let mut letters: BTreeMap<String, usize> = BTreeMap::new();
    within(180, "all letters", async {
        while letters.len() < BAD {
            for letter in scene.client.drain(&scene.dead()).await {
                *letters.entry(letter.properties.message_id().as_ref().unwrap().to_string()).or_default() += 1;
            }
            tokio::time::sleep(Duration::from_millis(200)).await; // tidy: allow sleep, the queue is emptied again and again
        }
    })
    .await;
    scene.place.until_unacked(&scene.queue(), 0, MINUTE).await;
    scene.client.until_empty(&scene.queue(), MINUTE).await;
    assert_eq!(scene.client.drain(&scene.dead()).await.len(), 0);
    let wanted: BTreeMap<String, usize> = (GOOD..GOOD + BAD).map(|number| (id(number), 1)).collect();
    assert_eq!(letters, wanted);
    let told = |line: &Value| result(line, "dead_lettered");
    assert_eq!(daemon.count(told), BAD, "counted when they are kept, and not before");
    let asked = scene.api.requests().len();
    assert_eq!(asked, GOOD + BAD, "each is asked once");
    assert_eq!(daemon.count(|line| result(line, "requeued") || says(line, "broker lost")), 0);
    scene.assert_none_lost_and_doubles_announced(GOOD, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_dead_letter_queue_holds_up_no_good_event_and_each_bad_one_gets_its_letter_once() {
    full(within(240, "a broker", shared()).await).await;
}

pub(super) async fn full(broker: &Broker) {
    let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
    let mut small = FieldTable::default();
    small.insert("x-max-length".into(), AMQPValue::LongInt(5));
    small.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    scene.client.declare_classic(&scene.dead(), small).await;
    let mut daemon = Daemon::start(&setup(&scene));
    within(60, "consuming", daemon.consuming()).await;
    let took = bad_and_good(&scene, &mut daemon).await;
    println!("{GOOD} good ones beside {BAD} bad ones: {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    each_gets_its_letter_once(&scene, &daemon).await;
    within(60, "the end of it", daemon.until(|line| says(line, "no dead letter waits any more"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_queue_that_is_deleted_holds_up_no_good_event_either() {
    deleted(within(240, "a broker", shared()).await).await;
}

pub(super) async fn deleted(broker: &Broker) {
    let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
    let mut daemon = Daemon::start(&setup(&scene));
    within(60, "consuming", daemon.consuming()).await;
    scene.client.delete(&scene.dead()).await;
    let took = bad_and_good(&scene, &mut daemon).await;
    println!("{GOOD} good ones beside {BAD} bad ones: {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    scene.client.declare_quorum(&scene.dead(), FieldTable::default()).await;
    each_gets_its_letter_once(&scene, &daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_publish_twice_as_many_events_are_held_and_beyond_that_it_says_that_it_stands_still() {
    let broker = within(240, "a broker", Broker::private()).await;
    no_right_to_publish(&broker).await;
}

pub(super) async fn no_right_to_publish(broker: &Broker) {
    let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
    let user = reqwest::Url::parse(&scene.place.url).unwrap().username().to_owned();
    let may =
        async |write: &str| broker.ctl(&["set_permissions", "-p", &scene.place.name, &user, ".*", write, ".*"]).await;
    let mut daemon = Daemon::start(&setup(&scene));
    within(60, "consuming", daemon.consuming()).await;
    let admin = within(60, "the admin port", daemon.admin()).await;
    // As many as there are places, the good ones behind them, and more than twice as many after those.
    daemon.signal("STOP");
    scene.publish_those(GOOD..GOOD + PLACES, 200).await;
    scene.publish_those(0..GOOD, 20).await;
    scene.publish_those(GOOD + PLACES..GOOD + BAD, 200).await;
    within(60, "no right to write", may("^$")).await;
    daemon.signal("CONT");
    within(60, "a word", daemon.until(|line| says(line, "dead letters hold every place"))).await;
    within(60, "all good ones", scene.until_created(GOOD)).await;
    let ready = readyz(&admin).await;
    assert!(ready["degraded"].as_array().unwrap().iter().any(|name| name == "stands_still"), "{ready}");
    assert!(ready["dead_letters"].as_str().unwrap().contains("nothing more is taken"), "{ready}");
    within(60, "the right to write", may(".*")).await;
    each_gets_its_letter_once(&scene, &daemon).await;
}
