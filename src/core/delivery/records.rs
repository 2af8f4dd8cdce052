//! What the ledger is told: how an event ended, or that its row is given back. What is a process is acknowledged once that is
//! recorded, and not before.
//!
//! Not here: what is asked before a create (`claims`), and what is made of a record (`core::ledger`).
//!
//! Of a dead letter the ledger is told when the broker has confirmed it. Told before, a row would say dead of what is still on its
//! way, and may be refused for hours. If the daemon dies between, the letter stands, and a retry of it is announced once more than
//! it need be.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::context::Context;
use super::report::{Ended, Report};
use super::{Effect, Machine, RecordId};
use crate::core::gate::Moment;
use crate::core::ledger::{Record, Recorded, RowEnd, RowId};
use crate::core::progress::Progress;
use crate::core::reason::Reason;

/// What is a process, and acknowledged when that is recorded.
#[derive(Debug)]
struct Done {
    context: Context,
    ended: Ended,
    progress: Progress,
}

#[derive(Debug)]
struct Entry {
    record: Box<Record>,
    done: Option<Box<Done>>,
}

/// All that is not recorded yet.
#[derive(Debug, Default)]
pub(super) struct Records {
    all: BTreeMap<RecordId, Entry>,
    /// Those that are to be told, or told again.
    waiting: BTreeSet<RecordId>,
    /// How many of them are of one row.
    rows: HashMap<RowId, usize>,
    holding: usize,
    last: RecordId,
}

impl Records {
    /// How many messages are unacknowledged until they are recorded.
    pub(super) fn holding(&self) -> usize {
        self.holding
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether one of this row is not recorded yet.
    pub(super) fn has(&self, row: &RowId) -> bool {
        self.rows.contains_key(row)
    }

    fn add(&mut self, record: Box<Record>, done: Option<Box<Done>>) {
        self.last += 1;
        self.holding += usize::from(done.is_some());
        *self.rows.entry(record.claim.id).or_default() += 1;
        self.waiting.insert(self.last);
        self.all.insert(self.last, Entry { record, done });
    }

    fn take(&mut self, id: RecordId) -> Option<Entry> {
        let entry = self.all.remove(&id)?;
        self.waiting.remove(&id);
        self.holding -= usize::from(entry.done.is_some());
        if let Some(count) = self.rows.get_mut(&entry.record.claim.id) {
            *count -= 1;
            if *count == 0 {
                self.rows.remove(&entry.record.claim.id);
            }
        }
        Some(entry)
    }

    /// Every one that keeps a message, from now on without it.
    fn done(&mut self) -> Vec<Done> {
        self.holding = 0;
        self.all.values_mut().filter_map(|entry| entry.done.take()).map(|done| *done).collect()
    }
}

impl Machine {
    /// Whether an event about to be asked for has to wait, since what became of its row is on its way to the ledger.
    pub(super) fn waits_for_its_record(&self, context: &Context) -> bool {
        let identity = context.identity.filter(|_| context.claim.is_used && !self.records.is_empty());
        identity.is_some_and(|identity| self.records.has(&context.row_id(identity)))
    }

    /// What is a process is settled once that is recorded; answers it back where there is nothing to tell.
    pub(super) fn record_process(
        &mut self,
        mut context: Context,
        ended: Ended,
        progress: &Progress,
    ) -> Option<(Context, Ended)> {
        let end = match &ended {
            Ended::Created(process) | Ended::Found(process) => RowEnd::Created(process.clone()),
            _ => {
                self.give_row_back(&context, progress);
                context.claim.has_row = false;
                return Some((context, ended));
            }
        };
        let Some(record) = record(&context, progress, Some(end)) else { return Some((context, ended)) };
        if !context.is_live {
            self.records.add(record, None);
            return Some((context, ended));
        }
        let progress = progress.clone();
        self.records.add(record, Some(Box::new(Done { context, ended, progress })));
        None
    }

    /// An event leaves that may have its row: others need not wait for the lease.
    pub(super) fn give_row_back(&mut self, context: &Context, progress: &Progress) {
        if context.claim.has_row
            && let Some(record) = record(context, progress, None)
        {
            self.records.add(record, None);
        }
    }

    /// The broker keeps the letter of an event. That its key is another's is no end of that one's row.
    pub(super) fn record_letter(&mut self, context: &Context, reason: Reason, progress: &Progress) {
        let end = Some(RowEnd::Dead(reason.as_str().to_owned()));
        if reason != Reason::KeyReused
            && let Some(record) = record(context, progress, end)
        {
            self.records.add(record, None);
        }
    }

    /// Tells what is to be told; one at a time while the ledger is away. Answers when to go on.
    pub(super) fn tell_records(&mut self) -> Option<Moment> {
        let now = self.now.moment;
        while !self.records.waiting.is_empty() {
            if let Some(until) = self.away.until(now) {
                return Some(until);
            }
            let Some(id) = self.records.waiting.pop_first() else { break };
            let Some(entry) = self.records.all.get(&id) else { continue };
            let record = entry.record.clone();
            self.away.asks(now);
            self.push(Effect::Record { id, record });
        }
        None
    }

    /// The ledger answered a record, or not. What another replica has by now is not this one's to tell.
    pub(super) fn recorded(&mut self, id: RecordId, recorded: Recorded) {
        if recorded == Recorded::Away {
            self.ledger_failed();
            if self.records.all.contains_key(&id) {
                self.records.waiting.insert(id);
            }
            return;
        }
        self.ledger_answered();
        if let Some(done) = self.records.take(id).and_then(|entry| entry.done) {
            self.conclude(done.context, done.ended, &done.progress);
        }
    }

    /// The connection is lost: the messages come again, and `recent` knows them. What is to be told is told all the same.
    pub(super) fn records_disconnected(&mut self) {
        for done in self.records.done() {
            self.settle_at_once(done.context, &Ended::ConnectionLost, &done.progress);
        }
    }

    /// The time is over: what is a process is acknowledged, although a later repeat of it will not be recognised.
    pub(super) fn cut_records_off(&mut self) {
        for done in self.records.done() {
            let (key, rule) = (done.context.key.clone(), done.context.rule.clone());
            self.tell(Report::Unrecorded { key, rule, trace: done.context.trace_id() });
            self.conclude(done.context, done.ended, &done.progress);
        }
        let last = self.records.last;
        self.records = Records::default();
        self.records.last = last;
    }
}

/// What is told of an event; none where the ledger is not asked for it.
fn record(context: &Context, progress: &Progress, end: Option<RowEnd>) -> Option<Box<Record>> {
    let identity = context.identity.filter(|_| context.claim.is_used)?;
    let request = context.request.as_ref().map_or(context.claim.request, |request| request.digest());
    Some(Box::new(Record { claim: Box::new(context.claim(identity, progress, request)), end }))
}
