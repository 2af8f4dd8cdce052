//! One connection to either database: every statement goes through here, and each takes texts and gives texts.
//!
//! Not here: how it is made (`sqlite`, `postgres`). After an error the connection is given up, whatever was under way on it.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Postgres, Sqlite, query, query_scalar, raw_sql};

use super::failure::Failure;
use super::sql::Sql;
use crate::clock::answered_within;

/// A connection.
#[derive(Debug)]
pub(super) enum Session {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl Session {
    /// Whether others write there too, and may be in the way.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// The rows that a statement gives, each a text.
    pub(super) async fn texts(&mut self, sql: Sql, values: &[&str]) -> Result<Vec<String>, Failure> {
        let given = match self {
            Self::Sqlite(connection) => {
                let asked = query_scalar::<Sqlite, String>(sql.sqlite);
                values.iter().fold(asked, |asked, value| asked.bind(*value)).fetch_all(&mut **connection).await
            }
            Self::Postgres(connection) => {
                let asked = query_scalar::<Postgres, String>(sql.postgres);
                values.iter().fold(asked, |asked, value| asked.bind(*value)).fetch_all(&mut **connection).await
            }
        };
        given.map_err(|error| Failure::of(&error))
    }

    /// The first of them; empty if there is none.
    pub(super) async fn text(&mut self, sql: Sql, values: &[&str]) -> Result<String, Failure> {
        Ok(self.texts(sql, values).await?.into_iter().next().unwrap_or_default())
    }

    /// How many rows a statement changed.
    pub(super) async fn run(&mut self, sql: Sql, values: &[&str]) -> Result<u64, Failure> {
        let changed = match self {
            Self::Sqlite(connection) => {
                let told = values.iter().fold(query::<Sqlite>(sql.sqlite), |told, value| told.bind(*value));
                told.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            Self::Postgres(connection) => {
                let told = values.iter().fold(query::<Postgres>(sql.postgres), |told, value| told.bind(*value));
                told.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
        };
        changed.map_err(|error| Failure::of(&error))
    }

    /// Runs a statement without parameters and without an answer.
    pub(super) async fn simple(&mut self, sql: Sql) -> Result<(), Failure> {
        let done = match self {
            Self::Sqlite(connection) => raw_sql(sql.sqlite).execute(&mut **connection).await.map(drop),
            Self::Postgres(connection) => raw_sql(sql.postgres).execute(&mut **connection).await.map(drop),
        };
        done.map_err(|error| Failure::of(&error))
    }

    /// Ends it in order.
    pub(super) async fn close(self) -> Result<(), Failure> {
        let closed = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
        closed.map_err(|error| Failure::of(&error))
    }
}

/// As `work` ends; a failure if it does not in time.
pub(super) async fn in_time<T>(limit: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    answered_within(limit, work).await.unwrap_or_else(|| Err(Failure::no_answer(limit)))
}
