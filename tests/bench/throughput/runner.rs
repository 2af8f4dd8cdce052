//! Who is measured, and one run of one of them: a queue that is full before it starts, until its last event is a process.
//!
//! Not here: what the runs come to (`figures`).

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::bare;
use super::process::Process;
use super::sink::Sink;
use super::stage::{Api, Place, Stage, Store};
use crate::support::broker::free_ports;
use crate::support::deadline::within;

const LOOK: Duration = Duration::from_millis(5);
/// How long events are published for a latency, and how many a second.
const PACED: Duration = Duration::from_secs(10);
pub const RATE: u32 = 500;

/// What is asked of a daemon beside its work.
#[derive(Clone, Copy)]
enum Watch {
    /// A log at `info`, in a file.
    Log,
    /// No line of it but errors, of which there are none.
    Nothing,
    /// The log, and its metrics each second.
    Metrics,
    /// The log, and spans to a collector: of this share of the events, in hundredths.
    Spans(u8),
}

#[derive(Clone, Copy)]
enum Kind {
    Bare { group: u64 },
    Daemon(Watch),
}

/// A program, and how many events it may have unacknowledged.
#[derive(Clone, Copy)]
pub struct Runner {
    kind: Kind,
    in_flight: u16,
    store: Store,
    /// Channels for outcomes, where they are told.
    tells: Option<u16>,
}

impl Runner {
    pub fn bare(in_flight: u16) -> Self {
        Self { kind: Kind::Bare { group: 1 }, in_flight, store: Store::None, tells: None }
    }

    pub fn grouped(in_flight: u16) -> Self {
        Self { kind: Kind::Bare { group: 32 }, in_flight, store: Store::None, tells: None }
    }

    pub fn daemon(in_flight: u16) -> Self {
        Self { kind: Kind::Daemon(Watch::Log), in_flight, store: Store::None, tells: None }
    }

    pub fn unwatched(in_flight: u16) -> Self {
        Self { kind: Kind::Daemon(Watch::Nothing), in_flight, store: Store::None, tells: None }
    }

    pub fn scraped(in_flight: u16) -> Self {
        Self { kind: Kind::Daemon(Watch::Metrics), in_flight, store: Store::None, tells: None }
    }

    /// With spans of so many of a hundred events.
    pub fn traced(in_flight: u16, hundredths: u8) -> Self {
        Self { kind: Kind::Daemon(Watch::Spans(hundredths)), ..Self::daemon(in_flight) }
    }

    /// A daemon with a ledger.
    pub fn keeping(in_flight: u16, store: Store) -> Self {
        Self { store, ..Self::daemon(in_flight) }
    }

    /// A daemon that tells outcomes by so many channels.
    pub fn telling(in_flight: u16, channels: u16) -> Self {
        Self { tells: Some(channels), ..Self::daemon(in_flight) }
    }

    async fn start(&self, place: &Place) -> Process {
        let mut scraping = JoinSet::new();
        let mut command = match self.kind {
            Kind::Daemon(watch) => {
                let level = if matches!(watch, Watch::Nothing) { "error" } else { "info" };
                let [port] = free_ports();
                let admin = format!("127.0.0.1:{port}");
                if matches!(watch, Watch::Metrics) {
                    scraping.spawn(scrape(format!("http://{admin}/metrics")));
                }
                let mut command = Command::new(program());
                let mut sections = place.ledger(self.store).await;
                if let Some(channels) = self.tells {
                    sections.push_str(&place.outcomes(channels).await);
                }
                if let Watch::Spans(hundredths) = watch {
                    let sink = Sink::begin(&mut scraping).await;
                    sections.push_str(&sink.section(f64::from(hundredths) / 100.0));
                }
                let configuration = place.configuration(self.in_flight, level, &admin, &sections);
                command.arg("--config").arg(configuration).env_remove("RUST_LOG").env_remove("RUST_MIN_STACK");
                command
            }
            Kind::Bare { group } => {
                let mut command = Command::new(std::env::current_exe().expect("this program"));
                command.arg(bare::NAME).args(place.addresses());
                command.args([self.in_flight.to_string(), group.to_string()]);
                command
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(place.log());
        Process::start(command, scraping)
    }
}

/// Asks for the metrics each second, as Prometheus at its quickest.
async fn scrape(url: String) {
    let client = reqwest::Client::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        // Not there yet, in the first moment.
        if let Ok(answer) = client.get(&url).send().await {
            drop(answer.bytes().await);
        }
    }
}

impl fmt::Display for Runner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            Kind::Bare { group: 1 } => "bare loop",
            Kind::Bare { .. } => "bare loop, grouped acks",
            Kind::Daemon(Watch::Log) => "chakra-bridge",
            Kind::Daemon(Watch::Nothing) => "chakra-bridge without a log",
            Kind::Daemon(Watch::Metrics) => "chakra-bridge, scraped",
            Kind::Daemon(Watch::Spans(0)) => "chakra-bridge, spans of no event",
            Kind::Daemon(Watch::Spans(_)) => "chakra-bridge, spans of each event",
        };
        let ledger = match self.store {
            Store::None => "",
            Store::Sqlite => ", SQLite",
            Store::Postgres => ", Postgres",
        };
        let tells = self.tells.map(|channels| format!(", outcomes by {channels}")).unwrap_or_default();
        write!(out, "{name}{ledger}{tells}, {} in flight", self.in_flight)
    }
}

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Events a second, from the first process to the last.
    pub rate: f64,
    /// Microseconds of a processor for each event.
    pub cpu: f64,
    /// The most memory, in MiB.
    pub memory: f64,
}

