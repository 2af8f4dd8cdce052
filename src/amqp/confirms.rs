//! What publishing takes: a connection, channels that confirm, what a confirm means, and telling what is refused.
//!
//! Not here: publishing (`publisher`, `reply`).

use std::sync::Arc;
use std::time::Duration;

use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Confirmation, Connection};
use tokio::sync::watch;

use super::channel;
use super::error::{BrokerError, within};
use crate::metrics::Metrics;
use crate::states::broker::BrokerStatus;

pub(super) const NO_QUEUE: &str = "no such queue; make it";

pub(super) const NOT_BOUND: &str = "no queue takes this routing key: bind one to the exchange, \
     or leave the outcome out of `outcomes` of the rule, for later events";

/// What becomes of events where a publish of theirs is refused: they wait for it, or are settled without.
pub(super) const WAITS: &str = "its events stay unacknowledged or are delayed, and none is lost";
pub(super) const PASSED_OVER: &str = "its events are settled without it, as `outcomes.required = false` says";

/// What publishing needs.
#[derive(Clone)]
pub(super) struct PublishContext {
    pub(super) connection: Arc<Connection>,
    pub(super) limit: Duration,
    pub(super) metrics: Arc<Metrics>,
    pub(super) state: watch::Sender<BrokerStatus>,
    /// What becomes of the events of what is refused, in words.
    pub(super) follows: &'static str,
}

impl PublishContext {
    /// Told once, and again when the reason changes: each event that meets it would say the same.
    pub(super) fn refused(&self, queue: &str, why: &str) {
        if self.state.send_if_modified(|status| status.refuses(queue, why)) {
            tracing::error!(queue, "publish refused: {why}; {}", self.follows);
        }
    }

    pub(super) fn taken(&self, queue: &str) {
        if self.state.send_if_modified(|status| status.takes(queue)) {
            tracing::info!(queue, "the queue takes what is published to it again");
        }
    }
}

pub(super) async fn open_channel(connection: &Connection, limit: Duration) -> Result<Channel, BrokerError> {
    let channel = channel::open(connection, limit).await?;
    within(limit, "asking for confirms", channel.confirm_select(ConfirmSelectOptions::default())).await?;
    Ok(channel)
}

/// Why the broker does not keep what was published; none where it does.
pub(super) fn refusal(confirmation: Confirmation) -> Option<String> {
    match confirmation {
        Confirmation::Ack(None) => None,
        Confirmation::Ack(Some(_)) => Some(NO_QUEUE.to_owned()),
        Confirmation::Nack(_) => {
            Some("the broker did not take it: is the queue full, or without its majority?".to_owned())
        }
        Confirmation::NotRequested => Some("the channel does not confirm".to_owned()),
    }
}
