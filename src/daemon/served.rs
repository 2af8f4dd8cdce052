//! What serves the dispatcher while the daemon runs, the ledger and the way of spans: their tasks, and their end in order.
//!
//! Not here: what they do (`ledger`, `telemetry`), and who asks them (`dispatch`).

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::REPORT;
use super::traces::Exported;
use crate::config::Config;
use crate::dispatch::Traces;
use crate::ledger::{self, Ledger};
use crate::metrics::Metrics;
use crate::states::ledger::LedgerStatus;

/// The ledger, if one is named; the task that serves it; and how it stands. And where spans go, if they are made.
pub(super) struct Served {
    pub(super) ledger: Option<Ledger>,
    task: JoinSet<()>,
    pub(super) status: watch::Receiver<LedgerStatus>,
    pub(super) traces: Option<Traces>,
    exported: Exported,
}

impl Served {
    /// # Errors
    /// Says what is wrong with the certificates of the collector of traces.
    pub(super) fn begin(config: &Config, metrics: &Arc<Metrics>, stop: watch::Receiver<bool>) -> Result<Self, String> {
        let (traces, exported) = Exported::begin(config, metrics, stop)?;
        let mut task = JoinSet::new();
        let Some(config) = config.ledger.clone() else {
            let status = watch::channel(LedgerStatus::default()).1;
            return Ok(Self { ledger: None, task, status, traces, exported });
        };
        let (ledger, driver) = ledger::open(config, Arc::clone(metrics));
        task.spawn(driver.run());
        let status = ledger.status();
        Ok(Self { ledger: Some(ledger), task, status, traces, exported })
    }

    /// Resolves if the task ends by a panic: every event would wait for ever.
    pub(super) async fn broken(&mut self) -> String {
        match self.task.join_next().await {
            None | Some(Ok(())) => std::future::pending().await,
            Some(Err(error)) => format!("the task of the ledger ended by itself ({error}); {REPORT}"),
        }
    }

    /// The last spans are sent. The last handle of the ledger goes, and the task gives up what this replica holds: nobody waits for its
    /// lease to run out.
    pub(super) async fn end(mut self, deadline: Instant) {
        drop(self.ledger.take());
        let given_up = tokio::time::timeout_at(deadline, self.task.join_next());
        if tokio::join!(given_up, self.exported.end(deadline)).0.is_err() {
            tracing::warn!("the lease of this replica was not given up in time: others wait until it runs out");
        }
    }
}
