//! What of an event's progress outlives it: what a repeat of it goes on from, and what it takes in memory.
//!
//! Not here: where it is remembered (`core::recent`).

use std::mem::size_of;
use std::time::Duration;

use super::{CREATES_MAX, Next, Progress, limits};
use crate::core::policy::{OnUnknown, Policy};
use crate::core::reason::Fault;

/// What a value takes that a newer daemon wrote, for each byte of its text.
const VALUE: usize = 16;

impl Progress {
    /// Where an event begins anew after this: what may have been created stays in doubt, and one create may follow.
    #[must_use]
    pub fn retried(&self) -> Self {
        let Self { unsure_creates, unsure_ms, .. } = *self;
        let since_create = (unsure_creates > 0).then_some(Duration::ZERO);
        Self { unsure_creates: unsure_creates.min(1), since_create, unsure_ms, ..Self::default() }
    }

    /// Of an event that may be a process already, since this time: its next create is looked up before, or announced.
    #[must_use]
    pub fn doubtful(unsure_ms: u64) -> Self {
        Self { unsure_creates: 1, since_create: Some(Duration::ZERO), unsure_ms, ..Self::default() }
    }

    /// Where an event stands that claims its row before it creates: that it came back says nothing, since its row says whether a
    /// create may have been applied. `looks` says whether it is looked up before its first create all the same.
    pub fn claims_first(&mut self, looks: bool) {
        if self.unsure_creates == 0 && self.refused.is_none() {
            (self.lookups, self.since_create) = (0, None);
            self.next = if looks { Next::Lookup } else { Next::Create };
        }
    }

    /// It goes on from creates that earlier owners of its row sent, of which nobody has the answer: it is looked up where it can be,
    /// sent once more, or dead.
    #[must_use]
    pub fn resumed(&mut self, can_look_up: bool, policy: &Policy) -> Option<Fault> {
        self.next = if can_look_up { Next::Lookup } else { Next::Create };
        let is_over = policy.on_unknown == OnUnknown::DeadLetter || self.unsure_creates >= CREATES_MAX;
        (is_over && !can_look_up).then(|| limits::unknown("the replica that sent it ended", self.unsure_creates))
    }

    /// What it dies of if it is about to send a create beyond those that it may. Where a daemon ends under its requests it comes back
    /// so.
    #[must_use]
    pub fn spent(&self) -> Option<Fault> {
        let is_spent = self.next == Next::Create && self.unsure_creates >= CREATES_MAX;
        is_spent.then(|| limits::unknown("the daemon ended", self.unsure_creates))
    }

    /// What it takes in memory, in bytes.
    pub(in crate::core) fn bytes(&self) -> usize {
        let words = self.refused.as_ref().and_then(|refused| refused.error_text.as_ref());
        let unknown =
            if self.unknown.is_empty() { 0 } else { serde_json::to_string(&self.unknown).map_or(0, |text| text.len()) };
        size_of::<Self>() + self.photos.bytes() + words.map_or(0, String::capacity) + unknown * VALUE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_anew_keeps_its_doubt_and_nothing_else() {
        let sure = Progress { attempts: 4, crashes: 2, since_create: Some(Duration::ZERO), ..Progress::default() };
        assert_eq!(sure.retried(), Progress::default());
        let unsure = Progress { unsure_creates: 2, unsure_ms: 7, ..sure };
        let retried = unsure.retried();
        assert_eq!((retried.unsure_creates, retried.unsure_ms, retried.attempts), (1, 7, 0));
        assert_eq!(retried.since_create, Some(Duration::ZERO), "a lookup waits for the whole window");
    }
}
