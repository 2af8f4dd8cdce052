//! One picture from its link: only `https`, only hosts of the list, redirects followed by hand, and all of it within one time.
//!
//! Not here: the bytes of the picture (`picture`), and addresses (`resolve`).

use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use reqwest::{Proxy, Response, StatusCode, Url};
use tokio::time::Instant;

use super::failure::failed;
use super::picture::Picture;
use super::resolve::Resolver;
use super::{Config, picture};
use crate::core::photo::{Link, Missed, missed};
use crate::core::reason::Cause;
use crate::http_client;

/// The most redirects followed.
const REDIRECTS_MAX: usize = 3;

/// The longest that connecting may take, where that is shorter than the whole.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How long a connection without a request is kept.
const IDLE: Duration = Duration::from_secs(10);

const AGENT: &str = concat!("chakra-bridge/", env!("CARGO_PKG_VERSION"));

/// Fetches pictures. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    /// None where no host is allowed: then nothing is asked for, and a system without a trust store will do.
    http: Option<reqwest::Client>,
    config: Config,
}

impl Fetcher {
    /// Makes one. Connects to nothing.
    ///
    /// # Errors
    /// Says in words what is wrong with a file of certificates, or that the system's trust store cannot be used.
    pub fn new(config: &Config) -> Result<Self, String> {
        if config.allow.is_empty() {
            return Ok(Self { http: None, config: config.clone() });
        }
        let held = config.tls.read_now().map_err(|wrong| wrong.to_string())?;
        let in_words = |error: reqwest::Error| error.without_url().to_string();
        let builder = http_client::builder(&held, true)
            .map_err(in_words)?
            .default_headers(headers())
            .https_only(true)
            .connect_timeout(CONNECT_MAX.min(config.timeout))
            .pool_idle_timeout(IDLE);
        let builder = match &config.proxy {
            // It resolves the hosts, and has an address of our own.
            Some(url) => builder.proxy(Proxy::all(url.clone()).map_err(in_words)?),
            None => builder.dns_resolver(Resolver::new(config.private_addresses)),
        };
        Ok(Self { http: Some(builder.build().map_err(in_words)?), config: config.clone() })
    }

    /// The largest picture taken, in bytes.
    #[must_use]
    pub fn max_size(&self) -> u64 {
        self.config.max_size
    }

    /// Begins to fetch the picture at `link`, as far as it takes to know that it is one.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub async fn open(&self, link: &Link) -> Result<Picture, Missed> {
        let deadline = Instant::now() + self.config.timeout;
        let opened = tokio::time::timeout_at(deadline, self.follow(link, deadline)).await;
        opened.unwrap_or(Err(Missed::Failed { cause: Cause::Timeout, status: None, after: None, detail: None }))
    }

    async fn follow(&self, link: &Link, deadline: Instant) -> Result<Picture, Missed> {
        let mut url = self.config.allowed(link.whole(), "it")?;
        let Some(http) = &self.http else { return Err(Missed::NotAllowed("photos.allow names no host".to_owned())) };
        for _ in 0..=REDIRECTS_MAX {
            let response = http.get(url.clone()).send().await.map_err(|error| failed(&error))?;
            if !response.status().is_redirection() {
                return self.picture(response, &url, deadline).await;
            }
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
            let Some(to) = to else { return Err(missed(response.status().as_u16(), "", None)) };
            url = self.config.allowed(to.as_str(), "what it redirects to")?;
        }
        Err(Missed::NotAllowed(format!("it redirects more than {REDIRECTS_MAX} times")))
    }

    async fn picture(&self, response: Response, url: &Url, deadline: Instant) -> Result<Picture, Missed> {
        if response.status() != StatusCode::OK {
            let after = http_client::retry_after(response.headers(), SystemTime::now());
            return Err(missed(response.status().as_u16(), url.as_str(), after));
        }
        picture::read(response, self.config.max_size, deadline).await
    }
}

fn headers() -> HeaderMap {
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("image/*")),
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (USER_AGENT, HeaderValue::from_static(AGENT)),
    ])
}
