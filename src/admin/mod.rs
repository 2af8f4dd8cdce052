//! The admin server: health checks, metrics and the status page over HTTP, and the commands to pause and resume.
//!
//! Not here: anything else that changes what the daemon does.

mod admission;
pub mod health;
mod page;
pub mod pause;
pub mod query;
pub mod resume;
pub mod server;
pub mod status;

use std::net::SocketAddr;

use crate::secret::SecretSource;

pub use admission::CONNECTIONS_MAX;

/// What the admin server needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What an operator shows who pauses and resumes; without one, nobody can.
    pub token: Option<SecretSource>,
}
