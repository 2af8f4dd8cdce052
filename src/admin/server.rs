//! The port of the admin server: GET and HEAD of `/livez`, `/readyz`, `/metrics` and `/status`; where an admin token is configured, POST
//! of `/pause` and `/resume`, the latter also with `?rule=NAME`, and of `/log-level`.
//!
//! Not here: what the answers say (`health`, `metrics`, `status`), who may pause (`pause`), TLS, users: the port belongs inside the
//! cluster.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, FROM, HeaderName, HeaderValue,
    REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::Config;
use super::admission::{Admission, Place};
use super::health::Health;
use super::page;
use super::pause::{self, Asker, PauseControl, Said, Wanted};
use super::query;
use super::resume::RuleResumed;
use super::status::Status;
use crate::clock::{date_of, epoch_ms};
use crate::files;
use crate::metrics::{self, Metrics};
use crate::states::log_level;

#[cfg(test)]
mod tests;

/// Connections that wait in the kernel's queue, as far as the system allows: one that it drops tries again only after a
/// second, which is all the time that a probe has.
const BACKLOG: u32 = 4096;

/// The longest the head of a request may be, in bytes.
const HEAD_MAX: usize = 8 * 1024;

/// The wait after the system refused a connection, which it does again at once while it lacks descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// That it does is told so often at most.
const TELL_EVERY: Duration = Duration::from_secs(60);

type Answer = Response<String>;

/// What the admin server shows and controls.
#[derive(Clone, Debug)]
pub struct View {
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// What the health checks read.
    pub health: Health,
    /// Where an operator may pause; none where no token is configured.
    pub pause_control: Option<PauseControl>,
    /// What the status page shows.
    pub status: Status,
}

/// Takes the port.
///
/// # Errors
/// Whatever the system says, such as that the port is taken.
pub fn bind(config: &Config) -> io::Result<TcpListener> {
    let socket = if config.listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As `TcpListener::bind` does: a daemon that starts again takes its port again.
    socket.set_reuseaddr(true)?;
    socket.bind(config.listen)?;
    socket.listen(BACKLOG)
}

/// Answers until `stop`, and then drops what is still open. Never fails: a connection that goes wrong ends alone.
pub async fn serve(listener: TcpListener, view: View, stop: impl Future<Output = ()>) {
    let mut connections = JoinSet::new();
    tokio::select! {
        () = stop => {}
        never = converse_with_all(&listener, &view, &mut connections) => match never {},
    }
    connections.shutdown().await;
}

async fn converse_with_all(listener: &TcpListener, view: &View, connections: &mut JoinSet<()>) -> Infallible {
    let mut admission = Admission::open();
    let mut refusals = Refusals::default();
    loop {
        let (stream, peer) = accept(listener, view, &mut refusals).await;
        let place = admission.admit().await;
        while let Some(ended) = connections.try_join_next() {
            ended.unwrap_or_else(crashed);
        }
        connections.spawn(converse(stream, peer, view.clone(), place));
    }
}

fn crashed(error: JoinError) {
    tracing::error!(%error, "a connection of the admin port crashed");
}

/// Connections that the system refused to accept since that was told last.
#[derive(Debug, Default)]
struct Refusals {
    count: u64,
    told: Option<Instant>,
}

impl Refusals {
    /// One more: how many there were, if that is to be told again.
    fn add(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        let is_due = self.told.is_none_or(|told| now.saturating_duration_since(told) >= TELL_EVERY);
        is_due.then(|| {
            self.told = Some(now);
            std::mem::take(&mut self.count)
        })
    }
}

/// A connection that cannot be accepted stays in the kernel's queue, and is tried again.
async fn accept(listener: &TcpListener, view: &View, refusals: &mut Refusals) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                if files::is_for_want_of_descriptors(&error) {
                    view.metrics.descriptors().short("admin", epoch_ms());
                }
                if let Some(times) = refusals.add(Instant::now()) {
                    tracing::warn!(%error, times, "the admin port cannot accept a connection for now: it is tried again");
                }
            }
        }
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

