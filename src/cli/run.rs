//! `run`: signals in, exit code out.
//!
//! Not here: what the daemon does between.

use std::io::{self, Write as _};
use std::panic::resume_unwind;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Exit;
use super::{Common, descriptors, memory, stack};
use crate::daemon::{self, Report};
use crate::metrics::Metrics;
use crate::ready::{Ready, load_to_run};
use crate::telemetry::{self, FLUSH_MAX, Levels, Output};

/// Threads that tasks run on. All of them wake each other, which on one thread takes no system call: an event takes less processor
/// (`docs/performance.md`). What would hold the others up for long makes way for them by itself (`dispatch`).
const WORKERS: usize = 1;

/// Runs the daemon until a signal.
pub fn run(common: &Common) -> Exit {
    // Before the first thread.
    let stack = stack::ensure().err();
    let metrics = Arc::new(Metrics::new());
    let output = match Output::begin(metrics.log()) {
        Ok(output) => output,
        Err(error) => {
            // Where that fails as well, nobody can be told.
            drop(writeln!(io::stderr(), "the log cannot be begun: {error}"));
            return Exit::Internal;
        }
    };
    let (exit, flush) = run_logged(common, metrics, &output, stack);
    output.end(flush);
    exit
}

/// How it ended, and how long the log may take yet.
fn run_logged(common: &Common, metrics: Arc<Metrics>, output: &Output, stack: Option<String>) -> (Exit, Duration) {
    let refused = |why: &str, exit: Exit| {
        output.say(why);
        (exit, FLUSH_MAX)
    };
    let runtime = match Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refused(&format!("the runtime cannot be begun: {error}"), Exit::Internal),
    };
    // First of all: until somebody listens, SIGHUP ends the process.
    let signals = match runtime.block_on(async { Signals::all() }) {
        Ok(signals) => signals,
        Err(error) => return refused(&format!("signals cannot be listened to: {error}"), Exit::Internal),
    };
    let ready = match load_to_run(&common.config) {
        Ok(ready) => ready,
        Err(mistakes) => return refused(&mistakes.to_string(), Exit::Config),
    };
    let (levels, warning) = match telemetry::begin(ready.config.log, output) {
        Ok(begun) => begun,
        Err(why) => return refused(&why, Exit::Config),
    };
    let running = runtime.spawn(until_signals(ready, metrics, levels, signals, [stack, warning]));
    let ended = runtime.block_on(running).unwrap_or_else(|error| resume_unwind(error.into_panic()));
    // Blocking work of libraries must not hold the exit up.
    runtime.shutdown_background();
    ended
}

async fn until_signals(
    ready: Ready,
    metrics: Arc<Metrics>,
    levels: Levels,
    (mut first, mut second, hangup): (Signals, Signals, Signal),
    warnings: [Option<String>; 2],
) -> (Exit, Duration) {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), rules = ready.rules.names().count(), "chakra-bridge starts");
    let machine = [descriptors::warning(&ready.config), memory::warning(ready.memory())];
    for words in warnings.into_iter().chain(machine).flatten().chain(ready.warnings()) {
        tracing::warn!("{words}");
    }
    for words in ready.guarantees() {
        tracing::info!("{words}");
    }
    let deadline = ready.config.dispatch.drain_deadline;
    let stopped = OnceLock::new();
    let shutdown = async {
        first.next().await;
        stopped.get_or_init(Instant::now);
    };
    let second = async {
        second.next().await;
        second.next().await;
    };
    tokio::select! {
        biased;
        ended = daemon::run(ready, metrics, levels, hangup, shutdown) => {
            let since = stopped.get().map_or(Duration::ZERO, Instant::elapsed);
            (told(ended), telemetry::flush_time(deadline, since))
        }
        () = second => {
            tracing::error!("second signal: ending at once; the broker delivers what was unacknowledged again");
            (Exit::SecondSignal, telemetry::flush_share(deadline))
        }
    }
}

fn told(ended: Result<Report, String>) -> Exit {
    match ended {
        Ok(report) if report.is_drained() => {
            tracing::info!("drained");
            Exit::Done
        }
        Ok(report) => {
            tracing::warn!(cut_off = report.cut_off, "the drain deadline passed: unfinished work was handed back");
            Exit::HandedBack
        }
        Err(why) => {
            tracing::error!("{why}");
            Exit::Internal
        }
    }
}

/// SIGTERM and SIGINT, as one.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// The first that stops, the second that ends, and SIGHUP.
    fn all() -> std::io::Result<(Self, Self, Signal)> {
        Ok((Self::new()?, Self::new()?, signal(SignalKind::hangup())?))
    }

    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
