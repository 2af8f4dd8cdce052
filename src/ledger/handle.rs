//! The handle that the daemon asks the ledger by.
//!
//! Not here: the database. One driver has it (`driver`), and takes what handles ask in one transaction with whatever else is there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::Config;
use super::ask::Ask;
use super::driver::Driver;
use super::lease::Lease;
use crate::clock::epoch_ms;
use crate::core::ledger::{Claim, Claimed, Record, Recorded};
use crate::metrics::Metrics;
use crate::states::ledger::LedgerStatus;

/// How long an answer may take. The driver gives a transaction up earlier.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What may wait for the driver. Whoever comes later waits to be let in.
const WAITING_MAX: usize = 1024;

/// The ledger, as the daemon asks it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ledger {
    asks: mpsc::Sender<Ask>,
    lease: watch::Receiver<Lease>,
    status: watch::Receiver<LedgerStatus>,
}

/// A ledger, and the driver that serves it once it runs.
#[must_use]
pub fn open(config: Config, metrics: Arc<Metrics>) -> (Ledger, Driver) {
    let (asks, asked) = mpsc::channel(WAITING_MAX);
    let (lease, lease_seen) = watch::channel(Lease::none());
    let (status, status_seen) = watch::channel(LedgerStatus::opening(epoch_ms() / 1000));
    let driver = Driver::new(config, asked, (lease, status), metrics);
    (Ledger { asks, lease: lease_seen, status: status_seen }, driver)
}

impl Ledger {
    /// Asks before a create. Answers within seconds, whatever the database does.
    pub async fn claim(&self, claim: Claim) -> Claimed {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::Claim(Box::new(claim), answer), answered).await.unwrap_or(Claimed::Away)
    }

    /// Tells how an event ended, or gives it back. Answers within seconds, whatever the database does.
    pub async fn record(&self, record: Record) -> Recorded {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::Record(Box::new(record), answer), answered).await.unwrap_or(Recorded::Away)
    }

    async fn ask<T>(&self, ask: Ask, answered: oneshot::Receiver<T>) -> Option<T> {
        let deadline = Instant::now() + ANSWER_MAX;
        timeout_at(deadline, self.asks.send(ask)).await.ok()?.ok()?;
        timeout_at(deadline, answered).await.ok()?.ok()
    }

    /// How long from now this replica's lease certainly runs: no other replica takes its claims over before. Counted from before its
    /// last renewal was asked for.
    #[must_use]
    pub fn lease_left(&self) -> Duration {
        self.lease.borrow().left()
    }

    /// How it stands with the ledger.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<LedgerStatus> {
        self.status.clone()
    }
}
