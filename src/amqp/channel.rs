//! Channels: opened and closed, each with a limit.
//!
//! Not here: what they are for.

use std::time::Duration;

use lapin::{Channel, Connection};

use super::error::{BrokerError, within};

/// The reply code of a close that is nobody's fault.
pub(super) const REPLY_SUCCESS: u16 = 200;

pub(super) async fn open(connection: &Connection, limit: Duration) -> Result<Channel, BrokerError> {
    within(limit, "opening a channel", connection.create_channel()).await
}

/// Closes a channel. The broker's answer comes after everything that was sent on it before: a barrier.
pub(super) async fn close(channel: &Channel, limit: Duration) -> Result<(), BrokerError> {
    within(limit, "closing a channel", channel.close(REPLY_SUCCESS, "done".into())).await
}
