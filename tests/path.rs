//! The path with real sockets: the corridor between Receipt pairs and the stand-in of the API.
//!
//! Not here: a broker (`broker.rs`), and the tables of the pure functions (beside the code).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "path/copies.rs"]
mod copies;
#[path = "path/corridor.rs"]
mod corridor;
#[path = "path/fates.rs"]
mod fates;
#[path = "path/gate.rs"]
mod gate;
#[path = "path/looks.rs"]
mod looks;
#[path = "path/pace.rs"]
mod pace;
#[path = "path/parks.rs"]
mod parks;
#[path = "path/reloads.rs"]
mod reloads;
#[path = "path/stopping.rs"]
mod stopping;
#[path = "path/verbatim.rs"]
mod verbatim;
