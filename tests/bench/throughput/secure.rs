//! TLS on both sides, of one authority that the bench makes: a listener of the broker, and a front before the stand-in of the API.
//!
//! Not here: who runs (`runner`), and what certificates that are wrong do (`tests/tls`).

use std::net::SocketAddr;
use std::path::PathBuf;

use super::authority::{Authority, Folder, server};
use super::front::Front;
use crate::support::broker::Broker;

/// The name in the certificates.
const HOST: &str = "localhost";

pub struct Secure {
    authority: Authority,
    /// Holds the files that the broker reads, and whom the programs trust.
    folder: Folder,
    port: u16,
}

impl Secure {
    /// A broker that has a second listener, with TLS.
    pub async fn broker() -> (Broker, Self) {
        // The front is built without a provider of its own.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (authority, folder) = (Authority::new("the authority of a bench"), Folder::new());
        folder.put_server(&authority, &authority.server(HOST));
        let secured = Broker::secured(folder.path(), false).await;
        let (broker, tls) = secured.expect("an installed RabbitMQ: an engine alone makes no listener with TLS");
        (broker, Self { authority, folder, port: tls.port })
    }

    /// The same place by way of TLS.
    pub fn amqp(&self, url: &str) -> String {
        let mut url = reqwest::Url::parse(&url.replace("amqp://", "amqps://")).expect("a URL");
        url.set_host(Some(HOST)).expect("a host");
        url.set_port(Some(self.port)).expect("a port");
        url.into()
    }

    pub async fn front(&self, api: SocketAddr) -> (String, Front) {
        let front = Front::before(api, server(&self.authority.server(HOST), None)).await;
        (front.url(HOST), front)
    }

    /// Whom the programs trust.
    pub fn trusted(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}
