//! The addresses of brokers: which texts can be meant, and which cannot.
//!
//! Not here: the rest of a URL (`urls`). No text of this file repeats a URL, for it may hold a password.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use super::values::{Given, Wrong, wrong};
use crate::amqp::address::Address;

const EXPECTED: &str = "a host name, an IPv4 address, or an IPv6 address in brackets";
const ENTRY: &str = "a host and perhaps its port, such as \"rabbit-2.internal:5671\"";
const ZONE: &str = "a name, or an address without a zone: the client library takes none";
/// The longest name that the name service takes, in bytes.
const NAME_MAX: usize = 253;

/// Where this URL leads.
pub(super) fn of_url(url: &Url) -> Result<Address, Wrong> {
    let port = url.port().unwrap_or(if url.scheme() == "amqps" { 5671 } else { 5672 });
    if port == 0 {
        return Err(wrong("names port 0", "the port that the broker listens on"));
    }
    Ok(Address { host: host(url.host_str().unwrap_or_default())?, port })
}

/// Whether the text names a zone of IPv6, which no URL may hold.
pub(super) fn zone(text: &str) -> Result<(), Wrong> {
    let inner = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(inner, _)| inner);
    if inner.contains('%') { Err(wrong("names an IPv6 address with a zone", ZONE)) } else { Ok(()) }
}

/// Further addresses; one without a port has that of the URL.
pub(super) fn list(given: &Given, port: u16) -> Result<Vec<Address>, Wrong> {
    given.as_list("a list of hosts")?.into_iter().map(|entry| one(entry, port)).collect()
}

fn one(entry: &str, port: u16) -> Result<Address, Wrong> {
    if entry.contains(['@', '/', '?', '#']) {
        return Err(wrong("holds more than hosts: scheme, user and virtual host stand in broker.url", ENTRY));
    }
    let bare = entry.parse::<Ipv6Addr>().map(|address| format!("[{address}]"));
    let text = bare.unwrap_or_else(|_| entry.to_owned());
    zone(&text)?;
    let url = Url::parse(&format!("amqp://{text}"));
    let url = url.map_err(|error| wrong(format!("{entry:?} is no address: {error}"), ENTRY))?;
    let address = of_url(&url)?;
    Ok(if url.port().is_some() { address } else { Address { port, ..address } })
}

/// The host of a URL, as one connects to it.
fn host(written: &str) -> Result<String, Wrong> {
    if let Some(inner) = written.strip_prefix('[') {
        let address = inner.trim_end_matches(']').parse().map_err(|_| wrong("names no IPv6 address", EXPECTED))?;
        return of_ipv6(address);
    }
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
    if written.is_empty() || written.len() > NAME_MAX || !written.chars().all(is_plain) {
        return Err(wrong("names a host that no name service knows", EXPECTED));
    }
    if written.chars().all(|letter| letter.is_ascii_digit() || letter == '.') {
        let address: Ipv4Addr = written.parse().map_err(|_| wrong("names no whole IPv4 address", EXPECTED))?;
        return one_that_is_meant(address.into()).map(|()| address.to_string());
    }
    Ok(written.to_ascii_lowercase())
}

fn of_ipv6(address: Ipv6Addr) -> Result<String, Wrong> {
    if address.is_unicast_link_local() {
        return Err(wrong("names a link-local address, which means nothing without a zone", ZONE));
    }
    one_that_is_meant(address.into()).map(|()| address.to_string())
}

/// One listens on any address, and connects to one.
fn one_that_is_meant(address: IpAddr) -> Result<(), Wrong> {
    if address.is_unspecified() || address.is_multicast() {
        return Err(wrong("names an address that nobody can be reached by", EXPECTED));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_of(url: &str) -> Result<String, String> {
        let read = zone(url).and_then(|()| of_url(&Url::parse(url).unwrap()));
        read.map(|address| address.to_string()).map_err(|wrong| wrong.what)
    }

    #[test]
    fn an_address_leads_where_it_is_written_and_nowhere_else() {
        for (url, address) in [
            ("amqp://u@[::1]:5700/v", "[::1]:5700"),
            ("amqps://u@[FD00::0001]/v", "[fd00::1]:5671"),
            ("amqp://u@[::ffff:10.0.0.1]/v", "[::ffff:10.0.0.1]:5672"),
            ("amqp://u@10.0.0.1/v", "10.0.0.1:5672"),
            ("amqps://u@RABBIT.Internal/v", "rabbit.internal:5671"),
            ("amqp://u@rabbit_1-a:1/v", "rabbit_1-a:1"),
        ] {
            assert_eq!(host_of(url).as_deref(), Ok(address), "{url}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_meant_is_refused() {
        for (host, what) in [
            ("[fe80::1%25eth0]", "with a zone"),
            ("[fe80::1]", "link-local"),
            ("[::]", "nobody can be reached"),
            ("0.0.0.0", "nobody can be reached"),
            ("0", "no whole IPv4 address"),
            ("127.1", "no whole IPv4 address"),
            ("fd00%3A%3A1", "no name service"),
            ("b\u{f6}se", "no name service"),
            ("a,b", "no name service"),
            ("rabbit:0", "port 0"),
        ] {
            let said = host_of(&format!("amqp://u@{host}/v"));
            assert!(said.as_ref().is_err_and(|said| said.contains(what)), "{host}: {said:?}");
        }
    }
}
