//! Which links are followed, as far as a link itself says.
//!
//! Not here: what its host leads to (`resolve`).

use std::net::IpAddr;

use reqwest::Url;

use super::Config;
use super::address::is_public;
use crate::core::photo::Missed;

impl Config {
    /// The URL of a link that may be followed, as far as the link says; `what` it is, in words. Whatever is asked is this very value:
    /// nobody reads the text twice.
    ///
    /// # Errors
    /// [`Missed::NotAllowed`], in words without the link.
    pub fn allowed(&self, link: &str, what: &str) -> Result<Url, Missed> {
        let refused = |words: String| Missed::NotAllowed(words);
        let url = Url::parse(link).map_err(|_| refused(format!("{what} is no link")))?;
        if url.scheme() != "https" {
            return Err(refused(format!("{what} is no https:// link")));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused(format!("{what} holds a user or a password")));
        }
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        if !self.allow.has(host, port) {
            let at = if port == 443 { String::new() } else { format!(":{port}") };
            return Err(refused(format!("{what} is of the host {host}{at}, which photos.allow does not name")));
        }
        // An address that is written out is resolved by nobody.
        let written: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        if written.is_some_and(|address| !self.private_addresses && !is_public(address)) {
            return Err(refused(format!("{what} is of an address of our own networks")));
        }
        Ok(url)
    }
}
