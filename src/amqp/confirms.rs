//! What publishing takes: a connection, channels that confirm, what a confirm means, and telling what is refused.
//!
//! Not here: publishing (`publisher`, `reply`).

use std::sync::Arc;
use std::time::Duration;

use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Confirmation, Connection};
use tokio::sync::watch;

use super::channel;
use super::error::BrokerError;
use super::limit::within;
use crate::metrics::Metrics;
use crate::states::broker::BrokerStatus;

const NO_QUEUE: &str = "no such queue; make it";

const NOT_BOUND: &str = "no queue takes this routing key: bind one to the exchange, \
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

/// Why the broker does not keep what was published to this exchange, empty for a queue by its name; none where it does.
pub(super) fn refusal(confirmation: Confirmation, exchange: &str) -> Option<String> {
    let why = match confirmation {
        Confirmation::Ack(None) => return None,
        Confirmation::Ack(Some(_)) if exchange.is_empty() => NO_QUEUE,
        Confirmation::Ack(Some(_)) => NOT_BOUND,
        Confirmation::Nack(_) => "the broker did not take it: is the queue full, or without its majority?",
        Confirmation::NotRequested => "the channel does not confirm",
    };
    Some(why.to_owned())
}

#[cfg(test)]
mod tests {
    use lapin::message::{BasicReturnMessage, Delivery};

    use super::*;

    fn returned() -> Confirmation {
        let delivery = Delivery::mock(0, "".into(), "".into(), false, Vec::new());
        Confirmation::Ack(Some(BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() }))
    }

    #[test]
    fn only_what_the_broker_confirms_and_does_not_return_is_kept_and_the_rest_says_why() {
        for exchange in ["", "outcomes"] {
            assert_eq!(refusal(Confirmation::Ack(None), exchange), None);
            let said = |confirmation| refusal(confirmation, exchange).unwrap();
            assert!(said(Confirmation::Nack(None)).contains("is the queue full"));
            assert!(said(Confirmation::NotRequested).contains("does not confirm"));
        }
        assert_eq!(refusal(returned(), "").as_deref(), Some(NO_QUEUE));
        assert_eq!(refusal(returned(), "outcomes").as_deref(), Some(NOT_BOUND));
    }
}
