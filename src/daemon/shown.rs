//! What the status page is told at the start: whom requests go to, how many events are held at most, and what each queue is for.
//!
//! Not here: what it shows of that (`admin::status`).

use std::sync::Arc;

use tokio::sync::watch;

use crate::admin::health::Health;
use crate::admin::status::{Role, Start, Status};
use crate::amqp;
use crate::clock::epoch_ms;
use crate::metrics::Metrics;
use crate::states::in_force::InForce;

/// See the head of this file.
pub(super) fn status(
    broker: &amqp::Config,
    host: String,
    metrics: &Arc<Metrics>,
    health: &Health,
    in_force: watch::Receiver<Arc<InForce>>,
) -> Status {
    let role = |name: &str| match name {
        name if name == broker.queue => Role::Work,
        name if name == broker.dead_letter_queue => Role::Dead,
        _ => Role::Wait,
    };
    let queues = amqp::plan::of(broker).queues.into_iter().map(|queue| (role(&queue.name), queue.name)).collect();
    let start = Start { at_ms: epoch_ms(), places: usize::from(broker.prefetch), host, queues };
    Status::new(start, Arc::clone(metrics), health.clone(), in_force)
}
