//! A daemon that is killed before and after each write of its ledger. With Postgres a relay holds the write, or the word that it is
//! committed. With SQLite the file is locked before the write; behind the claim stands an API that takes no connection, and behind the
//! record an acknowledgement that is held.
//!
//! Not here: the points of the path (`points`).

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, raw_sql};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::Stage;
use crate::points::Point;
use crate::support::broker::eventually;
use crate::support::daemon::{Daemon, Setup};
use crate::support::deadline::within;
use crate::support::postgres::Postgres;
use crate::support::postgres::wire::{Stop, Wire, Write};
use crate::support::standin::Books;

/// Long enough for what happens at once.
const A_WHILE: Duration = Duration::from_millis(500);

/// Where the ledger is.
pub enum Store {
    Nowhere,
    Sqlite(TempDir),
    Postgres(Wire, String),
}

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Nowhere,
    Sqlite,
    Postgres,
}

impl Kind {
    /// A ledger of its own; none where there is no server to be had.
    pub async fn store(self) -> Option<Store> {
        Some(match self {
            Self::Nowhere => Store::Nowhere,
            Self::Sqlite => Store::Sqlite(tempfile::tempdir().unwrap()),
            Self::Postgres => {
                let server = within(90, "Postgres", Postgres::shared()).await?;
                let (database, wire) = (server.database().await, Wire::start(server.port).await);
                let (port, password) = (wire.port(), &server.password);
                let url = format!("postgres://tests@127.0.0.1:{port}/{database}?sslmode=disable");
                Store::Postgres(wire, format!("[ledger]\nurl = \"{url}\"\npassword = \"{password}\""))
            }
        })
    }
}

impl Store {
    /// The section of the configuration.
    pub fn section(&self) -> String {
        match self {
            Self::Nowhere => String::new(),
            Self::Sqlite(folder) => format!("[ledger]\nurl = \"sqlite://{}\"", file(folder).display()),
            Self::Postgres(_, section) => section.clone(),
        }
    }

    /// Lets everything pass.
    pub fn disarm(&self) {
        if let Self::Postgres(wire, _) = self {
            wire.disarm();
        }
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("ledger.db")
}

/// Nothing can be written to the file until it is dropped.
async fn locked(folder: &TempDir) -> SqliteConnection {
    let mut connection = SqliteConnectOptions::new().filename(file(folder)).connect().await.unwrap();
    raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
    connection
}

/// Who has claimed a create; nobody where there is no table yet.
async fn claimants(folder: &TempDir) -> BTreeSet<String> {
    let connected = SqliteConnectOptions::new().filename(file(folder)).read_only(true).connect().await;
    let Ok(mut connection) = connected else { return BTreeSet::new() };
    let owners = "SELECT DISTINCT owner FROM chakra_bridge_events WHERE hold = 'sends'";
    let owners = sqlx::query_scalar::<_, String>(owners).fetch_all(&mut connection).await;
    owners.unwrap_or_default().into_iter().collect()
}

/// Waits until somebody else has claimed a create, and the claim is committed.
async fn until_claimed(folder: &TempDir, before: &BTreeSet<String>) {
    let is_claimed = async || !claimants(folder).await.is_subset(before);
    eventually(Duration::from_secs(60), "the claim is committed", is_claimed).await;
}

impl Stage {
    /// A daemon that stands at this write, and the lock by which it does, if there is one.
    pub async fn at_a_write(&mut self, stop: Stop) -> (Daemon, Option<SqliteConnection>) {
        if let Store::Postgres(wire, _) = &self.store {
            wire.arm(stop);
            let daemon = self.daemon();
            self.publish().await;
            let Store::Postgres(wire, _) = &self.store else { unreachable!() };
            within(60, &format!("{stop:?}"), wire.reached()).await;
            return (daemon, None);
        }
        match stop {
            Stop::Before(Write::Claim) => self.before_the_claim().await,
            Stop::After(Write::Claim) => (self.after_the_claim().await, None),
            Stop::Before(Write::Record) => self.before_the_record().await,
            Stop::After(Write::Record) => (self.after_the_record().await, None),
        }
    }

    fn folder(&self) -> &TempDir {
        match &self.store {
            Store::Sqlite(folder) => folder,
            Store::Nowhere | Store::Postgres(..) => panic!("no file"),
        }
    }

    async fn before_the_claim(&mut self) -> (Daemon, Option<SqliteConnection>) {
        let daemon = self.daemon();
        within(60, "consuming", self.scene.until_consumed()).await;
        let lock = locked(self.folder()).await;
        self.relay.arm(Point::Delivered.breakpoint().unwrap());
        self.publish().await;
        // What was delivered before may fill every place: it waits for the lock too.
        drop(timeout(A_WHILE, self.relay.reached()).await);
        sleep(A_WHILE / 10).await; // tidy: allow sleep, it asks meanwhile, and cannot be answered
        (daemon, Some(lock))
    }

    async fn after_the_claim(&mut self) -> Daemon {
        self.publish().await;
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}", nobody.local_addr().unwrap());
        let before = claimants(self.folder()).await;
        let daemon = Daemon::start(&Setup { api, ..self.setup.clone() });
        // Of any event: those of earlier kills may fill every place.
        until_claimed(self.folder(), &before).await;
        daemon
    }

    async fn before_the_record(&mut self) -> (Daemon, Option<SqliteConnection>) {
        let (late, _) = self.publish().await;
        let daemon = self.daemon();
        let is_sent = |books: &Books, is_over: bool| {
            books.requests.iter().any(|seen| seen.key.as_ref() == Some(&late) && (seen.over || !is_over))
        };
        within(60, "the request", self.scene.api.until(|books| is_sent(books, false))).await;
        let lock = locked(self.folder()).await;
        within(60, "the answer", self.scene.api.until(|books| is_sent(books, true))).await;
        sleep(A_WHILE / 10).await; // tidy: allow sleep, it tells meanwhile, and cannot be heard
        (daemon, Some(lock))
    }

    async fn after_the_record(&mut self) -> Daemon {
        self.publish().await;
        self.relay.arm(Point::BeforeTheAck.breakpoint().unwrap());
        let daemon = self.daemon();
        within(60, "the acknowledgement", self.relay.reached()).await;
        daemon
    }
}
