//! The queue between who logs and what writes: bounded in bytes, with a reserve for warnings and errors. Putting a line
//! in never waits: one that does not fit is dropped and counted.
//!
//! Not here: writing (`output`).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use crate::clock::epoch_ms;
use crate::metrics::LogState;

#[cfg(test)]
mod tests;

/// What waits at most: 1 MiB.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// The part of it that only warnings and errors may take: 256 KiB.
const RESERVE: usize = 256 << 10;

/// What a line counts for at least, so that the number of lines is bounded too.
const LINE_MIN: usize = 256;

/// Lines that wait at most.
const LINES_MAX: usize = BYTES_MAX / LINE_MIN;

/// Places for what takes no part in this: two marks of a gap, what was lost, why nothing is begun, the end.
const MARKS: usize = 5;

/// The target of the one line that is put into a full queue too.
pub(super) const TARGET: &str = module_path!();

/// What waits in the queue.
#[derive(Debug)]
pub(super) enum Item {
    /// A line, as it is written.
    Line(Box<[u8]>),
    /// Lines were dropped behind what was put in before.
    Gap,
    /// Whoever waits on the other side hears of it once everything before is written.
    End(SyncSender<()>),
}

/// How much waits, and what was dropped since it was last told.
#[derive(Debug, Default)]
pub(super) struct Budget {
    bytes: AtomicUsize,
    dropped: AtomicU64,
    serious: AtomicU64,
}

/// What was dropped in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dropped {
    /// Lines in all.
    pub(super) lines: u64,
    /// Those of them that were warnings or errors.
    pub(super) serious: u64,
}

impl Budget {
    /// Takes what a line costs, if it fits.
    fn take(&self, line: &[u8], weight: Weight) -> bool {
        let most = weight.most();
        let bytes = cost(line);
        let more = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= most);
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Gives back what lines cost.
    pub(super) fn give_back(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// What was dropped since this was last asked.
    pub(super) fn dropped(&self) -> Dropped {
        let serious = self.serious.swap(0, Ordering::Relaxed);
        Dropped { lines: self.dropped.swap(0, Ordering::Relaxed), serious }
    }
}

/// How much of the queue a line may fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// All but the reserve.
    Usual,
    /// The reserve too: a warning or an error.
    Serious,
    /// It is put in whatever waits: what was lost, and why nothing is begun.
    Always,
}

impl Weight {
    fn most(self) -> usize {
        match self {
            Self::Usual => BYTES_MAX - RESERVE,
            Self::Serious => BYTES_MAX,
            Self::Always => usize::MAX,
        }
    }
}

/// What a line takes of the queue, in bytes.
pub(super) fn cost(line: &[u8]) -> usize {
    line.len().max(LINE_MIN)
}

/// The end where lines are put in. Clones put into the same queue.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    items: SyncSender<Item>,
    budget: Arc<Budget>,
    state: LogState,
}

/// An empty queue: where lines are put in, where they come out, and what is known of both.
pub(super) fn queue(state: LogState) -> (Queue, Receiver<Item>, Arc<Budget>) {
    let (items, out) = sync_channel(LINES_MAX + MARKS);
    let budget = Arc::new(Budget::default());
    (Queue { items, budget: Arc::clone(&budget), state }, out, budget)
}

impl Queue {
    /// Puts a line in, or drops and counts it.
    fn push(&self, line: &[u8], weight: Weight) {
        if !self.budget.take(line, weight) {
            self.drop_one(weight);
        } else if self.items.try_send(Item::Line(line.into())).is_err() {
            self.budget.give_back(cost(line));
            self.drop_one(weight);
        }
    }

    /// Puts a text in, whatever waits before it.
    pub(super) fn force(&self, text: &[u8]) {
        self.push(text, Weight::Always);
    }

    /// Puts in what is no line of the log, whatever waits before it: whether it could be.
    pub(super) fn put(&self, item: Item) -> bool {
        self.items.try_send(item).is_ok()
    }

    fn drop_one(&self, weight: Weight) {
        self.state.dropped(epoch_ms());
        self.budget.serious.fetch_add(u64::from(weight != Weight::Usual), Ordering::Relaxed);
        if self.budget.dropped.fetch_add(1, Ordering::Relaxed) == 0 {
            self.put(Item::Gap);
        }
    }
}

/// What one event is written to.
#[derive(Debug)]
pub(super) struct Line<'q> {
    queue: &'q Queue,
    weight: Weight,
}

impl io::Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.queue.push(line, self.weight);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'q> MakeWriter<'q> for Queue {
    type Writer = Line<'q>;

    fn make_writer(&'q self) -> Line<'q> {
        Line { queue: self, weight: Weight::Usual }
    }

    fn make_writer_for(&'q self, metadata: &Metadata<'_>) -> Line<'q> {
        let weight = match *metadata.level() {
            // One line for each gap.
            _ if metadata.target() == TARGET => Weight::Always,
            Level::ERROR | Level::WARN => Weight::Serious,
            _ => Weight::Usual,
        };
        Line { queue: self, weight }
    }
}
