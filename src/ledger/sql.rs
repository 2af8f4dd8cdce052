//! The statements, for both databases. Every value is a parameter, and every answer is one text a row.
//!
//! Not here: how they are sent (`session`), and the tables (`schema`).

/// One statement in both dialects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sql {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

impl Sql {
    const fn both(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }
}

/// SQLite takes its one lock at once: a reader that becomes a writer later could be refused.
pub(super) const BEGIN: Sql = Sql { sqlite: "BEGIN IMMEDIATE", postgres: "BEGIN ISOLATION LEVEL READ COMMITTED" };
pub(super) const COMMIT: Sql = Sql::both("COMMIT");
pub(super) const ROLLBACK: Sql = Sql::both("ROLLBACK");

/// One row `e` of SQLite as the text of an object, as `row_to_json` of Postgres makes it.
macro_rules! row_sqlite {
    () => {
        "SELECT json_object('key', hex(e.key), 'slot', e.slot, 'revision', e.revision, 'key_text', e.key_text, \
         'owner', e.owner, 'epoch', e.epoch, 'ticket', e.ticket, 'hold', e.hold, 'unsure_creates', e.unsure_creates, 'sent_ms', e.sent_ms, 'sent', e.sent, \
         'ended', e.ended, 'process', e.process, 'reason', e.reason, 'body', e.body, 'request', e.request, \
         'digest_version', e.digest_version, 'rule', e.rule, 'procedure_id', e.procedure_id, 'attempts', e.attempts, \
         'first_ms', e.first_ms, 'ended_ms', e.ended_ms) "
    };
}

/// The rows of a queue ($1) that a sorted list ($2) names, locked in its order, so that no two replicas wait for each other. Each is looked
/// up by itself: a planner that knows little of a table that grew fast would read all of it.
pub(super) const ROWS: Sql = Sql {
    sqlite: concat!(
        row_sqlite!(),
        "FROM json_each($2) AS x CROSS JOIN chakra_bridge_events AS e \
         WHERE e.queue = $1 AND e.key = unhex(x.value ->> 'key') AND e.slot = x.value ->> 'slot'"
    ),
    postgres: "SELECT row_to_json(e)::text FROM json_to_recordset($2::json) AS x(key text, slot bigint) \
         CROSS JOIN LATERAL (SELECT * FROM chakra_bridge_events AS r WHERE r.queue = $1 AND r.key = decode(x.key, 'hex') \
         AND r.slot = x.slot LIMIT 1 FOR UPDATE) AS e",
};

/// The time and the leases. A statement of its own, behind the locks: what it sees is as new as the rows.
pub(super) const MOMENT: Sql = Sql {
    sqlite: "SELECT json_object('now_ms', CAST(round(unixepoch('subsec') * 1000) AS INTEGER), \
         'owners', json((SELECT json_group_object(owner, until_ms) FROM chakra_bridge_owners)))",
    postgres: "SELECT json_build_object('now_ms', (extract(epoch FROM clock_timestamp()) * 1000)::bigint, \
         'owners', coalesce((SELECT json_object_agg(owner, until_ms) FROM chakra_bridge_owners), '{}'::json))::text",
};

/// Rows ($2) of a queue ($1), as SQLite takes them.
macro_rules! rows_sqlite {
    () => {
        "INSERT INTO chakra_bridge_events (queue, key, slot, revision, key_text, owner, epoch, ticket, hold, \
         unsure_creates, sent_ms, sent, \
         ended, process, reason, body, request, digest_version, rule, procedure_id, attempts, first_ms, ended_ms) \
         SELECT $1, unhex(x.value ->> 'key'), x.value ->> 'slot', x.value ->> 'revision', x.value ->> 'key_text', \
         x.value ->> 'owner', x.value ->> 'epoch', x.value ->> 'ticket', x.value ->> 'hold', \
         x.value ->> 'unsure_creates', x.value ->> 'sent_ms', x.value ->> 'sent', \
         x.value ->> 'ended', x.value ->> 'process', x.value ->> 'reason', x.value ->> 'body', x.value ->> 'request', \
         x.value ->> 'digest_version', x.value ->> 'rule', x.value ->> 'procedure_id', x.value ->> 'attempts', \
         x.value ->> 'first_ms', x.value ->> 'ended_ms' FROM json_each($2) AS x WHERE true "
    };
}

/// The same for Postgres.
macro_rules! rows_postgres {
    () => {
        "INSERT INTO chakra_bridge_events AS e (queue, key, slot, revision, key_text, owner, epoch, ticket, hold, unsure_creates, sent_ms, \
         sent, ended, process, reason, body, request, digest_version, rule, procedure_id, attempts, first_ms, ended_ms) \
         SELECT $1, decode(x.key, 'hex'), x.slot, x.revision, x.key_text, x.owner, x.epoch, x.ticket, x.hold, x.unsure_creates, x.sent_ms, \
         x.sent, x.ended, x.process, x.reason, x.body, x.request, x.digest_version, x.rule, x.procedure_id, x.attempts, \
         x.first_ms, x.ended_ms FROM json_to_recordset($2::json) AS x(key text, slot bigint, revision bigint, key_text text, \
         owner text, epoch bigint, ticket bigint, hold text, unsure_creates bigint, sent_ms bigint, sent text, ended text, process text, reason text, \
         body bigint, request bigint, digest_version bigint, rule text, procedure_id text, attempts bigint, first_ms bigint, \
         ended_ms bigint) "
    };
}

