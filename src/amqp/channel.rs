//! Channels: opened and closed, each with a limit.
//!
//! Not here: what they are for.

use std::time::Duration;

use lapin::{Channel, Connection};

use super::error::{BrokerError, is_of_the_channel};
use super::limit::{Limit, within};

/// The reply code of a close that is nobody's fault.
pub(super) const REPLY_SUCCESS: u16 = 200;

/// More numbers in a row than questions at a connect that the broker may answer with no, each of which costs a channel.
const USED_UP_MAX: usize = 64;

/// Opens one.
pub(super) async fn open(connection: &Connection, limit: Duration) -> Result<Channel, BrokerError> {
    within(limit, "opening a channel", unused(connection)).await
}

/// Channels have numbers, which the client library gives out again once it has been through all of them. Where the broker closed
/// a channel, it answers the next of that number with the old error, and without asking (measured with lapin 4.12.3; no broker
/// answers so). The next number is tried then, and only where none will do are the connections made anew.
async fn unused(connection: &Connection) -> lapin::Result<Channel> {
    let mut opened = connection.create_channel().await;
    for _ in 0..USED_UP_MAX {
        match opened {
            Err(error) if is_of_the_channel(&error) => opened = connection.create_channel().await,
            _ => break,
        }
    }
    opened
}

/// Closes a channel. The broker's answer comes after everything that was sent on it before: a barrier.
pub(super) async fn close(channel: &Channel, limit: impl Into<Limit>) -> Result<(), BrokerError> {
    within(limit, "closing a channel", channel.close(REPLY_SUCCESS, "done".into())).await
}
