//! The files of certificates and of a key that one connection is given, read and checked before anybody connects with them.
//!
//! Not here: when they are read again (`files`).

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::files::{self, Seen};

/// The most that a file of certificates may hold, in bytes: a system's whole bundle of authorities is 200 KiB.
const CERTIFICATES_MAX: usize = 4 * 1024 * 1024;

/// Which files there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The section of the configuration that names them: its keys are `ca_file`, `client_cert_file`, `client_key_file`.
    pub section: &'static str,
    /// PEM file of certificate authorities, beside those of the system.
    pub authorities: Option<PathBuf>,
    /// PEM files of our own certificate with its chain, and of its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// What the files hold: PEM texts that have been checked. The key does not print.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Certificate authorities, at least one.
    pub authorities: Option<String>,
    /// Our own certificate with its chain, and its key.
    pub identity: Option<(String, String)>,
}

/// What is wrong with one of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The key that names it, such as `broker.ca_file`.
    pub key: String,
    /// What is wrong, beginning with the path.
    pub what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.key, self.what)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (authorities, identity) = (self.authorities.is_some(), self.identity.is_some());
        out.debug_struct("Held").field("authorities", &authorities).field("identity", &identity).finish()
    }
}

impl Files {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.authorities.is_none() && self.identity.is_none()
    }

    /// Reads and checks them all, on a thread that may wait.
    ///
    /// # Errors
    /// As [`Files::read_now`].
    pub async fn read(&self) -> Result<Held, Wrong> {
        if self.is_empty() {
            return Ok(Held::default());
        }
        let (files, key) = (self.clone(), self.key("ca_file"));
        let read = tokio::task::spawn_blocking(move || files.read_now()).await;
        read.unwrap_or_else(|error| Err(Wrong { key, what: format!("cannot be read: {error}") }))
    }

    /// Reads and checks them all: for the start, when nothing runs yet that could be held up.
    ///
    /// # Errors
    /// The first file that cannot be read, holds something else, or does not go with the other.
    pub fn read_now(&self) -> Result<Held, Wrong> {
        let authorities = self.authorities.as_deref().map(|path| self.authorities_in(path)).transpose()?;
        let identity = self.identity.as_ref().map(|(cert, key)| self.identity_in(cert, key)).transpose()?;
        Ok(Held { authorities, identity })
    }

    /// The files, with what was read from them: where a watch of them begins.
    #[must_use]
    pub fn seen(&self, held: &Held) -> Seen {
        let authorities = self.authorities.iter().zip(&held.authorities);
        let identity = self.identity.iter().zip(&held.identity);
        let identity = identity.flat_map(|((cert, key), (cert_text, key_text))| [(cert, cert_text), (key, key_text)]);
        let files = authorities.chain(identity);
        files.fold(Seen::default(), |seen, (path, text)| seen.with(path, Some(text.as_bytes())))
    }

    fn authorities_in(&self, path: &Path) -> Result<String, Wrong> {
        let wrong = |what: String| self.wrong("ca_file", path, what);
        let text = text(path, CERTIFICATES_MAX).map_err(wrong)?;
        let mut store = RootCertStore::empty();
        for certificate in certificates(&text).map_err(wrong)? {
            store.add(certificate).map_err(|error| wrong(format!("holds a certificate that is none: {error}")))?;
        }
        Ok(text)
    }

    fn identity_in(&self, cert: &Path, key: &Path) -> Result<(String, String), Wrong> {
        let (wrong_cert, wrong_key) = (
            |what: String| self.wrong("client_cert_file", cert, what),
            |what: String| self.wrong("client_key_file", key, what),
        );
        let cert_text = text(cert, CERTIFICATES_MAX).map_err(wrong_cert)?;
        let key_text = text(key, files::SECRET_MAX).map_err(wrong_key)?;
        let chain = certificates(&cert_text).map_err(wrong_cert)?;
        let secret = PrivateKeyDer::from_pem_slice(key_text.as_bytes()).map_err(|_| {
            wrong_key("no private key in PEM form in it; one with a passphrase cannot be read".to_owned())
        })?;
        match CertifiedKey::from_der(chain, secret, &ring::default_provider()) {
            Ok(_) => Ok((cert_text, key_text)),
            Err(rustls::Error::InconsistentKeys(_)) => {
                let named = format!("is not the key of the certificate in {}.client_cert_file", self.section);
                Err(wrong_key(named))
            }
            Err(error) => Err(wrong_key(format!("the key cannot be used: {error}"))),
        }
    }

    fn wrong(&self, key: &str, path: &Path, what: String) -> Wrong {
        Wrong { key: self.key(key), what: format!("{}: {what}", path.display()) }
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.section)
    }
}

fn text(path: &Path, max: usize) -> Result<String, String> {
    files::read_text(path, max).map_err(|error| error.to_string())
}

/// At least one.
fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err("no certificate in PEM form in it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, KeyPair};
    use tempfile::TempDir;

    use super::*;

    struct Folder(TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn file(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        }

        fn said_of(&self, cert: &str, key: &str) -> String {
            let identity = Some((self.file("cert.pem", cert), self.file("key.pem", key)));
            let files = Files { section: "api", authorities: None, identity };
            files.read_now().map(|_| "good".to_owned()).unwrap_or_else(|wrong| wrong.to_string())
        }
    }

    fn made() -> (String, String) {
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
        (cert.pem(), KeyPair::serialize_pem(&signing_key))
    }

    #[test]
    fn a_certificate_and_its_key_are_good_and_another_key_is_named() {
        let (folder, (cert, key), (_, other)) = (Folder::new(), made(), made());
        assert_eq!(folder.said_of(&cert, &key), "good");
        let words = folder.said_of(&cert, &other);
        assert!(words.starts_with("api.client_key_file: ") && words.contains("key.pem: is not the key"), "{words}");
    }

    #[test]
    fn a_file_that_holds_something_else_is_named_with_its_key() {
        let (folder, (cert, key)) = (Folder::new(), made());
        let words = folder.said_of(&key, &key);
        assert!(words.starts_with("api.client_cert_file: ") && words.contains("no certificate"), "{words}");
        let words = folder.said_of(&cert, &cert);
        assert!(words.starts_with("api.client_key_file: ") && words.contains("no private key"), "{words}");
        let mut files = Files { section: "broker", authorities: Some(folder.file("ca.pem", "")), identity: None };
        for (content, said) in
            [("", "no certificate"), ("nothing of the kind", "no certificate"), (&key, "no certificate")]
        {
            std::fs::write(folder.0.path().join("ca.pem"), content).unwrap();
            let words = files.read_now().unwrap_err().to_string();
            assert!(words.starts_with("broker.ca_file: ") && words.contains(said), "{words}");
        }
        files.authorities = Some(folder.0.path().join("missing.pem"));
        assert!(files.read_now().unwrap_err().to_string().contains("missing.pem: No such file"));
    }

    #[test]
    fn what_is_held_prints_without_the_key() {
        let (folder, (cert, key)) = (Folder::new(), made());
        let identity = Some((folder.file("cert.pem", &cert), folder.file("key.pem", &key)));
        let held = Files { section: "api", authorities: None, identity }.read_now().unwrap();
        assert_eq!(format!("{held:?}"), "Held { authorities: false, identity: true }");
    }
}
