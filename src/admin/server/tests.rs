//! The admin port on a real socket: its paths, its refusals and its limits.
//!
//! Not here: what the answers say (`health::tests`, `metrics::tests`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};

use super::{HEAD_MAX, View, bind, serve};
use crate::admin::Config;
use crate::admin::admission::{CONNECTIONS_MAX, LIMITS};
use crate::admin::health::{Health, PULSE_AGE_MAX};
use crate::admin::pause::PauseControl;
use crate::admin::status::{Start, Status};
use crate::metrics::Metrics;
use crate::states::broker::{BrokerState, BrokerStatus};
use crate::states::dead_letters::DeadLetters;
use crate::states::ledger::LedgerStatus;
use crate::states::lookups::LookupWaits;
use crate::states::phase::{Phase, Pulse};
use crate::states::rules::RulesState;

mod commands;
mod page;

const DEADLINE: Duration = Duration::from_secs(20);

fn health(phase: Phase, beat: Instant) -> Health {
    Health {
        phase: watch::channel(phase).1,
        broker: watch::channel(BrokerStatus::from(BrokerState::Consuming)).1,
        gate: watch::channel(Vec::new()).1,
        gates: watch::channel(Vec::new()).1,
        waits: watch::channel(LookupWaits::default()).1,
        letters: watch::channel(DeadLetters::default()).1,
        ledger: watch::channel(LedgerStatus::default()).1,
        rules: watch::channel(RulesState::loaded(0)).1,
        log: Metrics::new().log(),
        pulse: Arc::new(Pulse::new(beat.into())),
        descriptors: Metrics::new().descriptors(),
    }
}

fn config() -> Config {
    Config { listen: "127.0.0.1:0".parse().unwrap(), token: None }
}

/// Serves for as long as `visit` lasts, and then stops.
async fn visited<T>(health: Health, visit: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    served(view(health, None), visit).await
}

fn view(health: Health, pause_control: Option<PauseControl>) -> View {
    let (metrics, in_force) = (Arc::new(Metrics::new()), watch::channel(Arc::default()).1);
    let start = Start { at_ms: 0, places: 1, host: "h".to_owned(), queues: Vec::new() };
    let status = Status::new(start, Arc::clone(&metrics), health.clone(), in_force);
    View { metrics, health, pause_control, status }
}

/// The same, with this view.
async fn served<T>(view: View, visit: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    let listener = bind(&config()).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = serve(listener, view, async { stopped.await.unwrap() });
    let visiting = async {
        let seen = visit(address).await;
        stop.send(()).unwrap();
        seen
    };
    let both = async { tokio::join!(serving, visiting) };
    tokio::time::timeout(DEADLINE, both).await.expect("the server stops within the deadline").1
}

async fn running<T>(visit: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    visited(health(Phase::Running, Instant::now()), visit).await
}

/// What comes back until the server closes the connection, as head and body.
async fn send(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    rest(stream).await
}

async fn rest(mut stream: TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.to_owned(), body.to_owned())
}

async fn ask(address: SocketAddr, method: &str, path: &str) -> (String, String) {
    send(address, &format!("{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n")).await
}

#[tokio::test]
async fn metrics_come_in_their_own_content_type() {
    let (head, body) = running(async |address| ask(address, "GET", "/metrics?any").await).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    assert!(body.contains("chakra_bridge_events_received_total 0\n") && body.ends_with("# EOF\n"), "{body}");
}

#[tokio::test]
async fn a_probe_answers_with_a_status_and_the_reasons() {
    let (head, body) = running(async |address| ask(address, "GET", "/readyz").await).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-type: application/json"), "{head}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["broker"], "consuming");
    let draining = health(Phase::Draining, Instant::now());
    let (head, body) = visited(draining, async |address| ask(address, "GET", "/readyz").await).await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["phase"], "draining");
}

#[tokio::test]
async fn a_stopped_pulse_is_not_alive() {
    let (head, _) = running(async |address| ask(address, "GET", "/livez").await).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let old = Instant::now().checked_sub(PULSE_AGE_MAX).unwrap();
    let stuck = health(Phase::Running, old);
    let (head, _) = visited(stuck, async |address| ask(address, "GET", "/livez").await).await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
}

#[tokio::test]
async fn a_head_request_gets_the_head_alone() {
    for path in ["/livez", "/readyz", "/metrics"] {
        let (head, body) = running(async |address| ask(address, "HEAD", path).await).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert_eq!(body, "");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    running(async |address| {
        for path in ["/", "/metrics/", "/livez/../readyz", "/debug"] {
            assert!(ask(address, "GET", path).await.0.starts_with("HTTP/1.1 404 "), "{path}");
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let (head, _) = ask(address, method, "/livez").await;
            assert!(head.starts_with("HTTP/1.1 405 ") && head.contains("allow: GET, HEAD"), "{method}: {head}");
        }
    })
    .await;
}

async fn command(address: SocketAddr, path: &str, token: &str) -> (String, String) {
    let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nFrom: ops@example.com");
    send(address, &format!("{head}\r\nContent-Length: 0\r\n\r\n")).await
}

#[tokio::test]
async fn without_a_token_of_its_own_the_port_knows_no_such_path() {
    running(async |address| {
        for path in ["/pause", "/resume"] {
            assert!(command(address, path, "").await.0.starts_with("HTTP/1.1 404 "), "{path}");
            assert!(ask(address, "GET", path).await.0.starts_with("HTTP/1.1 404 "), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_head_beyond_its_size_is_refused() {
    let long = format!("GET /livez HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(HEAD_MAX));
    let (head, _) = running(async |address| send(address, &long).await).await;
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
}

#[tokio::test]
async fn a_client_that_says_nothing_is_sent_away() {
    let begun = Instant::now();
    let said = running(async |address| rest(TcpStream::connect(address).await.unwrap()).await).await;
    assert!(!said.0.contains("200"), "{said:?}");
    assert!(begun.elapsed() < LIMITS.whole, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn those_who_say_nothing_make_room_for_a_probe() {
    running(async |address| {
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        let begun = Instant::now();
        assert!(ask(address, "GET", "/livez").await.0.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(begun.elapsed() < LIMITS.head, "{:?}", begun.elapsed());
        assert_eq!(rest(idle.remove(0)).await.0, "");
    })
    .await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_at_once() {
    let taken = bind(&config()).unwrap();
    let same = Config { listen: taken.local_addr().unwrap(), ..config() };
    let again = tokio::time::timeout(DEADLINE, async { bind(&same) });
    let error = again.await.unwrap().expect_err("the port is taken");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn an_open_connection_does_not_hold_up_the_end() {
    let begun = Instant::now();
    let held = running(async |address| {
        let held = TcpStream::connect(address).await.unwrap();
        // Connections are accepted in their order: once the second is answered, the first is held.
        ask(address, "GET", "/livez").await;
        held
    })
    .await;
    assert_eq!(rest(held).await, (String::new(), String::new()));
    assert!(begun.elapsed() < LIMITS.head, "{:?}", begun.elapsed());
}
