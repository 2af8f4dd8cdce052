//! What became of the events handled last, by key and body: lets a copy that the broker delivers again be recognised.
//!
//! Not here: any memory beyond this process; a fresh process knows nothing.
//!
//! A lost connection sends back every unacknowledged event, among them those just created whose acknowledgement was
//! lost with it. The broker cannot tell them apart; this can. Only keys that identify an event are kept.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use crate::core::dead_letter::DeadLetter;
use crate::core::event::{Digest, Key};
use crate::core::lookup::Lookup;
use crate::core::progress::Progress;

/// How many events are remembered: more than can lie between an acknowledgement and its being safe in the broker.
pub const REMEMBERED_MAX: usize = 16_384;

/// What became of an event. As small as can be: most of those remembered are processes.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// It is a process, with this id if the API told it.
    Created(Option<String>),
    /// It is a dead letter: a copy of it is one too, and nothing is sent for it again.
    Dead {
        /// What the letter says.
        letter: Box<DeadLetter>,
        /// Where the event stood.
        progress: Box<Progress>,
        /// When the broker confirmed that it keeps the letter, if it did.
        kept: Option<Duration>,
    },
    /// It was on its way when its connection died: the copy goes on from here, and is looked up where this one was, whatever
    /// the rules say by now.
    Underway(Box<Progress>, Option<Box<Lookup>>),
}

/// One event: messages of one key may carry different bodies, and then are different events.
type Identity = (Digest, u64);

/// The events handled last; what was not heard of for longest is forgotten first.
#[derive(Debug)]
pub struct Recent {
    room: usize,
    known: HashMap<Identity, (u64, Known)>,
    /// In the order in which they were heard of; an event that was heard of again stands here once more, and only the last counts.
    order: VecDeque<(u64, Identity)>,
    heard: u64,
}

impl Default for Recent {
    fn default() -> Self {
        Self::with_room(REMEMBERED_MAX)
    }
}

impl Recent {
    /// Remembers `room` events at most.
    #[must_use]
    pub fn with_room(room: usize) -> Self {
        Self { room, known: HashMap::new(), order: VecDeque::new(), heard: 0 }
    }

    /// Remembers what became of the event with this key and body; a key that does not identify one is not kept.
    pub fn remember(&mut self, key: &Key, body: &[u8], known: Known) {
        if !key.origin.identifies() {
            return;
        }
        let identity = identity(key, body);
        let before = self.known.remove(&identity).map(|(_, before)| before);
        let known = match before {
            Some(before) => before.followed_by(known),
            None => known,
        };
        self.heard += 1;
        self.order.push_back((self.heard, identity));
        self.known.insert(identity, (self.heard, known));
        self.forget();
    }

    /// Forgets what is too much, and what stands in the order more than once.
    fn forget(&mut self) {
        while self.known.len() > self.room || self.order.len() > 2 * self.room {
            let Some((heard, oldest)) = self.order.pop_front() else { return };
            let is_last = self.known.get(&oldest).is_some_and(|(last, _)| *last == heard);
            if is_last && self.known.len() > self.room {
                self.known.remove(&oldest);
            } else if is_last {
                self.order.push_back((heard, oldest));
            }
        }
    }

    /// It was published anew, perhaps since somebody retries a dead letter: that an earlier one died says nothing of it.
    pub fn revive(&mut self, key: &Key, body: &[u8]) {
        if let Some((_, known @ Known::Dead { .. })) = self.known.get_mut(&identity(key, body)) {
            *known = Known::Underway(Box::default(), None);
        }
    }

    /// What became of it, if it is remembered.
    #[must_use]
    pub fn recall(&self, key: &Key, body: &[u8]) -> Option<&Known> {
        let known = self.known.get(&identity(key, body)).map(|(_, known)| known);
        known.filter(|_| key.origin.identifies())
    }
}

fn identity(key: &Key, body: &[u8]) -> Identity {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    (key.digest(), hasher.finish())
}

