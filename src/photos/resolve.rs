//! The addresses of a host. What is not of the public network is taken out before anybody connects, and the connection goes to the
//! very addresses that were looked at: no name is resolved a second time. Each lookup of it is judged by itself, so that a name which leads
//! elsewhere the next time leads nowhere.
//!
//! Not here: which addresses these are (`address`).

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Resolves the hosts of pictures.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    /// Whether addresses of our own networks are taken as well.
    private_addresses: bool,
    names: Names,
}

/// Who knows the addresses of a name.
#[derive(Clone, Debug, Default)]
enum Names {
    #[default]
    System,
    #[cfg(test)]
    Given(std::sync::Arc<tests::Given>),
}

impl Names {
    async fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.collect()),
            #[cfg(test)]
            Self::Given(given) => Ok(given.next()),
        }
    }
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
    pub(super) fn new(private_addresses: bool) -> Self {
        Self { private_addresses, names: Names::default() }
    }

    /// What is left of addresses.
    fn good(&self, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, Inside> {
        let mut is_any = false;
        let good: Vec<SocketAddr> =
            found.inspect(|_| is_any = true).filter(|it| self.private_addresses || is_public(it.ip())).collect();
        if is_any && good.is_empty() { Err(Inside) } else { Ok(good) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.names.look_up(name.as_str()).await?;
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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::core::photo::Missed;
    use crate::photos::failure::failed;
    use crate::{http_client, tls};

    /// What a name leads to: at the first look-up, at the second, and so on.
    #[derive(Debug)]
    pub(super) struct Given {
        addresses: Vec<SocketAddr>,
        asked: AtomicUsize,
    }

    impl Given {
        pub(super) fn next(&self) -> Vec<SocketAddr> {
            let at = self.asked.fetch_add(1, Ordering::SeqCst);
            self.addresses.get(at).copied().into_iter().collect()
        }
    }

    fn resolver(private_addresses: bool, addresses: &[&str]) -> (Resolver, Arc<Given>) {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let given = Arc::new(Given { addresses, asked: AtomicUsize::new(0) });
        (Resolver { private_addresses, names: Names::Given(Arc::clone(&given)) }, given)
    }

    /// Asks a host of this port once, over a connection of its own.
    async fn ask(resolver: &Resolver, port: u16) -> reqwest::Result<u16> {
        let builder = http_client::builder(&tls::Held::default(), false)?;
        let client = builder.dns_resolver(resolver.clone()).timeout(Duration::from_secs(10)).build()?;
        let answer = client.get(format!("http://pictures.example:{port}/")).send().await?;
        Ok(answer.status().as_u16())
    }

    async fn serve(listener: &TcpListener, status: &str) {
        let (mut near, _) = listener.accept().await.unwrap();
        near.read_u8().await.unwrap();
        near.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_goes_to_the_very_address_that_was_looked_at_and_its_name_is_resolved_once() {
        let one = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = one.local_addr().unwrap().port();
        let other = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
        let (resolver, given) = resolver(true, &["127.0.0.2:0", "127.0.0.1:0"]);
        for (listener, status, looked) in [(&other, "202 Other", 1), (&one, "201 One", 2)] {
            let both = async { tokio::join!(ask(&resolver, port), serve(listener, status)) };
            let (answer, ()) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
            assert!(status.starts_with(&answer.unwrap().to_string()), "{status}");
            assert_eq!(given.asked.load(Ordering::SeqCst), looked);
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_the_second_time_leads_nowhere() {
        let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (resolver, given) = resolver(false, &["1.1.1.1:0", "127.0.0.1:0", "127.0.0.1:0"]);
        let name = || "pictures.example".parse::<Name>().unwrap();
        let first: Vec<SocketAddr> = resolver.resolve(name()).await.unwrap().collect();
        assert_eq!(first, ["1.1.1.1:0".parse().unwrap()], "what was looked at, and nothing else");
        assert!(resolver.resolve(name()).await.is_err_and(|why| why.is::<Inside>()));
        let asked = ask(&resolver, inside.local_addr().unwrap().port());
        let refused = tokio::select! {
            biased;
            _ = inside.accept() => panic!("it was asked"),
            refused = asked => refused.unwrap_err(),
        };
        assert!(matches!(failed(&refused), Missed::NotAllowed(why) if why.contains("photos.addresses")));
        assert_eq!(given.asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_name_that_leads_nowhere_is_said_to_and_no_more_of_the_link_is_than_that() {
        let (resolver, _) = resolver(true, &[]);
        let refused = ask(&resolver, 1).await.unwrap_err();
        let Missed::Failed { detail: Some(detail), .. } = failed(&refused) else { panic!("{refused:?}") };
        assert!(detail.contains("dns error") && !detail.contains("http"), "{detail}");
    }

    #[test]
    fn of_the_addresses_of_a_host_only_public_ones_are_left_and_a_host_without_any_is_refused() {
        let found =
            || ["10.0.0.1:0", "1.1.1.1:0", "[::1]:0"].map(|text| text.parse::<SocketAddr>().unwrap()).into_iter();
        let resolver = Resolver::new(false);
        assert_eq!(resolver.good(found()).unwrap(), ["1.1.1.1:0".parse().unwrap()]);
        assert!(resolver.good(found().take(1)).is_err());
        assert_eq!(Resolver::new(true).good(found()).unwrap().len(), 3, "for those who host their own");
    }
}
