//! The daemon beside a bare loop of the same client libraries: how many events a second, how much of a processor each costs,
//! and how much memory. `make bench`, or `cargo bench --bench throughput -- full latency` for the parts of these names.
//! `BENCH_ROUNDS` (5) and `BENCH_EVENTS` (20000) make it shorter. It fails where a figure falls below its bar with room for
//! noise; what falls short of the bar itself is marked.
//!
//! Not here: what one event does to the others (`neighbours`), and the cost of decoding alone (`mapping`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a bench may fail this way")]

#[path = "../tls/authority.rs"]
#[allow(dead_code, reason = "the tests of TLS use the rest")]
mod authority;
#[path = "throughput/bare.rs"]
mod bare;
#[path = "throughput/figures.rs"]
mod figures;
#[path = "../tls/front.rs"]
#[allow(dead_code, reason = "the tests of TLS use the rest")]
mod front;
#[path = "throughput/process.rs"]
mod process;
#[path = "throughput/runner.rs"]
mod runner;
#[path = "throughput/secure.rs"]
mod secure;
#[path = "throughput/sink.rs"]
mod sink;
#[path = "throughput/stage.rs"]
mod stage;
#[path = "../support/mod.rs"]
mod support;
#[path = "throughput/told.rs"]
mod told;

use std::process::ExitCode;
use std::time::Duration;

use figures::{Bar, Figure};
use runner::{RATE, Run, Runner};
use stage::{Api, Stage, Store};

/// Those that run where none is named.
const PARTS: [&str; 10] =
    ["full", "slow", "latency", "storm", "watched", "traced", "tls", "ledger", "outcomes", "memory"];
/// It fills the broker with a million messages, which takes some minutes and 2 GB of disk.
const BY_NAME: &str = "queued";

/// Messages in the queue that is long, and how many a daemon works on before its memory is looked at.
const MANY: usize = 1_000_000;
const WORKED: usize = 10_000;

/// What the API takes for an answer where it is slow.
const SLOW: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if arguments.first().is_some_and(|word| word == bare::NAME) {
        return bare::main(&arguments[1..]);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(parts(&arguments))
}

async fn parts(named: &[String]) -> ExitCode {
    let is_named = |part: &str| named.iter().any(|name| name == part);
    let is_wanted = |part: &&&str| if named.is_empty() { **part != BY_NAME } else { is_named(part) };
    let stage = Stage::new(number("BENCH_EVENTS", 20_000)).await;
    let rounds = number("BENCH_ROUNDS", 5);
    println!(
        "{}; {} events of 1 KB; {rounds} rounds, one after the other; medians (least to most)",
        stage.machine(),
        stage.events
    );
    let mut figures = Vec::new();
    for part in PARTS.iter().chain([&BY_NAME]).filter(is_wanted) {
        println!("\n## {part}");
        figures.extend(match *part {
            "full" => full(&stage, rounds).await,
            "slow" => slow(&stage, rounds).await,
            "latency" => latency(&stage).await,
            "storm" => storm(&stage).await,
            "watched" => watched(&stage, rounds).await,
            "traced" => traced(&stage, rounds).await,
            "tls" => tls(stage.events, rounds).await,
            "ledger" => ledger(&stage, rounds).await,
            "outcomes" => told::outcomes(&stage, rounds).await,
            BY_NAME => queued(&stage).await,
            _ => memory(&stage).await,
        });
    }
    println!("\n## Figures");
    figures::table(&figures)
}

/// An API that answers at once: what the daemon itself costs.
async fn full(stage: &Stage, rounds: usize) -> Vec<Figure> {
    let runners = [
        Runner::bare(64),
        Runner::bare(256),
        Runner::grouped(64),
        Runner::grouped(256),
        Runner::daemon(64),
        Runner::daemon(256),
    ];
    let [bare, bare_256, grouped, grouped_256, daemon, daemon_256] =
        interleaved(stage, rounds, runners, Api::AtOnce, stage.events).await;
    let best = bare.better(bare_256);
    let limit = grouped.better(grouped_256);
    vec![
        Figure::least(
            "events/s at prefetch 256, of the bare loop",
            daemon_256.rate() / best.rate(),
            Bar::new(1.3, 0.7),
        ),
        Figure::most(
            "CPU of an event at prefetch 256, of the bare loop",
            daemon_256.cpu() / best.cpu(),
            Bar::new(0.8, 1.9),
        ),
        Figure::told("events/s at prefetch 256, of the grouped bare loop", daemon_256.rate() / limit.rate()),
        Figure::told("CPU of an event at prefetch 256, of the grouped bare loop", daemon_256.cpu() / limit.cpu()),
        Figure::told("events/s at prefetch 64, of the bare loop", daemon.rate() / best.rate()),
        Figure::most("peak memory at prefetch 64, MiB", daemon.memory(), Bar::new(25.0, 45.0)),
    ]
}