impl Run {
    pub async fn of(stage: &Stage, runner: &Runner, api: Api, events: usize) -> Self {
        let place = stage.place(api).await;
        place.publish(events).await;
        let process = runner.start(&place).await;
        within(60, "the first process", place.until_created(1, LOOK)).await;
        let (from, cpu) = (place.created(), process.cpu());
        within(300, "the last process", place.until_created(events, LOOK)).await;
        let spent = process.cpu() - cpu;
        let memory = process.peak_mib();
        let seconds = place.seconds();
        place.until_settled().await;
        if runner.tells.is_some() {
            place.until_told(events).await;
        }
        Self { rate: (events - 1) as f64 / seconds, cpu: spent * 1e6 / (events - from) as f64, memory }
    }

    /// The most memory in MiB of a daemon that works on the first events of a queue that holds so many.
    pub async fn peak_before(stage: &Stage, queued: usize, worked: usize) -> f64 {
        let place = stage.place(Api::AtOnce).await;
        place.publish(queued).await;
        let process = Runner::daemon(64).start(&place).await;
        within(300, "the last of them", place.until_created(worked, LOOK)).await;
        process.peak_mib()
    }

    /// Events published at a pace of so many a second: which share of those that never met a 503 were processes when publishing ended,
    /// seconds of a processor, and seconds from then until all were. Where outcomes are told, each is waited for.
    pub async fn paced(stage: &Stage, runner: &Runner, api: Api, rate: u32) -> Paced {
        let place = stage.place(api).await;
        let process = runner.start(&place).await;
        place.publish(1).await;
        within(60, "the first process", place.until_created(1, LOOK)).await;
        let cpu = process.cpu();
        let begin = Instant::now();
        let published = place.publish_paced(PACED, rate).await;
        let end = Instant::now();
        let cpu = process.cpu() - cpu;
        within(300, "the last process", place.until_created(published.len() + 1, LOOK)).await;
        if runner.tells.is_some() {
            place.until_told(published.len() + 1).await;
        }
        let failed = place.failed();
        let good = published.len() + 1 - failed.len();
        let processes = place.processes();
        let in_time = processes.iter().filter(|(key, at)| *at <= end && !failed.contains(key)).count();
        let last = processes.iter().map(|(_, at)| *at).max().unwrap_or(end);
        Paced {
            offered: published.len() as f64 / (end - begin).as_secs_f64(),
            in_time: in_time as f64 / good as f64,
            cpu,
            behind: last.saturating_duration_since(end).as_secs_f64(),
        }
    }

    /// Milliseconds from each publish to its request, in order.
    pub async fn latency(stage: &Stage, runner: &Runner) -> Vec<f64> {
        let place = stage.place(Api::AtOnce).await;
        let process = runner.start(&place).await;
        place.publish(1).await;
        within(60, "the first process", place.until_created(1, LOOK)).await;
        let published = place.publish_paced(PACED, RATE).await;
        within(60, "the last process", place.until_created(published.len() + 1, LOOK)).await;
        let mut waits = place.waits_ms(&published);
        waits.sort_by(f64::total_cmp);
        drop(process);
        waits
    }

    /// Memory of a daemon that consumes an empty queue.
    pub async fn idle_mib(stage: &Stage) -> f64 {
        let place = stage.place(Api::AtOnce).await;
        let process = Runner::daemon(64).start(&place).await;
        place.until_consumed().await;
        tokio::time::sleep(Duration::from_secs(2)).await; // tidy: allow sleep, what it is like at rest is measured
        process.status("VmRSS:") / 1024.0
    }
}

/// What a run at a pace came to.
pub struct Paced {
    /// Events published a second, as it came out.
    pub offered: f64,
    /// Share of the events without a 503 that were processes when publishing ended.
    pub in_time: f64,
    /// Seconds of a processor.
    pub cpu: f64,
    /// Seconds from the end of publishing to the last process.
    pub behind: f64,
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chakra-bridge"))
}

pub fn program_mb() -> f64 {
    std::fs::metadata(program()).expect("the program").len() as f64 / 1e6
}
