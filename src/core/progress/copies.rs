//! What the copies of one event learn from each other.
//!
//! Not here: which events are copies (`delivery`).

use std::time::Duration;

use super::{Next, Progress};

impl Progress {
    /// Another copy of it went this way: creates of it that may have been applied, or were refused with an error text, are looked up
    /// from now on. Answers whether there was news.
    #[must_use]
    pub fn learn(&mut self, other: &Self) -> bool {
        let is_news = self.lacks(other);
        if is_news {
            *self = std::mem::take(self).joined(other);
            self.look_up_anew(Duration::ZERO);
        }
        is_news
    }

    /// Whether another copy sent a create that may have been applied, or was refused with an error text, of which this one knows nothing.
    #[must_use]
    pub fn lacks(&self, other: &Self) -> bool {
        other.unsure_creates > self.unsure_creates || (self.refused.is_none() && other.refused.is_some())
    }

    /// Another copy of it may have been created this long ago: it is looked up for a whole window from then.
    pub fn look_up_anew(&mut self, since: Duration) {
        (self.lookups, self.next, self.since_create) = (0, Next::Lookup, Some(since));
    }

    /// Where an event stands of which two accounts are known: nothing that either holds is forgotten.
    #[must_use]
    pub fn joined(mut self, other: &Self) -> Self {
        self.attempts = self.attempts.max(other.attempts);
        self.unsure_creates = self.unsure_creates.max(other.unsure_creates);
        self.crashes = self.crashes.max(other.crashes);
        self.unsure_ms = self.unsure_ms.max(other.unsure_ms);
        self.refusals = self.refusals.max(other.refusals);
        self.refused_ms = self.refused_ms.max(other.refused_ms);
        self.since_create = [self.since_create, other.since_create].into_iter().flatten().min();
        self.refused = self.refused.or_else(|| other.refused.clone());
        self.status = self.status.or(other.status);
        self.photos = self.photos.joined(&other.photos);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::progress::Refused;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn nothing_that_either_of_two_accounts_holds_is_forgotten() {
        let refused = Refused { status: 409, error_text: None };
        let one = Progress { attempts: 4, unsure_creates: 1, since_create: Some(HOUR), ..Progress::default() };
        let other = Progress {
            unsure_creates: 2,
            crashes: 1,
            since_create: Some(2 * HOUR),
            refused: Some(refused.clone()),
            ..one.clone()
        };
        for joined in [one.clone().joined(&other), other.clone().joined(&one)] {
            assert_eq!((joined.attempts, joined.unsure_creates, joined.crashes), (4, 2, 1));
            assert_eq!((joined.since_create, joined.refused), (Some(HOUR), Some(refused.clone())));
        }
    }

    #[test]
    fn what_another_copy_lost_or_was_refused_is_news_once() {
        let refused = Progress { refused: Some(Refused { status: 409, error_text: None }), ..Progress::default() };
        for other in [refused, Progress { unsure_creates: 1, ..Progress::default() }] {
            let mut progress = Progress { since_create: Some(HOUR), lookups: 3, ..Progress::default() };
            assert!(progress.learn(&other));
            assert_eq!(
                (progress.next, progress.lookups, progress.since_create),
                (Next::Lookup, 0, Some(Duration::ZERO))
            );
            assert!(!progress.learn(&other));
        }
    }
}
