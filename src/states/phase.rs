//! Where the life of the daemon stands, and the pulse that shows it is not stuck.
//!
//! Not here: what moves it from one phase to the next, and who asks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Where the life of the daemon stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is taken yet.
    Starting,
    /// Events are taken and settled.
    Running,
    /// Nothing new is taken; what is in flight finishes.
    Draining,
    /// Every event is settled or given back.
    Stopped,
}

impl Phase {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
        }
    }
}

/// When the dispatcher last turned its loop, by a clock that only goes forward: nobody can set it.
#[derive(Debug)]
pub struct Pulse {
    start: Instant,
    /// In milliseconds since the start.
    last: AtomicU64,
}

impl Pulse {
    /// A pulse that beat now.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { start: now, last: AtomicU64::new(0) }
    }

    /// Beats.
    pub fn beat(&self, now: Instant) {
        self.last.store(self.since(now), Ordering::Relaxed);
    }

    /// How long ago the last beat was.
    #[must_use]
    pub fn age(&self, now: Instant) -> Duration {
        Duration::from_millis(self.since(now).saturating_sub(self.last.load(Ordering::Relaxed)))
    }

    fn since(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }
}

/// Resolves once `stop` is true. Its sender lives as long as the daemon; were it gone, that would mean the same.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("whoever says when to stop is gone");
    }
}
