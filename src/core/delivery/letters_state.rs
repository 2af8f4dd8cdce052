//! How it stands with dead letters and delayed events that the broker does not take, and how many places they hold.
//!
//! Not here: publishing them, and what becomes of those that are refused (`letters`).

use std::time::Duration;

use super::report::Report;
use super::told::LettersState;
use super::{Machine, WantedPrefetch};
use crate::core::gate::Moment;

/// Nothing stands still that was filled just now: what was asked for comes in some messages after each other.
const STILL: Duration = Duration::from_secs(1);

impl Machine {
    /// How many places are held by what is refused, or not confirmed for long.
    pub(super) fn stuck(&self) -> usize {
        self.publishes.letters.stuck(self.now.moment) + self.publishes.delays.stuck(self.now.moment)
    }

    /// How many dead letters wait here for a queue that takes them.
    #[must_use]
    pub fn letters_waiting(&self, moment: Moment) -> usize {
        self.publishes.letters.held_up(moment)
    }

    /// Says how it stands with dead letters, when that changes; answers when to look again.
    pub(super) fn mind_letters(&mut self) -> Option<Moment> {
        let waiting = self.publishes.letters.held_up(self.now.moment);
        let hold_all = self.held.is_empty() && self.holding() >= self.most_stuck();
        let still = self.arrivals.last().saturating_add(STILL);
        let state = match waiting {
            0 => LettersState::Kept,
            _ if hold_all && still <= self.now.moment => LettersState::StandStill,
            _ => LettersState::Waiting,
        };
        if std::mem::replace(&mut self.letters_state, state) != state {
            self.tell(Report::Letters(state));
        }
        (hold_all && state == LettersState::Waiting).then_some(still)
    }

    /// How many hold a place; where it was told that they hold all, those of them too that are tried again just now.
    fn holding(&self) -> usize {
        match self.letters_state {
            LettersState::StandStill => {
                let now = self.now.moment;
                self.publishes.letters.held_up(now) + self.publishes.delays.held_up(now)
            }
            _ => self.stuck(),
        }
    }

    /// So many hold every place, whatever else was there when more were asked for.
    fn most_stuck(&self) -> usize {
        let more = if self.wanted == WantedPrefetch::Double { self.quarter() } else { 0 };
        self.setup.places + more
    }
}
