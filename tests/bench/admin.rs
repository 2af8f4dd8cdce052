//! How fast the daemon delivers while its admin port is abused, beside how fast it does in quiet: a ratio. Fails above
//! [`RATIO_MAX`]. `cargo bench --bench admin`.
//!
//! The abuse has a core of its own, and daemon, broker and stand-in share the others, in quiet as well: so what is measured
//! is what the abuse costs the daemon, and not that the abuse is busy itself.
//!
//! Not here: what the daemon answers meanwhile, and what that takes of its memory (`tests/admin.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a bench may fail this way")]

#[path = "../admin/abuse.rs"]
mod abuse;
#[path = "admin/cores.rs"]
mod cores;
#[path = "../admin/stage.rs"]
mod stage;
#[path = "../support/mod.rs"]
mod support;
#[path = "../admin/tricks.rs"]
mod tricks;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use abuse::Abuse;
use cores::Cores;
use stage::{delivered, stage};
use support::broker::Broker;
use support::deadline::within;
use support::scene::Scene;

/// At most so many times the time that it takes in quiet.
const RATIO_MAX: f64 = 1.25;

/// How often both are measured, one after the other.
const ROUNDS: usize = 7;

/// How many events a measurement takes.
const EVENTS: usize = 3_000;

/// Connections before anything is measured: beyond what the port lets in at once after a silence.
const WARM_UP: usize = 5_000;

#[tokio::main]
async fn main() -> ExitCode {
    let Some(cores) = Cores::divided() else {
        println!("this machine has one core: the abuse cannot have one of its own, and nothing is measured");
        return if std::env::var_os("CHAKRA_BRIDGE_CI").is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    };
    let broker = within(240, "a broker", Broker::start()).await;
    let (scene, daemon, address) = stage(broker.vhost().await).await;
    cores.keep([std::process::id(), daemon.pid()].into_iter().chain(broker.pids()));
    println!("the abuse is on core {}; daemon, broker and stand-in are on {}", cores.abuse, cores.work);
    let mut published = 0;
    timed(&scene, &mut published).await;
    let (mut quiet, mut abused) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        quiet.push(timed(&scene, &mut published).await);
        let (took, ended) = under_abuse(&scene, address, &cores, &mut published).await;
        abused.push(took);
        println!(
            "round {round}: {EVENTS} events in {:?}, and in {took:?} beside {ended} connections",
            quiet[round - 1]
        );
    }
    scene.ends_well(published).await;
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(0));
    quiet.sort();
    abused.sort();
    let ratio = abused[ROUNDS / 2].as_secs_f64() / quiet[ROUNDS / 2].as_secs_f64();
    println!("| time beside the abuse, in times of that in quiet | at most |\n| --- | --- |");
    println!("| {ratio:.2} | {RATIO_MAX:.2} |");
    if ratio <= RATIO_MAX { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Publishes so many more events, and answers how long it is until all are processes.
async fn timed(scene: &Scene, published: &mut usize) -> Duration {
    let (begun, before) = (Instant::now(), *published);
    *published += EVENTS;
    delivered(scene, before..*published, 1000).await;
    begun.elapsed()
}

/// The same under abuse, and how many connections have ended meanwhile.
async fn under_abuse(scene: &Scene, address: SocketAddr, cores: &Cores, published: &mut usize) -> (Duration, usize) {
    let core = cores.abuse.clone();
    let abuse = Abuse::begin(address, move || cores::pin_this_thread(&core));
    within(60, "the abuse", abuse.until_ended(WARM_UP)).await;
    let before = abuse.ended();
    let took = timed(scene, published).await;
    (took, abuse.ended() - before)
}