/// An API that takes its time: what is in flight must cost nothing.
async fn slow(stage: &Stage, rounds: usize) -> Vec<Figure> {
    let events = stage.events / 2;
    let runners = [Runner::bare(200), Runner::daemon(200), Runner::daemon(64), Runner::daemon(1000)];
    let [bare, daemon, few, many] = interleaved(stage, rounds.min(3), runners, Api::After(SLOW), events).await;
    vec![
        Figure::least(
            "events/s with 200 in flight at 50 ms, of the bare loop",
            daemon.rate() / bare.rate(),
            Bar::new(0.98, 0.85),
        ),
        Figure::most(
            "CPU of an event with 1,000 in flight, of that with 64",
            many.cpu() / few.cpu(),
            Bar::new(1.2, 1.6),
        ),
    ]
}

/// Runs each in turn, so that what disturbs one disturbs all.
async fn interleaved<const N: usize>(
    stage: &Stage,
    rounds: usize,
    runners: [Runner; N],
    api: Api,
    events: usize,
) -> [figures::Rounds; N] {
    let mut all = [(); N].map(|()| figures::Rounds::default());
    for round in 1..=rounds {
        for (runner, runs) in runners.iter().zip(&mut all) {
            eprintln!("round {round} of {rounds}: {runner}");
            runs.add(Run::of(stage, runner, api, events).await);
        }
    }
    figures::picture(&runners, &all);
    all
}

/// From publish to the request on the wire, at 500 events a second.
async fn latency(stage: &Stage) -> Vec<Figure> {
    let bare = Run::latency(stage, &Runner::bare(64)).await;
    let daemon = Run::latency(stage, &Runner::daemon(64)).await;
    for (name, waits) in [("bare loop", &bare), ("daemon", &daemon)] {
        println!("{name:<12} median {:.2} ms, 99th percentile {:.2} ms", at(waits, 50), at(waits, 99));
    }
    vec![Figure::most(
        "ms to the request at the 99th percentile, beyond the bare loop",
        at(&daemon, 99) - at(&bare, 99),
        Bar::new(1.0, 25.0),
    )]
}

/// Every tenth create is answered with 503, at 500 events a second.
async fn storm(stage: &Stage) -> Vec<Figure> {
    let calm = Run::paced(stage, &Runner::daemon(64), Api::AtOnce, RATE).await;
    let storm = Run::paced(stage, &Runner::daemon(64), Api::TenthFails, RATE).await;
    vec![
        Figure::least(
            "good events in time beside 503s, of those without",
            storm.in_time / calm.in_time,
            Bar::new(0.95, 0.8),
        ),
        Figure::most(
            "s from the last publish until the last of them is a process",
            storm.behind,
            Bar::new(90.0, 180.0),
        ),
    ]
}

/// What the log and the metrics cost.
async fn watched(stage: &Stage, rounds: usize) -> Vec<Figure> {
    let runners = [Runner::unwatched(256), Runner::scraped(256)];
    let [unwatched, scraped] = interleaved(stage, rounds.min(3), runners, Api::AtOnce, stage.events).await;
    let unwatched_paced = Run::paced(stage, &Runner::unwatched(64), Api::AtOnce, RATE).await;
    let scraped_paced = Run::paced(stage, &Runner::scraped(64), Api::AtOnce, RATE).await;
    vec![
        Figure::least(
            "events/s scraped and logged, of those without",
            scraped.rate() / unwatched.rate(),
            Bar::new(0.9, 0.75),
        ),
        Figure::told("CPU of an event scraped and logged, of one without", scraped.cpu() / unwatched.cpu()),
        Figure::told("the same at 500 events/s", scraped_paced.cpu / unwatched_paced.cpu),
        Figure::least(
            "events in time scraped and logged at 500 events/s, of those without",
            scraped_paced.in_time / unwatched_paced.in_time,
            Bar::new(0.99, 0.95),
        ),
    ]
}

