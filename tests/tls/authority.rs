//! Certificate authorities, and what they sign.
//!
//! Not here: who shows it to whom.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;

/// One authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
pub struct Identity {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        self.0.as_ref().pem()
    }

    /// For a server of that host name.
    pub fn server(&self, name: &str) -> Identity {
        self.until(name, 2099)
    }

    /// For a server of that host name, expired long ago.
    pub fn expired(&self, name: &str) -> Identity {
        self.until(name, 2020)
    }

    /// For a client.
    pub fn client(&self) -> Identity {
        self.until("chakra-bridge", 2099)
    }

    fn until(&self, name: &str, year: i32) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(year, 1, 1));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        Identity { cert: params.signed_by(&key, &*self.0).unwrap().pem(), key: key.serialize_pem() }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.as_ref().der().clone()).unwrap();
        roots
    }
}

/// A server that shows this, and that demands a certificate of that authority, if any.
pub fn server(identity: &Identity, demanded: Option<&Authority>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let certs: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(identity.cert.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let builder = match demanded {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authority.roots()), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    builder.with_single_cert(certs.unwrap(), key).unwrap()
}

/// A folder of PEM files.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts a text in the place of a file at once, as those who rotate files do.
    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let (next, path) = (self.path().join("next"), self.path().join(name));
        std::fs::write(&next, text).unwrap();
        std::fs::rename(&next, &path).unwrap();
        path
    }

    /// What a broker shows, and whose clients it takes.
    pub fn put_server(&self, authority: &Authority, identity: &Identity) {
        self.put("ca.pem", &authority.pem());
        self.put("server.pem", &identity.cert);
        self.put("server.key", &identity.key);
    }

    /// What a daemon shows; answers its two lines of the configuration.
    pub fn put_client(&self, identity: &Identity) -> String {
        let (cert, key) = (self.put("client.pem", &identity.cert), self.put("client.key", &identity.key));
        format!("client_cert_file = \"{}\"\nclient_key_file = \"{}\"", cert.display(), key.display())
    }

    /// Whom a daemon trusts; answers its line of the configuration.
    pub fn put_trusted(&self, authority: &Authority) -> String {
        format!("ca_file = \"{}\"", self.put("trusted.pem", &authority.pem()).display())
    }
}
