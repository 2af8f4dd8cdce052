//! The URLs: what they must hold, and what must not stand in them.
//!
//! Not here: connecting. No text of this file repeats a URL, for it may hold a password.

use reqwest::Url;

use super::hosts;
use super::values::{self, Given, NAME_BYTES_MAX, Wrong, wrong};
use crate::amqp::address::Address;

const BROKER: &str = "amqps://user@host/vhost";
const API: &str = "https://host";
const MANAGEMENT: &str = "https://host:15671";
const COLLECTOR: &str = "http://host:4318";
const PROXY: &str = "http://host:port";

/// An AMQP URL with user and host, without password and query; and where it leads.
pub(super) fn broker(given: &Given) -> Result<(String, Address), Wrong> {
    let text = values::text(given)?;
    hosts::zone(&text)?;
    let url = parsed(&text, BROKER)?;
    schemes(&url, ["amqp", "amqps"])?;
    if url.password().is_some() {
        return Err(wrong("holds a password", "it in broker.password_file instead"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("names no host", BROKER));
    }
    if url.username().is_empty() {
        return Err(wrong("names no user", BROKER));
    }
    bare(&url, "the settings as keys of [broker] instead")?;
    let vhost = url.path().trim_start_matches('/');
    if vhost.contains('/') || vhost.len() > NAME_BYTES_MAX {
        return Err(wrong("has a path that is not one virtual host", "%2F for each '/' in its name"));
    }
    let address = hosts::of_url(&url)?;
    Ok((text, address))
}

/// An HTTP URL with host and perhaps a path prefix, without a trailing slash.
pub(super) fn api(given: &Given) -> Result<Url, Wrong> {
    let mut url = parsed(&values::text(given)?, API)?;
    schemes(&url, ["https", "http"])?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user or a password", "the token in api.token_file instead"));
    }
    bare(&url, API)?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The URL of the management API, perhaps with a path prefix, without a trailing slash.
pub(super) fn management(given: &Given) -> Result<Url, Wrong> {
    let mut url = parsed(&values::text(given)?, MANAGEMENT)?;
    schemes(&url, ["https", "http"])?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user or a password", "them in broker.management.user and its password_file"));
    }
    bare(&url, MANAGEMENT)?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The URL of a collector of traces, perhaps with a path prefix, without a trailing slash.
pub(super) fn collector(given: &Given) -> Result<Url, Wrong> {
    let mut url = parsed(&values::text(given)?, COLLECTOR)?;
    schemes(&url, ["http", "https"])?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user or a password", "a collector beside the daemon that adds them"));
    }
    bare(&url, COLLECTOR)?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The URL of a proxy: scheme, host and port, without a user or a password, which stand beside it.
pub(super) fn proxy(given: &Given) -> Result<Url, Wrong> {
    let url = parsed(&values::text(given)?, PROXY)?;
    schemes(&url, ["http", "https"])?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user or a password", "api.proxy_user and api.proxy_password_file beside it"));
    }
    bare(&url, PROXY)?;
    if url.path() != "/" {
        return Err(wrong("has a path", PROXY));
    }
    Ok(url)
}

/// Whether this URL leads to the machine itself.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether this is the text of an AMQP URL without TLS.
pub(super) fn is_plain(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.scheme() == "amqp")
}

fn parsed(text: &str, expected: &str) -> Result<Url, Wrong> {
    Url::parse(text).map_err(|error| wrong(format!("is not a URL: {error}"), expected))
}

fn schemes(url: &Url, allowed: [&str; 2]) -> Result<(), Wrong> {
    if allowed.contains(&url.scheme()) && !url.cannot_be_a_base() {
        return Ok(());
    }
    Err(wrong("is of another scheme", format!("{}:// or {}://", allowed[0], allowed[1])))
}

fn bare(url: &Url, expected: &str) -> Result<(), Wrong> {
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query or a fragment", expected));
    }
    Ok(())
}
