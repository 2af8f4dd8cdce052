//! Every event becomes one process, in little memory.
//!
//! Not here: faults.

use std::time::Duration;

use super::scene::Scene;
use crate::support::broker::shared;
use crate::support::daemon::says;
use crate::support::deadline::within;

const MANY: usize = 20_000;
const MEMORY_KIB_MAX: u64 = 40 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_events_are_created_once_each_in_forty_mebibytes() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    within(120, "publishing", scene.publish(MANY, 1024)).await;
    let mut daemon = scene.daemon();
    within(60, "consuming", daemon.consuming()).await;
    within(180, "all created", scene.until_created(MANY)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    scene.place.until_unacked(&scene.queue(), 0, Duration::from_secs(60)).await;
    let peak = daemon.peak_memory_kib();
    daemon.signal("TERM");
    let (code, log) = within(60, "its end", daemon.ended()).await;
    assert_eq!(code, Some(0));
    assert!(scene.processes().values().all(|times| *times == 1));
    assert_eq!(scene.api.lookup(|books| books.created.len()), MANY);
    assert_eq!(scene.client.depth(&scene.queue()).await.unwrap().messages, 0);
    assert_eq!(log.iter().filter(|line| line["result"] == "created").count(), MANY);
    let doubts: Vec<_> = log.iter().filter(|line| says(line, "possible duplicate:")).collect();
    assert!(doubts.is_empty(), "{doubts:?}");
    println!("peak memory: {peak} KiB");
    assert!(peak < MEMORY_KIB_MAX, "{peak} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classic_queue_is_as_good() {
    let scene = within(240, "a broker", async { Scene::classic(shared().await.vhost().await).await }).await;
    within(60, "publishing", scene.publish(500, 200)).await;
    let daemon = scene.daemon();
    within(60, "all created", scene.until_created(500)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(0));
    assert_eq!(scene.api.created().len(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_never_holds_a_payload_or_a_secret() {
    const CANARY: &str = "canary-7701214822";
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let rule = r#"
[[rule]]
name = "all"
procedure = "lead"
data = { event_key = "{{ key }}", name = "{{ event.name }}", age = "{{ event.age | digits }}" }
"#;
    let setup = scene.setup().sections(rule);
    let bodies = [
        format!(r#"{{"name": "{CANARY}", "age": "5"}}"#),
        format!(r#"{{"name": "{CANARY}", "age": {{"{CANARY}": 1}}}}"#),
        format!(r#"{{"name": "{CANARY}"#),
    ];
    for (number, body) in bodies.iter().enumerate() {
        let properties = lapin::BasicProperties::default().with_message_id(super::scene::id(number).into());
        scene.client.publish("", &scene.queue(), body.as_bytes(), properties).await;
    }
    let mut daemon = crate::support::daemon::Daemon::start(&setup);
    within(60, "three results", daemon.until_count(3, |line| line["result"].is_string())).await;
    daemon.signal("TERM");
    let (_, log) = within(60, "its end", daemon.ended()).await;
    let text = format!("{log:?}");
    assert!(!text.contains(CANARY));
    assert!(!text.contains(&setup.token));
}
