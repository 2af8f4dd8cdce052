//! Rows that are made where none is, and rows that end as they are known, in one statement: its transaction begins and is committed
//! with it.
//!
//! What others have changed meanwhile is left as it is, and is told by the count.
//!
//! Not here: which rows those are (`expected`), and the statements of SQLite (`once_sqlite`).

use sqlx::postgres::PgConnection;
use sqlx::{Postgres, query_as};

use super::batch::Who;
use super::failure::Failure;
use super::kept::Kept;
use super::once_sqlite;
use super::session::Session;

/// Rows of a queue ($1) that this run ($2) ends or gives back, and those that it makes, as a list of each column. Nothing is written
/// where its lease is over.
///
/// Rows that are there are locked before any is made, and both in order: who holds a row that others
/// wait for waits for new ones alone, so that nobody waits in a circle. Each is found by itself and by its whole key, whatever the
/// planner knew of the table when it made its plan.
const POSTGRES: &str = "WITH alive AS MATERIALIZED (SELECT c.now_ms FROM \
     (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms) AS c, chakra_bridge_owners AS o \
     WHERE o.owner = $2 AND o.until_ms > c.now_ms), \
     written AS (UPDATE chakra_bridge_events AS e SET revision = x.revision, hold = x.hold, unsure_creates = x.unsure_creates, \
     attempts = x.attempts, ended = x.ended, process = x.process, reason = x.reason, \
     ended_ms = CASE WHEN x.ended IS NULL THEN 0 ELSE x.now_ms END FROM (SELECT y.*, r.place, alive.now_ms FROM alive CROSS JOIN \
     unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[]) \
     AS y(key, slot, revision, hold, unsure_creates, attempts, ended, process, reason) CROSS JOIN LATERAL \
     (SELECT l.ctid AS place FROM chakra_bridge_events AS l WHERE l.queue = $1 AND l.key = decode(y.key, 'hex') AND l.slot = y.slot \
     AND l.revision = y.revision - 1 LIMIT 1 FOR UPDATE) AS r) AS x WHERE e.ctid = x.place RETURNING 1), \
     made AS (INSERT INTO chakra_bridge_events (queue, key, slot, revision, key_text, owner, epoch, ticket, hold, unsure_creates, \
     sent_ms, sent, body, request, digest_version, rule, procedure_id, attempts, first_ms, ended_ms) \
     SELECT $1, decode(y.key, 'hex'), y.slot, y.revision, y.key_text, $2, y.epoch, y.ticket, y.hold, y.unsure_creates, \
     CASE y.sent_ms WHEN 0 THEN 0 ELSE alive.now_ms END, y.sent, y.body, y.request, y.digest_version, y.rule, y.procedure_id, \
     y.attempts, alive.now_ms, 0 FROM alive CROSS JOIN \
     unnest($12::text[], $13::bigint[], $14::bigint[], $15::text[], $16::bigint[], $17::bigint[], $18::text[], $19::bigint[], \
     $20::bigint[], $21::text[], $22::bigint[], $23::bigint[], $24::bigint[], $25::text[], $26::text[], $27::bigint[]) \
     AS y(key, slot, revision, key_text, epoch, ticket, hold, unsure_creates, sent_ms, sent, body, request, digest_version, rule, \
     procedure_id, attempts) WHERE (SELECT count(*) FROM written) >= 0 ON CONFLICT (queue, key, slot) DO NOTHING RETURNING 1) \
     SELECT (SELECT count(*) FROM made) + (SELECT count(*) FROM written)";

/// Whether all of them were written. Where they were not, some may have been: to ask again for what was is safe.
pub(super) async fn write(session: &mut Session, who: &Who, rows: Vec<Kept>) -> Result<bool, Failure> {
    let count = rows.len();
    let changed = match session {
        Session::Sqlite(connection) => once_sqlite::write(connection, who, rows).await?,
        Session::Postgres(connection) => postgres(connection, who, rows).await?,
    };
    Ok(usize::try_from(changed).ok() == Some(count))
}

async fn postgres(connection: &mut PgConnection, who: &Who, rows: Vec<Kept>) -> Result<u64, Failure> {
    let (made, written): (Vec<Kept>, Vec<Kept>) = rows.into_iter().partition(|kept| kept.revision == 1);
    let (made, written) = (&made[..], &written[..]);
    let mut asked = query_as::<Postgres, (i64,)>(POSTGRES).bind(&*who.queue).bind(&*who.owner);
    asked = asked.bind(texts(written, |row| &row.key)).bind(numbers(written, |row| row.slot));
    asked = asked.bind(numbers(written, |row| row.revision)).bind(texts(written, |row| &row.hold));
    asked = asked.bind(numbers(written, |row| row.unsure_creates)).bind(numbers(written, |row| row.attempts));
    asked = asked.bind(perhaps(written, |row| &row.ended)).bind(perhaps(written, |row| &row.process));
    asked = asked.bind(perhaps(written, |row| &row.reason));
    asked = asked.bind(texts(made, |row| &row.key)).bind(numbers(made, |row| row.slot));
    asked = asked.bind(numbers(made, |row| row.revision)).bind(texts(made, |row| &row.key_text));
    asked = asked.bind(numbers(made, |row| row.epoch)).bind(numbers(made, |row| row.ticket));
    asked = asked.bind(texts(made, |row| &row.hold)).bind(numbers(made, |row| row.unsure_creates));
    asked = asked.bind(numbers(made, |row| row.sent_ms)).bind(perhaps(made, |row| &row.sent));
    asked = asked.bind(numbers(made, |row| row.body)).bind(numbers(made, |row| row.request));
    asked = asked.bind(numbers(made, |row| row.digest_version)).bind(texts(made, |row| &row.rule));
    asked = asked.bind(texts(made, |row| &row.procedure_id)).bind(numbers(made, |row| row.attempts));
    // The row comes before the commit, and all is read to the end: an error of the commit itself would come behind it.
    let counts = asked.fetch_all(connection).await.map_err(|error| Failure::of(&error))?;
    let changed = counts.first().ok_or_else(|| Failure::rows("its statement gave no count"))?;
    Ok(changed.0.cast_unsigned())
}

fn texts<'k>(rows: &'k [Kept], column: impl Fn(&'k Kept) -> &'k str) -> Vec<&'k str> {
    rows.iter().map(column).collect()
}

fn perhaps<'k>(rows: &'k [Kept], column: impl Fn(&'k Kept) -> &'k Option<String>) -> Vec<Option<&'k str>> {
    rows.iter().map(|row| column(row).as_deref()).collect()
}

fn numbers(rows: &[Kept], column: impl Fn(&Kept) -> i64) -> Vec<i64> {
    rows.iter().map(column).collect()
}
