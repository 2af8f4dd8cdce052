//! The ledger, read only: for whoever asks what became of an event, and whether a daemon could use it.
//!
//! Not here: asking for a daemon (`handle`). Nothing here changes or locks a row.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::kept::{Kept, hex, parsed};
use super::session::{Session, in_time};
use super::sql::{MOMENT, OF_KEY, Sql};
use super::{Config, Place, postgres, schema, sqlite};
use crate::core::event::Key;
use crate::core::ledger::Row;

/// The longest that opening, or one question, may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What the user of the daemon may not do there, each in words; one row each.
const LACKING: Sql = Sql {
    sqlite: "",
    postgres: "SELECT 'the server is a standby: a standby takes no rows' WHERE pg_is_in_recovery() \
         UNION ALL SELECT 'the user may not make tables in the schema ' || coalesce(current_schema(), '(none)') \
         WHERE to_regclass('chakra_bridge_schema') IS NULL \
         AND NOT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) \
         UNION ALL SELECT 'the user may not ' || right_of || ' rows of ' || table_of \
         FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS right_of, \
         unnest(ARRAY['chakra_bridge_events', 'chakra_bridge_owners']) AS table_of \
         WHERE to_regclass(table_of) IS NOT NULL AND NOT has_table_privilege(table_of, right_of)",
};

/// A row, as of a moment of the store's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The row.
    pub row: Row,
    /// How long the lease of its owner still runs.
    pub lease: Duration,
    /// The moment, in milliseconds since the Unix epoch.
    pub now_ms: i64,
}

/// The store's clock and the leases.
#[derive(Debug, Deserialize)]
struct Moment {
    now_ms: i64,
    owners: BTreeMap<String, i64>,
}

/// A connection that reads.
#[derive(Debug)]
pub struct Reader {
    session: Session,
    queue: String,
    version: usize,
}

impl Reader {
    /// Connects.
    ///
    /// # Errors
    /// Why it cannot be read, and what to do, in words.
    pub async fn open(config: &Config) -> Result<Self, String> {
        let opening = Box::pin(in_time(ANSWER_MAX, async {
            let mut session = match &config.place {
                Place::Sqlite(path) => sqlite::open_to_read(path).await?,
                Place::Postgres(server) => postgres::open_to_read(server).await?,
            };
            let version = schema::check(schema::version(&mut session).await?)?;
            Ok(Self { session, queue: config.queue.clone(), version })
        }));
        opening.await.map_err(|failure| failure.to_string())
    }

    /// Every row of a key, the oldest first.
    ///
    /// # Errors
    /// Why they cannot be read, in words.
    pub async fn rows(&mut self, key: &str) -> Result<Vec<Found>, String> {
        if self.version == 0 {
            return Ok(Vec::new());
        }
        let asked = in_time(ANSWER_MAX, async {
            let digest = hex(&Key::digest_of(key));
            let texts = self.session.texts(OF_KEY, &[&self.queue, &digest]).await?;
            let Moment { now_ms, owners } = parsed(&self.session.text(MOMENT, &[]).await?)?;
            let found = texts.iter().map(|text| {
                let row = parsed::<Kept>(text)?.row();
                let left = owners.get(&*row.owner).map_or(0, |until_ms| until_ms.saturating_sub(now_ms));
                Ok(Found { row, lease: Duration::from_millis(u64::try_from(left).unwrap_or(0)), now_ms })
            });
            found.collect()
        });
        asked.await.map_err(|failure| failure.to_string())
    }
}

/// What a daemon would find: what is wrong, and what deserves a word. Reads only.
pub async fn check(config: &Config) -> (Vec<String>, Vec<String>) {
    if let Place::Sqlite(path) = &config.place
        && !path.exists()
        && path.parent().is_some_and(std::path::Path::is_dir)
    {
        return (Vec::new(), vec![format!("ledger.url: {} does not exist yet: the daemon makes it", path.display())]);
    }
    let mut reader = match Reader::open(config).await {
        Ok(reader) => reader,
        Err(why) => return (vec![why], Vec::new()),
    };
    let mut wrong = Vec::new();
    if matches!(config.place, Place::Postgres(_)) {
        match in_time(ANSWER_MAX, reader.session.texts(LACKING, &[])).await {
            Ok(lacking) => wrong.extend(lacking),
            Err(failure) => wrong.push(failure.to_string()),
        }
    }
    let risky = match reader.version {
        schema::VERSION => Vec::new(),
        0 => vec!["ledger.url: the tables are not there yet: the daemon makes them".to_owned()],
        older => vec![format!("ledger.url: the tables are of version {older}: the daemon changes them at its start")],
    };
    (wrong, risky)
}
