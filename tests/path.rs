//! The path with real sockets: the dispatcher between Receipt pairs and the stand-in of the API.
//!
//! Not here: a broker (`broker.rs`), and the tables of the pure functions (beside the code).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "path/configuration.rs"]
mod configuration;
#[path = "path/copies.rs"]
mod copies;
#[path = "path/delays.rs"]
mod delays;
#[path = "path/dispatcher.rs"]
mod dispatcher;
#[path = "path/gate.rs"]
mod gate;
#[path = "path/held_rules.rs"]
mod held_rules;
#[path = "path/http.rs"]
mod http;
#[path = "path/lookups.rs"]
mod lookups;
#[path = "path/reloads.rs"]
mod reloads;
#[path = "path/request_limits.rs"]
mod request_limits;
#[path = "path/results.rs"]
mod results;
#[path = "path/stopping.rs"]
mod stopping;
#[path = "path/verbatim.rs"]
mod verbatim;
