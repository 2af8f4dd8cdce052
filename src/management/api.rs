//! One question to the management API, and its answer read up to a bound.
//!
//! Not here: what is asked (`survey`), and what an answer says (`answer`).

use std::error::Error as _;
use std::iter::successors;

use reqwest::{StatusCode, Url};
use serde_json::Value;

use super::Config;
use crate::http_client;
use crate::secret::Secret;
use crate::tls::{self, Handshake};

const USER_AGENT: &str = concat!("chakra-bridge/", env!("CARGO_PKG_VERSION"));
const HANDSHAKE: Handshake = Handshake { section: "broker.management", address: "broker.management.url" };
/// The most that is read of an answer, in bytes: a queue with ten thousand consumers takes less.
const ANSWER_MAX: usize = 4 << 20;

/// The API, as one survey asks it.
pub(super) struct Api {
    http: reqwest::Client,
    base: Url,
    user: String,
    password: Secret,
}

impl Api {
    /// Made anew for each survey, so that what is rotated needs no restart.
    pub(super) async fn open(config: &Config) -> Result<Self, String> {
        let password = config.password.read().await.map_err(|why| format!("its password cannot be read: {why}"))?;
        let held = config.tls.read().await.map_err(|wrong| wrong.to_string())?;
        let http = client(config, &held).map_err(|error| in_words(&error))?;
        Ok(Self { http, base: config.url.clone(), user: config.user.clone(), password })
    }

    /// What it says of one thing; none where there is no such thing.
    pub(super) async fn get(&self, path: &[&str], columns: &str) -> Result<Option<Value>, String> {
        let asked = self.http.get(self.url(path, columns)?).basic_auth(&self.user, Some(self.password.expose()));
        let mut response = asked.send().await.map_err(|error| in_words(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(self.refused(status)),
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| in_words(&error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_MAX {
                return Err(format!("an answer is longer than {} MiB", ANSWER_MAX >> 20));
            }
        }
        // What the parser says may quote the answer.
        serde_json::from_slice(&bytes).map(Some).map_err(|_| "what answers there is no management API".to_owned())
    }

    fn url(&self, path: &[&str], columns: &str) -> Result<Url, String> {
        let mut url = self.base.clone();
        let segments = url.path_segments_mut();
        segments.map_err(|()| "broker.management.url has no path".to_owned())?.pop_if_empty().push("api").extend(path);
        url.query_pairs_mut().append_pair("columns", columns);
        Ok(url)
    }

    fn refused(&self, status: StatusCode) -> String {
        let user = &self.user;
        match status.as_u16() {
            401 => format!(
                "401: it does not take user `{user}`; check the password, and give the user the tag `management`"
            ),
            403 => format!("403: user `{user}` may not see the virtual host; give the user a right in it"),
            300..=399 => format!("{status}: it leads elsewhere; name the address itself in broker.management.url"),
            _ => format!("it answers {status}"),
        }
    }
}

fn client(config: &Config, held: &tls::Held) -> reqwest::Result<reqwest::Client> {
    let is_encrypted = config.url.scheme() != "http";
    http_client::builder(held, is_encrypted)?.user_agent(USER_AGENT).timeout(config.timeout).build()
}

/// The error and its causes in one line. Holds neither the URL nor a header.
fn in_words(error: &reqwest::Error) -> String {
    if let Some(said) = tls::find(error).and_then(|error| tls::complaint(error, HANDSHAKE)) {
        return said;
    }
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    // Of the causes the last says what happened; those before it quote the URL.
    let last = successors(error.source(), |&cause| cause.source()).last();
    last.map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}
