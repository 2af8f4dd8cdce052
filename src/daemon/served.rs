//! The ledger while the daemon runs: its task, and its end in order.
//!
//! Not here: what it keeps (`ledger`), and who asks it (`dispatch`).

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::REPORT;
use crate::ledger::{self, Ledger};
use crate::metrics::Metrics;
use crate::states::ledger::LedgerStatus;

/// The ledger, if one is named; the task that serves it; and how it stands.
pub(super) struct Served {
    pub(super) ledger: Option<Ledger>,
    task: JoinSet<()>,
    pub(super) status: watch::Receiver<LedgerStatus>,
}

impl Served {
    pub(super) fn begin(config: Option<ledger::Config>, metrics: &Arc<Metrics>) -> Self {
        let mut task = JoinSet::new();
        let Some(config) = config else {
            return Self { ledger: None, task, status: watch::channel(LedgerStatus::default()).1 };
        };
        let (ledger, driver) = ledger::open(config, Arc::clone(metrics));
        task.spawn(driver.run());
        let status = ledger.status();
        Self { ledger: Some(ledger), task, status }
    }

    /// Resolves if the task ends by a panic: every event would wait for ever.
    pub(super) async fn broken(&mut self) -> String {
        match self.task.join_next().await {
            None | Some(Ok(())) => std::future::pending().await,
            Some(Err(error)) => format!("the task of the ledger ended by itself ({error}); {REPORT}"),
        }
    }

    /// The last handle goes, and the task gives up what this replica holds: nobody waits for its lease to run out.
    pub(super) async fn end(mut self, deadline: Instant) {
        drop(self.ledger.take());
        if tokio::time::timeout_at(deadline, self.task.join_next()).await.is_err() {
            tracing::warn!("the lease of this replica was not given up in time: others wait until it runs out");
        }
    }
}
