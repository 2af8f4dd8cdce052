//! What the broker says of the queues when a person asks before the daemon runs. Nothing is made, and nothing consumed.
//!
//! Not here: what the daemon does about it (`topology`).

use super::connection::Link;
use super::error::Trouble;
use super::{Config, Topology, queue_warnings, topology};

/// What the broker told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// What stands in the daemon's way, or in the way of wait queues.
    pub mistakes: Vec<String>,
    /// What is risky about the queues; it may be so on purpose.
    pub warnings: Vec<String>,
}

/// Connects as the daemon would, looks, and closes the connections again. Each call may take `call_timeout`.
///
/// # Errors
/// Says why the broker could not be asked.
pub async fn ask(config: &Config) -> Result<Survey, String> {
    let link = Link::open(config, &mut false).await.map_err(|trouble| trouble.to_string())?;
    let survey = look(config, &link).await;
    link.close().await;
    survey.map_err(|trouble| trouble.to_string())
}

async fn look(config: &Config, link: &Link) -> Result<Survey, Trouble> {
    let connection = &link.consuming;
    let missing = topology::missing_queues(config, connection).await?;
    let missing_waits = topology::missing_wait_queues(config, connection).await?;
    let mut survey = Survey::default();
    // Looking at a queue that is missing would make it.
    if missing.is_none() {
        let traps = queue_warnings::find(config, connection).await?;
        survey.warnings.extend(traps.into_iter().map(|trap| format!("queue `{}` {}", trap.queue, trap.words)));
    }
    if missing_waits.is_none() {
        survey.mistakes.extend(topology::wrong_wait_queue(config, connection).await?);
    }
    if config.topology == Topology::Verify {
        survey.mistakes.extend(missing.into_iter().chain(missing_waits));
    }
    survey.mistakes.extend(topology::refused_publish(config, &link.publishing).await?);
    Ok(survey)
}
