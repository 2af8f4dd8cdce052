//! Where a broker listens: a host and a port.
//!
//! Not here: reading them from the configuration (`config`), and connecting (`connection`).

use std::fmt;
use std::net::IpAddr;

use lapin::uri::AMQPUri;

/// Where a broker listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name, or an IP address without brackets: as the certificate names it.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    /// Whether it leads to the machine itself.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(out, "[{host}]:{port}") } else { write!(out, "{host}:{port}") }
    }
}

/// The user and the virtual host of an AMQP URL; both empty where it is none.
#[must_use]
pub fn user_and_vhost(url: &str) -> (String, String) {
    let read = url.parse::<AMQPUri>().map(|uri| (uri.authority.userinfo.username, uri.vhost));
    read.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_virtual_host_of_a_url_is_decoded_and_that_of_no_path_is_the_default_one() {
        let of = |url| user_and_vhost(url).1;
        assert_eq!(
            ["amqp://a@h/crm", "amqp://a@h/%2Fcrm", "amqp://a@h", "amqp://a@[::1]/%2f"].map(of),
            ["crm", "/crm", "/", "/"]
        );
        assert_eq!(user_and_vhost("amqp://bridge@h/crm").0, "bridge");
        assert_eq!(of("nonsense"), "");
    }

    #[test]
    fn an_address_of_ipv6_is_shown_in_brackets_and_known_as_loopback() {
        let of = |host: &str| Address { host: host.to_owned(), port: 5672 };
        let all = ["::1", "127.0.0.1", "localhost", "rabbit", "fd00::1"].map(of);
        let shown = all.each_ref().map(ToString::to_string);
        assert_eq!(shown, ["[::1]:5672", "127.0.0.1:5672", "localhost:5672", "rabbit:5672", "[fd00::1]:5672"]);
        assert_eq!(all.map(|address| address.is_loopback()), [true, true, true, false, false]);
    }
}
