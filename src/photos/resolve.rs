//! The addresses of a host. What is not of the public network is taken out before anybody connects, and the connection goes to the
//! very addresses that were looked at: no name is resolved a second time.
//!
//! Not here: which addresses these are (`address`).

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Resolves the hosts of pictures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver {
    /// Whether addresses of our own networks are taken as well.
    pub(super) private_addresses: bool,
}

/// A host whose addresses are all of our own networks.
#[derive(Debug)]
pub(super) struct Inside;

impl fmt::Display for Inside {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("its host has no address of the public network")
    }
}

impl Error for Inside {}

impl Resolver {
    /// What is left of addresses.
    pub(super) fn good(self, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, Inside> {
        let mut is_any = false;
        let good: Vec<SocketAddr> =
            found.inspect(|_| is_any = true).filter(|it| self.private_addresses || is_public(it.ip())).collect();
        if is_any && good.is_empty() { Err(Inside) } else { Ok(good) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = *self;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let good = resolver.good(found.into_iter())?;
            if good.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            let addresses: Addrs = Box::new(good.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_addresses_of_a_host_only_public_ones_are_left_and_a_host_without_any_is_refused() {
        let found =
            || ["10.0.0.1:0", "1.1.1.1:0", "[::1]:0"].map(|text| text.parse::<SocketAddr>().unwrap()).into_iter();
        let resolver = Resolver { private_addresses: false };
        assert_eq!(resolver.good(found()).unwrap(), ["1.1.1.1:0".parse().unwrap()]);
        assert!(resolver.good(found().take(1)).is_err());
        assert_eq!(
            Resolver { private_addresses: true }.good(found()).unwrap().len(),
            3,
            "for those who host their own"
        );
    }
}
