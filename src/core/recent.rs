//! What became of the events handled last, by key and body: a producer that repeats itself, and a copy that the broker delivers
//! again, are recognised by it.
//!
//! Not here: any memory beyond this process (a fresh process knows nothing), and what follows for an event (`delivery`).
//!
//! Bounded in bytes, since what is remembered is written by others: a letter may be long, and a process id is the API's. Only keys
//! that identify an event are kept.

use std::collections::{BTreeMap, VecDeque};
use std::mem::size_of;
use std::sync::Arc;
use std::time::Duration;

use crate::core::dead_letter::DeadLetter;
use crate::core::event::Identity;
use crate::core::gate::Moment;
use crate::core::lookup::Lookup;
use crate::core::process_id::ProcessId;
use crate::core::progress::Progress;

/// What one event takes beside what it owns: its places in the tree and in the order, of which a third is empty.
const EACH: usize = (size_of::<(Identity, Slot)>() + size_of::<(u64, Identity)>()) * 3 / 2;

/// What became of an event. As small as can be: most of those remembered are processes.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// It is a process, with this id if the API told it.
    Created(Option<ProcessId>),
    /// It is a dead letter: a copy of it is one too, and nothing is sent for it again.
    Dead(Box<Dead>),
    /// It was on its way when its connection died: the copy goes on from here, and is looked up where this one was, whatever
    /// the rules say by now.
    Underway(Box<Progress>, Option<Box<Lookup>>),
}

/// What became of an event that is a dead letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Dead {
    /// What the letter says.
    pub letter: DeadLetter,
    /// Where the event stood.
    pub progress: Progress,
    /// When the broker confirmed that it keeps the letter, if it did.
    pub kept: Option<Duration>,
    /// Where it was sent: what may have been created for it is there, whatever the rules say by now.
    pub sent: Option<Box<Lookup>>,
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
    /// In the order in which they were heard of. One that was heard of again has a place for each time, and only the last one counts.
    order: VecDeque<(u64, Identity)>,
    heard: u64,
}

impl Recent {
    /// Remembers events of so many bytes at most.
    #[must_use]
    pub fn with_room(room: usize) -> Self {
        Self { room, bytes: 0, known: BTreeMap::new(), order: VecDeque::new(), heard: 0 }
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
                self.bytes -= before.bytes();
                before.followed_by(Slot { known, rule, request, heard })
            }
        };
        self.bytes += slot.bytes();
        self.order.push_back((heard, identity));
        self.known.insert(identity, slot);
        while self.bytes > self.room
            && let Some(oldest) = self.order.pop_front()
        {
            if is_last(&self.known, oldest) {
                self.bytes -= self.known.remove(&oldest.1).map_or(0, |slot| slot.bytes());
            }
        }
        self.forget_places();
    }

    /// Half of all places at most are of what was heard of again: an event that comes again and again takes no more room than another.
    fn forget_places(&mut self) {
        if self.order.len() > 2 * self.known.len() {
            let known = &self.known;
            self.order.retain(|place| is_last(known, *place));
        }
    }

    /// It was published anew, perhaps since somebody retries a dead letter: that an earlier one died says nothing of it, but that it
    /// may be a process.
    pub fn revive(&mut self, identity: Identity) {
        let Some(slot) = self.known.get_mut(&identity) else { return };
        if let Known::Dead(dead) = &slot.known {
            let retried = dead.progress.retried();
            let sent = dead.sent.clone().filter(|_| retried.unsure_creates > 0);
            self.bytes -= slot.bytes();
            slot.known = Known::Underway(Box::new(retried), sent);
            self.bytes += slot.bytes();
        }
    }

    /// The message whose letter is kept was unacknowledged until now.
    pub fn is_unacknowledged(&mut self, identity: Identity, now: Moment) {
        if let Some(Known::Dead(dead)) = self.known.get_mut(&identity).map(|slot| &mut slot.known) {
            dead.kept = dead.kept.map(|_| now);
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

/// Whether the event was not heard of again after this.
fn is_last(known: &BTreeMap<Identity, Slot>, (heard, identity): (u64, Identity)) -> bool {
    known.get(&identity).is_some_and(|slot| slot.heard == heard)
}

impl Slot {
    fn bytes(&self) -> usize {
        EACH + match &self.known {
            Known::Created(process) => process.as_ref().map_or(0, ProcessId::bytes),
            Known::Dead(dead) => {
                size_of::<Option<Duration>>()
                    + dead.letter.bytes()
                    + dead.progress.bytes()
                    + dead.sent.as_ref().map_or(0, |sent| sent.bytes())
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
    /// It is a process of this id, if there is one.
    #[must_use]
    pub fn created(process: Option<&str>) -> Self {
        Self::Created(process.map(ProcessId::from))
    }

    fn followed_by(self, now: Self) -> Self {
        match (self, now) {
            (before @ Self::Created(Some(_)), Self::Created(None)) => before,
            (before @ Self::Created(_), Self::Underway(..) | Self::Dead(_)) => before,
            // The copy that is under way has no letter of its own.
            (Self::Dead(before), Self::Underway(progress, sent_now)) => {
                let sent = later((&before.progress, before.sent), (&progress, sent_now));
                let progress = before.progress.joined(&progress);
                Self::Dead(Box::new(Dead { letter: before.letter, progress, kept: None, sent }))
            }
            (Self::Underway(before, sent), Self::Underway(progress, sent_now)) => {
                let sent = later((&before, sent), (&progress, sent_now));
                Self::Underway(Box::new(before.joined(&progress)), sent)
            }
            // The letter may be of another message: the create of this one stays in doubt.
            (Self::Underway(before, sent), Self::Dead(now)) => Self::Dead(Box::new(now.after((&before, sent)))),
            // A verdict that travelled tells less of what was sent.
            (Self::Dead(before), Self::Dead(now)) => Self::Dead(Box::new(now.after((&before.progress, before.sent)))),
            (_, now) => now,
        }
    }
}

impl Dead {
    /// The same letter, of an event that had got so far before.
    pub fn after(self, before: Sent) -> Self {
        let progress = self.progress.clone().joined(before.0);
        Self { sent: later(before, (&self.progress, self.sent)), progress, ..self }
    }

    /// The letter of another message of this event: it tells what may have been created for any of them, and where.
    #[must_use]
    pub fn of_another(&self) -> DeadLetter {
        let may_exist = self.letter.may_exist || self.progress.unsure_creates > 0;
        let sent = self.sent.as_deref().filter(|_| may_exist).cloned();
        DeadLetter { may_exist, sent, ..self.letter.clone() }
    }
}

/// How far an event got, and where it was sent.
type Sent<'p> = (&'p Progress, Option<Box<Lookup>>);

/// Of two, where it was sent last: as late a place as any that may hold what was created. As many creates may have been sent to two
/// places, where the rules have changed in between and one message of the event came back later than another.
fn later((before, sent): Sent, (now, sent_now): Sent) -> Option<Box<Lookup>> {
    let creates = |progress: &Progress| (progress.unsure_creates, progress.unsure_ms);
    let is_later = sent_now.is_some() && creates(now) >= creates(before);
    if is_later { sent_now } else { sent }
}

#[cfg(test)]
mod tests;
