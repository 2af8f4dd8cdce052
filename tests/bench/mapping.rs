//! What decoding and mapping an event costs, beside what the bare parsing of it costs: a ratio, which holds on any
//! machine. Fails above [`RATIO_MAX`]. `cargo bench --bench mapping`.
//!
//! Not here: what the requests are, which the tests of the rules know.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench may fail this way")]

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chakra_bridge::core::decode::decode;
use chakra_bridge::core::mapping::rules::{Mapped, map};
use chakra_bridge::core::message::Message;
use chakra_bridge::core::process::CreateProcess;
use chakra_bridge::ready::{Ready, load_with};
use serde_json::{Value, json};

/// At most so many times the bare parsing.
const RATIO_MAX: f64 = 3.0;

/// How often both are measured, one after the other, so that what disturbs one disturbs the other.
const ROUNDS: usize = 400;

/// How many events a measurement takes.
const EVENTS: u32 = 100;

/// A CloudEvent of one kilobyte, as a help desk may send it.
const EVENT: &str = include_str!("event.json");

/// A rule of eight fields.
const RULES: &str = include_str!("rules.toml");

/// A rule that makes an object of each line.
const LINES: &str = include_str!("lines.toml");

/// What a line of a long order may cost, in times of one of a short order.
const GROWTH_MAX: f64 = 1.6;

fn main() -> ExitCode {
    let (ready, message) = (ready(), message());
    assert_eq!(serde_json::from_slice::<Value>(&mapped(&ready, &message).body).unwrap(), expected());
    let (mut parsed, mut worked) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        parsed.push(time(|| serde_json::from_slice::<Value>(black_box(&message.body)).unwrap()));
        worked.push(time(|| mapped(black_box(&ready), black_box(&message))));
    }
    parsed.sort();
    worked.sort();
    let ratio = worked[0].as_secs_f64() / parsed[0].as_secs_f64();
    let medians = worked[ROUNDS / 2].as_secs_f64() / parsed[ROUNDS / 2].as_secs_f64();
    println!(
        "event {} bytes; parsing {:?}, decoding and mapping {:?} each",
        EVENT.len(),
        each(parsed[0]),
        each(worked[0])
    );
    println!("| mapping, in times of parsing | of the medians | at most |\n| --- | --- | --- |");
    println!("| {ratio:.2} | {medians:.2} | {RATIO_MAX:.2} |");
    let growth = growth();
    println!("| a line of an order of 1000 lines, in times of one of 100 lines | at most |\n| --- | --- |");
    println!("| {growth:.2} | {GROWTH_MAX:.2} |");
    if ratio <= RATIO_MAX && growth <= GROWTH_MAX { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a line of a long order costs, in times of one of a short order.
fn growth() -> f64 {
    let ready = loaded(LINES);
    let each = |lines: u32| {
        let message = order(lines);
        let best = (0..ROUNDS / 10).map(|_| {
            let start = Instant::now();
            black_box(mapped(black_box(&ready), black_box(&message)));
            start.elapsed()
        });
        best.min().expect("rounds").as_secs_f64() / f64::from(lines)
    };
    let (short, long) = (each(100), each(1000));
    println!("a line of an order: {:.1} µs of 100 lines, {:.1} µs of 1000 lines", short * 1e6, long * 1e6);
    long / short
}

fn order(lines: u32) -> Message {
    let line = |at: u32| json!({ "sku": format!("S-{at}"), "quantity": at % 5, "price": "19.99", "title": "A fan that stands" });
    let event = json!({ "currency": "EUR", "line_items": (0..lines).map(line).collect::<Vec<_>>() });
    Message { body: Arc::new(event.to_string().into_bytes()), message_id: Some("m1".to_owned()), ..Message::default() }
}

fn expected() -> Value {
    json!({
        "data": { "event_key": "/support/eu-west|5f0c1f2e-7a53-4d6d-9b7a-0f3c2f5f8a11", "priority": 3,
            "subject": "Boiler makes a knocking noise since Monday", "source": "unknown" },
        "record": { "data": { "email": "ada.lovelace@example.com", "phone_number": "9107701214822" } },
        "nextActionAt": 1_769_999_400_000_i64,
        "assignedTo": "sam@example.com",
    })
}

fn each(round: Duration) -> Duration {
    round / EVENTS
}

fn time<T>(mut work: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..EVENTS {
        black_box(work());
    }
    start.elapsed()
}

fn mapped(ready: &Ready, message: &Message) -> CreateProcess {
    let event = decode(message, &ready.limits).expect("an event");
    match map(&event, &ready.rules, ready.limits.bounds).expect("a request") {
        Mapped::Create { request, .. } => request,
        Mapped::Skip { .. } => unreachable!("the rule creates"),
    }
}

fn ready() -> Ready {
    loaded(RULES)
}

fn loaded(text: &str) -> Ready {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    std::fs::write(&file, text).unwrap();
    load_with(&file, []).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn message() -> Message {
    Message {
        body: Arc::new(EVENT.as_bytes().to_vec()),
        content_type: Some("application/cloudevents+json".to_owned()),
        exchange: "support".to_owned(),
        routing_key: "case.opened".to_owned(),
        ..Message::default()
    }
}
