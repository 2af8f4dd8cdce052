//! The pooled HTTP client of the API: how it connects, whom it trusts, and how long anything may take.
//!
//! Not here: what is asked (`create`), how answers are read (`answer`), and any repeat: one call is one request.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT as USER_AGENT_HEADER};
use reqwest::{Certificate, Url};

use super::Config;
use crate::config::secret::SecretSource;

const USER_AGENT: &str = concat!("chakra-bridge/", env!("CARGO_PKG_VERSION"));

/// How long a connection without a request is kept. Shorter than the usual limits of servers, of which 5 seconds is
/// the shortest: a request that meets a connection just closed by its server may have been read, and is never
/// simply repeated.
const IDLE: Duration = Duration::from_secs(4);

/// The far shore. Cheap to clone: clones share one pool of connections.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) http: reqwest::Client,
    pub(super) base_url: Url,
    pub(super) token: SecretSource,
    pub(super) timeout: Duration,
    pub(super) max_reply: usize,
}

impl Client {
    /// Makes a client. Connects to nothing and reads no token yet.
    ///
    /// # Errors
    /// Says in words what is wrong with the base URL or the file of certificate authorities, or that the system's
    /// trust store cannot be used.
    pub fn new(config: &Config) -> Result<Self, String> {
        check_base_url(&config.base_url)?;
        // Fails only where a provider is installed already, which then serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let authorities = config.ca_file.as_deref().map(authorities).transpose()?.unwrap_or_default();
        Ok(Self {
            http: connect(config, authorities)?,
            base_url: config.base_url.clone(),
            token: config.token.clone(),
            timeout: config.timeout,
            max_reply: config.max_reply,
        })
    }
}

/// The headers of every request beside the token.
pub(super) fn headers() -> HeaderMap {
    let (json, agent) = (HeaderValue::from_static("application/json"), HeaderValue::from_static(USER_AGENT));
    HeaderMap::from_iter([(ACCEPT, json.clone()), (CONTENT_TYPE, json), (USER_AGENT_HEADER, agent)])
}

/// Every option that a default could turn into a second request, another host or an endless wait is written down.
fn connect(config: &Config, authorities: Vec<Certificate>) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder();
    let trusting = match config.base_url.scheme() {
        // Without TLS nothing is trusted, and a system without a trust store will do.
        "http" => builder.tls_certs_only(authorities),
        _ => builder.tls_certs_merge(authorities),
    };
    trusting
        .default_headers(headers())
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(config.connect_timeout)
        .timeout(config.timeout)
        .pool_idle_timeout(IDLE)
        .build()
        .map_err(|error| super::failure::in_words(&error.without_url()))
}

/// Credentials in the URL would send a second `Authorization` header; a query would end up inside the path.
fn check_base_url(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("the base URL is not an http:// or https:// URL with a host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the base URL holds a user or a password; the API takes only its token".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the base URL holds a query or a fragment".to_owned());
    }
    Ok(())
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, String> {
    let name = file.display();
    let pem = std::fs::read(file).map_err(|error| format!("{name}: {error}"))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if found.is_empty() => Err(format!("{name}: no certificate in PEM form in it")),
        Ok(found) => Ok(found),
        Err(_) => Err(format!("{name}: not certificates in PEM form")),
    }
}
