//! Where the life of the daemon stands, and the pulse that shows it is not stuck.
//!
//! Not here: what moves it from one phase to the next, and who asks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

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

/// When the dispatcher last turned its loop, in milliseconds since the Unix epoch.
#[derive(Debug)]
pub struct Pulse(AtomicU64);

impl Pulse {
    /// A pulse that beat now.
    #[must_use]
    pub fn new(now_ms: u64) -> Self {
        Self(AtomicU64::new(now_ms))
    }

    /// Beats.
    pub fn beat(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }

    /// How far the last beat is from now. A beat in the future counts as far as one in the past: after the clock was
    /// set back, a loop that is stuck must not look alive.
    #[must_use]
    pub fn age(&self, now_ms: u64) -> Duration {
        Duration::from_millis(now_ms.abs_diff(self.0.load(Ordering::Relaxed)))
    }
}
/// Resolves once `stop` is true. Its sender lives as long as the daemon; were it gone, that would mean the same.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("whoever says when to stop is gone");
    }
}
