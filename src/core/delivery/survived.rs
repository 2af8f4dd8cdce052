//! Messages that were held here when a connection was lost: this process had them and lives, so that it does not die of them,
//! however often the broker gave them back.
//!
//! Not here: what else returns mean (`progress`).
//!
//! Of a message that is not among them, some returns may be ours all the same: it was on its way here, and no word of it came
//! before the connection was lost. It comes again at once with the next. So those connections count for it that were lost lately,
//! and not all since the start: other messages' losses say nothing of it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use super::remembered::Remembered;
use crate::core::gate::Moment;

/// So much of a body tells it from another. A confusion costs no more than a later suspicion.
const HEAD: usize = 1024;
/// Where no connection was lost for so long, what was on its way at an earlier loss has come long since.
const QUIET: Duration = Duration::from_secs(3600);

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Survived {
    messages: Remembered<u64>,
    /// Connections lost in a row, none of them for longer than `QUIET` after the one before.
    lost: u32,
    lost_at: Moment,
}

impl Survived {
    /// A connection is lost.
    pub(super) fn lose(&mut self, now: Moment) {
        self.lost = self.lost_lately(now).saturating_add(1);
        self.lost_at = now;
    }

    /// A message with this body was unacknowledged then.
    pub(super) fn note(&mut self, body: &[u8]) {
        self.messages.note(fingerprint(body));
    }

    /// How many of the returns of a message say that a process may have died of it.
    pub(super) fn suspicious(&self, body: &[u8], returns: u32, now: Moment) -> u32 {
        let is_of_others = returns > 0 && !self.messages.has(fingerprint(body));
        if is_of_others { returns.saturating_sub(self.lost_lately(now)) } else { 0 }
    }

    fn lost_lately(&self, now: Moment) -> u32 {
        if now.saturating_sub(self.lost_at) <= QUIET { self.lost } else { 0 }
    }
}

fn fingerprint(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.len().hash(&mut hasher);
    body[..body.len().min(HEAD)].hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::delivery::remembered::REMEMBERED_MAX;

    const NOW: Moment = Moment::from_secs(7200);

    #[test]
    fn what_was_held_here_is_not_suspected_and_of_others_the_connections_lost_lately_count() {
        let mut survived = Survived::default();
        assert_eq!(survived.suspicious(b"a", 9, NOW), 9);
        survived.lose(NOW);
        survived.note(b"a");
        survived.lose(NOW + QUIET);
        let at = |body: &[u8], now| survived.suspicious(body, 9, now);
        assert_eq!((at(b"a", NOW + 9 * QUIET), at(b"b", NOW + QUIET)), (0, 7));
        assert_eq!((at(b"b", NOW + 2 * QUIET), at(b"b", NOW + 3 * QUIET)), (7, 9), "those of long ago");
        survived.lose(NOW + 9 * QUIET);
        assert_eq!(survived.suspicious(b"b", 9, NOW + 9 * QUIET), 8, "they do not come back");
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut survived = Survived::default();
        (0..=REMEMBERED_MAX).for_each(|number| survived.note(&number.to_be_bytes()));
        let of = |number: usize| survived.suspicious(&number.to_be_bytes(), 5, NOW);
        assert_eq!((of(0), of(1), survived.messages.len()), (5, 0, REMEMBERED_MAX));
    }
}
