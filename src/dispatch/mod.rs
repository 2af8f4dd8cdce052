//! The dispatcher: the shell around the delivery machine. It holds receipts, requests and timers, and decides nothing.
//!
//! Not here: AMQP, HTTP, and every decision (`core::delivery`).

mod aside;
pub mod commands;
mod dispatcher;
mod photos;
mod report;
mod tasks;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::chakra::Client;
use crate::core::delivery::Setup;
use crate::handover::inbound::Inbound;
use crate::handover::prefetch::WantedPrefetch;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::photos::Fetcher;
use crate::states::dead_letters::DeadLetters;
use crate::states::gates::ShutGate;
use crate::states::lookups::LookupWaits;
use crate::states::phase::Pulse;
use commands::Commands;
use dispatcher::Dispatcher;
pub use dispatcher::Drained;
pub use traces::Traces;

/// What the dispatcher needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long events in flight may take to finish after the first signal.
    pub drain_deadline: Duration,
}

/// The ways out.
#[derive(Clone, Debug)]
pub struct Ways {
    /// To the API.
    pub client: Client,
    /// To pictures.
    pub fetcher: Fetcher,
}

/// What the dispatcher is built of.
pub struct Parts {
    /// The ways to the API and to pictures.
    pub ways: Ways,
    /// What the delivery machine is built of.
    pub setup: Setup,
    /// The ledger, if `setup` says that there is one.
    pub ledger: Option<Ledger>,
    /// What is asked of it beside the events.
    pub commands: Commands,
    /// Told how many events are wanted.
    pub wanted_prefetch: watch::Sender<WantedPrefetch>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Beaten by the dispatcher as long as it moves.
    pub pulse: Arc<Pulse>,
    /// Told which scopes are shut, and why.
    pub shut: watch::Sender<Vec<String>>,
    /// Told the same with all that is known of each.
    pub gates: watch::Sender<Vec<ShutGate>>,
    /// Told how many events wait for the window of their lookup.
    pub waits: watch::Sender<LookupWaits>,
    /// Told how it stands with dead letters.
    pub letters: watch::Sender<DeadLetters>,
    /// What spans are made with, if they are.
    pub traces: Option<Traces>,
}

/// Delivers every event that arrives until `stop`, then finishes what is under way within `drain_limit`.
pub async fn run(
    parts: Parts,
    mut intake: mpsc::Receiver<Inbound>,
    stop: impl Future<Output = ()>,
    drain_limit: Duration,
) -> Drained {
    let mut dispatcher = Dispatcher::new(parts);
    dispatcher.run(&mut intake, stop).await;
    dispatcher.drain(&mut intake, Instant::now() + drain_limit).await
}
