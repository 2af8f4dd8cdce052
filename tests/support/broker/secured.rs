//! TLS for a private node or container: the settings of a second listener beside the plain one.
//!
//! Not here: certificates; a test makes them, and changes them.

use std::path::{Path, PathBuf};

use super::ports;

/// The ports of AMQP and of the management API with TLS inside a container.
pub(super) const INSIDE: [u16; 2] = [5671, 15671];
/// Where a container reads the settings, and its files.
pub(super) const SETTINGS: &str = "/etc/rabbitmq/conf.d/90-tls.conf";
const FOLDER: &str = "/etc/rabbitmq/tls";
const FILES: [&str; 3] = ["ca.pem", "server.pem", "server.key"];

/// What a node listens with. Its folder holds `ca.pem`, `server.pem` and `server.key`, read by the node at its start.
#[derive(Clone)]
pub struct Tls {
    folder: PathBuf,
    /// Whether clients must show a certificate that `ca.pem` signed.
    demands: bool,
    /// The port.
    pub port: u16,
    /// The port of the management API with TLS, which demands nothing of clients.
    pub https: u16,
}

impl Tls {
    /// On free ports.
    pub fn new(folder: &Path, demands: bool) -> Self {
        let [port, https] = ports::free();
        Self { folder: folder.to_owned(), demands, port, https }
    }

    /// The lines of `rabbitmq.conf` for a node here.
    pub fn settings(&self) -> String {
        self.lines("127.0.0.1", [self.port, self.https], &self.folder)
    }

    /// The same for one in a container, where the plain port of the management API has to be named beside the other.
    pub(super) fn settings_inside(&self) -> String {
        format!("management.tcp.port = 15672\n{}", self.lines("0.0.0.0", INSIDE, Path::new(FOLDER)))
    }

    /// Where each of its files is in a container, and here.
    pub(super) fn files(&self) -> [(String, PathBuf); 3] {
        FILES.map(|name| (format!("{FOLDER}/{name}"), self.folder.join(name)))
    }

    fn lines(&self, ip: &str, [port, https]: [u16; 2], folder: &Path) -> String {
        let [ca, cert, key] = FILES.map(|name| folder.join(name).display().to_string());
        let verify = if self.demands { "verify_peer" } else { "verify_none" };
        format!(
            "listeners.ssl.1 = {ip}:{port}\n\
             ssl_options.cacertfile = {ca}\n\
             ssl_options.certfile = {cert}\n\
             ssl_options.keyfile = {key}\n\
             ssl_options.verify = {verify}\n\
             ssl_options.fail_if_no_peer_cert = {demands}\n\
             management.ssl.ip = {ip}\n\
             management.ssl.port = {https}\n\
             management.ssl.cacertfile = {ca}\n\
             management.ssl.certfile = {cert}\n\
             management.ssl.keyfile = {key}\n",
            demands = self.demands,
        )
    }
}