impl Known {
    /// What is known after more was heard of it: nothing that either says is forgotten.
    fn followed_by(self, now: Self) -> Self {
        match (self, now) {
            // Of two copies, the one that is a process must not be forgotten for the other.
            (before @ Self::Created(_), Self::Underway(..) | Self::Dead { .. }) => before,
            // The copy that is under way has no letter of its own.
            (Self::Dead { letter, progress: before, .. }, Self::Underway(progress, _)) => {
                Self::Dead { letter, progress: Box::new(before.joined(&progress)), kept: None }
            }
            (Self::Underway(before, sent), Self::Underway(progress, sent_now)) => {
                let is_later = sent_now.is_some() && progress.unsure_creates >= before.unsure_creates;
                let sent = if is_later { sent_now } else { sent };
                Self::Underway(Box::new(before.joined(&progress)), sent)
            }
            (_, now) => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::KeyOrigin;
    use crate::core::reason::{Fault, Reason};

    fn dead(reason: Reason, unsure_creates: u32) -> Known {
        let letter = DeadLetter {
            fault: Fault::new(reason, ""),
            status: None,
            attempts: 0,
            first_seen_ms: 0,
            last_seen_ms: 0,
            rule: None,
            procedure: None,
            key: None,
            origin: None,
            unread: None,
        };
        let progress = Progress { unsure_creates, ..Progress::default() };
        Known::Dead { letter: Box::new(letter), progress: Box::new(progress), kept: None }
    }

    fn key(text: &str, origin: KeyOrigin) -> Key {
        Key { text: text.to_owned(), origin }
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::with_room(2);
        for name in ["a", "b", "c"] {
            recent.remember(&key(name, KeyOrigin::MessageId), b"", Known::Created(None));
        }
        assert_eq!(recent.recall(&key("a", KeyOrigin::MessageId), b""), None);
        assert!(recent.recall(&key("b", KeyOrigin::MessageId), b"").is_some());
        assert_eq!(recent.known.len(), recent.order.len());
    }

    #[test]
    fn what_is_learnt_later_replaces_what_was_known() {
        let mut recent = Recent::default();
        let a = key("a", KeyOrigin::CloudEvents);
        recent.remember(&a, b"", Known::Underway(Box::default(), None));
        recent.remember(&a, b"", Known::Created(Some("p1".into())));
        assert_eq!(recent.recall(&a, b""), Some(&Known::Created(Some("p1".into()))));
        assert_eq!(recent.known.len(), 1);
    }

    #[test]
    fn what_is_a_process_is_not_forgotten_for_another_of_its_key_under_way() {
        let mut recent = Recent::default();
        let a = key("a", KeyOrigin::MessageId);
        recent.remember(&a, b"", Known::Created(None));
        recent.remember(&a, b"", Known::Underway(Box::default(), None));
        assert_eq!(recent.recall(&a, b""), Some(&Known::Created(None)));
    }

    #[test]
    fn what_is_published_anew_is_no_dead_letter_for_an_earlier_one() {
        let mut recent = Recent::default();
        let (a, b) = (key("a", KeyOrigin::MessageId), key("b", KeyOrigin::MessageId));
        recent.remember(&a, b"", dead(Reason::Unmappable, 0));
        recent.remember(&b, b"", Known::Created(None));
        recent.revive(&a, b"");
        recent.revive(&b, b"");
        assert_eq!(recent.recall(&a, b""), Some(&Known::Underway(Box::default(), None)));
        assert_eq!(recent.recall(&b, b""), Some(&Known::Created(None)));
    }

    #[test]
    fn a_hash_of_the_body_is_never_known_because_copies_share_it() {
        let mut recent = Recent::default();
        let copy = key("sha256:00", KeyOrigin::Body);
        recent.remember(&copy, b"", Known::Created(None));
        assert_eq!(recent.recall(&copy, b""), None);
    }

    #[test]
    fn one_that_was_just_created_is_not_forgotten_while_older_ones_are_remembered() {
        let mut recent = Recent::with_room(2);
        let (a, b, c) =
            (key("a", KeyOrigin::MessageId), key("b", KeyOrigin::MessageId), key("c", KeyOrigin::MessageId));
        recent.remember(&a, b"", Known::Underway(Box::default(), None));
        recent.remember(&b, b"", Known::Created(None));
        recent.remember(&a, b"", Known::Created(None));
        recent.remember(&c, b"", Known::Created(None));
        assert_eq!(recent.recall(&a, b""), Some(&Known::Created(None)));
        assert_eq!(recent.recall(&b, b""), None);
    }

    #[test]
    fn a_dead_letter_overwrites_no_process_and_what_is_under_way_no_dead_letter() {
        let mut recent = Recent::default();
        let a = key("a", KeyOrigin::MessageId);
        let dead = dead(Reason::Unknown, 2);
        recent.remember(&a, b"one", dead.clone());
        recent.remember(&a, b"one", Known::Underway(Box::default(), None));
        assert_eq!(recent.recall(&a, b"one"), Some(&dead));
        recent.remember(&a, b"two", Known::Created(None));
        recent.remember(&a, b"two", dead);
        assert_eq!(recent.recall(&a, b"two"), Some(&Known::Created(None)));
    }

    #[test]
    fn messages_of_one_key_with_different_bodies_are_different_events() {
        let mut recent = Recent::default();
        let a = key("a", KeyOrigin::MessageId);
        recent.remember(&a, b"one", Known::Created(None));
        assert_eq!(recent.recall(&a, b"two"), None);
    }

    #[test]
    fn the_order_does_not_grow_with_what_is_heard_of_again_and_again() {
        let mut recent = Recent::with_room(4);
        for number in 0..1000 {
            let name = if number % 2 == 0 { "a" } else { "b" };
            recent.remember(&key(name, KeyOrigin::MessageId), b"", Known::Created(None));
        }
        assert!(recent.order.len() <= 8 && recent.known.len() == 2);
    }
}