/// What takes the place of a row that is there.
macro_rules! over {
    () => {
        "ON CONFLICT (queue, key, slot) DO UPDATE SET revision = excluded.revision, key_text = excluded.key_text, \
         owner = excluded.owner, epoch = excluded.epoch, ticket = excluded.ticket, hold = excluded.hold, \
         unsure_creates = excluded.unsure_creates, sent_ms = excluded.sent_ms, \
         sent = excluded.sent, ended = excluded.ended, process = excluded.process, reason = excluded.reason, \
         body = excluded.body, request = excluded.request, digest_version = excluded.digest_version, rule = excluded.rule, \
         procedure_id = excluded.procedure_id, attempts = excluded.attempts, first_ms = excluded.first_ms, \
         ended_ms = excluded.ended_ms "
    };
}

/// Makes rows ($2) of a queue ($1) that were not there. What another makes meanwhile is left, and is not waited for once it is committed:
/// who waits for new rows alone, and in the order of their keys, waits in no circle.
pub(super) const MAKE: Sql = Sql {
    sqlite: concat!(rows_sqlite!(), "ON CONFLICT (queue, key, slot) DO NOTHING"),
    postgres: concat!(rows_postgres!(), "ON CONFLICT (queue, key, slot) DO NOTHING"),
};

/// Writes rows ($2) of a queue ($1) that were read under their locks, each over the revision before its own.
pub(super) const WRITE: Sql = Sql {
    sqlite: concat!(rows_sqlite!(), over!(), "WHERE chakra_bridge_events.revision = excluded.revision - 1"),
    postgres: concat!(rows_postgres!(), over!(), "WHERE e.revision = excluded.revision - 1"),
};

/// The lease of $1 runs $2 milliseconds from now.
pub(super) const RENEW: Sql = Sql {
    sqlite: "INSERT INTO chakra_bridge_owners (owner, until_ms) \
         VALUES ($1, CAST(round(unixepoch('subsec') * 1000) AS INTEGER) + CAST($2 AS INTEGER)) \
         ON CONFLICT (owner) DO UPDATE SET until_ms = excluded.until_ms",
    postgres: "INSERT INTO chakra_bridge_owners (owner, until_ms) \
         VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $2::bigint) \
         ON CONFLICT (owner) DO UPDATE SET until_ms = excluded.until_ms",
};

/// The lease of $1 is given up.
pub(super) const GIVE_UP: Sql = Sql::both("DELETE FROM chakra_bridge_owners WHERE owner = $1");

/// Whose lease has ended more than $1 milliseconds ago is forgotten.
pub(super) const FORGET_OWNERS: Sql = Sql {
    sqlite: "DELETE FROM chakra_bridge_owners \
         WHERE until_ms < CAST(round(unixepoch('subsec') * 1000) AS INTEGER) - CAST($1 AS INTEGER)",
    postgres: "DELETE FROM chakra_bridge_owners \
         WHERE until_ms < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1::bigint",
};

/// Nobody else has the file: whoever had it is dead.
pub(super) const FORGET_OTHERS: Sql = Sql::both("DELETE FROM chakra_bridge_owners WHERE owner <> $1");

/// Deletes at most $4 rows of a queue ($1) that ended as $2 more than $3 milliseconds ago.
pub(super) const PRUNE: Sql = Sql {
    sqlite: "DELETE FROM chakra_bridge_events WHERE queue = $1 AND (key, slot) IN (SELECT key, slot FROM chakra_bridge_events \
         WHERE queue = $1 AND ended = $2 AND ended_ms < CAST(round(unixepoch('subsec') * 1000) AS INTEGER) - CAST($3 AS INTEGER) \
         ORDER BY ended_ms LIMIT CAST($4 AS INTEGER))",
    postgres: "DELETE FROM chakra_bridge_events WHERE ctid = ANY (ARRAY(SELECT ctid FROM chakra_bridge_events \
         WHERE queue = $1 AND ended = $2 AND ended_ms < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $3::bigint \
         ORDER BY ended_ms LIMIT $4::bigint FOR UPDATE SKIP LOCKED))",
};

/// How large it is and how old the first end of a queue ($1), as far as that costs nothing: a count of all rows would.
pub(super) const SIZE: Sql = Sql {
    sqlite: "SELECT json_object('bytes', (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size), \
         'oldest_ms', (SELECT min(ended_ms) FROM (SELECT min(ended_ms) AS ended_ms FROM chakra_bridge_events \
         WHERE queue = $1 AND ended = 'created' UNION ALL SELECT min(ended_ms) FROM chakra_bridge_events \
         WHERE queue = $1 AND ended = 'dead')))",
    postgres: "SELECT json_build_object('bytes', pg_total_relation_size('chakra_bridge_events'::regclass), \
         'rows', (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'chakra_bridge_events'::regclass), \
         'oldest_ms', (SELECT min(ended_ms) FROM (SELECT min(ended_ms) AS ended_ms FROM chakra_bridge_events \
         WHERE queue = $1 AND ended = 'created' UNION ALL SELECT min(ended_ms) FROM chakra_bridge_events \
         WHERE queue = $1 AND ended = 'dead') AS o))::text",
};

/// All rows of a queue ($1) with a key ($2).
pub(super) const OF_KEY: Sql = Sql {
    sqlite: concat!(
        row_sqlite!(),
        "FROM chakra_bridge_events AS e WHERE e.queue = $1 AND e.key = unhex($2) ORDER BY e.first_ms, e.slot"
    ),
    postgres: "SELECT row_to_json(e)::text FROM chakra_bridge_events AS e \
         WHERE e.queue = $1 AND e.key = decode($2, 'hex') ORDER BY e.first_ms, e.slot",
};
