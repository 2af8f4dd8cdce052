//! The tables, made and changed at the start, under a lock and in one transaction.
//!
//! Not here: what stands in them (`kept`).

use super::failure::Failure;
use super::session::Session;
use super::sql::{BEGIN, COMMIT, ROLLBACK, Sql};

/// The version that this program reads and writes.
pub const VERSION: usize = MIGRATIONS.len();

/// What makes each version out of the one before. A version that was released is never changed.
const MIGRATIONS: [&[Sql]; 3] = [
    &[
        Sql {
            sqlite: "CREATE TABLE chakra_bridge_events (queue TEXT NOT NULL, key BLOB NOT NULL, slot INTEGER NOT NULL, \
                 revision INTEGER NOT NULL, key_text TEXT NOT NULL, owner TEXT NOT NULL, epoch INTEGER NOT NULL, \
                 ticket INTEGER NOT NULL, hold TEXT NOT NULL, \
                 unsure_creates INTEGER NOT NULL, sent_ms INTEGER NOT NULL, sent TEXT, ended TEXT, process TEXT, reason TEXT, \
                 body INTEGER NOT NULL, request INTEGER NOT NULL, digest_version INTEGER NOT NULL, rule TEXT NOT NULL, \
                 procedure_id TEXT NOT NULL, attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, \
                 PRIMARY KEY (queue, key, slot)) STRICT, WITHOUT ROWID",
            postgres: "CREATE TABLE chakra_bridge_events (queue text NOT NULL, key bytea NOT NULL, slot bigint NOT NULL, \
                 revision bigint NOT NULL, key_text text NOT NULL, owner text NOT NULL, epoch bigint NOT NULL, \
                 ticket bigint NOT NULL, hold text NOT NULL, \
                 unsure_creates bigint NOT NULL, sent_ms bigint NOT NULL, sent text, ended text, process text, reason text, \
                 body bigint NOT NULL, request bigint NOT NULL, digest_version bigint NOT NULL, rule text NOT NULL, \
                 procedure_id text NOT NULL, attempts bigint NOT NULL, first_ms bigint NOT NULL, ended_ms bigint NOT NULL, \
                 PRIMARY KEY (queue, key, slot)) WITH (fillfactor = 80)",
        },
        Sql {
            sqlite: "CREATE TABLE chakra_bridge_owners (owner TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT",
            postgres: "CREATE TABLE chakra_bridge_owners (owner text PRIMARY KEY, until_ms bigint NOT NULL)",
        },
    ],
    // What pruning goes by.
    &[Sql {
        sqlite: "CREATE INDEX chakra_bridge_events_ended ON chakra_bridge_events (queue, ended, ended_ms) WHERE ended IS NOT NULL",
        postgres: "CREATE INDEX chakra_bridge_events_ended ON chakra_bridge_events (queue, ended, ended_ms) WHERE ended IS NOT NULL",
    }],
    // SQLite kept the rows in the order of their keys, which are digests: each write went to a page of its own. Now they lie in the order
    // in which they come, and what is written together lies together.
    &[
        Sql {
            sqlite: "CREATE TABLE chakra_bridge_events_in_order (queue TEXT NOT NULL, key BLOB NOT NULL, slot INTEGER NOT NULL, \
                 revision INTEGER NOT NULL, key_text TEXT NOT NULL, owner TEXT NOT NULL, epoch INTEGER NOT NULL, \
                 ticket INTEGER NOT NULL, hold TEXT NOT NULL, \
                 unsure_creates INTEGER NOT NULL, sent_ms INTEGER NOT NULL, sent TEXT, ended TEXT, process TEXT, reason TEXT, \
                 body INTEGER NOT NULL, request INTEGER NOT NULL, digest_version INTEGER NOT NULL, rule TEXT NOT NULL, \
                 procedure_id TEXT NOT NULL, attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, \
                 PRIMARY KEY (queue, key, slot)) STRICT",
            postgres: NOTHING,
        },
        Sql {
            sqlite: "INSERT INTO chakra_bridge_events_in_order SELECT queue, key, slot, revision, key_text, owner, epoch, ticket, hold, \
                 unsure_creates, sent_ms, sent, ended, process, reason, body, request, digest_version, rule, procedure_id, attempts, \
                 first_ms, ended_ms FROM chakra_bridge_events ORDER BY first_ms",
            postgres: NOTHING,
        },
        Sql { sqlite: "DROP TABLE chakra_bridge_events", postgres: NOTHING },
        Sql { sqlite: "ALTER TABLE chakra_bridge_events_in_order RENAME TO chakra_bridge_events", postgres: NOTHING },
        Sql {
            sqlite: "CREATE INDEX chakra_bridge_events_ended ON chakra_bridge_events (queue, ended, ended_ms) WHERE ended IS NOT NULL",
            postgres: NOTHING,
        },
    ],
];

