//! Very many dead letters: listed in time and in little memory, and all of them still there afterwards, in their order.
//!
//! `LETTERS` says how many; CI takes few, `make evidence` a hundred thousand with the released program, and then the bars hold.

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lapin::BasicProperties;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::memory::very_many_values;
use super::night::{file, letter, scene_on};
use super::scene::Scene;
use crate::support::broker::{Broker, shared, shared_image};
use crate::support::daemon::program;
use crate::support::deadline::within;

/// From this many on the bars hold.
const MANY: usize = 100_000;
const FIRST_MAX: Duration = Duration::from_secs(1);
const ALL_MAX: Duration = Duration::from_secs(20);
const PEAK_MAX_KIB: u64 = 32 * 1024;
/// Letters with large headers, those before them, and what listing them may take: one is read at a time, some hundred wait as bytes.
const LARGE: usize = 160;
const FEW: usize = 32;
const PEAK_MAX_LARGE_KIB: u64 = 128 * 1024;
/// Publishes before their confirms are waited for.
const WINDOW: usize = 500;

/// What stands in a letter beside its body.
fn plain(number: usize) -> BasicProperties {
    letter(&format!("e{number}"), ["refused", "unmappable", "unknown"][number % 3])
}

/// With headers that take a hundred times as much as a tree, behind some that do not.
fn of_very_many_values(number: usize) -> BasicProperties {
    let properties = plain(number);
    if number < FEW {
        return properties;
    }
    let mut headers = properties.headers().clone().unwrap();
    headers.insert("many".into(), very_many_values());
    properties.with_headers(headers)
}

/// Puts so many letters into the queue, in their order.
async fn put(scene: &Scene, count: usize, properties: impl Fn(usize) -> BasicProperties) {
    let channel = scene.client.connection().create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let body = format!(r#"{{"filler": "{}"}}"#, "x".repeat(400));
    let dead = scene.dead();
    let mut confirms = Vec::with_capacity(WINDOW);
    for number in 0..count {
        let properties = properties(number).with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        confirms.push(
            channel.basic_publish("".into(), dead.as_str().into(), options, body.as_bytes(), properties).await.unwrap(),
        );
        if confirms.len() == WINDOW || number + 1 == count {
            for confirm in confirms.drain(..) {
                confirm.await.unwrap();
            }
        }
    }
}

/// What a list took: to its first lines, to its end, and in memory.
struct Took {
    first: Duration,
    all: Duration,
    peak_kib: u64,
}

async fn list(config: &std::path::Path, count: usize) -> Took {
    let began = Instant::now();
    let mut command = Command::new(program());
    command.arg("--config").arg(config).args(["dead-letters", "list"]).stdout(Stdio::piped()).kill_on_drop(true);
    let mut tool = command.spawn().unwrap();
    let pid = tool.id().unwrap();
    let mut lines = BufReader::new(tool.stdout.take().unwrap()).lines();
    let (mut first, mut peak_kib, mut said) = (None, 0, String::new());
    loop {
        peak_kib = peak_kib.max(peak(pid));
        match tokio::time::timeout(Duration::from_millis(50), lines.next_line()).await {
            Err(_) => {}
            Ok(Ok(Some(line))) => {
                if line.contains("found ") {
                    first.get_or_insert_with(|| began.elapsed());
                }
                said = format!("{said}{line}\n");
            }
            Ok(_) => break,
        }
    }
    let status = tool.wait().await.unwrap();
    assert!(status.success(), "{said}");
    let total = said.lines().find(|line| line.ends_with("  all")).unwrap_or_else(|| panic!("{said}"));
    assert_eq!(total.split_whitespace().next(), Some(count.to_string().as_str()), "{said}");
    Took { first: first.unwrap(), all: began.elapsed(), peak_kib }
}

/// The most memory that a process had so far, in KiB; 0 once it is gone.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or_default()
}

/// The ids of the letters, in their order. Got one by one a hundred thousand take minutes.
async fn take_all(scene: &Scene, count: usize) -> Vec<String> {
    let channel = scene.client.connection().create_channel().await.unwrap();
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let (dead, table) = (scene.dead(), FieldTable::default());
    let mut consumer = channel.basic_consume(dead.as_str().into(), "".into(), options, table).await.unwrap();
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count
        && let Ok(Some(letter)) = tokio::time::timeout(Duration::from_secs(30), consumer.next()).await
    {
        ids.push(letter.unwrap().properties.message_id().as_ref().unwrap().to_string());
    }
    ids
}

async fn law(broker: &Broker, count: usize) {
    let scene = scene_on(broker).await;
    put(&scene, count, plain).await;
    let (_folder, config) = file(&scene.setup());
    let Took { first, all, peak_kib } = list(&config, count).await;
    let left = take_all(&scene, count).await;
    let moved: Vec<_> = left.iter().enumerate().filter(|(number, id)| **id != format!("e{number}")).take(8).collect();
    let in_order = moved.is_empty();
    println!("| letters | RabbitMQ | first lines after | listed in | peak memory | still there, in their order |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let (version, there) = (broker.version(), if in_order { left.len() } else { 0 });
    println!(
        "| {count} | {version} | {:.2} s | {:.1} s | {} MiB | {there} |",
        first.as_secs_f64(),
        all.as_secs_f64(),
        peak_kib / 1024
    );
    assert!(
        in_order && left.len() == count,
        "{} of {count} are left, the first of another place: {moved:?}",
        left.len()
    );
    if count >= MANY {
        assert!(first <= FIRST_MAX && all <= ALL_MAX && peak_kib <= PEAK_MAX_KIB, "beyond the bars");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_letters_are_listed_in_little_memory_and_are_all_still_there_in_their_order() {
    let count = std::env::var("LETTERS").ok().and_then(|letters| letters.parse().ok()).unwrap_or(3_000);
    within(900, "the list", law(shared().await, count)).await;
    if count >= MANY
        && let Some(broker) = shared_image(0).await
    {
        within(900, "the list on 4.0", law(broker, count)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_very_many_values_are_listed_in_little_memory_too() {
    let scene = within(240, "a broker", scene_on(shared().await)).await;
    within(120, "publishing", put(&scene, LARGE, of_very_many_values)).await;
    // It is about memory: a program that is not optimised, beside all the other tests, takes longer for one buffer of these.
    let (_folder, config) = file(&scene.setup().broker("heartbeat = \"2m\""));
    let took = within(240, "the list", list(&config, LARGE)).await;
    println!("{LARGE} letters, most with 17,000 tables in their headers: listed in at most {} KiB", took.peak_kib);
    assert!(took.peak_kib < PEAK_MAX_LARGE_KIB, "{} KiB", took.peak_kib);
}
