//! What is made of a record: how an event ended, or that it is given back.
//!
//! Not here: what is asked before a create (`claimed`).

use super::{Asker, Hold, Record, Recorded, Row, RowEnd};

/// What is answered to a record, and the row that is to be written first, if it changes. The same record twice is one.
#[must_use]
pub fn recorded(row: Option<Row>, record: &Record, asker: &Asker<'_>) -> (Option<Row>, Recorded) {
    match (row, &record.end) {
        // A claim whose answer was lost may be applied yet: it must not take the row after this.
        (None, None) if record.claim.epoch.is_none() && record.claim.ticket > 0 => {
            let row = Row::of(&record.claim, asker);
            (Some(Row { unsure_creates: record.claim.unsure_creates, ..row }), Recorded::Yes)
        }
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

/// What was told under an epoch counts under that alone. What was not claimed counts if it is a process, since a lookup found it; as a
/// dead letter only where nobody who lives has the row: another replica, or another message of the event in this one.
fn may_end(row: &Row, record: &Record, asker: &Asker<'_>) -> bool {
    let lives = *row.owner == *asker.owner || !asker.lease.is_zero();
    let is_anothers = row.end.is_none() && row.hold != Hold::Free && lives;
    let is_found = matches!(record.end, Some(RowEnd::Created(_)));
    is_its(row, record, asker) || (record.claim.epoch.is_none() && (is_found || !is_anothers))
}

fn is_its(row: &Row, record: &Record, asker: &Asker<'_>) -> bool {
    let was_told = *row.owner == *asker.owner && record.claim.epoch == Some(row.epoch);
    was_told || row.is_of(&record.claim, asker)
}

fn ended(row: Row, end: &RowEnd, record: &Record, asker: &Asker<'_>) -> Row {
    Row {
        end: Some(end.clone()),
        ended_ms: asker.now_ms,
        unsure_creates: unsure_creates(&row, record, asker),
        attempts: row.attempts.max(record.claim.attempts),
        ..row.described_by(&record.claim)
    }
}

fn given_back(row: Row, record: &Record, asker: &Asker<'_>) -> (Option<Row>, Recorded) {
    if row.end.is_some() || (row.hold == Hold::Free && is_its(&row, record, asker)) {
        return (None, Recorded::Yes);
    }
    if !is_its(&row, record, asker) {
        let was_free = row.hold == Hold::Free && row.ticket < record.claim.ticket;
        let is_anothers =
            if *row.owner == *asker.owner { !was_free } else { row.hold != Hold::Free && !asker.lease.is_zero() };
        if record.claim.epoch.is_some() || is_anothers {
            return (None, Recorded::Superseded);
        }
        // A claim whose answer was lost may be applied yet: it must not take the row after this.
        let unsure_creates = unsure_creates(&row, record, asker);
        let (owner, ticket) = (asker.owner.into(), record.claim.ticket);
        return (Some(Row { owner, ticket, hold: Hold::Free, unsure_creates, ..row }), Recorded::Yes);
    }
    let unsure_creates = unsure_creates(&row, record, asker);
    let attempts = row.attempts.max(record.claim.attempts);
    (Some(Row { hold: Hold::Free, unsure_creates, attempts, ..row }), Recorded::Yes)
}

/// Creates that may have been applied: what is told, if whoever tells it knows of all that the row counts. Of a claim whose answer was
/// lost it is not known what earlier owners left, unless it was let create.
fn unsure_creates(row: &Row, record: &Record, asker: &Asker<'_>) -> u32 {
    let was_told = record.claim.epoch == Some(row.epoch) || row.hold == Hold::Sends;
    let knows_all = was_told && is_its(row, record, asker);
    record.claim.unsure_creates.max(if knows_all { 0 } else { row.unsure_creates })
}