/// Postgres keeps rows as they come anyway.
const NOTHING: &str = "SELECT 1";

/// One daemon after the other; `BEGIN IMMEDIATE` of SQLite is that lock already. An index over all rows takes its time.
const LOCK: Sql = Sql {
    sqlite: "SELECT 1",
    postgres: "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s'; SELECT pg_advisory_xact_lock(7283716481043)",
};

const TABLE: Sql = Sql {
    sqlite: "CREATE TABLE IF NOT EXISTS chakra_bridge_schema (version INTEGER NOT NULL) STRICT",
    postgres: "CREATE TABLE IF NOT EXISTS chakra_bridge_schema (version bigint NOT NULL)",
};

const VERSION_IS: Sql = Sql {
    sqlite: "SELECT CAST(coalesce(max(version), 0) AS TEXT) FROM chakra_bridge_schema",
    postgres: "SELECT coalesce(max(version), 0)::text FROM chakra_bridge_schema",
};

/// Whether there are tables; SQLite and Postgres have a name for them each.
const HAS_TABLES: Sql = Sql {
    sqlite: "SELECT CAST(count(*) AS TEXT) FROM sqlite_schema WHERE name = 'chakra_bridge_schema'",
    postgres: "SELECT count(*)::text FROM pg_class WHERE oid = to_regclass('chakra_bridge_schema')",
};

const SET_VERSION: [Sql; 2] = [
    Sql { sqlite: "DELETE FROM chakra_bridge_schema", postgres: "DELETE FROM chakra_bridge_schema" },
    Sql {
        sqlite: "INSERT INTO chakra_bridge_schema (version) VALUES (CAST($1 AS INTEGER))",
        postgres: "INSERT INTO chakra_bridge_schema (version) VALUES ($1::bigint)",
    },
];

/// Brings the tables to this version. A daemon that comes second finds them made.
pub(super) async fn migrate(session: &mut Session) -> Result<(), Failure> {
    migrate_to(session, VERSION).await
}

/// The version that the tables have; 0 where there are none.
pub(super) async fn version(session: &mut Session) -> Result<usize, Failure> {
    if session.text(HAS_TABLES, &[]).await? == "0" {
        return Ok(0);
    }
    Ok(session.text(VERSION_IS, &[]).await?.parse().unwrap_or(usize::MAX))
}

async fn migrate_to(session: &mut Session, wanted: usize) -> Result<(), Failure> {
    // Most starts change nothing, and take no lock.
    if check(version(session).await?)? == wanted {
        return Ok(());
    }
    session.simple(BEGIN).await?;
    session.simple(LOCK).await?;
    session.simple(TABLE).await?;
    let before = session.text(VERSION_IS, &[]).await?.parse().unwrap_or(usize::MAX);
    if let Err(newer) = check(before) {
        session.simple(ROLLBACK).await?;
        return Err(newer);
    }
    for step in MIGRATIONS.iter().take(wanted).skip(before) {
        for statement in *step {
            session.simple(*statement).await?;
        }
    }
    session.run(SET_VERSION[0], &[]).await?;
    session.run(SET_VERSION[1], &[&wanted.max(before).to_string()]).await?;
    session.simple(COMMIT).await?;
    Ok(())
}

/// What is newer may mean its rows otherwise.
pub(super) fn check(found: usize) -> Result<usize, Failure> {
    if found <= VERSION {
        return Ok(found);
    }
    Err(Failure::schema(format!(
        "its tables are of version {found}, and this program knows them up to {VERSION}: a newer chakra-bridge made them"
    )))
}
