//! The window: probes and metrics over HTTP, read-only.
//!
//! Not here: anything that changes what the daemon does.

pub mod health;
pub mod metrics;
pub mod server;

use std::net::SocketAddr;

/// What the window needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
}
