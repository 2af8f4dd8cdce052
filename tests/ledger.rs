//! The stores of the ledger against real databases: SQLite in temporary folders, Postgres in servers of their own. Each fault costs
//! time only, and what was committed is there afterwards.
//!
//! Not here: what follows from a row (`core::ledger`), and events (the kill table, the model).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "tls/authority.rs"]
#[allow(dead_code, reason = "of the tests of TLS, which use all of it")]
mod authority;
#[path = "ledger/both.rs"]
mod both;
#[path = "ledger/faults.rs"]
mod faults;
#[path = "ledger/files.rs"]
mod files;
#[path = "ledger/servers.rs"]
mod servers;
#[path = "ledger/stage.rs"]
mod stage;
#[path = "ledger/trace.rs"]
mod trace;
#[path = "ledger/wire.rs"]
mod wire;
