//! What is made of a record: how an event ended, or that it is given back.
//!
//! Not here: what is asked before a create (`claimed`).

use super::{Asker, Hold, Record, Recorded, Row, RowEnd};

/// What is answered to a record, and the row that is to be written first, if it changes. The same record twice is one.
#[must_use]
pub fn recorded(row: Option<Row>, record: &Record, asker: &Asker<'_>) -> (Option<Row>, Recorded) {
    match (row, &record.end) {
        (None, None) => (None, Recorded::Yes),
        (None, Some(end)) => (Some(ended(Row::of(&record.claim, asker), end, record, asker)), Recorded::Yes),
        (Some(row), None) => given_back(row, record, asker),
        (Some(row), Some(end)) => match &row.end {
            Some(before) if before == end => (None, Recorded::Yes),
            // The id of one process is told where it is known, and once.
            Some(RowEnd::Created(Some(_))) if matches!(end, RowEnd::Created(_)) => (None, Recorded::Yes),
            Some(RowEnd::Created(None)) if matches!(end, RowEnd::Created(_)) => {
                (Some(Row { end: Some(end.clone()), ..row }), Recorded::Yes)
            }
            Some(RowEnd::Created(_)) => (None, Recorded::Superseded),
            Some(RowEnd::Dead(_)) | None if may_end(&row, record, asker) => {
                (Some(ended(row, end, record, asker)), Recorded::Yes)
            }
            Some(RowEnd::Dead(_)) | None => (None, Recorded::Superseded),
        },
    }
}

/// What was told under an epoch counts under that alone; what was not claimed counts where no living replica has the row.
fn may_end(row: &Row, record: &Record, asker: &Asker<'_>) -> bool {
    let is_anothers = row.end.is_none() && row.hold != Hold::Free && row.owner != asker.owner && !asker.lease.is_zero();
    is_its(row, record, asker) || (record.epoch.is_none() && !is_anothers)
}

fn is_its(row: &Row, record: &Record, asker: &Asker<'_>) -> bool {
    let was_told = row.owner == asker.owner && record.epoch == Some(row.epoch);
    was_told || row.is_of(&record.claim, asker)
}

fn ended(row: Row, end: &RowEnd, record: &Record, asker: &Asker<'_>) -> Row {
    Row {
        end: Some(end.clone()),
        ended_ms: asker.now_ms,
        unsure_creates: record.unsure_creates,
        attempts: row.attempts.max(record.attempts),
        ..row.described_by(&record.claim)
    }
}

fn given_back(row: Row, record: &Record, asker: &Asker<'_>) -> (Option<Row>, Recorded) {
    if row.end.is_some() || (row.hold == Hold::Free && is_its(&row, record, asker)) {
        return (None, Recorded::Yes);
    }
    if !is_its(&row, record, asker) {
        return (None, Recorded::Superseded);
    }
    // Of a claim whose answer was lost it is not known what earlier owners left, unless it was let create.
    let knows_all = record.epoch == Some(row.epoch) || row.hold == Hold::Sends;
    let left = if knows_all { 0 } else { row.unsure_creates };
    let unsure_creates = record.unsure_creates.max(left);
    let attempts = row.attempts.max(record.attempts);
    (Some(Row { hold: Hold::Free, unsure_creates, attempts, ..row }), Recorded::Yes)
}
