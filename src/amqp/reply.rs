//! The answer to the queue that an event names in `reply_to`, by AMQP's own convention: published once, and counted. It holds nothing
//! up but its own event, and that for `broker.call_timeout` at most.
//!
//! Not here: what it says (`outcomes`), queues of which the broker says nothing (`silent`), and the outcome that goes to the exchange
//! before it (`publisher`).

use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{Channel, Confirmation};

use super::confirms::{PublishContext, open_channel, refusal};
use super::error::{BrokerError, is_of_the_channel};
use super::outgoing::Reply;
use super::packed::Packed;
use crate::clock::answered_within;
use crate::metrics::ReplyTold;

/// What an answer leaves behind it.
pub(super) struct Answered {
    /// The channel, or another where it can be used no more.
    pub(super) channel: Channel,
    /// Whether the broker said nothing in time.
    pub(super) is_silent: bool,
}

/// Publishes it, and counts what came of it.
///
/// # Errors
/// That nothing can be published any more.
pub(super) async fn publish(
    channel: Channel,
    to: &PublishContext,
    reply: &Reply,
    body: &[u8],
) -> Result<Answered, BrokerError> {
    let untold = |channel, why| {
        to.metrics.outcome_replied(why);
        Ok(Answered { channel, is_silent: false })
    };
    let (queue, properties) = match reply {
        Reply::To { queue, properties } => (queue, properties),
        Reply::Refused => return untold(channel, ReplyTold::Refused),
        Reply::Silent => return untold(channel, ReplyTold::Unconfirmed),
    };
    let said = once(&channel, to, (queue, properties), body).await;
    let (told, is_usable) = match said.map(|said| said.map(|confirmation| refusal(confirmation, ""))) {
        Some(Ok(None)) => (ReplyTold::Told, true),
        Some(Ok(Some(_))) => (ReplyTold::Gone, true),
        Some(Err(error)) if is_of_the_channel(&error) => (ReplyTold::Gone, false),
        Some(Err(error)) => return Err(BrokerError::during("answering", &error)),
        None => (ReplyTold::Unconfirmed, false),
    };
    to.metrics.outcome_replied(told);
    let channel = if is_usable { channel } else { open_channel(&to.connection, to.limit).await? };
    Ok(Answered { channel, is_silent: told == ReplyTold::Unconfirmed })
}

/// What the broker says; none within the limit.
async fn once(
    channel: &Channel,
    to: &PublishContext,
    (queue, properties): (&ShortString, &Packed),
    body: &[u8],
) -> Option<lapin::Result<Confirmation>> {
    let confirmed = async {
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let properties = properties.whole().into_owned();
        channel.basic_publish("".into(), queue.clone(), options, body, properties).await?.await
    };
    tokio::pin!(confirmed);
    loop {
        match answered_within(to.limit, &mut confirmed).await {
            Some(confirmation) => return Some(confirmation),
            // A broker with an alarm takes nothing from anybody, and opens no channel either.
            None if to.connection.status().blocked() => {}
            None => return None,
        }
    }
}
