//! What the broker says of the queues when a person asks before the daemon runs. Nothing is made, and nothing consumed.
//!
//! Not here: what the daemon does about it (`topology`).

use super::connect::{Connections, Tries};
use super::error::BrokerError;
use super::{Config, Topology, queue_warnings, topology};

/// What the broker answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnlineCheck {
    /// What stands in the daemon's way, or in the way of delay queues.
    pub mistakes: Vec<String>,
    /// What is risky about the queues; it may be so on purpose.
    pub warnings: Vec<String>,
}

/// Connects as the daemon would, asks, and closes the connections again. Each call may take `call_timeout`.
///
/// # Errors
/// Says why the broker could not be asked.
pub async fn ask(config: &Config) -> Result<OnlineCheck, String> {
    let connections = Connections::open(config, &mut Tries::default()).await.map_err(|error| error.to_string())?;
    let online_check = queues(config, &connections).await;
    connections.close().await;
    online_check.map_err(|error| error.to_string())
}

async fn queues(config: &Config, connections: &Connections) -> Result<OnlineCheck, BrokerError> {
    let connection = &connections.consuming;
    let missing = topology::missing_queues(config, connection).await?;
    let missing_delays = topology::missing_delay_queues(config, connection).await?;
    let mut online_check = OnlineCheck::default();
    // Looking at a queue that is missing would make it.
    if missing.is_none() {
        let warnings = queue_warnings::find(config, connection).await?;
        online_check
            .warnings
            .extend(warnings.into_iter().map(|warning| format!("queue `{}` {}", warning.queue, warning.words)));
    }
    if missing_delays.is_none() {
        online_check.mistakes.extend(topology::wrong_delay_queue(config, connection).await?);
    }
    if config.topology == Topology::Verify {
        online_check.mistakes.extend(missing.into_iter().chain(missing_delays));
    }
    online_check.mistakes.extend(topology::refused_publish(config, &connections.publishing).await?);
    Ok(online_check)
}