/// One request on one connection: so its time is bounded, and nothing idle keeps a place.
async fn converse(stream: TcpStream, peer: SocketAddr, view: View, place: Place) {
    let view = &view;
    let service =
        service_fn(
            move |request: Request<Incoming>| async move { Ok::<_, Infallible>(answer(&request, peer, view).await) },
        );
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(place.limits.head)
        .max_header_size(HEAD_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(place.limits.whole, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection of the admin port broke"),
        Err(_) => tracing::debug!("a connection of the admin port took too long"),
    }
}

async fn answer<B>(request: &Request<B>, peer: SocketAddr, view: &View) -> Answer {
    match (request.uri().path(), &view.pause_control) {
        ("/pause" | "/resume" | "/log-level", Some(pause_control)) => command(pause_control, request, peer).await,
        (path, _) => show(request.method(), path, view),
    }
}

/// A path that shows something.
fn show(method: &Method, path: &str, View { metrics, health, status, .. }: &View) -> Answer {
    let now = Instant::now();
    let is_read = method == Method::GET || method == Method::HEAD;
    match path {
        "/livez" if is_read => probe(health.live(now), &health.live_details(now)),
        "/readyz" if is_read => probe(health.ready(), &health.ready_details()),
        "/metrics" if is_read => with(text(StatusCode::OK, metrics.text()), CONTENT_TYPE, metrics::CONTENT_TYPE),
        "/livez" | "/readyz" | "/metrics" => only_read(),
        path => match page::part(path, status) {
            Some((content_type, part)) if is_read => of_page(content_type, &part),
            Some(_) => only_read(),
            None => text(StatusCode::NOT_FOUND, "there are /livez, /readyz, /metrics and /status\n"),
        },
    }
}

fn only_read() -> Answer {
    with(text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n"), ALLOW, "GET, HEAD")
}

/// A part of the status page: no other page may hold it, and nothing in it is run that is no file of its own.
fn of_page(content_type: &'static str, part: &str) -> Answer {
    let answer = with(text(StatusCode::OK, part), CONTENT_TYPE, content_type);
    let answer = with(answer, CONTENT_SECURITY_POLICY, page::POLICY);
    let answer = with(answer, X_CONTENT_TYPE_OPTIONS, "nosniff");
    let answer = with(answer, REFERRER_POLICY, "no-referrer");
    with(answer, HeaderName::from_static("cross-origin-resource-policy"), "same-origin")
}

/// A path that commands.
async fn command<B>(pause_control: &PauseControl, request: &Request<B>, peer: SocketAddr) -> Answer {
    if request.method() != Method::POST {
        return with(text(StatusCode::METHOD_NOT_ALLOWED, "only POST\n"), ALLOW, "POST");
    }
    let Some(wanted) = wanted(request.uri().path(), request.uri().query().unwrap_or_default()) else {
        return text(
            StatusCode::BAD_REQUEST,
            "write /pause, /resume, /resume?rule=NAME or /log-level?level=LEVEL&for=SECONDS, and nothing else behind it\n",
        );
    };
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    let asker = Asker { peer, from: header(FROM).map(pause::name) };
    let said = pause_control.take(wanted.clone(), header(AUTHORIZATION), &asker).await;
    told(said, &wanted)
}

/// What a path and its query ask for. Whatever is misspelt asks for nothing: it must not resume everything.
fn wanted(path: &str, query: &str) -> Option<Wanted> {
    match (path, query) {
        ("/pause", "") => Some(Wanted::Pause),
        ("/resume", "") => Some(Wanted::Resume),
        ("/log-level", query) => level(query),
        ("/resume", query) => {
            let value = query.strip_prefix("rule=").filter(|value| !value.contains('&'))?;
            query::decoded(value).filter(|rule| !rule.is_empty()).map(Wanted::ResumeRule)
        }
        _ => None,
    }
}

/// A level and for how many seconds. Without an end it would be forgotten.
fn level(query: &str) -> Option<Wanted> {
    let (level, time) = query.strip_prefix("level=")?.split_once("&for=")?;
    let time = Duration::from_secs(time.parse().ok()?);
    let is_bounded = !time.is_zero() && time <= log_level::LONGEST;
    log_level::named(level).filter(|_| is_bounded).map(|level| Wanted::LogLevel(level, time))
}

fn told(said: Said, wanted: &Wanted) -> Answer {
    let rule = if let Wanted::ResumeRule(rule) = wanted { rule.as_str() } else { "" };
    match said {
        Said::Paused(paused) => probe(true, &json!({ "paused": paused })),
        Said::Rule(RuleResumed::Released) => probe(true, &json!({ "rule": rule, "was_held": true })),
        Said::Rule(RuleResumed::NotHeld) => probe(true, &json!({ "rule": rule, "was_held": false })),
        Said::Rule(RuleResumed::Unknown { nearest }) => {
            let near = nearest.map(|near| format!("; the nearest is {near:?}")).unwrap_or_default();
            text(StatusCode::NOT_FOUND, format!("there is no rule {rule:?}{near}\n"))
        }
        Said::LogLevel(until_ms) => probe(true, &json!({ "until": date_of(until_ms) })),
        Said::Stopping => text(StatusCode::SERVICE_UNAVAILABLE, "the daemon is stopping and takes no commands\n"),
        Said::Refused => {
            let refusal = text(StatusCode::UNAUTHORIZED, "send the admin token: Authorization: Bearer ...\n");
            with(refusal, WWW_AUTHENTICATE, "Bearer")
        }
        Said::Unreadable => {
            text(StatusCode::SERVICE_UNAVAILABLE, "the admin token cannot be read here; the log says why\n")
        }
    }
}

fn probe(well: bool, details: &Value) -> Answer {
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    with(text(status, format!("{details}\n")), CONTENT_TYPE, "application/json")
}

fn text(status: StatusCode, body: impl Into<String>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    with(with(answer, CONTENT_TYPE, "text/plain; charset=utf-8"), CACHE_CONTROL, "no-store")
}

fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}
