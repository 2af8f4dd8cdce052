//! Who is measured, and one run of one of them: a queue that is full before it starts, until its last event is a process.
//!
//! Not here: what the runs come to (`figures`).

use std::fmt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::bare;
use super::stage::{Place, Stage};
use crate::support::deadline::within;

/// How often the operating system counts a second of a processor.
const TICKS: f64 = 100.0;
const LOOK: Duration = Duration::from_millis(5);
/// How long events are published for a latency, and how many a second.
const PACED: Duration = Duration::from_secs(10);
const RATE: u32 = 500;

#[derive(Clone, Copy)]
enum Kind {
    Bare { group: u64 },
    Daemon,
}

/// A program, and how many events it may have unacknowledged.
#[derive(Clone, Copy)]
pub struct Runner {
    kind: Kind,
    in_flight: u16,
}

impl Runner {
    pub fn bare(in_flight: u16) -> Self {
        Self { kind: Kind::Bare { group: 1 }, in_flight }
    }

    pub fn grouped(in_flight: u16) -> Self {
        Self { kind: Kind::Bare { group: 32 }, in_flight }
    }

    pub fn daemon(in_flight: u16) -> Self {
        Self { kind: Kind::Daemon, in_flight }
    }

    fn start(&self, place: &Place) -> Process {
        let mut command = match self.kind {
            Kind::Daemon => {
                let mut command = Command::new(program());
                command.arg("--config").arg(place.configuration(self.in_flight)).env_remove("RUST_LOG");
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
        Process(command.spawn().expect("it begins"))
    }
}

impl fmt::Display for Runner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            Kind::Bare { group: 1 } => "bare loop",
            Kind::Bare { .. } => "bare loop, grouped acks",
            Kind::Daemon => "chakra-bridge",
        };
        write!(out, "{name}, {} in flight", self.in_flight)
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
    pub async fn of(stage: &Stage, runner: &Runner, delay: Duration, events: usize) -> Self {
        let place = stage.place(delay).await;
        place.publish(events).await;
        let process = runner.start(&place);
        within(60, "the first process", place.until_created(1, LOOK)).await;
        let (from, cpu) = (place.created(), process.cpu());
        within(300, "the last process", place.until_created(events, LOOK)).await;
        let spent = process.cpu() - cpu;
        let memory = process.peak_mib();
        let seconds = place.seconds();
        place.until_settled().await;
        Self { rate: (events - 1) as f64 / seconds, cpu: spent * 1e6 / (events - from) as f64, memory }
    }

    /// Milliseconds from each publish to its request, in order.
    pub async fn latency(stage: &Stage, runner: &Runner) -> Vec<f64> {
        let place = stage.place(Duration::ZERO).await;
        let process = runner.start(&place);
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
        let place = stage.place(Duration::ZERO).await;
        let process = Runner::daemon(64).start(&place);
        place.until_consumed().await;
        tokio::time::sleep(Duration::from_secs(2)).await; // tidy: allow sleep, what it is like at rest is measured
        process.status("VmRSS:") / 1024.0
    }
}

/// A program that is measured. Dropping it ends it.
struct Process(Child);

impl Process {
    /// Seconds of a processor that it has used.
    fn cpu(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("it runs");
        let after = text.rsplit(')').next().expect("fields behind its name");
        let fields: Vec<f64> =
            after.split_whitespace().skip(11).take(2).map(|text| text.parse().expect("ticks")).collect();
        fields.iter().sum::<f64>() / TICKS
    }

    fn peak_mib(&self) -> f64 {
        self.status("VmHWM:") / 1024.0
    }

    /// KiB.
    fn status(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line of it");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chakra-bridge"))
}

pub fn program_mb() -> f64 {
    std::fs::metadata(program()).expect("the program").len() as f64 / 1e6
}
