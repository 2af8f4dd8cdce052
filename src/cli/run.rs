//! `run`: signals in, exit code out.
//!
//! Not here: what the daemon does between.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Common;
use super::exit::Exit;
use crate::daemon::{self, Report};
use crate::ready::{Ready, load_to_run};
use crate::telemetry;

/// Runs the daemon until a signal.
pub fn run(common: &Common) -> Exit {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
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
    if let Err(why) = telemetry::begin(ready.config.log) {
        return refused(&why, Exit::Config);
    }
    let exit = runtime.block_on(until_signals(ready, signals));
    // Blocking work of libraries must not hold the exit up.
    runtime.shutdown_background();
    exit
}

/// Before there is a log.
fn refused(why: &str, exit: Exit) -> Exit {
    eprintln!("{why}");
    exit
}

async fn until_signals(ready: Ready, (mut first, mut second, hangup): (Signals, Signals, Signal)) -> Exit {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), rules = ready.rules.names().count(), "chakra-bridge starts");
    for words in ready.warnings() {
        tracing::warn!("{words}");
    }
    for words in ready.guarantees() {
        tracing::info!("{words}");
    }
    let second = async {
        second.next().await;
        second.next().await;
    };
    tokio::select! {
        biased;
        ended = daemon::run(ready, hangup, async { first.next().await }) => told(ended),
        () = second => {
            tracing::error!("second signal: ending at once; the broker delivers what was unacknowledged again");
            Exit::SecondSignal
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
