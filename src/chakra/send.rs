//! One request, sent once, and its answer read whole.
//!
//! Not here: what is asked (`create`, `look`), whether to ask again, and what the reply means.

use std::time::SystemTime;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{StatusCode, Url};

use super::{Client, answer, failure};
use crate::core::process::Procedure;
use crate::core::reply::{Body, NotSent, Reply, Response};

/// One request: where it goes, what it says, and what is read of its answer.
pub(super) struct Question<'a> {
    pub(super) procedure: &'a Procedure,
    /// What follows the procedure in the path.
    pub(super) path: &'static str,
    pub(super) body: Vec<u8>,
    /// The attribute to keep of each row, if a list is asked for.
    pub(super) attribute: Option<&'a str>,
    /// The most that is read of the answer, in bytes, where the configuration allows more.
    pub(super) max_reply: usize,
}

impl Client {
    /// Sends once. Takes at most the configured timeout, and as long again where the token has to be read from its file
    /// (`token`) and cannot be at once. Dropping the future drops the connection.
    pub(super) async fn send(&self, question: Question<'_>) -> Reply {
        let authorization = match self.token.header(self.timeout).await {
            Ok(value) => value,
            Err(detail) => return Reply::NotSent { why: NotSent::Token, detail },
        };
        let http = self.http.borrow().clone();
        let url = url(&self.base_url, question.procedure, question.path);
        let sending = http.post(url).header(AUTHORIZATION, authorization.clone());
        match sending.body(question.body).send().await {
            Ok(response) => {
                if response.status() == StatusCode::UNAUTHORIZED {
                    self.token.refused(&authorization);
                }
                read(response, question.attribute, question.max_reply.min(self.max_reply)).await
            }
            Err(error) => failure::reply(error),
        }
    }
}

/// Reads an answer, as much of it as is taken.
async fn read(mut response: reqwest::Response, attribute: Option<&str>, max_reply: usize) -> Reply {
    let status = response.status().as_u16();
    let head = std::mem::take(response.headers_mut());
    let mut bytes = Vec::new();
    let body = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break answer::body(content_type(&head), &bytes, attribute),
            Err(error) => return failure::reply(error),
        }
        if bytes.len() > max_reply {
            break too_long(&head, &bytes);
        }
    };
    Reply::Response(Response { status, body, retry_after: answer::retry_after(&head, SystemTime::now()) })
}

/// Where a request of this procedure goes.
pub(super) fn url(base: &Url, procedure: &Procedure, path: &str) -> Url {
    let mut url = base.clone();
    let prefix = base.path().trim_end_matches('/');
    url.set_path(&format!("{prefix}/v1/ext/procedure/{procedure}/{path}"));
    url
}

/// The rest is never read: dropping the response drops the connection.
fn too_long(head: &HeaderMap, bytes: &[u8]) -> Body {
    if answer::is_page(content_type(head), bytes) { Body::Html } else { Body::Broken }
}

fn content_type(head: &HeaderMap) -> &str {
    head.get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
