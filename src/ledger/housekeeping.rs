//! What the ledger needs beside the events: the lease of this replica, the end of old rows, its size.
//!
//! Not here: claims and records (`batch`), which every step here makes way for.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Config;
use super::batch::Who;
use super::failure::Failure;
use super::kept::parsed;
use super::lease::Lease;
use super::session::Session;
use super::sql::{FORGET_OWNERS, PRUNE, RENEW, SIZE};
use crate::clock::{epoch_ms, millis};
use crate::metrics::Metrics;

/// Rows of a kind that one step deletes at most: some milliseconds of the database's time.
const STEP_ROWS: u32 = 500;
/// Between two steps while there is more to delete: 4,000 rows a second leave, more than a replica creates.
const STEP: Duration = Duration::from_millis(125);
/// Between two looks whether there is.
const LOOK: Duration = Duration::from_secs(60);
/// A row of an owner that nobody knows is as one whose lease ended: owners are kept for whoever reads the tables.
const OWNERS: Duration = Duration::from_secs(24 * 3600);
/// A dead letter is kept so much longer: somebody may retry it late.
const DEAD: u64 = 4;

/// What is due when.
#[derive(Debug)]
pub(super) struct Housekeeping {
    config: Config,
    who: Who,
    lease: watch::Sender<Lease>,
    metrics: Arc<Metrics>,
    renewal: Instant,
    pruning: Instant,
    look: Instant,
}

/// What [`SIZE`] gives.
#[derive(Debug, Deserialize)]
struct Size {
    bytes: u64,
    rows: Option<u64>,
    oldest_ms: Option<u64>,
}

impl Housekeeping {
    pub(super) fn new(config: Config, who: Who, lease: watch::Sender<Lease>, metrics: Arc<Metrics>) -> Self {
        let now = Instant::now();
        Self { config, who, lease, metrics, renewal: now, pruning: now, look: now }
    }

    /// When the next thing is due.
    pub(super) fn due(&self) -> Instant {
        self.renewal.min(self.pruning).min(self.look)
    }

    /// Does the first of what is due.
    pub(super) async fn step(&mut self, session: &mut Session) -> Result<(), Failure> {
        let now = Instant::now();
        if self.renewal <= now {
            self.renew(session).await
        } else if self.pruning <= now {
            self.prune(session).await
        } else {
            self.measure(session).await
        }
    }

    /// Renews the lease. It counts from before it was asked for.
    pub(super) async fn renew(&mut self, session: &mut Session) -> Result<(), Failure> {
        let (length, lease) = (self.config.lease, Lease::asked_now(self.config.lease));
        session.run(RENEW, &[&self.who.owner, &length.as_millis().to_string()]).await?;
        self.lease.send_replace(lease);
        self.renewal = Instant::now() + length / 4;
        Ok(())
    }

    async fn prune(&mut self, session: &mut Session) -> Result<(), Failure> {
        let (queue, rows) = (&self.who.queue, STEP_ROWS.to_string());
        let keep_ms = millis(self.config.keep);
        let mut is_more = false;
        for (ended, ms) in [("created", keep_ms), ("dead", keep_ms.saturating_mul(DEAD))] {
            let pruned = session.run(PRUNE, &[queue, ended, &ms.to_string(), &rows]).await?;
            self.metrics.ledger_pruned(pruned);
            is_more |= pruned >= u64::from(STEP_ROWS);
        }
        self.pruning = Instant::now() + if is_more { STEP } else { LOOK };
        Ok(())
    }

    async fn measure(&mut self, session: &mut Session) -> Result<(), Failure> {
        session.run(FORGET_OWNERS, &[&OWNERS.as_millis().to_string()]).await?;
        let size: Size = parsed(&session.text(SIZE, &[&self.who.queue]).await?)?;
        let oldest_s = size.oldest_ms.map_or(0, |oldest_ms| epoch_ms().saturating_sub(oldest_ms) / 1000);
        self.metrics.ledger_size(size.bytes, size.rows, oldest_s);
        self.look = Instant::now() + LOOK;
        Ok(())
    }
}
