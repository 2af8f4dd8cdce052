//! One create: `POST {base}/v1/ext/procedure/{procedure}/process`, sent once.
//!
//! Not here: whether to send it again, and what the reply means.

use std::sync::Arc;

use hyper::body::Bytes;
use reqwest::Url;

use super::client::headers;
use super::send::{Question, url};
use super::{Client, Config};
use crate::core::process::CreateProcess;
use crate::core::reply::Reply;

const PATH: &str = "process";

impl Client {
    /// Sends `request` once and tells what came back.
    pub async fn create(&self, request: &CreateProcess) -> Reply {
        self.send(question(request, false)).await
    }

    /// Sends `request` once, on a connection that served no other: for a repeat after an answer that was lost.
    pub async fn create_apart(&self, request: &CreateProcess) -> Reply {
        self.send(question(request, true)).await
    }
}

/// A create as it would be sent, shown to a person. Without the token, and without what HTTP adds (`host`,
/// `content-length`).
#[derive(Clone, Debug)]
pub struct RequestParts {
    /// Where it goes.
    pub url: Url,
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// What [`Client::create`] would send with this configuration.
#[must_use]
pub fn request_parts(config: &Config, request: &CreateProcess) -> RequestParts {
    let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    RequestParts { url: url(&config.base_url, &request.procedure, PATH), headers, body: request.body.to_vec() }
}

fn question(request: &CreateProcess, apart: bool) -> Question<'_> {
    // Shared with what is held of the event, and not copied.
    let (procedure, body) = (&request.procedure, Bytes::from_owner(Arc::clone(&request.body)));
    Question { procedure, path: PATH, body, attribute: None, max_reply: usize::MAX, apart }
}
