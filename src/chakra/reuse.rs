//! Whether requests may share connections: some proxies cut each connection that is used again.
//!
//! What was written to a connection that was cut may have been read, and nothing can prove that it was not. So the one
//! cut is a lost answer, as any other; those that follow are spared: each request goes on a connection of its own for a
//! while, which grows as long as cuts come back.
//!
//! Not here: what counts as a cut (`failure`), and the connections (`client`).

use std::time::Duration;

use tokio::time::Instant;

/// How long requests keep to themselves after the first cut.
const FIRST: Duration = Duration::from_secs(60);

/// How long at most.
const LONGEST: Duration = Duration::from_secs(3600);

/// What the cuts so far have taught.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reuse {
    /// Until when each request goes on a connection of its own, and how long that was from its beginning.
    apart: Option<(Instant, Duration)>,
}

impl Reuse {
    /// Whether a request that begins now may take a connection that served another.
    pub(super) fn is_allowed(&self, now: Instant) -> bool {
        self.apart.is_none_or(|(until, _)| now >= until)
    }

    /// A connection that may have served before was cut without an answer. Answers for how long connections are not
    /// shared from now on, if that is news: those that were under way at the first cut may be cut after it.
    pub(super) fn cut(&mut self, now: Instant) -> Option<Duration> {
        if !self.is_allowed(now) {
            return None;
        }
        let length = match self.apart {
            // It came back sooner than it was kept away.
            Some((until, length)) if now < until + length => (length * 2).min(LONGEST),
            _ => FIRST,
        };
        self.apart = Some((now + length, length));
        Some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_cut_connections_are_not_shared_for_a_while() {
        let (mut reuse, start) = (Reuse::default(), Instant::now());
        assert!(reuse.is_allowed(start));
        assert_eq!(reuse.cut(start), Some(FIRST));
        assert!(!reuse.is_allowed(start + FIRST / 2));
        assert!(reuse.is_allowed(start + FIRST));
    }

    #[test]
    fn cuts_of_what_was_under_way_already_are_no_news() {
        let (mut reuse, start) = (Reuse::default(), Instant::now());
        assert_eq!(reuse.cut(start), Some(FIRST));
        let known = reuse;
        assert_eq!(reuse.cut(start + Duration::from_secs(1)), None);
        assert_eq!(reuse, known);
    }

    #[test]
    fn cuts_that_come_back_are_kept_away_for_longer_up_to_a_limit_and_forgotten_in_the_end() {
        let (mut reuse, mut now) = (Reuse::default(), Instant::now());
        let mut lengths = Vec::new();
        for _ in 0..8 {
            let length = reuse.cut(now).unwrap();
            lengths.push(length.as_secs());
            now += length;
        }
        assert_eq!(lengths, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(reuse.cut(now + LONGEST), Some(FIRST));
    }
}
