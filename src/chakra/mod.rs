//! The client of the ChakraHQ API, over HTTP.
//!
//! Not here: AMQP, what an answer means (`core::judge`), retries, waits.

mod answer;
mod client;
mod create;
mod encoding;
mod error_text;
mod failure;
mod fetch_config;
mod lookup;
mod photo;
mod reuse;
mod send;
#[cfg(test)]
mod tests;
pub mod token;
pub mod trust;

pub use client::Client;
pub use create::{RequestParts, request_parts};
pub use photo::Upload;

use std::time::Duration;

use crate::secret::SecretSource;
use crate::tls;

/// The configuration of the API client.
#[derive(Clone, Debug)]
pub struct Config {
    /// Scheme, host and optional port and path prefix, without a trailing slash.
    pub base_url: reqwest::Url,
    /// The access token.
    pub token: SecretSource,
    /// The longest a whole request may take, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// The longest connecting may take; shorter than `timeout`.
    pub connect_timeout: Duration,
    /// The most of an answer that is read, in bytes.
    pub max_reply: usize,
    /// Whom to trust beside the system's authorities, and what to show to a server that asks.
    pub tls: tls::Files,
    /// The way to the API, if it is not a direct one: `http://` or `https://`, host and port, and no password.
    pub proxy: Option<reqwest::Url>,
    /// The user and the password that the proxy wants, if it wants one.
    pub proxy_login: Option<(String, SecretSource)>,
}