/// What spans cost, of a daemon without; the collector takes its share of the same processors.
async fn traced(stage: &Stage, rounds: usize) -> Vec<Figure> {
    let runners = [Runner::daemon(256), Runner::traced(256, 0), Runner::traced(256, 100)];
    let [off, none, all] = interleaved(stage, rounds.min(3), runners, Api::AtOnce, stage.events).await;
    vec![
        Figure::most("CPU of an event with spans of none, of one without", none.cpu() / off.cpu(), Bar::new(1.15, 1.6)),
        Figure::most("CPU of an event with spans of each, of one without", all.cpu() / off.cpu(), Bar::new(1.5, 2.5)),
    ]
}

/// With TLS to the broker and to the API, the bare loop as well.
async fn tls(events: usize, rounds: usize) -> Vec<Figure> {
    let stage = Stage::secure(events).await;
    let runners = [Runner::bare(64), Runner::bare(256), Runner::daemon(64), Runner::daemon(256)];
    let [bare, bare_256, _, daemon] = interleaved(&stage, rounds.min(3), runners, Api::AtOnce, events).await;
    let best = bare.better(bare_256);
    vec![
        Figure::least("events/s with TLS, of the bare loop with it", daemon.rate() / best.rate(), Bar::new(1.3, 0.7)),
        Figure::most(
            "CPU of an event with TLS, of the bare loop with it",
            daemon.cpu() / best.cpu(),
            Bar::new(0.8, 1.9),
        ),
    ]
}

/// What a ledger costs, of a daemon without one. The stores are durable: each says so, or the daemon would be degraded by name.
async fn ledger(stage: &Stage, rounds: usize) -> Vec<Figure> {
    let stores = [Store::None, Store::Sqlite, Store::Postgres];
    let runners = stores.map(|store| Runner::keeping(256, store));
    let [none, sqlite, postgres] = interleaved(stage, rounds.min(3), runners, Api::AtOnce, stage.events / 2).await;
    let fsyncs = stage.place(Api::AtOnce).await.fsyncs_ms();
    let mut waits = Vec::new();
    for store in stores {
        waits.push(at(&Run::latency(stage, &Runner::keeping(64, store)).await, 99));
    }
    println!("a write that the disk has: median {:.2} ms, 99th percentile {:.2} ms", at(&fsyncs, 50), at(&fsyncs, 99));
    let bar = Bar::new(2.0 * at(&fsyncs, 99) + 2.0, 2.0 * at(&fsyncs, 99) + 50.0);
    vec![
        Figure::least("events/s with SQLite, of those without", sqlite.rate() / none.rate(), Bar::new(0.8, 0.3)),
        Figure::least("events/s with Postgres, of those without", postgres.rate() / none.rate(), Bar::new(0.6, 0.2)),
        Figure::most("ms beyond, 99th percentile at 500 events/s, SQLite", waits[1] - waits[0], bar),
        Figure::most("ms beyond, 99th percentile at 500 events/s, Postgres", waits[2] - waits[0], bar),
        Figure::most("MiB beyond, SQLite", sqlite.memory() - none.memory(), Bar::new(8.0, 24.0)),
        Figure::most("MiB beyond, Postgres", postgres.memory() - none.memory(), Bar::new(8.0, 24.0)),
    ]
}

/// How long the queue is must not matter.
async fn queued(stage: &Stage) -> Vec<Figure> {
    let few = Run::peak_before(stage, WORKED, WORKED).await;
    let many = Run::peak_before(stage, MANY, WORKED).await;
    vec![
        Figure::told("peak memory with 10,000 queued, MiB", few),
        Figure::most("peak memory with 1,000,000 queued, MiB", many, Bar::new(25.0, 45.0)),
    ]
}

fn at(sorted_ms: &[f64], percentile: usize) -> f64 {
    sorted_ms[(sorted_ms.len() - 1) * percentile / 100]
}

async fn memory(stage: &Stage) -> Vec<Figure> {
    vec![
        Figure::most("idle memory, MiB", Run::idle_mib(stage).await, Bar::new(16.0, 32.0)),
        Figure::most("size of the program, MB", runner::program_mb(), Bar::new(21.0, 26.0)),
    ]
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}
