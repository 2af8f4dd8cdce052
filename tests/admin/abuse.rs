//! Abuse of a port: many who say nothing, many who say it slowly, and a flood of short connections full of tricks.
//!
//! Not here: what the daemon does meanwhile.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::said;
use crate::tricks::TRICKS;

/// Connections of the flood, one after the other in each of its lanes.
pub const FLOOD: usize = 10_000;
const LANES: usize = 50;
/// Held open at a time, half of them in silence; less where the system allows less.
const HELD: usize = 400;
/// Between two bytes of a slow one.
const DRIP: Duration = Duration::from_millis(500);

/// Everything at once. Dropping it ends it.
pub struct Abuse {
    flooded: watch::Receiver<usize>,
    held: usize,
    _running: JoinSet<()>,
}

impl Abuse {
    pub fn begin(address: SocketAddr) -> Self {
        let mut running = JoinSet::new();
        let held = HELD.min(files_allowed() / 2);
        for number in 0..held {
            running.spawn(async move {
                loop {
                    // Shown the door, it comes again.
                    drop(hold(address, number % 2 == 0).await);
                }
            });
        }
        let (count, flooded) = watch::channel(0);
        for lane in 0..LANES {
            let count = count.clone();
            running.spawn(async move {
                for number in 0..FLOOD / LANES {
                    let trick = &TRICKS[(lane + number) % TRICKS.len()];
                    drop(said(address, &trick.request()).await);
                    count.send_modify(|count| *count += 1);
                }
            });
        }
        Self { flooded, held, _running: running }
    }

    /// How many are held.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Until the flood is over; the others go on.
    pub async fn until_flooded(&self) {
        self.flooded.clone().wait_for(|count| *count == FLOOD).await.unwrap();
    }
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
