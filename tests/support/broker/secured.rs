//! TLS for a private node: the settings of a second listener beside the plain one.
//!
//! Not here: certificates; a test makes them, and changes them.

use std::path::{Path, PathBuf};

use super::ports;

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

    /// The lines of `rabbitmq.conf`.
    pub fn settings(&self) -> String {
        let file = |name| self.folder.join(name).display().to_string();
        let verify = if self.demands { "verify_peer" } else { "verify_none" };
        format!(
            "listeners.ssl.1 = 127.0.0.1:{port}\n\
             ssl_options.cacertfile = {ca}\n\
             ssl_options.certfile = {cert}\n\
             ssl_options.keyfile = {key}\n\
             ssl_options.verify = {verify}\n\
             ssl_options.fail_if_no_peer_cert = {demands}\n\
             management.ssl.ip = 127.0.0.1\n\
             management.ssl.port = {https}\n\
             management.ssl.cacertfile = {ca}\n\
             management.ssl.certfile = {cert}\n\
             management.ssl.keyfile = {key}\n",
            https = self.https,
            port = self.port,
            demands = self.demands,
            ca = file("ca.pem"),
            cert = file("server.pem"),
            key = file("server.key"),
        )
    }
}
