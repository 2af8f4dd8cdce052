//! The ledger of events, where one is configured: a row for each event in a database, asked before a create and told after it. Rows
//! are decided by pure functions (`core::ledger`); the store reads, writes and commits them.
//!
//! Not here: when it is asked and what follows (`dispatch`, `core::delivery`), AMQP and the API.

mod ask;
mod batch;
mod checkpoints;
mod driver;
mod expected;
mod failure;
mod handle;
mod housekeeping;
mod kept;
mod lease;
mod once;
mod once_sqlite;
mod postgres;
pub mod read;
mod schema;
mod session;
mod sql;
mod sqlite;

pub use driver::Driver;
pub use handle::{Ledger, open};
pub use schema::VERSION;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::SecretSource;

/// What a lease outlives the longest request by: a claim is asked, a create sent and its end recorded within one.
pub const LEASE_SPARE: Duration = Duration::from_secs(10);

/// Where the ledger is, and how long it keeps what.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where.
    pub place: Place,
    /// How long an event that became a process is kept after its end; a dead letter four times as long.
    pub keep: Duration,
    /// How long the claims of this replica hold after it was last heard of.
    pub lease: Duration,
    /// The work queue: a row belongs to one.
    pub queue: String,
}

/// The database.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A file of this machine, for one replica.
    Sqlite(PathBuf),
    /// A server, for all replicas.
    Postgres(Server),
}

/// A server of Postgres.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// A name, an address, or the folder of a socket.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The database.
    pub database: String,
    /// The password, if the server wants one.
    pub password: Option<SecretSource>,
    /// How much TLS there is.
    pub tls: Tls,
    /// PEM file of certificate authorities, beside those of the system.
    pub authorities: Option<PathBuf>,
}

/// How a connection to a server is secured. The words are those of `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// `verify-full`: encrypted, and the server is the one that was named.
    VerifyFull,
    /// `verify-ca`: encrypted, to a server of a known authority, under whatever name.
    VerifyCa,
    /// `require`: encrypted, to whoever answers.
    Require,
    /// `disable`: not encrypted.
    Disable,
}

impl Place {
    /// The place in words, without a secret.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("SQLite {}", path.display()),
            Self::Postgres(Server { host, port, database, .. }) => format!("Postgres {host}:{port}/{database}"),
        }
    }
}

impl Config {
    /// The password, if one is written.
    #[must_use]
    pub fn password(&self) -> Option<&SecretSource> {
        match &self.place {
            Place::Sqlite(_) => None,
            Place::Postgres(server) => server.password.as_ref(),
        }
    }

    /// Whether what goes to it can be read on the way.
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        match &self.place {
            Place::Sqlite(_) => false,
            Place::Postgres(Server { host, tls, .. }) => {
                let is_loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
                *tls == Tls::Disable && host != "localhost" && !is_loopback
            }
        }
    }
}
