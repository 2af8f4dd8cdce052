//! Runs of a daemon's ledger, and what they ask.
//!
//! Not here: tests.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chakra_bridge::core::event::Key;
use chakra_bridge::core::ledger::{Claim, Claimed, Opens, Record, Recorded, RowEnd, RowId, Sends};
use chakra_bridge::ledger::{self, Config, Ledger, Place, Server, Tls};
use chakra_bridge::metrics::Metrics;
use chakra_bridge::secret::{Secret, SecretSource};
use chakra_bridge::states::ledger::{LedgerState, LedgerStatus};
use tokio::task::JoinSet;

use crate::support::broker::eventually;
use crate::support::deadline::within;
use crate::support::postgres::Postgres;

/// How soon a ledger is used again after a fault has ended.
pub const RESUMES: Duration = Duration::from_secs(10);
const LEASE: Duration = Duration::from_secs(40);
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// One run of one replica.
pub struct Run {
    pub ledger: Ledger,
    pub metrics: Arc<Metrics>,
    pub config: Config,
    driver: JoinSet<()>,
}

impl Run {
    pub fn begin(config: Config) -> Self {
        let metrics = Arc::new(Metrics::new());
        let (ledger, served) = ledger::open(config.clone(), Arc::clone(&metrics));
        let mut driver = JoinSet::new();
        driver.spawn(served.run());
        Self { ledger, metrics, config, driver }
    }

    /// One that answers.
    pub async fn up(config: Config) -> Self {
        let run = Self::begin(config);
        run.comes("up", |status| status.state == LedgerState::Up).await;
        run
    }

    pub fn status(&self) -> LedgerStatus {
        self.ledger.status().borrow().clone()
    }

    /// Waits for a state.
    pub async fn comes(&self, what: &str, is_so: impl Fn(&LedgerStatus) -> bool) -> LedgerStatus {
        let mut status = self.ledger.status();
        within(20, what, async { status.wait_for(|status| is_so(status)).await.unwrap().clone() }).await
    }

    /// Waits until it is away, and says what it is told.
    pub async fn away(&self) -> String {
        let status = self.comes("away", |status| matches!(status.state, LedgerState::Away { .. })).await;
        status.trouble().unwrap()
    }

    /// Waits until a key can be claimed, as soon as must be.
    pub async fn resumes(&self, key: &str) {
        let asked = || async { matches!(self.ledger.claim(claim(key)).await, Claimed::Mine { .. }) };
        eventually(RESUMES, "the ledger resumes", asked).await;
    }

    /// An orderly end.
    pub async fn end(self) {
        let Self { ledger, mut driver, .. } = self;
        drop(ledger);
        within(10, "its end", driver.join_next()).await.unwrap().unwrap();
    }

    /// As by `kill -9`.
    pub async fn die(mut self) {
        self.driver.abort_all();
        while self.driver.join_next().await.is_some() {}
    }
}

pub fn file(folder: &Path) -> Config {
    config(Place::Sqlite(folder.join("ledger.db")))
}

pub fn server(postgres: &Postgres, database: &str) -> Config {
    config(Place::Postgres(at(postgres, database)))
}

/// The superuser; nobody listens on the loopback.
pub fn at(postgres: &Postgres, database: &str) -> Server {
    Server {
        host: "127.0.0.1".to_owned(),
        port: postgres.port,
        user: "tests".to_owned(),
        database: database.to_owned(),
        password: Some(SecretSource::Given(Secret::new(postgres.password.clone()))),
        tls: Tls::Disable,
        authorities: None,
    }
}

pub fn config(place: Place) -> Config {
    Config { place, keep: MONTH, lease: LEASE, queue: "crm.events".to_owned() }
}

/// A claim of the event of that key that sends at once.
pub fn claim(key: &str) -> Claim {
    Claim {
        id: RowId { key: Key::digest_of(key), slot: 0 },
        key: key.into(),
        body: 1,
        request: u64::MAX,
        rule: "any".into(),
        procedure: "lead".into(),
        ticket: 1,
        epoch: None,
        unsure_creates: 0,
        attempts: 0,
        sends: Some(Sends { lookup: None }),
        opens: Opens::Nothing,
    }
}

/// That it became this process, or was given back.
pub fn record(key: &str, epoch: i64, process: Option<&str>) -> Record {
    let end = process.map(|process| RowEnd::Created(Some(process.to_owned())));
    Record { claim: Box::new(Claim { epoch: Some(epoch), attempts: 1, ..claim(key) }), end }
}

pub fn epoch(claimed: &Claimed) -> i64 {
    match claimed {
        Claimed::Mine { epoch, .. } => *epoch,
        other => panic!("not claimed: {other:?}"),
    }
}

/// Claims and records.
pub async fn create(run: &Run, key: &str, process: &str) {
    let epoch = epoch(&run.ledger.claim(claim(key)).await);
    assert_eq!(run.ledger.record(record(key, epoch, Some(process))).await, Recorded::Yes);
}

/// The process that the ledger knows.
pub async fn process(run: &Run, key: &str) -> Option<String> {
    match run.ledger.claim(claim(key)).await {
        Claimed::Ended(row) => match row.end {
            Some(RowEnd::Created(process)) => process,
            _ => None,
        },
        _ => None,
    }
}
