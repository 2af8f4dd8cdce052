//! Fetching pictures from where events say they are. The links were written by others: what may be asked, at which address, for how
//! long and how much is bounded here.
//!
//! Not here: the API and its token, which no source is ever shown, what follows from a picture that cannot be had (`core`), and how
//! many are fetched at once (`core::delivery`).

mod address;
mod allowed;
mod failure;
mod fetch;
mod picture;
mod resolve;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use fetch::Fetcher;
pub use picture::Picture;

use crate::core::photo::Allowed;
use crate::tls;

/// The largest picture taken where nothing else is said, in bytes.
pub const SIZE_DEFAULT: u64 = 10 << 20;

/// How pictures are fetched.
#[derive(Clone, Debug)]
pub struct Config {
    /// The hosts that they may come from.
    pub allow: Allowed,
    /// Whether these hosts may have addresses of our own networks.
    pub private_addresses: bool,
    /// The largest picture taken, in bytes.
    pub max_size: u64,
    /// The longest that one may take, from the resolving of its host to its last byte.
    pub timeout: Duration,
    /// Whom to trust beside the system's authorities.
    pub tls: tls::Files,
    /// The way to the hosts, if it is not a direct one. Through it nobody here sees an address: the list alone protects.
    pub proxy: Option<reqwest::Url>,
}
