//! The admin port of the real daemon under abuse: a probe is answered all the while, the daemon delivers all the while,
//! and neither its descriptors nor its memory grow.
//!
//! Not here: how fast it delivers meanwhile (`bench/admin.rs`), what each path says (`admin::server::tests`), and who may
//! pause (`admin::pause::tests`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "admin/abuse.rs"]
mod abuse;
#[path = "admin/stage.rs"]
mod stage;
#[path = "admin/tricks.rs"]
mod tricks;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use abuse::{Abuse, said};
use stage::{delivered, stage};
use support::broker::{Vhost, shared};
use support::deadline::within;
use tricks::TRICKS;

const EVENTS: usize = 2_000;
/// Connections that are waited for.
const CONNECTIONS: usize = 10_000;
/// Of a probe; far above what it takes, for a busy machine.
const LOCAL_DELAY: Duration = Duration::from_secs(20);
const BETWEEN_PROBES: Duration = Duration::from_millis(200);
/// Connections of the daemon beside the abuse: those to the broker and the API come and go.
const FILES_MORE_MAX: usize = 256 + 32;
const MEMORY_MORE_MAX_KIB: u64 = 32 * 1024;

/// Asks again and again, as a kubelet does, until `end`: how many times, and how long the slowest took.
async fn probed(address: SocketAddr, mut end: tokio::sync::oneshot::Receiver<()>) -> (usize, Duration) {
    let (mut times, mut slowest) = (0, Duration::ZERO);
    let mut ticks = tokio::time::interval(BETWEEN_PROBES);
    while end.try_recv().is_err() {
        ticks.tick().await;
        let begun = Instant::now();
        let answer = tokio::time::timeout(LOCAL_DELAY, said(address, b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        let answer = answer.expect("a probe is answered in the middle of the abuse");
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&answer));
        times += 1;
        slowest = slowest.max(begun.elapsed());
    }
    (times, slowest)
}

async fn place() -> Vhost {
    within(240, "a broker", async { shared().await.vhost().await }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abused_admin_port_starves_no_probe_and_holds_up_no_event() {
    let (scene, daemon, address) = stage(place().await).await;
    delivered(&scene, 0..EVENTS, 200).await;
    let (files, memory) = (daemon.descriptors(), daemon.peak_memory_kib());
    let abuse = Abuse::begin(address, || {});
    let (end, ended) = tokio::sync::oneshot::channel();
    let work = async {
        delivered(&scene, EVENTS..2 * EVENTS, 200).await;
        within(300, "the whole abuse", abuse.until_ended(CONNECTIONS)).await;
        let files_more = daemon.descriptors().saturating_sub(files);
        end.send(()).unwrap();
        files_more
    };
    let (files_more, (probes, slowest)) = tokio::join!(work, probed(address, ended));
    let memory_more = daemon.peak_memory_kib() - memory;
    println!(
        "{probes} probes, the slowest {slowest:?}; {} connections, {} at a time",
        abuse.ended(),
        abuse.at_a_time()
    );
    println!("{files_more} descriptors and {memory_more} KiB more");
    assert!(files_more <= FILES_MORE_MAX, "{files_more} descriptors more");
    assert!(memory_more <= MEMORY_MORE_MAX_KIB, "{memory_more} KiB more");
    drop(abuse);
    scene.ends_well(2 * EVENTS).await;
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_trick_of_a_path_a_head_or_a_body_gets_more_than_the_port_shows() {
    let (_scene, _daemon, address) = stage(place().await).await;
    for trick in TRICKS {
        let answer = within(30, trick.name, said(address, &trick.request())).await;
        let text = String::from_utf8_lossy(&answer);
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        assert!(trick.allowed.contains(&status), "{}: {text}", trick.name);
        assert_eq!(text.matches("HTTP/1.1 ").count(), usize::from(status != 0), "{}: one answer: {text}", trick.name);
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let is_ours = status == 200 && (body.starts_with("{\"live\"") || body.is_empty());
        assert!(is_ours || !body.contains("chakra_bridge_") && !body.contains("\"live\""), "{}: {text}", trick.name);
    }
}
