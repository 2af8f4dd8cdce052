//! What the shape of events costs in memory: no more than their bytes and a bounded tree, whatever whoever may publish writes.
//!
//! Not here: the formula (`config`), and many small events (`delivers`).

use std::time::Duration;

use super::scene::Scene;
use crate::support::broker::shared;
use crate::support::daemon::Daemon;
use crate::support::deadline::within;
use crate::support::standin::{Fault, Rule};

const EVENTS: usize = 24;
const BYTES: usize = 1_000_000;
/// How much more memory than text of the same size any other shape may take, in KiB.
const ABOVE_TEXT: u64 = 40 * 1024;
/// What a bound that was raised lets in, as the formula has it.
const RAISED: usize = 600_000;
const ABOVE_TEXT_RAISED: u64 = RAISED as u64 * 384 / 1024;

const COPIED: &str = r#"
[[rule]]
name = "copied"
procedure = "lead"
data = { event_key = "{{ key }}", s = "{{ event.s }}" }
"#;

const THROUGH_THE_ENGINE: &str = r#"
[[rule]]
name = "computed"
procedure = "lead"
data = { event_key = "{{ key }}", s = "{{ [event.s] }}" }
"#;

/// `s` is so often this, in a list, and the rest of the event is text.
fn many(item: &str, times: usize) -> String {
    let items = vec![item; times].join(",");
    let filler = "x".repeat(BYTES.saturating_sub(items.len() + 18));
    format!(r#"{{"s":[{items}],"filler":"{filler}"}}"#)
}

fn ones() -> String {
    many("1", (BYTES - 20) / 2)
}

fn text() -> String {
    format!(r#"{{"s":"{}"}}"#, "x".repeat(BYTES - 8))
}

/// The peak of a daemon that has so many of these in hand at once, in KiB; each is a process, or a dead letter of this reason.
async fn peak(body: String, max_values: usize, rule: &str, reason: Option<&str>) -> u64 {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 8_000 })]);
    let message = |number| {
        let id = super::scene::id(number).into();
        (body.clone().into_bytes(), lapin::BasicProperties::default().with_message_id(id).with_delivery_mode(2))
    };
    let events = (0..EVENTS).map(message).collect();
    within(60, "publishing", scene.client.publish_many("", &scene.queue(), events)).await;
    let setup = scene.setup().sections(&format!("[event]\nmax_values = {max_values}\n{rule}"));
    let mut daemon = Daemon::start(&setup);
    let result = if reason.is_some() { "dead_lettered" } else { "created" };
    within(240, "all settled", daemon.until_count(EVENTS, |line| line["result"] == result)).await;
    let peak = daemon.peak_memory_kib();
    let why = daemon.logged(|line| line["result"] == result).pop().unwrap();
    assert_eq!(why["reason"].as_str().filter(|reason| !reason.is_empty()), reason, "{why}");
    let client = within(60, "a client", scene.place.client()).await;
    client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    peak
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_very_many_values_take_no_more_memory_than_text() {
    let plain = peak(text(), 100_000, COPIED, None).await;
    println!("24 events of 1 MB of text: peak {plain} KiB");
    let default = 100_000;
    let shapes = [
        ("ones, more than the bound", ones(), default, COPIED, Some("too_large"), ABOVE_TEXT),
        ("ones, within the bound", many("1", 99_000), default, COPIED, None, ABOVE_TEXT),
        ("objects, by the engine", many(r#"{"":1}"#, 19_990), default, THROUGH_THE_ENGINE, None, ABOVE_TEXT),
        ("lists, by the engine", many("[1]", 33_000), default, THROUGH_THE_ENGINE, None, ABOVE_TEXT),
        ("ones, within a bound that was raised", ones(), RAISED, COPIED, None, ABOVE_TEXT_RAISED),
    ];
    for (what, body, max_values, rule, reason, above) in shapes {
        let peak = peak(body, max_values, rule, reason).await;
        println!("24 events of 1 MB, {what}: peak {peak} KiB, {} above text", i128::from(peak) - i128::from(plain));
        assert!(peak < plain + above, "{what}: {peak} KiB, text {plain} KiB");
    }
}
