//! What became of the events handled last, by key: lets a copy that the broker delivers again be recognised.
//!
//! Not here: any memory beyond this process; a fresh process knows nothing.
//!
//! A lost connection sends back every unacknowledged event, among them those just created whose acknowledgement was
//! lost with it. The broker cannot tell them apart; this can. Only keys that identify an event are kept.

use std::collections::{HashMap, VecDeque};

use crate::core::event::Key;
use crate::core::lookup::Lookup;
use crate::core::progress::Progress;
use crate::core::reason::Fault;

/// How many events are remembered: more than can lie between an acknowledgement and its being safe in the broker.
pub const REMEMBERED_MAX: usize = 16_384;

/// What became of an event. As small as can be: most of those remembered are processes.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// It is a process, with this id if the API told it.
    Created(Option<String>),
    /// It is a dead letter, for this fault: a copy of it is one too, and nothing is sent for it again.
    Dead(Fault, Box<Progress>),
    /// It was on its way when its connection died: the copy goes on from here, and is looked up where this one was, whatever
    /// the rules say by now.
    Underway(Box<Progress>, Option<Box<Lookup>>),
}

/// The events handled last; the oldest is forgotten first.
#[derive(Debug)]
pub struct Recent {
    room: usize,
    known: HashMap<String, Known>,
    order: VecDeque<String>,
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
        Self { room, known: HashMap::new(), order: VecDeque::new() }
    }

    /// Remembers what became of the event with this key; a key that does not identify one is not kept.
    pub fn remember(&mut self, key: &Key, known: Known) {
        if !key.origin.identifies() {
            return;
        }
        match (self.known.get_mut(&key.text), known) {
            // Of two messages with one key, the one that is a process must not be forgotten for the other.
            (Some(Known::Created(_)), Known::Underway(..)) => {}
            (Some(before), now) => *before = now,
            (None, known) => {
                self.known.insert(key.text.clone(), known);
                self.order.push_back(key.text.clone());
            }
        }
        if self.order.len() > self.room
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// It was published anew, perhaps since somebody retries a dead letter: that an earlier one died says nothing of it.
    pub fn revive(&mut self, key: &Key) {
        if let Some(known @ Known::Dead(..)) = self.known.get_mut(&key.text) {
            *known = Known::Underway(Box::default(), None);
        }
    }

    /// What became of it, if it is remembered.
    #[must_use]
    pub fn recall(&self, key: &Key) -> Option<&Known> {
        self.known.get(&key.text).filter(|_| key.origin.identifies())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::KeyOrigin;
    use crate::core::reason::Reason;

    fn key(text: &str, origin: KeyOrigin) -> Key {
        Key { text: text.to_owned(), origin }
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::with_room(2);
        for name in ["a", "b", "c"] {
            recent.remember(&key(name, KeyOrigin::MessageId), Known::Created(None));
        }
        assert_eq!(recent.recall(&key("a", KeyOrigin::MessageId)), None);
        assert!(recent.recall(&key("b", KeyOrigin::MessageId)).is_some());
        assert_eq!(recent.known.len(), recent.order.len());
    }

    #[test]
    fn what_is_learnt_later_replaces_what_was_known() {
        let mut recent = Recent::default();
        let a = key("a", KeyOrigin::CloudEvents);
        recent.remember(&a, Known::Underway(Box::default(), None));
        recent.remember(&a, Known::Created(Some("p1".into())));
        assert_eq!(recent.recall(&a), Some(&Known::Created(Some("p1".into()))));
        assert_eq!(recent.order.len(), 1);
    }

    #[test]
    fn what_is_a_process_is_not_forgotten_for_another_of_its_key_under_way() {
        let mut recent = Recent::default();
        let a = key("a", KeyOrigin::MessageId);
        recent.remember(&a, Known::Created(None));
        recent.remember(&a, Known::Underway(Box::default(), None));
        assert_eq!(recent.recall(&a), Some(&Known::Created(None)));
    }

    #[test]
    fn what_is_published_anew_is_no_dead_letter_for_an_earlier_one() {
        let mut recent = Recent::default();
        let (a, b) = (key("a", KeyOrigin::MessageId), key("b", KeyOrigin::MessageId));
        recent.remember(&a, Known::Dead(Fault::new(Reason::Unmappable, ""), Box::default()));
        recent.remember(&b, Known::Created(None));
        recent.revive(&a);
        recent.revive(&b);
        assert_eq!(recent.recall(&a), Some(&Known::Underway(Box::default(), None)));
        assert_eq!(recent.recall(&b), Some(&Known::Created(None)));
    }

    #[test]
    fn a_hash_of_the_body_is_never_known_because_copies_share_it() {
        let mut recent = Recent::default();
        let copy = key("sha256:00", KeyOrigin::Body);
        recent.remember(&copy, Known::Created(None));
        assert_eq!(recent.recall(&copy), None);
    }
}
