//! What the consumer is given: where its messages go, and what it is told and tells while it runs.
//!
//! Not here: what it does with them (`connection`, `session`).

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::handover::inbound::Inbound;
use crate::handover::prefetch::WantedPrefetch;
use crate::metrics::Metrics;
use crate::states::broker::{BrokerState, BrokerStatus};

/// The endpoints of the channels between the consumer and the rest of the daemon.
pub struct Endpoints {
    /// Where messages go.
    pub intake: mpsc::Sender<Inbound>,
    /// True once nothing more is to be taken.
    pub stop: watch::Receiver<bool>,
    /// How many events are wanted.
    pub wanted_prefetch: watch::Receiver<WantedPrefetch>,
    /// How the broker is doing, for the probes.
    pub state: watch::Sender<BrokerStatus>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Endpoints {
    pub(super) fn becomes(&self, state: BrokerState) {
        self.state.send_modify(|status| status.becomes(state));
    }
}
