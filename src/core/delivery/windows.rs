//! How many events wait for the window of their lookup to end, and until when. After a restart of the broker a classic queue
//! marks its whole backlog as delivered before, and every event of it waits so: that must not happen in silence.
//!
//! Not here: how long a window is (`progress`), and where an event waits meanwhile (`delay`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::report::Report;
use super::{EventId, Machine, TICK};
use crate::core::gate::Moment;
use crate::core::judge::Judgement;
use crate::core::progress::Next;

/// Told again once so many times as many wait.
const MORE: usize = 2;

/// The events that wait, those in delay queues among them, by the second in which their window ends.
#[derive(Debug, Default)]
pub(super) struct Windows {
    by_second: BTreeMap<u64, usize>,
    total: usize,
    /// How many were told of last.
    told: usize,
    /// How many were shown last, and until when.
    shown: (usize, u64),
    next: Moment,
}

impl Windows {
    fn add(&mut self, until: Moment) {
        *self.by_second.entry(until.as_secs()).or_default() += 1;
        self.total += 1;
    }

    /// How many wait, and until which second the last of them.
    fn count(&mut self, now: Moment) -> (usize, u64) {
        while let Some(entry) = self.by_second.first_entry().filter(|entry| *entry.key() < now.as_secs()) {
            self.total -= entry.remove();
        }
        (self.total, self.by_second.last_key_value().map_or(0, |(second, _)| *second))
    }

    /// Whether so many are worth a log line.
    fn is_news(&mut self, events: usize) -> bool {
        let is_news = if events == 0 { self.told > 0 } else { events >= self.told.saturating_mul(MORE).max(1) };
        if is_news {
            self.told = events;
        }
        is_news
    }
}

impl Machine {
    /// A lookup came back: counts the event, once, if it has to wait for its window from here on.
    pub(super) fn note_window(&mut self, id: EventId, outcome: &Judgement) {
        let (now, window) = (self.now.moment, self.setup.policy.lookup_window);
        let Some(event) = self.held.get_mut(id) else { return };
        let is_waiting = matches!(outcome, Judgement::Absent) && event.progress.next == Next::Lookup;
        if is_waiting && !std::mem::replace(&mut event.is_in_window, true) {
            let left = window.saturating_sub(event.progress.since_create.unwrap_or(window));
            self.windows.add(now.saturating_add(left));
        }
    }

    /// Tells how many wait, once in a while.
    pub(super) fn tell_windows(&mut self) {
        let now = self.now.moment;
        if now < self.windows.next {
            return;
        }
        self.windows.next = now.saturating_add(TICK);
        let (events, second) = self.windows.count(now);
        if std::mem::replace(&mut self.windows.shown, (events, second)) != (events, second) {
            let left = Duration::from_secs(second).saturating_sub(now);
            let is_news = self.windows.is_news(events);
            self.tell(Report::Windows { events, left, is_news });
        }
    }
}
