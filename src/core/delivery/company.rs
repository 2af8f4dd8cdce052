//! Keys that more than one message had here: where a producer repeats one, the letter of one message says nothing of another.
//!
//! Not here: copies of one message (`copies`), and what became of an event (`core::recent`).

use super::Machine;
use super::remembered::Remembered;
use crate::core::event::{Digest, Identity, Key};
use crate::core::recent::Known;

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Company {
    keys: Remembered<Digest>,
}

impl Company {
    fn note(&mut self, key: &Key) {
        self.keys.note(key.digest());
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.keys.has(key.digest())
    }
}

impl Machine {
    /// A message of this key came: minds a first delivery of what is known, one beside another, or one after the letter of its key
    /// was kept that is no copy of a delivery before; not what comes late over a lost connection, a copy of what comes again. What
    /// is published anew is no dead letter for an earlier one.
    pub(super) fn mind_company(
        &mut self,
        key: &Key,
        identity: Option<Identity>,
        is_live: bool,
        is_new: bool,
        redelivered: bool,
    ) {
        let known = identity.filter(|_| !redelivered).and_then(|identity| self.recent.recall(identity));
        let known = known.map(|slot| &slot.known);
        let is_dead = matches!(known, Some(Known::Dead(_)));
        let is_after_letter = matches!(known, Some(Known::Dead(dead)) if dead.kept.is_some());
        let is_again = is_after_letter || (is_new && known.is_some());
        if is_live && (is_again || self.held.has_live(key) || self.publishes.has(key) || self.outcomes.has_key(key)) {
            self.company.note(key);
        }
        if let Some(identity) = identity.filter(|_| is_new && is_dead) {
            self.recent.revive(identity);
        }
    }
}
