//! What became of the events handled last, by key and body: a producer that repeats itself, and a copy that the broker delivers
//! again, are recognised by it.
//!
//! Not here: any memory beyond this process (a fresh process knows nothing), and what follows for an event (`delivery`).
//!
//! Bounded in bytes, since what is remembered is written by others: a letter may be long, and a process id is the API's. Only keys
//! that identify an event are kept.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;
use std::time::Duration;

use crate::core::dead_letter::DeadLetter;
use crate::core::event::Identity;
use crate::core::gate::Moment;
use crate::core::lookup::Lookup;
use crate::core::progress::Progress;

/// What one event takes beside what it owns: its places in both trees, of which a third is empty.
const EACH: usize = (size_of::<(Identity, Slot)>() + size_of::<(u64, Identity)>()) * 3 / 2;

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
        /// Where it was sent: what may have been created for it is there, whatever the rules say by now.
        sent: Option<Box<Lookup>>,
    },
    /// It was on its way when its connection died: the copy goes on from here, and is looked up where this one was, whatever
    /// the rules say by now.
    Underway(Box<Progress>, Option<Box<Lookup>>),
}

/// One event that is remembered.
#[derive(Debug)]
pub struct Slot {
    /// What became of it.
    pub known: Known,
    /// The rule that it was handled by, if one took it.
    pub rule: Option<Arc<str>>,
    /// A digest of the request that was made of it; none where none was made, or where nobody will ask.
    pub request: Option<u64>,
    /// The number of the news of it: those that came later have higher ones.
    pub heard: u64,
}

/// The events handled last; what was not heard of for longest is forgotten first.
#[derive(Debug)]
pub struct Recent {
    room: usize,
    bytes: usize,
    known: BTreeMap<Identity, Slot>,
    /// In the order in which they were heard of.
    order: BTreeMap<u64, Identity>,
    heard: u64,
}

impl Recent {
    /// Remembers events of so many bytes at most.
    #[must_use]
    pub fn with_room(room: usize) -> Self {
        Self { room, bytes: 0, known: BTreeMap::new(), order: BTreeMap::new(), heard: 0 }
    }

    /// The number of the last news.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.heard
    }

    /// Remembers what became of this event.
    pub fn remember(&mut self, identity: Identity, known: Known, rule: Option<&Arc<str>>, request: Option<u64>) {
        self.heard += 1;
        let (heard, rule) = (self.heard, rule.cloned());
        let slot = match self.known.remove(&identity) {
            None => Slot { known, rule, request, heard },
            Some(before) => {
                self.order.remove(&before.heard);
                self.bytes -= before.bytes();
                before.followed_by(Slot { known, rule, request, heard })
            }
        };
        self.bytes += slot.bytes();
        self.order.insert(heard, identity);
        self.known.insert(identity, slot);
        while self.bytes > self.room
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.bytes -= self.known.remove(&oldest).map_or(0, |slot| slot.bytes());
        }
    }

    /// It was published anew, perhaps since somebody retries a dead letter: that an earlier one died says nothing of it, but that it
    /// may be a process.
    pub fn revive(&mut self, identity: Identity) {
        let Some(slot) = self.known.get_mut(&identity) else { return };
        if let Known::Dead { progress, sent, .. } = &slot.known {
            let retried = progress.retried();
            let sent = sent.clone().filter(|_| retried.unsure_creates > 0);
            self.bytes -= slot.bytes();
            slot.known = Known::Underway(Box::new(retried), sent);
            self.bytes += slot.bytes();
        }
    }

    /// The message whose letter is kept was unacknowledged until now.
    pub fn is_unacknowledged(&mut self, identity: Identity, now: Moment) {
        if let Some(Known::Dead { kept: Some(kept), .. }) = self.known.get_mut(&identity).map(|slot| &mut slot.known) {
            *kept = now;
        }
    }

    /// What became of it, if it is remembered.
    #[must_use]
    pub fn recall(&self, identity: Identity) -> Option<&Slot> {
        self.known.get(&identity)
    }

    /// The others of its key: messages of the same key with another body.
    pub fn others(&self, identity: Identity) -> impl Iterator<Item = &Slot> {
        let of_key = self.known.range(Identity::all_of(identity.key));
        of_key.filter(move |(other, _)| **other != identity).map(|(_, slot)| slot)
    }
}

impl Slot {
    fn bytes(&self) -> usize {
        EACH + match &self.known {
            Known::Created(process) => process.as_ref().map_or(0, String::capacity),
            Known::Dead { letter, progress, sent, .. } => {
                letter.bytes() + progress.bytes() + sent.as_ref().map_or(0, |sent| sent.bytes())
            }
            Known::Underway(progress, sent) => progress.bytes() + sent.as_ref().map_or(0, |sent| sent.bytes()),
        }
    }

    /// What is known after more was heard of it: nothing that either says is forgotten.
    fn followed_by(self, now: Self) -> Self {
        let is_process = matches!(self.known, Known::Created(_)) && !matches!(now.known, Known::Created(Some(_)));
        let (rule, request) = if is_process {
            // Of two copies, the one that is a process must not be forgotten for the other.
            (self.rule, self.request)
        } else {
            (now.rule.or(self.rule), now.request.or(self.request))
        };
        Self { known: self.known.followed_by(now.known), rule, request, heard: now.heard }
    }
}

impl Known {
    fn followed_by(self, now: Self) -> Self {
        match (self, now) {
            (before @ Self::Created(Some(_)), Self::Created(None)) => before,
            (before @ Self::Created(_), Self::Underway(..) | Self::Dead { .. }) => before,
            // The copy that is under way has no letter of its own.
            (Self::Dead { letter, progress: before, sent, .. }, Self::Underway(progress, sent_now)) => {
                let sent = later((&before, sent), (&progress, sent_now));
                Self::Dead { letter, progress: Box::new(before.joined(&progress)), kept: None, sent }
            }
            (Self::Underway(before, sent), Self::Underway(progress, sent_now)) => {
                let sent = later((&before, sent), (&progress, sent_now));
                Self::Underway(Box::new(before.joined(&progress)), sent)
            }
            (Self::Underway(before, sent), Self::Dead { letter, progress, kept, sent: sent_now }) => {
                let sent = later((&before, sent), (&progress, sent_now));
                Self::Dead { letter, progress, kept, sent }
            }
            // A verdict that travelled tells less of what was sent.
            (Self::Dead { progress: before, sent, .. }, Self::Dead { letter, progress, kept, sent: sent_now }) => {
                let sent = later((&before, sent), (&progress, sent_now));
                Self::Dead { letter, progress: Box::new(progress.joined(&before)), kept, sent }
            }
            (_, now) => now,
        }
    }
}

/// Where an event was sent and how far it got.
type Sent<'p> = (&'p Progress, Option<Box<Lookup>>);

/// Of two, where it was sent last: as late a place as any that may hold what was created.
fn later((before, sent): Sent, (now, sent_now): Sent) -> Option<Box<Lookup>> {
    let is_later = sent_now.is_some() && now.unsure_creates >= before.unsure_creates;
    if is_later { sent_now } else { sent }
}

#[cfg(test)]
mod tests;
