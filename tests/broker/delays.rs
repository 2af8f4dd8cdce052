//! Waits beyond the budget are spent in delay queues of the broker, and what travels comes back.
//!
//! Not here: how long a wait is (`core::progress`), and which queue it takes (`core::delay_queue`).

use std::time::{Duration, Instant};

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::scene::Scene;
use crate::support::broker::{Vhost, shared};
use crate::support::daemon::{Daemon, Setup, result, says};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule};

/// Each event is sent away once and asked to wait for longer than is waited in memory.
fn sent_away() -> Rule {
    Rule::always(Canned::new(423).retry_after("3")).times(1)
}

async fn place() -> Vhost {
    shared().await.vhost().await
}

fn impatient(setup: Setup) -> Setup {
    setup.sections("[retry]\ninitial = \"10ms\"\nmax_local_delay = \"1s\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_beyond_the_budget_is_spent_in_a_delay_queue_and_the_progress_comes_back() {
    let scene = within(240, "a broker", async { Scene::empty(place().await).await }).await;
    scene.api.plan(vec![sent_away()]);
    let mut daemon = Daemon::start(&impatient(scene.setup()).broker("topology = \"declare\""));
    within(60, "consuming", daemon.consuming()).await;
    scene.publish(40, 200).await;
    within(60, "all delayed", daemon.until_count(40, |line| result(line, "delayed"))).await;
    within(60, "all created", daemon.until_count(40, |line| result(line, "created"))).await;
    let created = daemon.logged(|line| result(line, "created"));
    assert!(created.iter().all(|line| line["attempts"] == 2), "the attempt before the delay queue counts: {created:?}");
    let processes = scene.processes();
    assert!(processes.len() == 40 && processes.values().all(|times| *times == 1), "{processes:?}");
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    scene.client.until_empty(&format!("{}.wait.10s", scene.queue()), Duration::from_secs(60)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_matches_on_where_an_event_was_first_published_after_a_delay_queue_too() {
    let scene = within(240, "a broker", async { Scene::empty(place().await).await }).await;
    scene.api.plan(vec![sent_away()]);
    let rules = r#"
[[rule]]
name = "of the first queue"
when = "exchange == '' and routing_key is not none"
procedure = "lead"
[rule.data]
event_key = "{{ key }}"
routed = "{{ routing_key }}"
"#;
    let setup = impatient(scene.setup()).sections(rules).broker("topology = \"declare\"");
    let mut daemon = Daemon::start(&setup);
    within(60, "consuming", daemon.consuming()).await;
    scene.publish(1, 200).await;
    within(60, "created", daemon.until(|line| result(line, "created"))).await;
    let routed = scene.api.created()[0].json()["data"]["routed"].clone();
    assert_eq!(routed, scene.queue());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_delay_queues_it_says_so_and_waits_in_memory() {
    let scene = within(240, "a broker", async { Scene::quorum(place().await).await }).await;
    scene.api.plan(vec![sent_away()]);
    let mut daemon = Daemon::start(&impatient(scene.setup()));
    let said = daemon.until(|line| says(line, "events wait in memory only") && says(line, ".wait.10s`"));
    within(60, "which are missing", said).await;
    scene.publish(3, 200).await;
    within(60, "all created", daemon.until_count(3, |line| result(line, "created"))).await;
    assert_eq!(daemon.count(|line| result(line, "delayed")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_queue_that_could_drop_an_event_is_refused_by_name() {
    let scene = within(240, "a broker", async { Scene::empty(place().await).await }).await;
    let delay_queue = format!("{}.wait.10s", scene.queue());
    let mut daemon = Daemon::start(&scene.setup().broker("topology = \"declare\""));
    within(60, "consuming", daemon.consuming()).await;
    daemon.signal("TERM");
    within(60, "its end", daemon.ended()).await;
    // At most once, and the oldest dropped when it is full: what a queue is unless it is told otherwise.
    let mut arguments = FieldTable::default();
    arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(10_000));
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(scene.queue().into()));
    scene.client.delete(&delay_queue).await;
    scene.client.declare_quorum(&delay_queue, arguments).await;
    scene.api.plan(vec![sent_away()]);
    let mut daemon = Daemon::start(&impatient(scene.setup()));
    let said = daemon
        .until(|line| says(line, "events wait in memory only") && says(line, &format!("`{delay_queue}` could drop")));
    within(60, "which is wrong", said).await;
    scene.publish(1, 200).await;
    within(60, "created", daemon.until(|line| result(line, "created"))).await;
    assert_eq!(daemon.count(|line| result(line, "delayed")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_an_unknown_procedure_do_not_stand_in_the_way_of_others() {
    let scene = within(240, "a broker", async { Scene::empty(place().await).await }).await;
    let rules = r#"
[gate]
probe_initial = "200ms"
probe_max = "1s"
[[rule]]
name = "missing"
when = "message_id is not none and (event.filler | length) > 500"
procedure = "missing"
data = { event_key = "{{ key }}" }
[[rule]]
name = "other"
when = "message_id is not none and (event.filler | length) > 50"
procedure = "ticket"
data = { event_key = "{{ key }}" }
[[rule]]
name = "there"
procedure = "lead"
data = { event_key = "{{ key }}" }
"#;
    scene.api.set_procedures(&["lead", "ticket"]);
    let setup = scene.setup().sections(rules).broker("topology = \"declare\"\nprefetch = 16");
    let mut daemon = Daemon::start(&setup);
    within(60, "consuming", daemon.consuming()).await;
    let of_both = async |numbers: std::ops::Range<usize>| {
        let (begun, middle) = (Instant::now(), (numbers.start + numbers.end) / 2);
        scene.publish_those(numbers.start..middle, 15).await;
        scene.publish_those(middle..numbers.end, 100).await;
        begun
    };
    let begun = of_both(260..460).await;
    within(60, "two procedures", daemon.until_count(200, |line| result(line, "created"))).await;
    let alone = begun.elapsed();
    // More of them than there are places, and before the others.
    scene.publish(60, 1000).await;
    within(60, "the door is shut", daemon.until(|line| says(line, "gate shut") && line["scope"] == "missing")).await;
    let begun = of_both(60..260).await;
    within(60, "the others", daemon.until_count(400, |line| result(line, "created"))).await;
    println!("200 events of two procedures took {alone:?}, and {:?} beside a third that is not there", begun.elapsed());
    assert_eq!(daemon.count(|line| result(line, "dead_lettered")), 0);
    scene.api.set_procedures(&["lead", "ticket", "missing"]);
    within(120, "the rest", scene.until_created(460)).await;
    assert!(scene.processes().values().all(|times| *times == 1), "none is doubled");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_long_outage_one_event_stays_unacknowledged_and_all_are_created_after_it() {
    let scene = within(240, "a broker", async { Scene::empty(place().await).await }).await;
    scene.api.set_tokens(&["another"]);
    let gate = "[gate]\nprobe_initial = \"200ms\"\nprobe_max = \"500ms\"\nrelease_after = \"1s\"";
    let setup = scene.setup().sections(gate).broker("topology = \"declare\"\nprefetch = 20");
    let mut daemon = Daemon::start(&setup);
    within(60, "consuming", daemon.consuming()).await;
    scene.publish(100, 200).await;
    within(60, "the word", daemon.until(|line| says(line, "one event is held"))).await;
    scene.place.until_unacked(&scene.queue(), 1, Duration::from_secs(60)).await;
    scene.api.set_tokens(&[crate::support::standin::StandIn::TOKEN]);
    within(60, "all created", scene.until_created(100)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    assert!(scene.processes().values().all(|times| *times == 1));
    assert_eq!(scene.client.depth(&scene.dead()).await.unwrap().messages, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_that_nobody_takes_do_not_stand_in_the_way_of_delaying() {
    const DEAD_LETTERS: usize = 6;
    let scene = within(240, "a broker", async { Scene::empty(place().await).await }).await;
    scene.api.plan(vec![sent_away()]);
    let mut daemon = Daemon::start(&impatient(scene.setup()).broker("topology = \"declare\""));
    within(60, "consuming", daemon.consuming()).await;
    scene.client.delete(&scene.dead()).await;
    for _ in 0..DEAD_LETTERS {
        scene.client.publish("", &scene.queue(), b"not json", BasicProperties::default()).await;
    }
    within(60, "refused", daemon.until(|line| says(line, "publish refused"))).await;
    scene.publish(1, 100).await;
    let created = within(60, "it came back", daemon.until(|line| result(line, "created"))).await;
    assert_eq!(created["attempts"], 2, "it was delayed between");
    scene.client.declare_quorum(&scene.dead(), FieldTable::default()).await;
    let dead_letters = u32::try_from(DEAD_LETTERS).unwrap();
    scene.client.until_depth(&scene.dead(), dead_letters, Duration::from_secs(120)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
}
