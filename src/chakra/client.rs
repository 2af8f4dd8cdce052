//! The pooled HTTP client of the API: how it connects, whom it trusts, and how long anything may take.
//!
//! Not here: what is asked (`create`), how answers are read (`answer`), and any repeat: one call is one request.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT as USER_AGENT_HEADER};
use reqwest::{Identity, Proxy, Url};
use tokio::sync::watch;

use super::Config;
use super::reuse::Reuse;
use super::token::Token;
use crate::core::trace_context::TraceContext;
use crate::{http_client, tls};

const USER_AGENT: &str = concat!("chakra-bridge/", env!("CARGO_PKG_VERSION"));

/// How long a connection without a request is kept. Shorter than the usual limits of servers and proxies, of which 2
/// seconds is the shortest that is a default: a request that meets a connection just closed by its server may have been
/// read, and is never simply repeated. Under load a connection is used again much sooner.
const IDLE: Duration = Duration::from_secs(1);

/// The API client. Cheap to clone: clones share one pool of connections.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client in use: another one, once the files of certificates hold others (`trust`).
    pub(super) http: watch::Sender<Http>,
    /// What the first one was made with.
    pub(super) held: Arc<tls::Held>,
    /// Whether requests may share connections now.
    pub(super) reuse: watch::Sender<Reuse>,
    pub(super) base_url: Arc<Url>,
    pub(super) token: Arc<Token>,
    pub(super) timeout: Duration,
    pub(super) max_reply: usize,
    /// The certificate that the API, or a proxy with TLS of its own before it, showed last.
    pub(super) shown: watch::Sender<Vec<u8>>,
    /// What its requests say of the trace that they belong to.
    pub(super) trace: Option<Arc<TraceContext>>,
}

/// The two ways in which requests take connections.
#[derive(Clone, Debug)]
pub(super) struct Http {
    /// On one that is idle, or a new one.
    pub(super) sharing: reqwest::Client,
    /// Each on a new one, closed behind it.
    pub(super) apart: reqwest::Client,
}

impl Client {
    /// Makes a client. Connects to nothing; a token that cannot be read is no error yet.
    ///
    /// # Errors
    /// Says in words what is wrong with the base URL or a file of certificates, or that the system's trust store cannot
    /// be used.
    pub fn new(config: &Config) -> Result<Self, String> {
        check_base_url(&config.base_url)?;
        let held = config.tls.read_now().map_err(|wrong| wrong.to_string())?;
        Ok(Self {
            http: watch::Sender::new(connect(config, &held)?),
            held: Arc::new(held),
            reuse: watch::Sender::new(Reuse::default()),
            base_url: Arc::new(config.base_url.clone()),
            token: Arc::new(Token::new(config.token.clone())),
            timeout: config.timeout,
            max_reply: config.max_reply,
            shown: watch::Sender::default(),
            trace: None,
        })
    }

    /// The certificate that the API showed last, as DER; empty before it did.
    #[must_use]
    pub fn shown(&self) -> watch::Receiver<Vec<u8>> {
        self.shown.subscribe()
    }

    /// The same client, for requests that belong to this trace.
    #[must_use]
    pub fn within(&self, trace: Option<Arc<TraceContext>>) -> Self {
        Self { trace, ..self.clone() }
    }

    /// The address before the path of each request, as it is configured; it holds no user and no password.
    #[must_use]
    pub fn base(&self) -> &str {
        self.base_url.as_str().trim_end_matches('/')
    }

    /// The host that it asks, and the port.
    #[must_use]
    pub fn server(&self) -> (&str, Option<u16>) {
        (self.base_url.host_str().unwrap_or_default(), self.base_url.port_or_known_default())
    }

    /// Whom it asks: host and port, as configured.
    #[must_use]
    pub fn host(&self) -> String {
        let (host, port) = (self.base_url.host_str().unwrap_or_default(), self.base_url.port());
        port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

/// The headers of every request beside the token. Without a word about encodings a server may choose any.
pub(super) fn headers() -> HeaderMap {
    let (json, agent) = (HeaderValue::from_static("application/json"), HeaderValue::from_static(USER_AGENT));
    let plain = HeaderValue::from_static("identity");
    HeaderMap::from_iter([
        (ACCEPT, json.clone()),
        (ACCEPT_ENCODING, plain),
        (CONTENT_TYPE, json),
        (USER_AGENT_HEADER, agent),
    ])
}

/// Both clients, with these files.
pub(super) fn connect(config: &Config, held: &tls::Held) -> Result<Http, String> {
    let one = |idle| builder(config, held)?.pool_max_idle_per_host(idle).build().map_err(refused);
    Ok(Http { sharing: one(usize::MAX)?, apart: one(0)? })
}

fn refused(error: reqwest::Error) -> String {
    super::failure::in_words(&error.without_url())
}

fn builder(config: &Config, held: &tls::Held) -> Result<reqwest::ClientBuilder, String> {
    let is_encrypted =
        [Some(&config.base_url), config.proxy.as_ref()].iter().flatten().any(|url| url.scheme() == "https");
    let trusting = http_client::builder(held, is_encrypted).map_err(refused)?;
    let known = match &held.identity {
        Some((cert, key)) => {
            trusting.identity(Identity::from_pem(format!("{cert}\n{key}").as_bytes()).map_err(refused)?)
        }
        None => trusting,
    };
    let led = match &config.proxy {
        Some(url) => known.proxy(logged_in(Proxy::all(url.clone()).map_err(refused)?, config)?),
        None => known,
    };
    Ok(led.default_headers(headers()).tls_info(true).connect_timeout(config.connect_timeout).pool_idle_timeout(IDLE))
}

/// The proxy with the login that it wants. The password is read when the client is made.
fn logged_in(proxy: Proxy, config: &Config) -> Result<Proxy, String> {
    let Some((user, password)) = &config.proxy_login else { return Ok(proxy) };
    let password = password.read_now().map_err(|why| format!("the password of the proxy cannot be read: {why}"))?;
    Ok(proxy.basic_auth(user, password.expose()))
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
