//! Asks whose rows are known before they are read: the claim of an event that has none, as nearly each has, and the record of one that
//! this run claimed. All of them are one statement. What the database has otherwise is not written, and goes the long way (`batch`).
//!
//! Not here: the statement (`once`), and what follows from a row (`core::ledger`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::ask::Ask;
use super::batch::{Answer, Known, Who, decide};
use super::kept::Kept;
use crate::core::ledger::{Asker, Opens, Row, RowId};

/// Rows that are known at most. All are forgotten then: what is not known goes the long way.
const KNOWN_MAX: usize = 4096;

/// Stands in a row for the time of the statement that writes it.
const MOMENT: i64 = -1;

/// What this run claimed and has not ended, as it was committed last.
#[derive(Debug, Default)]
pub(super) struct Expected {
    known: HashMap<RowId, Known>,
}

/// What one statement writes, in the order in which all lock rows; and what is answered if it writes all of it.
#[derive(Debug, Default)]
pub(super) struct Plan {
    steps: BTreeMap<RowId, Step>,
}

#[derive(Debug)]
struct Step {
    ask: Ask,
    answer: Answer,
    known: Known,
}

impl Expected {
    /// Parts what can be planned from the rest. Of each row the first ask alone is planned; those behind it stay behind it.
    pub(super) fn plan(&mut self, asks: Vec<Ask>, who: &Who) -> (Plan, Vec<Ask>) {
        let (mut plan, mut rest, mut seen) = (Plan::default(), Vec::new(), HashSet::new());
        for ask in asks {
            let id = ask.row_id();
            let is_first = seen.insert(id);
            let planned = self.decided(&ask, who).filter(|_| is_first);
            self.known.remove(&id);
            match planned {
                Some((known, answer)) => drop(plan.steps.insert(id, Step { ask, answer, known })),
                None => rest.push(ask),
            }
        }
        (plan, rest)
    }

    /// The row that an ask leads to, where the row before is known and no more is changed of it than the statement writes.
    fn decided(&self, ask: &Ask, who: &Who) -> Option<(Known, Answer)> {
        // The statement itself looks whether the lease runs.
        let asker = Asker { owner: &who.owner, now_ms: MOMENT, lease: Duration::MAX };
        match (ask, self.known.get(&ask.row_id())) {
            (Ask::Claim(claim, _), None) if claim.epoch.is_none() && claim.opens == Opens::Nothing => {
                let (row, answer) = decide(None, ask, &asker);
                Some((Known { row: row?, revision: 1 }, answer))
            }
            (Ask::Record(..), Some(Known { row: before, revision })) => {
                let (row, answer) = decide(Some(before.clone()), ask, &asker);
                let row = row.filter(|row| only_ends(before, row))?;
                Some((Known { row, revision: revision + 1 }, answer))
            }
            _ => None,
        }
    }

    /// Rows that this run has, as they were committed.
    pub(super) fn learn(&mut self, rows: impl IntoIterator<Item = (RowId, Known)>) {
        if self.known.len() > KNOWN_MAX {
            self.forget();
        }
        self.known.extend(rows.into_iter().filter(|(_, known)| known.row.end.is_none()));
    }

    /// Nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.known = HashMap::new();
    }
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Rows of the first revision are made where none is, others written over the revision before their own.
    pub(super) fn rows(&self) -> Vec<Kept> {
        self.steps.iter().map(|(id, Step { known, .. })| Kept::of(*id, &known.row, known.revision)).collect()
    }

    /// It was not written.
    pub(super) fn asks(self) -> Vec<Ask> {
        self.steps.into_values().map(|step| step.ask).collect()
    }

    /// It was committed.
    pub(super) fn done(self, expected: &mut Expected) -> (Vec<Ask>, Vec<Answer>) {
        let (mut rows, mut answered) = (Vec::new(), (Vec::new(), Vec::new()));
        for (id, Step { ask, answer, known }) in self.steps {
            rows.push((id, known));
            answered.0.push(ask);
            answered.1.push(answer);
        }
        expected.learn(rows);
        answered
    }
}

/// Whether the one is the other but for what a record changes.
fn only_ends(before: &Row, after: &Row) -> bool {
    let Row { hold, unsure_creates, attempts, ended_ms, .. } = *after;
    // A copy of a row shares its texts.
    *after == Row { hold, unsure_creates, attempts, ended_ms, end: after.end.clone(), ..before.clone() }
}

#[cfg(test)]
mod tests;
