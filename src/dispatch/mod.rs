//! The dispatcher between the two sides: takes each event from receive to settle.
//!
//! Not here: AMQP, HTTP, and every decision that `core` can make.

pub mod commands;
mod copies;
mod delay;
mod dispatcher;
mod drain;
mod ending;
mod hand;
mod held_event;
mod lookup_checks;
mod open;
mod tell;
#[cfg(test)]
mod tests;
mod wanted_prefetch;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::chakra::Client;
use crate::core::decode::Limits;
use crate::core::mapping::rules::Rules;
use crate::core::policy::{GatePolicy, Policy, RequestLimitPolicy};
use crate::handover::inbound::Inbound;
use crate::handover::prefetch::WantedPrefetch;
use crate::metrics::Metrics;
use crate::states::phase::Pulse;
use commands::Commands;
use dispatcher::Dispatcher;
pub use drain::Drained;

/// What the dispatcher needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long events in flight may take to finish after the first signal.
    pub drain_deadline: Duration,
}

/// What the dispatcher is built of.
pub struct Bridge {
    /// The way to the API.
    pub client: Client,
    /// What an event may be.
    pub limits: Limits,
    /// What becomes of it, until others are wished for.
    pub rules: Arc<Rules>,
    /// How it is retried.
    pub policy: Policy,
    /// How the gate shuts and opens.
    pub gate: GatePolicy,
    /// How many events may be unacknowledged: the broker's prefetch.
    pub places: usize,
    /// How much is sent.
    pub request_limits: RequestLimitPolicy,
    /// What is wished of it beside the path.
    pub commands: Commands,
    /// Report how many events are wanted.
    pub wanted_prefetch: watch::Sender<WantedPrefetch>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Beaten by the dispatcher as long as it moves.
    pub pulse: Arc<Pulse>,
    /// Report which scopes are shut, and why.
    pub shut: watch::Sender<Vec<String>>,
}

/// Walks every event that arrives until `stop`, then finishes what is under way within `drain_limit`.
pub async fn run(
    bridge: Bridge,
    mut intake: mpsc::Receiver<Inbound>,
    stop: impl Future<Output = ()>,
    drain_limit: Duration,
) -> Drained {
    let mut dispatcher = Dispatcher::new(bridge);
    dispatcher.run(&mut intake, stop).await;
    dispatcher.drain(&mut intake, Instant::now() + drain_limit).await
}
