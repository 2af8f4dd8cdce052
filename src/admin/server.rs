//! The port of the window: GET and HEAD of `/livez`, `/readyz` and `/metrics`.
//!
//! Not here: what the answers say (`health`, `metrics`), TLS, users: the port belongs inside the cluster.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Config;
use super::health::Health;
use super::metrics::{self, Metrics};
use crate::bridge::clock::epoch_ms;

#[cfg(test)]
mod tests;

/// Connections at a time; the next ones wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 64;

/// The longest the head of a request may be, in bytes.
const HEAD_MAX: usize = 8 * 1024;

/// The longest reading the head of a request may take.
const HEAD_TIME_MAX: Duration = Duration::from_secs(5);

/// The longest a connection may last: one request and its answer.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(10);

/// The wait after the system refused a connection, which it does again at once while it lacks descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Answer = Response<Full<Bytes>>;

/// Takes the port.
///
/// # Errors
/// Whatever the system says, such as that the port is taken.
pub async fn bind(config: &Config) -> io::Result<TcpListener> {
    TcpListener::bind(config.listen).await
}

/// Answers until `stop`, and then drops what is still open. Never fails: a connection that goes wrong ends alone.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>, health: Health, stop: impl Future<Output = ()>) {
    let mut stop = pin!(stop);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut stop => break,
            stream = accept(&listener), if connections.len() < CONNECTIONS_MAX => {
                connections.spawn(converse(stream, Arc::clone(&metrics), health.clone()));
            }
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection of the admin port crashed");
                }
            }
        }
    }
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => tracing::warn!(%error, "the admin port cannot accept a connection"),
        }
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

/// One request on one connection: so its time is bounded, and nothing idle takes a place.
async fn converse(stream: TcpStream, metrics: Arc<Metrics>, health: Health) {
    let service = service_fn(|request: Request<Incoming>| {
        let answer = answer(request.method(), request.uri().path(), &metrics, &health);
        async { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_header_size(HEAD_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION_TIME_MAX, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection of the admin port broke"),
        Err(_) => tracing::debug!("a connection of the admin port took too long"),
    }
}

fn answer(method: &Method, path: &str, metrics: &Metrics, health: &Health) -> Answer {
    if !matches!(path, "/livez" | "/readyz" | "/metrics") {
        return text(StatusCode::NOT_FOUND, "there are /livez, /readyz and /metrics\n");
    }
    if method != Method::GET && method != Method::HEAD {
        let refusal = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        return with(refusal, ALLOW, "GET, HEAD");
    }
    let now_ms = epoch_ms();
    match path {
        "/livez" => probe(health.live(now_ms), &health.live_details(now_ms)),
        "/readyz" => probe(health.ready(), &health.ready_details()),
        _ => with(text(StatusCode::OK, metrics.text()), CONTENT_TYPE, metrics::CONTENT_TYPE),
    }
}

fn probe(well: bool, details: &Value) -> Answer {
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    with(text(status, format!("{details}\n")), CONTENT_TYPE, "application/json")
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    with(with(answer, CONTENT_TYPE, "text/plain; charset=utf-8"), CACHE_CONTROL, "no-store")
}

fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
    answer
}
