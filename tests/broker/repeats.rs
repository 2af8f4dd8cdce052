//! A producer that repeats itself: one daemon makes one process of each key, however often and however close together the messages
//! of it come.
//!
//! Not here: the same under every trouble (`tests/model`), and several daemons, which do not share what they remember.

use std::time::Duration;

use lapin::BasicProperties;

use super::scene::{Scene, id};
use crate::support::broker::shared;
use crate::support::daemon::{Daemon, announced, result};
use crate::support::deadline::within;
use crate::support::standin::{Fault, Rule};

const EVENTS: usize = 500;

/// Each event one to three times, in an order that nobody chose.
fn messages() -> Vec<(Vec<u8>, BasicProperties)> {
    let mut random = fastrand::Rng::new();
    println!("seed {}", random.get_seed());
    let mut numbers: Vec<usize> =
        (0..EVENTS).flat_map(|number| std::iter::repeat_n(number, random.usize(1..=3))).collect();
    // Those of one event stay near each other, as those of a relay that lost a confirm do.
    numbers.chunks_mut(50).for_each(|chunk| random.shuffle(chunk));
    let message = |number: usize| {
        let properties = BasicProperties::default().with_message_id(id(number).into()).with_delivery_mode(2);
        (format!(r#"{{"of": {number}}}"#).into_bytes(), properties)
    };
    numbers.into_iter().map(message).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_publishes_each_event_one_to_three_times_gets_one_process_of_each() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 20 })]);
    let messages = messages();
    let published = messages.len();
    let mut daemon = scene.daemon();
    within(60, "consuming", daemon.consuming()).await;
    within(60, "publishing", scene.client.publish_many("", &scene.queue(), messages)).await;
    within(120, "every message", daemon.until_count(published, |line| line["result"].is_string())).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    daemon.signal("TERM");
    let (code, log) = within(60, "its end", daemon.ended()).await;
    assert_eq!(code, Some(0));
    let processes = scene.api.lookup(|books| books.created.len());
    let duplicates: Vec<_> = log.iter().filter(|line| line["result"] == "duplicate").collect();
    println!("{published} messages of {EVENTS} keys: {processes} processes, {} duplicates", duplicates.len());
    assert!(scene.processes().values().all(|times| *times == 1));
    assert_eq!((processes, scene.processes().len(), duplicates.len()), (EVENTS, EVENTS, published - EVENTS));
    assert!(duplicates.iter().all(|line| line["process"].is_string() && line["rule"].is_string()), "{duplicates:?}");
    assert_eq!(announced(&log), Vec::<String>::new());
}

/// What the second life of a daemon does not remember.
const ALWAYS: &str = r#"
[retry]
budget = 1.0
[[rule]]
name = "any"
procedure = "lead"
reconcile_by = "event_key"
reconcile = "always"
keys = "unique"
[rule.data]
event_key = "{{ key }}"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn with_a_lookup_before_each_create_another_life_of_the_daemon_finds_what_is_published_again() {
    const EVENTS: usize = 60;
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    for (life, how) in ["created", "found"].into_iter().enumerate() {
        let mut daemon = Daemon::start(&scene.setup().sections(ALWAYS));
        within(60, "consuming", daemon.consuming()).await;
        within(60, "publishing", scene.publish(EVENTS, 100)).await;
        within(120, how, daemon.until_count(EVENTS, |line| result(line, how))).await;
        scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
        daemon.signal("TERM");
        let (code, log) = within(60, "its end", daemon.ended()).await;
        assert_eq!((code, announced(&log)), (Some(0), Vec::new()), "life {life}");
    }
    assert_eq!(scene.processes().values().copied().collect::<Vec<_>>(), [1; EVENTS]);
}
