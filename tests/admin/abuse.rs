//! Abuse of a port: many who say nothing, many who say it slowly, and a flood of short connections full of tricks.
//!
//! Not here: what the daemon does meanwhile.
#![allow(dead_code, reason = "the bench that includes it uses a part of it")]

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::tricks::TRICKS;

/// One connection after the other in each of them.
const LANES: usize = 50;
/// Held open at a time, half of them in silence; less where the system allows less.
const HELD: usize = 3_000;
/// Between two bytes of a slow one.
const DRIP: Duration = Duration::from_millis(500);

/// What costs the daemon most; every other connection of the flood asks for it.
const METRICS: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n";

/// Everything at once, on a thread of its own. Dropping it ends it.
pub struct Abuse {
    ended: watch::Receiver<usize>,
    held: usize,
    _end: oneshot::Sender<()>,
}

impl Abuse {
    /// Begins it; `settle` is run first on its thread, which may choose a core there.
    pub fn begin(address: SocketAddr, settle: impl FnOnce() + Send + 'static) -> Self {
        let (end, ended) = oneshot::channel();
        let (count, counted) = watch::channel(0);
        let held = HELD.min(files_allowed() / 2);
        std::thread::spawn(move || {
            settle();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let _running = unleashed(address, held, &count);
                drop(ended.await);
            });
        });
        Self { ended: counted, held, _end: end }
    }

    /// How many there are at a time.
    pub fn at_a_time(&self) -> usize {
        self.held + LANES
    }

    /// How many connections have ended, of every kind; others came in their place.
    pub fn ended(&self) -> usize {
        *self.ended.borrow()
    }

    /// Until so many have ended.
    pub async fn until_ended(&self, wanted: usize) {
        self.ended.clone().wait_for(|count| *count >= wanted).await.unwrap();
    }
}

fn unleashed(address: SocketAddr, held: usize, count: &watch::Sender<usize>) -> JoinSet<()> {
    let mut running = JoinSet::new();
    for number in 0..held {
        let count = count.clone();
        running.spawn(async move {
            loop {
                // Shown the door, it comes again.
                drop(hold(address, number % 2 == 0).await);
                count.send_modify(|count| *count += 1);
            }
        });
    }
    for lane in 0..LANES {
        let count = count.clone();
        running.spawn(async move {
            for trick in TRICKS.iter().cycle().skip(lane) {
                for request in [trick.request(), METRICS.to_vec()] {
                    drop(said(address, &request).await);
                    count.send_modify(|count| *count += 1);
                }
            }
        });
    }
    running
}

/// What comes back until the connection ends, or breaks.
pub async fn said(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let Ok(mut stream) = TcpStream::connect(address).await else { return answer };
    // A server that has heard enough may hang up before all of it is written.
    drop(stream.write_all(request).await);
    drop(stream.read_to_end(&mut answer).await);
    answer
}

/// Holds one connection until it is closed there.
async fn hold(address: SocketAddr, in_silence: bool) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    if in_silence {
        return stream.read_u8().await.map(drop);
    }
    let mut ticks = tokio::time::interval(DRIP);
    for byte in b"GET /metrics HTTP/1.1\r\nHost: h\r\nX: ".iter().chain(std::iter::repeat(&b'x')) {
        ticks.tick().await;
        stream.write_all(&[*byte]).await?;
    }
    Ok(())
}

/// How many files this process may have open.
fn files_allowed() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).and_then(|number| number.parse().ok()).unwrap_or(HELD * 2)
}
