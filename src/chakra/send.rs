//! One request, sent once, and its answer read whole.
//!
//! Not here: what is asked (`create`, `look`), whether to ask again, and what the reply means.

use std::time::SystemTime;

use hyper::body::Bytes;
use reqwest::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderValue};
use reqwest::tls::TlsInfo;
use reqwest::{Body, StatusCode, Url};
use tokio::time::Instant;

use super::token::SCHEME;
use super::{Client, answer, failure};
use crate::clock::{answered_within, seconds};
use crate::core::process::Procedure;
use crate::core::redaction::without_secret;
use crate::core::reply::{self, NotSent, Reply, Response};
use crate::core::trace_context::{TRACEPARENT, TRACESTATE};
use crate::http_client;

/// One request: where it goes, what it says, and what is read of its answer.
pub(super) struct Question<'a> {
    pub(super) procedure: &'a Procedure,
    /// What follows the procedure in the path.
    pub(super) path: &'static str,
    pub(super) body: Bytes,
    /// The attribute to keep of each row, if a list is asked for.
    pub(super) attribute: Option<&'a str>,
    /// The most that is read of the answer, in bytes, where the configuration allows more.
    pub(super) max_reply: usize,
    /// Whether it goes on a connection that served no other.
    pub(super) apart: bool,
}

/// What is written, and on which connection.
struct Written<'a> {
    url: Url,
    /// Another one than that of every request, if any.
    content_type: Option<&'a str>,
    body: Body,
    apart: bool,
}

impl Client {
    /// Sends once. Takes at most the configured timeout, up to five seconds more where this process had no processor (`clock`), and as
    /// long again where the token has to be read from its file (`token`) and cannot be at once. Dropping the future drops the connection.
    pub(super) async fn send(&self, question: Question<'_>) -> Reply {
        let url = url(&self.base_url, question.procedure, question.path);
        let written = Written { url, content_type: None, body: Body::from(question.body), apart: question.apart };
        self.exchange(written, question.attribute, question.max_reply.min(self.max_reply)).await
    }

    /// The same of a body of another type, which may come while it is sent.
    pub(super) async fn send_as(&self, url: Url, content_type: &str, body: Body) -> Reply {
        let written = Written { url, content_type: Some(content_type), body, apart: false };
        self.exchange(written, None, self.max_reply).await
    }

    /// What one request comes to, its answer read.
    async fn exchange(&self, written: Written<'_>, attribute: Option<&str>, max_reply: usize) -> Reply {
        let authorization = match self.token.header(self.timeout).await {
            Ok(authorization) => authorization,
            Err(detail) => return Reply::NotSent { why: NotSent::Token, detail },
        };
        let answered = answered_within(self.timeout, async {
            match self.answer(written, &authorization).await {
                Ok(answer) => read(answer, &authorization, attribute, max_reply).await,
                Err(reply) => reply,
            }
        });
        answered.await.unwrap_or_else(|| failure::late(self.timeout))
    }

    /// The head of an answer; or what the request came to that brought none.
    async fn answer(&self, written: Written<'_>, authorization: &HeaderValue) -> Result<reqwest::Response, Reply> {
        let Written { url, content_type, body, apart } = written;
        let shares = !apart && self.reuse.borrow().is_allowed(Instant::now());
        let http = self.http.borrow().clone();
        let post = if shares { http.sharing.post(url) } else { http.apart.post(url).header(CONNECTION, "close") };
        let sending = self.traced(post.header(AUTHORIZATION, authorization.clone()));
        let typed = match content_type {
            Some(content_type) => sending.header(CONTENT_TYPE, content_type),
            None => sending,
        };
        let response = typed.body(body).send().await.map_err(|error| self.failed(error, shares))?;
        self.note_certificate(&response);
        if response.status() == StatusCode::UNAUTHORIZED {
            self.token.refused(authorization);
        }
        Ok(response)
    }

    fn note_certificate(&self, response: &reqwest::Response) {
        let info = response.extensions().get::<TlsInfo>();
        let Some(shown) = info.and_then(TlsInfo::peer_certificate) else { return };
        self.shown.send_if_modified(|known| {
            let is_other = known != shown;
            if is_other {
                *known = shown.to_vec();
            }
            is_other
        });
    }

    /// With the trace that the request belongs to, if it belongs to one.
    fn traced(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let Some(trace) = &self.trace else { return request };
        let request = request.header(TRACEPARENT, trace.traceparent());
        if let Some(state) = trace.tracestate() { request.header(TRACESTATE, state) } else { request }
    }

    /// No byte of an answer came.
    fn failed(&self, error: reqwest::Error, shared: bool) -> Reply {
        if shared && failure::is_cut(&error) {
            self.cut();
        }
        failure::reply(error)
    }

    fn cut(&self) {
        let mut news = None;
        self.reuse.send_modify(|reuse| news = reuse.cut(Instant::now()));
        if let Some(length) = news {
            tracing::warn!(
                for_s = seconds(length),
                "a connection to the API was cut without an answer: for now each request goes on a connection of its own; \
                 where this comes back, let the proxy or balancer before the API keep idle connections for longer than 1 s"
            );
        }
    }
}

/// Reads an answer, as much of it as is taken.
async fn read(
    mut response: reqwest::Response,
    authorization: &HeaderValue,
    attribute: Option<&str>,
    max_reply: usize,
) -> Reply {
    let status = response.status();
    let asked = status.is_redirection().then(|| response.url().clone());
    let head = std::mem::take(response.headers_mut());
    let mut bytes = Vec::new();
    let body = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break answer::read(&head, &bytes, attribute, max_reply),
            Err(error) => return failure::reply(error),
        }
        if bytes.len() > max_reply {
            // The rest is never read: dropping the response drops the connection.
            break answer::beyond_limit(&head, &bytes);
        }
    };
    let redirects_to = asked.and_then(|asked| answer::redirects_to(&head, &asked));
    let retry_after = http_client::retry_after(&head, SystemTime::now());
    let body = without_token(body, authorization);
    Reply::Response(Response { status: status.as_u16(), body, retry_after, redirects_to })
}

/// What is said of errors goes into logs and dead letters.
fn without_token(mut body: reply::Body, authorization: &HeaderValue) -> reply::Body {
    let token = authorization.to_str().ok().and_then(|header| header.strip_prefix(SCHEME));
    if let (reply::Body::Json(wrapper), Some(token)) = (&mut body, token) {
        let text = wrapper.error_text.take();
        wrapper.error_text = text.map(|text| without_secret(&text, token));
    }
    body
}

/// Where a request of this procedure goes.
pub(super) fn url(base: &Url, procedure: &Procedure, path: &str) -> Url {
    let mut url = base.clone();
    let prefix = base.path().trim_end_matches('/');
    url.set_path(&format!("{prefix}/v1/ext/procedure/{procedure}/{path}"));
    url
}
