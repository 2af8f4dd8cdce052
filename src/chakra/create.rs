//! One create: `POST {base}/v1/ext/procedure/{procedure}/process`, sent once.
//!
//! Not here: whether to send it again, and what the reply means.

use std::time::SystemTime;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Response, Url};

use super::{Client, answer, failure};
use crate::core::process::{CreateProcess, Procedure};
use crate::core::reply::{Answer, Body, NotSent, Reply};

impl Client {
    /// Sends `request` once and tells what came back. Takes at most the configured timeout, and as long again where
    /// the file of the token cannot be read at once. Dropping the future drops the connection.
    pub async fn create(&self, request: &CreateProcess) -> Reply {
        let authorization = match self.authorization().await {
            Ok(value) => value,
            Err(detail) => return Reply::NotSent { why: NotSent::Token, detail },
        };
        let sending = self.http.post(self.url(&request.procedure)).header(AUTHORIZATION, authorization);
        match sending.body(body(request)).send().await {
            Ok(response) => self.read(response).await,
            Err(error) => failure::reply(error),
        }
    }

    fn url(&self, procedure: &Procedure) -> Url {
        let mut url = self.base_url.clone();
        let prefix = self.base_url.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}/v1/ext/procedure/{procedure}/process"));
        url
    }

    async fn authorization(&self) -> Result<HeaderValue, String> {
        let reading = tokio::time::timeout(self.timeout, self.token.read());
        let token = reading.await.map_err(|_| "the token could not be read in time".to_owned())??;
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| "the token holds characters that cannot stand in a header".to_owned())?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn read(&self, mut response: Response) -> Reply {
        let status = response.status().as_u16();
        let head = std::mem::take(response.headers_mut());
        let mut bytes = Vec::new();
        let body = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break answer::body(content_type(&head), &bytes),
                Err(error) => return failure::reply(error),
            }
            if bytes.len() > self.max_reply {
                break too_long(&head, &bytes);
            }
        };
        Reply::Answered(Answer { status, body, retry_after: answer::retry_after(&head, SystemTime::now()) })
    }
}

/// The rest is never read: dropping the response drops the connection.
fn too_long(head: &HeaderMap, bytes: &[u8]) -> Body {
    if answer::is_page(content_type(head), bytes) { Body::Html } else { Body::Broken }
}

fn content_type(head: &HeaderMap) -> &str {
    head.get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[expect(clippy::expect_used, reason = "a CreateProcess is texts, numbers and JSON values, and all of them serialize")]
fn body(request: &CreateProcess) -> Vec<u8> {
    serde_json::to_vec(request).expect("a CreateProcess serializes")
}
