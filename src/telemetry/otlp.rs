//! Sends spans to a collector: OTLP over HTTP, in batches. What the collector does not take in time is dropped and counted; nothing
//! ever waits for it.
//!
//! Not here: which spans there are (`dispatch`), and how they are written (`otlp/message`).

mod message;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode, Url};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::config::Telemetry;
use crate::core::backoff::{ceiling, jittered};
use crate::core::span::Span;
use crate::http_client;
use crate::metrics::Metrics;
use crate::states::phase::stopped;

/// Spans of one request at most.
const BATCH: usize = 512;

/// How long spans are gathered for a request.
const GATHER: Duration = Duration::from_secs(1);

/// How often a batch is sent again, after which waits.
const TRIES: u32 = 5;
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(16));

/// The longest that a request may take, and the connection before it.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(3);

/// The most that is read of an answer, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// What came of a batch.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    /// It was taken, but for so many spans.
    Taken(u64),
    /// It may be taken later, after this wait at least where the collector names one.
    Later(String, Option<Duration>),
    /// It will never be.
    Refused(String),
}

/// See the head of this file.
pub struct Exporter {
    client: Client,
    url: Url,
    service: message::Service,
    metrics: Arc<Metrics>,
    /// Whether the last batch was lost: told once, and once it goes again.
    is_away: bool,
}

impl Exporter {
    /// One for this collector. Connects to nothing yet.
    ///
    /// # Errors
    /// Says in words what is wrong with the file of authorities, or that the system's cannot be used.
    pub fn new(config: &Telemetry, metrics: Arc<Metrics>) -> Result<Self, String> {
        let words = |error: reqwest::Error| format!("telemetry: {}", error.without_url());
        let held = config.tls.read_now().map_err(|wrong| wrong.to_string())?;
        let begun = http_client::builder(&held, config.otlp.scheme() != "http").map_err(words)?;
        let client = begun.connect_timeout(CONNECT).timeout(TIMEOUT).build().map_err(words)?;
        let mut url = config.otlp.clone();
        url.set_path(&format!("{}/v1/traces", url.path().trim_end_matches('/')));
        let service = message::Service::named(&config.service_name, fastrand::u128(..));
        Ok(Self { client, url, service, metrics, is_away: false })
    }

    /// Sends what comes until nobody can put in any more, and all of it is sent or dropped. Once `stop` says so nothing is sent twice.
    pub async fn run(mut self, mut spans: mpsc::Receiver<Span>, mut stop: watch::Receiver<bool>) {
        let mut batch = Vec::with_capacity(BATCH);
        while gather(&mut spans, &mut batch).await {
            let count = batch.len() as u64;
            let body = message::request(&self.service, batch.drain(..));
            self.deliver(body, count, &mut stop).await;
        }
    }

    async fn deliver(&mut self, body: Vec<u8>, count: u64, stop: &mut watch::Receiver<bool>) {
        for step in 0..TRIES {
            let (why, least) = match self.send(body.clone()).await {
                Sent::Taken(refused) => return self.taken(count, refused),
                Sent::Refused(why) => return self.lost(count, &why),
                Sent::Later(why, least) => (why, least),
            };
            let wait = jittered(ceiling(AGAIN.0, 2.0, AGAIN.1, step), fastrand::f64());
            let wait = least.map_or(wait, |least| least.min(AGAIN.1).max(wait));
            if step + 1 == TRIES || *stop.borrow() {
                return self.lost(count, &why);
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stopped(stop) => {}
            }
        }
    }

    async fn send(&self, body: Vec<u8>) -> Sent {
        let post = self.client.post(self.url.clone()).header(CONTENT_TYPE, message::CONTENT_TYPE);
        let mut answer = match post.body(body).send().await {
            Ok(answer) => answer,
            Err(error) => return Sent::Later(words(error), None),
        };
        let (status, least) = (answer.status(), http_client::retry_after(answer.headers(), SystemTime::now()));
        let mut bytes = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await
            && bytes.len() < ANSWER_MAX
        {
            bytes.extend_from_slice(&chunk);
        }
        judged(status, least, &bytes)
    }

    fn taken(&mut self, count: u64, refused: u64) {
        let refused = refused.min(count);
        self.metrics.spans_sent(count - refused);
        self.metrics.spans_dropped(refused);
        if std::mem::take(&mut self.is_away) {
            tracing::info!("the collector of traces takes spans again");
        }
    }

    fn lost(&mut self, count: u64, why: &str) {
        self.metrics.spans_dropped(count);
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::warn!(
                why,
                "the collector of traces takes no spans: they are dropped and counted (spans_dropped_total)"
            );
        }
    }
}

/// Gathers spans for a moment; false once none can come any more.
async fn gather(spans: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) -> bool {
    if spans.recv_many(batch, BATCH).await == 0 {
        return false;
    }
    let until = Instant::now() + GATHER;
    while batch.len() < BATCH {
        let room = BATCH - batch.len();
        match tokio::time::timeout_at(until, spans.recv_many(batch, room)).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    true
}

/// What an answer means, by the specification of OTLP over HTTP.
fn judged(status: StatusCode, least: Option<Duration>, body: &[u8]) -> Sent {
    match status.as_u16() {
        200..=299 => Sent::Taken(message::refused(body)),
        429 | 502 | 503 | 504 => Sent::Later(format!("it answers {status}"), least),
        _ => Sent::Refused(format!("it answers {status}")),
    }
}

/// An error with what caused it, and without the address, which is configured.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        words = format!("{words}: {next}");
        cause = next.source();
    }
    words
}
