//! TLS to both sides, by real certificates: what is wrong is said in words that name the key to look at, costs events
//! only time, and is mended while the daemon runs.
//!
//! Not here: what each file may hold (`tls::files`), and how each error is told from another (`chakra::tests::tls`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "tls/api.rs"]
mod api;
#[path = "tls/authority.rs"]
mod authority;
#[path = "tls/broker.rs"]
mod broker;
#[path = "tls/front.rs"]
mod front;
