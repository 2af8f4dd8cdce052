//! `run`: signals in, exit code out.
//!
//! Not here: what the daemon does between.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Common;
use super::check::{Ready, load};
use super::exit::Exit;
use crate::daemon::{self, Report};
use crate::telemetry;

/// Runs the daemon until a signal.
pub fn run(common: &Common) -> Exit {
    let ready = match load(&common.config) {
        Ok(ready) => ready,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return Exit::Config;
        }
    };
    if let Err(why) = telemetry::begin(ready.config.log) {
        eprintln!("{why}");
        return Exit::Config;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("the runtime cannot be begun: {error}")),
    };
    let exit = runtime.block_on(until_signals(ready));
    // Blocking work of libraries must not hold the exit up.
    runtime.shutdown_background();
    exit
}

fn failed(why: &str) -> Exit {
    tracing::error!("{why}");
    Exit::Internal
}

async fn until_signals(ready: Ready) -> Exit {
    let (mut first, mut second) = match (Signals::new(), Signals::new()) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(error), _) | (_, Err(error)) => return failed(&format!("signals cannot be listened to: {error}")),
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), rules = ready.rules.names().count(), "chakra-bridge starts");
    for words in ready.guarantees() {
        tracing::info!("{words}");
    }
    let second = async {
        second.next().await;
        second.next().await;
    };
    tokio::select! {
        biased;
        ended = daemon::run(ready.config, ready.limits, ready.rules, async { first.next().await }) => told(ended),
        () = second => {
            tracing::error!("second signal: ending at once; the broker delivers what was in hand again");
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
        Err(why) => failed(&why),
    }
}

/// SIGTERM and SIGINT, as one.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
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
