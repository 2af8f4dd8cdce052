//! The same of SQLite: one statement, which is its own transaction, for all rows that are made and that end. Rows are bound as values,
//! and each statement is prepared once. A list as JSON took twice the processor to take apart, and a statement for whatever number of
//! rows there is would be prepared anew each time.
//!
//! Not here: which rows those are (`expected`), and Postgres (`once`).

use std::sync::{Arc, LazyLock};

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Sqlite, query};

use super::batch::Who;
use super::failure::Failure;
use super::kept::Kept;

/// So many rows go into one statement, in the shortest that holds them. Places without a row are null, and no row.
const LENGTHS: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, ROWS_MAX];
/// What one statement holds at most: no batch is longer, since each statement more waits for a turn of two threads.
pub(super) const ROWS_MAX: usize = 128;
const COLUMNS: usize = 19;

/// Rows of a queue (the first value) that this run (the second) makes, ends or gives back. Only the first revision of a row is made,
/// and a later one is written over the one before it; nothing is written where the lease of this run is over.
///
/// Values have no numbers: the library asks for the name of each, and SQLite finds a name by going through all of them.
static WRITE: LazyLock<[String; LENGTHS.len()]> = LazyLock::new(|| {
    LENGTHS.map(|rows| {
        format!(
            "WITH me (queue, owner, now_ms) AS (SELECT c.queue, c.owner, c.now_ms FROM \
             (SELECT ? AS queue, ? AS owner, CAST(round(unixepoch('subsec') * 1000) AS INTEGER) AS now_ms) AS c \
             CROSS JOIN chakra_bridge_owners AS o WHERE o.owner = c.owner AND o.until_ms > c.now_ms), \
             x (key, slot, revision, key_text, epoch, ticket, hold, unsure_creates, sent_ms, sent, ended, process, reason, \
             body, request, digest_version, rule, procedure_id, attempts) AS (VALUES {}) \
             INSERT INTO chakra_bridge_events (queue, key, slot, revision, key_text, owner, epoch, ticket, hold, unsure_creates, \
             sent_ms, sent, ended, process, reason, body, request, digest_version, rule, procedure_id, attempts, first_ms, ended_ms) \
             SELECT me.queue, unhex(x.key), x.slot, x.revision, x.key_text, me.owner, x.epoch, x.ticket, x.hold, x.unsure_creates, \
             CASE x.sent_ms WHEN 0 THEN 0 ELSE me.now_ms END, x.sent, x.ended, x.process, x.reason, x.body, x.request, \
             x.digest_version, x.rule, x.procedure_id, x.attempts, me.now_ms, CASE WHEN x.ended IS NULL THEN 0 ELSE me.now_ms END \
             FROM me CROSS JOIN x WHERE x.key IS NOT NULL AND (x.revision = 1 OR EXISTS (SELECT 1 FROM chakra_bridge_events AS l \
             WHERE l.queue = me.queue AND l.key = unhex(x.key) AND l.slot = x.slot AND l.revision = x.revision - 1)) \
             ON CONFLICT (queue, key, slot) DO UPDATE SET revision = excluded.revision, hold = excluded.hold, \
             unsure_creates = excluded.unsure_creates, attempts = excluded.attempts, ended = excluded.ended, \
             process = excluded.process, reason = excluded.reason, ended_ms = excluded.ended_ms \
             WHERE excluded.revision > 1",
            values(rows)
        )
    })
});

/// A statement, and what is bound to it so far.
type Told = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// How many of the rows were made or written; no more than [`ROWS_MAX`] are asked for.
pub(super) async fn write(connection: &mut SqliteConnection, who: &Who, rows: Vec<Kept>) -> Result<u64, Failure> {
    let statement = shortest(rows.len()).ok_or_else(|| Failure::rows("more rows than a statement holds"))?;
    let told = query::<Sqlite>(statement).bind(Arc::clone(&who.queue)).bind(Arc::clone(&who.owner));
    // What is not bound is null.
    let told = rows.into_iter().fold(told, bind);
    Ok(told.execute(connection).await.map_err(|error| Failure::of(&error))?.rows_affected())
}

/// The statement for so many rows.
fn shortest(rows: usize) -> Option<&'static str> {
    let place = LENGTHS.iter().position(|&length| length >= rows)?;
    Some(&WRITE[place])
}

/// In the order of the columns of `x`.
fn bind(told: Told, row: Kept) -> Told {
    let told = told.bind(row.key).bind(row.slot).bind(row.revision).bind(row.key_text).bind(row.epoch);
    let told = told.bind(row.ticket).bind(row.hold).bind(row.unsure_creates).bind(row.sent_ms).bind(row.sent);
    let told = told.bind(row.ended).bind(row.process).bind(row.reason).bind(row.body).bind(row.request);
    told.bind(row.digest_version).bind(row.rule).bind(row.procedure_id).bind(row.attempts)
}

/// The parameters of so many rows.
fn values(rows: usize) -> String {
    let row = format!("({})", ["?"; COLUMNS].join(", "));
    vec![row; rows].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_of_each_row_has_a_parameter_of_its_own_behind_the_queue_and_the_owner() {
        for (statement, length) in WRITE.iter().zip(LENGTHS) {
            assert_eq!(statement.matches('?').count(), 2 + length * COLUMNS);
        }
    }

    #[test]
    fn so_many_rows_go_into_the_shortest_statement_that_holds_them() {
        let places = |rows| shortest(rows).map(|statement| (statement.matches('?').count() - 2) / COLUMNS);
        assert_eq!([1, 2, 3, 5, 16, 33, ROWS_MAX].map(places), [1, 2, 4, 8, 16, 64, ROWS_MAX].map(Some));
        assert_eq!(places(ROWS_MAX + 1), None);
    }
}
