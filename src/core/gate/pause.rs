//! An operator's pause: a reason to wait beside the breakers, without a time and without probes.
//!
//! Not here: who may ask for it (`admin`), and what resumes after it (`gate`).

use std::time::Duration;

use super::Moment;

/// Whether the daemon is paused, and for how long it has been in all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pause {
    since: Option<Moment>,
    before: Duration,
}

impl Pause {
    /// Since when, if it is paused.
    pub(super) fn since(&self) -> Option<Moment> {
        self.since
    }

    /// Begins; answers whether it was running before.
    pub(super) fn begin(&mut self, now: Moment) -> bool {
        let was_running = self.since.is_none();
        self.since.get_or_insert(now);
        was_running
    }

    /// Ends; answers how long this pause was, if there was one.
    pub(super) fn end(&mut self, now: Moment) -> Option<Duration> {
        let after = now.saturating_sub(self.since.take()?);
        self.before = self.before.saturating_add(after);
        Some(after)
    }

    /// The time without the pauses: a clock that stands still while it is paused.
    pub(super) fn open_time(&self, now: Moment) -> Duration {
        let running = self.since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        now.saturating_sub(self.before).saturating_sub(running)
    }
}
