//! What the shape of events costs in memory: no more than their bytes and a bounded tree, whatever whoever may publish writes.
//!
//! Not here: the formula (`config`), and many small events (`delivers`).

use std::collections::BTreeMap;

use lapin::types::{AMQPValue, FieldArray, FieldTable};

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

/// The peak in KiB of a daemon that holds all of these at once, and how many of them it settled with each result.
async fn peak(bodies: Vec<String>, api: &str, sections: &str) -> (u64, BTreeMap<String, usize>) {
    let events = bodies.into_iter().map(|body| (body, FieldTable::default())).collect();
    peak_of(events, api, sections).await
}

/// The same, of events with headers.
async fn peak_of(events: Vec<(String, FieldTable)>, api: &str, sections: &str) -> (u64, BTreeMap<String, usize>) {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 8_000 })]);
    let count = events.len();
    let message = |(number, (body, headers)): (usize, (String, FieldTable))| {
        let properties = lapin::BasicProperties::default().with_message_id(super::scene::id(number).into());
        (body.into_bytes(), properties.with_delivery_mode(2).with_headers(headers))
    };
    let events = events.into_iter().enumerate().map(message).collect();
    within(60, "publishing", scene.client.publish_many("", &scene.queue(), events)).await;
    let mut daemon = Daemon::start(&scene.setup().api(api).sections(sections));
    within(240, "all settled", daemon.until_count(count, |line| line["result"].is_string())).await;
    let mut results = BTreeMap::new();
    for line in daemon.logged(|line| line["result"].is_string()) {
        let name =
            line["reason"].as_str().filter(|reason| !reason.is_empty()).unwrap_or(line["result"].as_str().unwrap());
        *results.entry(name.to_owned()).or_default() += 1;
    }
    (daemon.peak_memory_kib(), results)
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_very_many_values_take_no_more_memory_than_text() {
    let sections = |max_values: usize, rule: &str| format!("[event]\nmax_values = {max_values}\n{rule}");
    let (plain, _) = peak(vec![text(); EVENTS], "", &sections(100_000, COPIED)).await;
    println!("24 events of 1 MB of text: peak {plain} KiB");
    let default = 100_000;
    let shapes = [
        ("ones, more than the bound", ones(), default, COPIED, "too_large", ABOVE_TEXT),
        ("ones, within the bound", many("1", 99_000), default, COPIED, "created", ABOVE_TEXT),
        ("objects, by the engine", many(r#"{"":1}"#, 19_990), default, THROUGH_THE_ENGINE, "created", ABOVE_TEXT),
        ("lists, by the engine", many("[1]", 33_000), default, THROUGH_THE_ENGINE, "created", ABOVE_TEXT),
        ("ones, within a bound that was raised", ones(), RAISED, COPIED, "created", ABOVE_TEXT_RAISED),
    ];
    for (what, body, max_values, rule, result, above) in shapes {
        let (peak, results) = peak(vec![body; EVENTS], "", &sections(max_values, rule)).await;
        assert_eq!(results, BTreeMap::from([(result.to_owned(), EVENTS)]), "{what}");
        println!("24 events of 1 MB, {what}: peak {peak} KiB, {} above text", i128::from(peak) - i128::from(plain));
        assert!(peak < plain + above, "{what}: {peak} KiB, text {plain} KiB");
    }
}

/// Those that ended the daemon three starts out of three, and as many of the largest that are taken as it may hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_prefetch_of_the_worst_events_stays_below_the_limit_that_deploy_ships() {
    let shapes = [(r#"{"":1}"#, 19_900), ("[1]", 32_900), ("1", 99_000)];
    let largest = |number: usize| {
        let (item, times) = shapes[number % 3];
        let items = vec![item; times].join(",");
        format!(r#"{{"s":[{items}],"filler":"{}"}}"#, "x".repeat((255 << 10) - items.len() - 18))
    };
    let bodies = (0..8).map(|_| ones()).chain((0..56).map(largest)).collect();
    let api = "max_request = \"256KiB\"\nmax_reply = \"512KiB\"";
    let (peak, results) = peak(bodies, api, &format!("[event]\nmax_size = \"256KiB\"\n{THROUGH_THE_ENGINE}")).await;
    println!("64 of the worst events, with the bounds of deploy/: peak {peak} KiB");
    assert_eq!(results, BTreeMap::from([("created".to_owned(), 56), ("too_large".to_owned(), 8)]));
    assert!(peak < 206 * 1024, "{peak} KiB");
}

/// Of each event, beside its message: what its headers may take.
const HEADERS: u64 = 176;
/// The trees of those that are read at one moment, each some 20 MiB: one by the client library, one by the rules, one for a queue.
const READ: u64 = 96 * 1024;

/// A table in a list takes seven bytes on the wire, and a hundred times as much as a tree.
pub(super) fn very_many_values() -> AMQPValue {
    let mut one = FieldTable::default();
    one.insert("".into(), AMQPValue::Void);
    AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::FieldTable(one); 17_000]))
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_very_many_values_take_what_the_formula_says() {
    let small = || (r#"{"s":"a"}"#.to_owned(), FieldTable::default());
    let many = || {
        let mut headers = FieldTable::default();
        headers.insert("many".into(), very_many_values());
        (r#"{"s":"a"}"#.to_owned(), headers)
    };
    let (plain, _) = peak_of((0..64).map(|_| small()).collect(), "", COPIED).await;
    let (peak, results) = peak_of((0..64).map(|_| many()).collect(), "", COPIED).await;
    println!("64 events with 17,000 tables in their headers: peak {peak} KiB, without {plain} KiB");
    assert_eq!(results, BTreeMap::from([("created".to_owned(), 64)]));
    assert!(peak < plain + 64 * HEADERS + READ, "{peak} KiB, without {plain} KiB");
}
