//! What the management API shows of the dead-letter queue before somebody looks into it: its limits, those of policies included,
//! and the version of the broker.
//!
//! Not here: what a pass costs by that (`core::letters::cost`).

use super::answer::{self, COLUMNS};
use super::api::Api;
use super::{Config, Role};
use crate::core::letters::cost::{Seen, version};

/// Asks. A queue that the API does not know is one that it does not show.
///
/// # Errors
/// Says why the API could not be asked.
pub async fn seen(config: &Config) -> Result<Seen, String> {
    let api = Api::open(config).await?;
    let dead = config.queues.iter().find(|(_, role)| *role == Role::DeadLetters);
    let queue = dead.map_or("", |(queue, _)| queue.as_str());
    let told = api.get(&["queues", &config.vhost, queue], COLUMNS).await?;
    let of_broker = api.get(&["overview"], "rabbitmq_version").await?;
    let text = of_broker.as_ref().and_then(|told| told["rabbitmq_version"].as_str());
    let queue = told.as_ref().and_then(answer::read).map(|seen| seen.queue);
    Ok(Seen { queue, version: text.and_then(version) })
}
