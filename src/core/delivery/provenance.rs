//! Where an event comes from, and so what may be under way or done for it elsewhere: a copy of another, or one that may be a process
//! already without anybody having been told.
//!
//! Not here: what this machine itself sent for it (`core::progress`), and what copies do to each other (`copies`).

use crate::core::progress::{Next, Progress};

/// See the head of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Provenance {
    /// It came back, from the broker or a delay queue: another copy of it may be about.
    is_copy: bool,
    /// It may have been created before it came here, which no lookup has cleared and nobody was told.
    is_doubtful: bool,
}

impl Provenance {
    /// Of an event that arrives. One that cannot be looked up comes back without doubt where all was announced before it was
    /// delayed, and in doubt where a daemon was cut off before it could, or one of an older version counted less.
    pub(super) fn of(progress: &Progress, redelivered: bool, can_look_up: bool) -> Self {
        let is_copy = redelivered || progress.next == Next::Lookup;
        Self { is_copy, is_doubtful: is_copy || (!can_look_up && progress.since_create.is_some()) }
    }

    /// Of one that takes the place of an earlier copy, whose connection died under its request: another replica may have had it
    /// meanwhile.
    pub(super) const ADOPTED: Self = Self { is_copy: true, is_doubtful: true };

    /// All that either says.
    pub(super) fn or(self, other: Self) -> Self {
        Self { is_copy: self.is_copy || other.is_copy, is_doubtful: self.is_doubtful || other.is_doubtful }
    }

    /// Whether another copy of it may be about.
    pub(super) fn is_copy(self) -> bool {
        self.is_copy
    }

    /// Whether it may have been created before it came here.
    pub(super) fn is_doubtful(self) -> bool {
        self.is_doubtful
    }

    /// A lookup did not find it.
    pub(super) fn cleared(&mut self) {
        self.is_doubtful = false;
    }

    /// The API allows no lookup of it. Whatever an earlier one cleared: a copy of it may have been created since.
    pub(super) fn doubted(&mut self) {
        self.is_doubtful = true;
    }

    /// Answers whether it is in doubt, which is announced once.
    pub(super) fn announced(&mut self) -> bool {
        std::mem::take(&mut self.is_doubtful)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_comes_for_the_first_time_is_no_copy_and_not_in_doubt_and_all_that_comes_back_from_the_broker_is_both() {
        let fresh = Progress::opened(None, false, true);
        let first = Provenance::of(&fresh, false, true);
        assert!(!first.is_copy() && !first.is_doubtful());
        for can_look_up in [true, false] {
            let again = Progress::opened(None, true, can_look_up);
            assert_eq!(Provenance::of(&again, true, can_look_up), Provenance::ADOPTED);
        }
    }

    #[test]
    fn what_comes_from_a_delay_queue_is_a_copy_where_it_is_looked_up_and_else_in_doubt_by_what_may_have_been_sent() {
        let sent = Progress { since_create: Some(Duration::ZERO), ..Progress::default() };
        let looks = Progress::opened(Some(Progress::default()), false, true);
        assert_eq!(Provenance::of(&looks, false, true), Provenance::ADOPTED);
        for (brought, is_doubtful) in [(Progress::default(), false), (sent, true)] {
            let provenance = Provenance::of(&Progress::opened(Some(brought), false, false), false, false);
            assert_eq!((provenance.is_copy(), provenance.is_doubtful()), (false, is_doubtful));
        }
    }

    #[test]
    fn a_doubt_is_announced_once_ends_with_a_lookup_and_comes_back_where_none_is_allowed() {
        let mut provenance = Provenance::ADOPTED;
        assert!(provenance.announced() && !provenance.announced());
        provenance.doubted();
        provenance.cleared();
        assert!(!provenance.announced(), "a lookup did not find it");
        provenance.doubted();
        assert!(provenance.announced() && provenance.is_copy());
    }

    #[test]
    fn what_either_says_is_said_by_both_together() {
        let [copy, doubt] =
            [(true, false), (false, true)].map(|(is_copy, is_doubtful)| Provenance { is_copy, is_doubtful });
        assert_eq!(
            [copy.or(doubt), doubt.or(copy), copy.or(copy), doubt.or(doubt)],
            [Provenance::ADOPTED, Provenance::ADOPTED, copy, doubt]
        );
    }
}
