//! The broker: the work queue, what it has delivered and waits to hear of, and what is to happen at which time.
//!
//! Not here: who loses its connection (`strikes`), and what the daemon asks of it (`settling`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chakra_bridge::core::delivery::{EventId, ReceiptId, RecordId};
use chakra_bridge::core::ledger::{Claimed, Recorded, Row};
use chakra_bridge::core::lookup::Lookup;
use chakra_bridge::core::photo::{PhotoId, PhotoReply};
use chakra_bridge::core::process::CreateProcess;
use chakra_bridge::core::reply::Reply;
use chakra_bridge::core::settlement::Settlement;

use crate::claims::Write;
use crate::strikes::Strike;

/// One message in the broker. Delayed and not acknowledged, there are two of one event.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    /// It stays through a delay queue; only of two that are left of one, one has another.
    pub(crate) id: usize,
    /// The publish of the producer that it comes from.
    pub(crate) line: usize,
    pub(crate) redelivered: bool,
    /// How often the broker gave it back, as quorum queues count it.
    pub(crate) returns: u32,
    /// The header of ours.
    pub(crate) state: Option<String>,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Broker {
    pub(crate) work: VecDeque<Copy>,
    pub(crate) delivered: BTreeMap<ReceiptId, Copy>,
    /// Published, and not confirmed yet.
    pub(crate) publishing: BTreeMap<ReceiptId, Settlement>,
    /// Messages in all queues by the publish that they come from, the dead letters aside.
    copies: Vec<usize>,
    ids: usize,
}

impl Broker {
    /// A new message; of the event of this copy, or of one that has none yet.
    pub(crate) fn copy(&mut self, id: Option<usize>, line: usize, state: Option<String>) -> Copy {
        self.copies.resize(self.copies.len().max(line + 1), 0);
        self.copies[line] += 1;
        self.ids += 1;
        Copy { id: id.unwrap_or(self.ids), line, redelivered: false, returns: 0, state }
    }

    /// It forgets what was delivered by this receipt.
    pub(crate) fn acknowledge(&mut self, receipt: ReceiptId) -> Option<Copy> {
        let copy = self.delivered.remove(&receipt)?;
        self.copies[copy.line] -= 1;
        Some(copy)
    }

    /// It delivers this one again.
    pub(crate) fn give_back(&mut self, receipt: ReceiptId) {
        if let Some(copy) = self.delivered.remove(&receipt) {
            self.work.push_front(Copy { redelivered: true, returns: copy.returns + 1, ..copy });
        }
    }

    /// How many messages of this publish there are.
    pub(crate) fn copies_of(&self, line: usize) -> usize {
        self.copies.get(line).copied().unwrap_or(0)
    }

    /// It delivers all of it again, the oldest first.
    pub(crate) fn give_all_back(&mut self) {
        while let Some((receipt, _)) = self.delivered.last_key_value() {
            self.give_back(*receipt);
        }
    }
}

/// What is to happen.
#[derive(Debug)]
pub(crate) enum Later {
    /// A producer publishes.
    Publish { line: usize },
    /// The time in a delay queue is over.
    Expired(Copy),
    /// A publish of the daemon is confirmed, if it still waits for that.
    Confirm(ReceiptId),
    /// The daemon hears that the broker keeps what it published: a letter, or a delayed event.
    Kept(ReceiptId, bool),
    /// The daemon hears that the broker keeps a letter whose outcome is told next.
    KeptFirst(ReceiptId),
    /// The daemon hears that the broker does not take it.
    Refused(ReceiptId),
    /// The request of an event ends; without a reply by a panic.
    Replied { event: EventId, reply: Option<Reply>, took: Duration, is_unsure: bool, epoch: Option<i64> },
    /// A try to bring a photo up ends; without a reply by a panic.
    Brought { event: EventId, reply: Option<PhotoReply>, took: Duration, epoch: Option<i64> },
    /// The API has a photo from now on.
    Up(PhotoId),
    /// A create was not sent, since the ledger did not let it.
    Withheld { event: EventId, claimed: Claimed },
    /// The ledger answers what it was told.
    Recorded { record: RecordId, recorded: Recorded },
    /// What was asked of the ledger in this life, and given up, is applied after all.
    LateWrite { life: u32, write: Write, seen: Option<Row> },
    /// A check of a lookup ends.
    Checked { rule: Arc<str>, lookup: Arc<Lookup>, reply: Option<Reply> },
    /// The dispatcher hears that the connection is lost.
    Hear,
    /// A connection stands again.
    Connect,
    /// A pause ends.
    Resume,
    /// The time to finish what is under way is over.
    CutOff,
    /// The daemon is struck.
    Strike(Strike),
    /// A message comes out of the channel whose connection is lost.
    Stale(Copy),
    /// It goes on after it stood still.
    Thaws,
    /// A daemon that minds no lease sends its create when it wakes.
    SendsAnyway { event: EventId, request: Box<CreateProcess> },
}

impl Later {
    /// Whether it happens without the daemon.
    fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Publish { .. } | Self::Expired(_) | Self::LateWrite { .. })
    }
}

/// What is to happen, by time.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: BTreeMap<(Duration, u64), (usize, Later)>,
    numbers: u64,
    /// Whose turn it is: what is added is this replica's.
    pub(crate) of: usize,
    /// Until when a replica that is frozen sees and does nothing.
    frozen: BTreeMap<usize, Duration>,
}

impl Agenda {
    pub(crate) fn add(&mut self, at: Duration, later: Later) {
        self.numbers += 1;
        let thaws = self.frozen.get(&self.of).filter(|_| !later.is_elsewhere());
        self.entries.insert((at.max(thaws.copied().unwrap_or_default()), self.numbers), (self.of, later));
    }

    /// Nothing that this replica sees or does happens before, unless it is over.
    pub(crate) fn freeze(&mut self, until: Option<Duration>) {
        match until {
            Some(until) => drop(self.frozen.insert(self.of, until)),
            None => drop(self.frozen.remove(&self.of)),
        }
        let of = self.of;
        for (at, later) in std::mem::take(&mut self.entries) {
            let is_its = later.0 == of && !later.1.is_elsewhere();
            let thaws = until.filter(|_| is_its).unwrap_or_default();
            self.entries.insert((at.0.max(thaws), at.1), later);
        }
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        self.entries.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next, and whose it is.
    pub(crate) fn pop(&mut self) -> Option<(usize, Later)> {
        self.entries.pop_first().map(|(_, later)| later)
    }

    /// Whether anything of this replica's is like that.
    pub(crate) fn any(&self, is_it: impl Fn(&Later) -> bool) -> bool {
        let own = self.of;
        self.entries.values().any(|(of, later)| *of == own && is_it(later))
    }

    /// Drops what is this replica's and not to be kept.
    pub(crate) fn keep(&mut self, keeps: impl Fn(&Later) -> bool) {
        let own = self.of;
        self.entries.retain(|_, (of, later)| *of != own || keeps(later));
    }
}
