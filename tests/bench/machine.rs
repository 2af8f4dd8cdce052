//! What each step of an event costs within the daemon: decode, map, judge, and its whole walk through the delivery machine with 10,
//! 100 and 1,000 events held; and what traces add to it. Fails where the walk grows with what is held, and where an event that
//! brings no trace pays for traces though none are collected. `cargo bench --bench machine`.
//!
//! Not here: the broker, HTTP and the log (`throughput`), and the bar of the mapping (`mapping`).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench may fail this way")]

use std::collections::VecDeque;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chakra_bridge::core::decode::decode;
use chakra_bridge::core::delivery::{Effect, EventId, Input, Machine, Now, ReceiptId, Setup};
use chakra_bridge::core::headers::Headers;
use chakra_bridge::core::judge::judge;
use chakra_bridge::core::mapping::rules::{Mapped, map};
use chakra_bridge::core::message::Message;
use chakra_bridge::core::reply::{Body, Reply, Response, Wrapper};
use chakra_bridge::ready::{Ready, load_with};
use serde_json::Map;

/// At most so many times the walk with the fewest held.
const GROWTH_MAX: f64 = 1.5;
/// The most that looking for a trace may take of the walk of an event that brings none, with `[telemetry]` off.
const UNTRACED_MAX: f64 = 0.02;

const ROUNDS: usize = 60;
/// Events of one measurement.
const EVENTS: u32 = 1_000;
const HELD: [usize; 3] = [10, 100, 1_000];

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const EVENT: &str = include_str!("event.json");
const RULES: &str = include_str!("rules.toml");

fn main() -> ExitCode {
    let ready = ready();
    let (message, reply) = (message(0), created());
    let event = decode(&message, &ready.limits).expect("an event");
    let mut benches = HELD.map(|held| Bench::new(&ready, held));
    let mut traced = Bench::new(&ready, HELD[0]);
    traced.traceparent = Some(TRACEPARENT);
    let mut times: [Vec<Duration>; 8] = Default::default();
    // In turn, so that what disturbs one disturbs all.
    for _ in 0..ROUNDS {
        times[0].push(time(|| decode(black_box(&message), &ready.limits).is_ok()));
        times[1].push(time(|| {
            matches!(map(black_box(&event), &ready.rules, ready.limits.bounds), Ok(Mapped::Create { .. }))
        }));
        times[2].push(time(|| judge(black_box(&reply), true)));
        for (bench, times) in benches.iter_mut().zip(&mut times[3..]) {
            times.push(time(|| bench.walk()));
        }
        times[6].push(time(|| black_box(&event).trace().is_some()));
        times[7].push(time(|| traced.walk()));
    }
    let least = times.map(|times| times.into_iter().min().expect("a round") / EVENTS);
    println!("| step | ns each |\n| --- | --- |");
    let names = ["decode 1 KB", "map eight fields", "judge a reply"].map(str::to_owned).into_iter();
    let walks = HELD.map(|held| format!("decode, map, begin, judge and end with {held} held"));
    let traces = [
        "look for a trace where there is none".to_owned(),
        format!("the whole walk of an event that brings a trace, with {} held", HELD[0]),
    ];
    names.chain(walks).chain(traces).zip(least).for_each(|(name, each)| println!("| {name} | {} |", each.as_nanos()));
    let growth = least[5].as_secs_f64() / least[3].as_secs_f64();
    println!("| 1,000 held, of 10 | at most |\n| --- | --- |\n| {growth:.2} | {GROWTH_MAX:.2} |");
    let [walk, untraced, traced] = [3, 6, 7].map(|at| least[at].as_secs_f64());
    let share = untraced / walk;
    println!("| traces off, of the walk of an event that brings none | at most |\n| --- | --- |");
    println!("| {share:.3} | {UNTRACED_MAX:.3} |");
    println!("| of an event that brings one | |\n| --- | --- |\n| {:.2} | |", traced / walk - 1.0);
    if growth <= GROWTH_MAX && share <= UNTRACED_MAX { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn time<T>(mut work: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..EVENTS {
        black_box(work());
    }
    start.elapsed()
}

/// A machine that has so many requests under way at each moment.
struct Bench {
    machine: Machine,
    running: VecDeque<EventId>,
    receipts: ReceiptId,
    began: Instant,
    /// What its messages say of their trace.
    traceparent: Option<&'static str>,
}

impl Bench {
    fn new(ready: &Ready, held: usize) -> Self {
        let config = &ready.config;
        let machine = Machine::new(Setup {
            limits: ready.limits.clone(),
            rules: Arc::new(ready.rules.clone()),
            policy: config.policy,
            gate: config.gate,
            request_limits: config.request_limits,
            repeats: config.repeats,
            photos: config.photo_policy,
            ledger: None,
            outcomes: None,
            places: held + 1,
        });
        let (running, began) = (VecDeque::new(), Instant::now());
        let mut bench = Self { machine, running, receipts: 0, began, traceparent: None };
        bench.on(Input::Connected { can_delay: true });
        for _ in 0..held {
            bench.arrives();
        }
        assert_eq!(bench.running.len(), held, "each is sent as it comes");
        bench
    }

    fn on(&mut self, input: Input) {
        let moment = self.began.elapsed();
        let epoch_ms = 1_700_000_000_000 + u64::try_from(moment.as_millis()).expect("milliseconds");
        for effect in self.machine.on(input, Now { moment, epoch_ms }, 0.5).list {
            if let Effect::Create { event, .. } = effect {
                self.running.push_back(event);
            }
        }
    }

    fn arrives(&mut self) {
        self.receipts += 1;
        let mut message = Box::new(message(self.receipts));
        if let Some(traceparent) = self.traceparent {
            message.headers = Headers::Open(Map::from_iter([("traceparent".to_owned(), traceparent.into())]));
        }
        self.on(Input::Message { receipt: self.receipts, message, is_live: true });
    }

    /// One event ends, and another comes.
    fn walk(&mut self) {
        let event = self.running.pop_front().expect("one is under way");
        self.on(Input::Replied { event, reply: created(), took: Duration::from_millis(1), epoch: None });
        self.arrives();
    }
}

fn created() -> Reply {
    let wrapper = Wrapper {
        has_data: true,
        process: Some("d57abc0d-665a-41b3-b445-6dcfa71620b5".to_owned()),
        ..Wrapper::default()
    };
    Reply::Response(Response::new(200, Body::Json(wrapper)))
}

fn ready() -> Ready {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    std::fs::write(&file, RULES).unwrap();
    load_with(&file, []).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Each with an id of its own, of equal length.
fn message(number: u64) -> Message {
    let body =
        EVENT.replacen("5f0c1f2e-7a53-4d6d-9b7a-0f3c2f5f8a11", &format!("5f0c1f2e-7a53-4d6d-9b7a-{number:012x}"), 1);
    Message {
        body: Arc::new(body.into_bytes()),
        content_type: Some("application/cloudevents+json".to_owned()),
        exchange: "support".to_owned(),
        routing_key: "case.opened".to_owned(),
        ..Message::default()
    }
}
