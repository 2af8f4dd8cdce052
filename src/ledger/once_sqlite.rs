//! The same of SQLite: rows are bound as values, a few to a statement, and each statement is prepared once. A list as JSON took twice the
//! processor to take apart, and a statement for whatever number of rows there is would be prepared anew each time.
//!
//! Not here: which rows those are (`expected`), the transaction, and Postgres (`once`).

use std::sync::LazyLock;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Sqlite, query};

use super::batch::Who;
use super::failure::Failure;
use super::kept::Kept;

/// So many rows go into one statement, and what is left into the shortest that holds it: each statement costs a turn of the thread of
/// SQLite, and more than 16 rows take longer for each. Places without a row are null, and no row.
const LENGTHS: [usize; 5] = [1, 2, 4, 8, 16];
const ROWS_MAX: usize = LENGTHS[LENGTHS.len() - 1];
const COLUMNS_WRITTEN: usize = 9;
const COLUMNS_MADE: usize = 16;
/// The queue and the owner come before the values of rows.
const BEFORE: usize = 2;

/// Rows that end or are given back. That the queue seems to depend on the row lets no planner begin with all rows of the queue.
static WRITE: LazyLock<Statements> = LazyLock::new(|| {
    LENGTHS.map(|rows| {
        format!(
            "WITH x (key, slot, revision, hold, unsure_creates, attempts, ended, process, reason) AS (VALUES {}) \
             UPDATE chakra_bridge_events AS e SET revision = x.revision, hold = x.hold, unsure_creates = x.unsure_creates, \
             attempts = x.attempts, ended = x.ended, process = x.process, reason = x.reason, \
             ended_ms = CASE WHEN x.ended IS NULL THEN 0 ELSE CAST(round(unixepoch('subsec') * 1000) AS INTEGER) END \
             FROM x WHERE e.queue = iif(x.slot IS NULL, '', ?1) AND e.key = unhex(x.key) AND e.slot = x.slot \
             AND e.revision = x.revision - 1 AND EXISTS (SELECT 1 FROM chakra_bridge_owners \
             WHERE owner = ?2 AND until_ms > CAST(round(unixepoch('subsec') * 1000) AS INTEGER))",
            values(rows, COLUMNS_WRITTEN)
        )
    })
});

/// Rows that are made.
static MAKE: LazyLock<Statements> = LazyLock::new(|| {
    LENGTHS.map(|rows| {
        format!(
            "WITH x (key, slot, revision, key_text, epoch, ticket, hold, unsure_creates, sent_ms, sent, body, request, digest_version, \
             rule, procedure_id, attempts) AS (VALUES {}) \
             INSERT INTO chakra_bridge_events (queue, key, slot, revision, key_text, owner, epoch, ticket, hold, unsure_creates, \
             sent_ms, sent, body, request, digest_version, rule, procedure_id, attempts, first_ms, ended_ms) \
             SELECT ?1, unhex(x.key), x.slot, x.revision, x.key_text, ?2, x.epoch, x.ticket, x.hold, x.unsure_creates, \
             CASE x.sent_ms WHEN 0 THEN 0 ELSE CAST(round(unixepoch('subsec') * 1000) AS INTEGER) END, x.sent, x.body, x.request, \
             x.digest_version, x.rule, x.procedure_id, x.attempts, CAST(round(unixepoch('subsec') * 1000) AS INTEGER), 0 \
             FROM x WHERE x.key IS NOT NULL AND EXISTS (SELECT 1 FROM chakra_bridge_owners \
             WHERE owner = ?2 AND until_ms > CAST(round(unixepoch('subsec') * 1000) AS INTEGER)) \
             ON CONFLICT (queue, key, slot) DO NOTHING",
            values(rows, COLUMNS_MADE)
        )
    })
});

/// One for each of the lengths.
type Statements = [String; LENGTHS.len()];

/// A statement, and what is bound to it so far.
type Told<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// How many rows were made, and how many written, within the transaction that is open.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    who: &Who,
    (made, written): &(Vec<Kept>, Vec<Kept>),
) -> Result<(u64, u64), Failure> {
    let ended = each(connection, who, (&WRITE, COLUMNS_WRITTEN), written, bind_written).await?;
    let began = each(connection, who, (&MAKE, COLUMNS_MADE), made, bind_made).await?;
    Ok((began, ended))
}

/// How many of the rows were changed.
async fn each(
    connection: &mut SqliteConnection,
    who: &Who,
    (statements, columns): (&'static Statements, usize),
    rows: &[Kept],
    bind: for<'q> fn(Told<'q>, &'q Kept) -> Told<'q>,
) -> Result<u64, Failure> {
    let mut changed = 0;
    for some in rows.chunks(ROWS_MAX) {
        let (statement, length) = shortest(statements, some.len());
        let told = query::<Sqlite>(statement).bind(&who.queue).bind(&who.owner);
        let told = some.iter().fold(told, bind);
        let told = (some.len() * columns..length * columns).fold(told, |told, _| told.bind(None::<i64>));
        changed += told.execute(&mut *connection).await.map_err(|error| Failure::of(&error))?.rows_affected();
    }
    Ok(changed)
}

/// The statement for so many rows, at most [`ROWS_MAX`], and how many it has places for: the next power of two.
fn shortest(statements: &'static Statements, rows: usize) -> (&'static str, usize) {
    let length = rows.next_power_of_two();
    (&statements[length.ilog2() as usize], length)
}

fn bind_made<'q>(told: Told<'q>, row: &'q Kept) -> Told<'q> {
    let told = told.bind(&row.key).bind(row.slot).bind(row.revision).bind(&row.key_text).bind(row.epoch);
    let told = told.bind(row.ticket).bind(&row.hold).bind(row.unsure_creates).bind(row.sent_ms).bind(&row.sent);
    let told = told.bind(row.body).bind(row.request).bind(row.digest_version).bind(&row.rule);
    told.bind(&row.procedure_id).bind(row.attempts)
}

fn bind_written<'q>(told: Told<'q>, row: &'q Kept) -> Told<'q> {
    let told = told.bind(&row.key).bind(row.slot).bind(row.revision).bind(&row.hold).bind(row.unsure_creates);
    told.bind(row.attempts).bind(&row.ended).bind(&row.process).bind(&row.reason)
}

/// The parameters of so many rows of so many columns.
fn values(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let numbers = (1..=columns).map(|column| format!("?{}", BEFORE + row * columns + column));
        format!("({})", numbers.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_of_each_row_has_a_parameter_of_its_own_behind_the_queue_and_the_owner() {
        assert_eq!(values(2, 3), "(?3, ?4, ?5), (?6, ?7, ?8)");
        let most = &MAKE[LENGTHS.len() - 1];
        assert!(most.contains(&format!("?{})", BEFORE + ROWS_MAX * COLUMNS_MADE)) && !most.contains("?259"));
    }

    #[test]
    fn so_many_rows_go_into_the_shortest_statement_that_holds_them() {
        let lengths = [1, 2, 3, 4, 5, 8, 9, 16].map(|rows| shortest(&WRITE, rows));
        assert_eq!(lengths.map(|(_, length)| length), [1, 2, 4, 4, 8, 8, 16, 16]);
        for (statement, length) in lengths {
            assert!(statement.contains(&format!("?{})", BEFORE + length * COLUMNS_WRITTEN)));
        }
    }
}
