//! What writes the log: one thread, which alone waits for whoever reads it. Nobody else ever does, and nothing that
//! happens to the output ends the daemon: a line that cannot be written is tried again until it can.
//!
//! Not here: what is dropped meanwhile (`queue`).

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::queue::{Budget, Item, Queue, TARGET, cost, queue};
use crate::clock::epoch_ms;
use crate::metrics::LogState;

#[cfg(test)]
mod tests;

/// How long the end of the process waits for the log at most.
pub const FLUSH_MAX: Duration = Duration::from_secs(2);

/// What the end of a drain keeps for the log in any case.
const FLUSH_MIN: Duration = Duration::from_millis(100);

/// Lines that wait are written together, until they are so many bytes: one call of the system for each line would be
/// slower than those who log.
const BATCH: usize = 32 << 10;

/// While lines follow each other within this time, those that come are gathered for as long before they are written: to wake the
/// thread for each line costs whoever logs more than the line itself.
const GATHER: Duration = Duration::from_millis(2);

/// After an error the first wait before the line is tried again, and the longest; each is twice the one before.
const AGAIN_MIN: Duration = Duration::from_millis(1);
const AGAIN_MAX: Duration = Duration::from_millis(250);

/// What a drain with this deadline keeps for the log in any case.
#[must_use]
pub fn flush_share(deadline: Duration) -> Duration {
    FLUSH_MIN.min(deadline / 10)
}

/// How long the log may take after a drain that began so long ago.
#[must_use]
pub fn flush_time(deadline: Duration, since: Duration) -> Duration {
    deadline.saturating_sub(since).clamp(flush_share(deadline), FLUSH_MAX)
}

/// The output of the log. Dropping it waits until what was logged is written, for [`FLUSH_MAX`] at most.
#[derive(Debug)]
pub struct Output {
    pub(super) queue: Queue,
    flush: Duration,
}

impl Output {
    /// Begins to write to standard error what is put into the queue.
    ///
    /// # Errors
    /// Those of the system: no descriptor or no thread is left.
    pub fn begin(state: LogState) -> io::Result<Self> {
        // Not by way of `io::stderr`: its lock would be held for as long as a write waits.
        let to = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        Self::begin_at(to, state)
    }

    fn begin_at(to: impl Write + Send + 'static, state: LogState) -> io::Result<Self> {
        let (queue, items, budget) = queue(state.clone());
        let writer = Writer { to, items, budget, state, error: None, wrote: None };
        thread::Builder::new().name("log".to_owned()).spawn(|| writer.run())?;
        Ok(Self { queue, flush: FLUSH_MAX })
    }

    /// Prints a text of any size that is no line of the log: why there will be none.
    pub fn say(&self, text: &str) {
        self.queue.force(format!("{text}\n").as_bytes());
    }

    /// Waits until what was logged is written, at most for this time.
    pub fn end(mut self, within: Duration) {
        self.flush = within;
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let (end, ended) = sync_channel(1);
        if self.queue.put(Item::End(end)) {
            // Too late, and the process ends without the rest.
            let _ended = ended.recv_timeout(self.flush);
        }
    }
}

/// The thread.
struct Writer<W> {
    to: W,
    items: Receiver<Item>,
    budget: Arc<Budget>,
    state: LogState,
    /// Why the last write failed that did, since lines lost were last told.
    error: Option<io::Error>,
    /// When the last line was written.
    wrote: Option<Instant>,
}

impl<W: Write> Writer<W> {
    fn run(mut self) {
        let mut next = None;
        while let Some(item) = next.take().or_else(|| self.items.recv().ok()) {
            match item {
                Item::Line(line) => next = self.lines(line),
                Item::Gap => self.gap(),
                Item::End(end) => return self.end(&end),
            }
        }
    }

    /// Writes a line at once with those behind it that wait already, and answers what else came behind them. The budget
    /// counts them until they are written.
    fn lines(&mut self, first: Box<[u8]>) -> Option<Item> {
        self.gather();
        let mut taken = cost(&first);
        let mut batch = Vec::from(first);
        let mut next = None;
        while batch.len() < BATCH && next.is_none() {
            match self.items.try_recv() {
                Ok(Item::Line(line)) => {
                    taken += cost(&line);
                    batch.extend_from_slice(&line);
                }
                Ok(other) => next = Some(other),
                Err(_) => break,
            }
        }
        self.state.writing(epoch_ms());
        self.write(&batch);
        self.state.written();
        self.wrote = Some(Instant::now());
        self.budget.give_back(taken);
        next
    }

    /// Waits a moment for more lines, while they come in quick succession.
    #[expect(clippy::disallowed_methods, reason = "the one thread that may wait")]
    fn gather(&self) {
        if self.wrote.is_some_and(|wrote| wrote.elapsed() < GATHER) {
            thread::sleep(GATHER);
        }
    }

    /// Writes until all is written. What an error left over is tried again.
    #[expect(clippy::disallowed_methods, reason = "the one thread that may wait")]
    fn write(&mut self, mut rest: &[u8]) {
        let mut again = AGAIN_MIN;
        while !rest.is_empty() {
            match self.to.write(rest) {
                Ok(0) => self.error = Some(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = &rest[written..];
                    again = AGAIN_MIN;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => self.error = Some(error),
            }
            thread::sleep(again);
            again = AGAIN_MAX.min(again * 2);
        }
    }

    /// It goes again: says what was lost, as a line of the log.
    fn gap(&mut self) {
        self.state.goes_again();
        let dropped = self.budget.dropped();
        if dropped.lines == 0 {
            return;
        }
        let (lines, serious) = (dropped.lines, dropped.serious);
        let why = self.error.take().map_or_else(|| "it was not read in time".to_owned(), |error| error.to_string());
        let words = "log lines were lost: the log could not be written for a while";
        // Whoever wants to see only errors may have lost some.
        if serious > 0 {
            tracing::error!(target: TARGET, lines, serious, why, "{words}");
        } else {
            tracing::warn!(target: TARGET, lines, serious, why, "{words}");
        }
    }

    /// Lines that others put in from now on are nobody's.
    fn end(&mut self, end: &SyncSender<()>) {
        self.gap();
        let mut next = self.items.try_recv().ok();
        while let Some(item) = next {
            let behind = if let Item::Line(line) = item { self.lines(line) } else { None };
            next = behind.or_else(|| self.items.try_recv().ok());
        }
        let _heard = end.try_send(());
    }
}
