//! The spans while the daemon runs: the task that sends them, and its end in order.
//!
//! Not here: which spans there are (`dispatch`), and how they are sent (`telemetry`).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::config::Config;
use crate::dispatch::Traces;
use crate::handover::spans;
use crate::metrics::Metrics;
use crate::telemetry::Exporter;

/// The longest that the last spans keep the process from its end: an update of a fleet is not to wait for a collector.
const LAST_MAX: Duration = Duration::from_secs(3);

/// The task that sends spans, if a collector is named.
pub(super) struct Exported(JoinSet<()>);

impl Exported {
    /// # Errors
    /// Says what is wrong with the certificates of the collector.
    pub(super) fn begin(
        config: &Config,
        metrics: &Arc<Metrics>,
        stop: watch::Receiver<bool>,
    ) -> Result<(Option<Traces>, Self), String> {
        let mut task = JoinSet::new();
        let Some(telemetry) = &config.telemetry else { return Ok((None, Self(task))) };
        let exporter = Exporter::new(telemetry, Arc::clone(metrics))?;
        let (spans, waiting) = spans::queue();
        task.spawn(exporter.run(waiting, stop));
        let (queue, dead_letter_queue) = (config.broker.queue.clone(), config.broker.dead_letter_queue.clone());
        Ok((Some(Traces { spans, sample: telemetry.sample, queue, dead_letter_queue }), Self(task)))
    }

    /// Waits until the last spans are sent, which nobody puts in any more; 3 s at most, and not beyond the deadline.
    pub(super) async fn end(mut self, deadline: Instant) {
        let until = deadline.min(Instant::now() + LAST_MAX);
        if tokio::time::timeout_at(until, self.0.join_next()).await.is_err() {
            tracing::warn!("the last spans were not sent in time: the collector of traces does not answer");
        }
    }
}
