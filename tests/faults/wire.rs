//! A wire between two ends whose weather a test makes: latency, a slow drip, resets, a half-open connection, a black hole.
//!
//! Not here: what runs over it. Bytes are never changed, dropped or put in another order: TCP would not let them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How the wire behaves, for connections that stand and for new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Clear,
    /// Every read waits so long before it goes on.
    Latency(Duration),
    /// So many bytes at a time, with a pause between.
    Drip(usize, Duration),
    /// Nothing comes back: what the near end sends still arrives.
    HalfOpen,
    /// Nothing goes either way, and nobody is told.
    BlackHole,
}

/// See the head of this file. Dropping it ends every connection.
pub struct Wire {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    /// Each change resets what stands.
    lightning: watch::Sender<()>,
    _running: JoinSet<()>,
}

impl Wire {
    /// A wire to `far`, in clear weather.
    pub async fn to(far: String) -> Self {
        Self::to_one_of(vec![far]).await
    }

    /// A wire to the first of these that takes a connection, as a balancer before a cluster leads there.
    pub async fn to_one_of(far: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (weather, seen) = watch::channel(Weather::Clear);
        let lightning = watch::Sender::new(());
        let mut running = JoinSet::new();
        running.spawn(accept(listener, far, seen, lightning.clone()));
        Self { address, weather, lightning, _running: running }
    }

    /// The near end.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather.
    pub fn becomes(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Resets what stands; what connects afterwards is let through.
    pub fn resets(&self) {
        self.lightning.send_replace(());
    }
}

async fn accept(
    listener: TcpListener,
    far: Vec<String>,
    weather: watch::Receiver<Weather>,
    lightning: watch::Sender<()>,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((near, _)) = accepted else { return };
                running.spawn(join(near, far.clone(), weather.clone(), lightning.subscribe()));
            }
            Some(_) = running.join_next() => {}
        }
    }
}

async fn join(
    near: TcpStream,
    far: Vec<String>,
    weather: watch::Receiver<Weather>,
    mut lightning: watch::Receiver<()>,
) {
    let Some(far) = first(&far).await else { return };
    for end in [&near, &far] {
        // Closed with bytes unsent, an end is reset instead of closed in order.
        end.set_zero_linger().expect("a socket option");
    }
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pump(from_near, to_far, true, weather.clone()) => {}
        () = pump(from_far, to_near, false, weather) => {}
        _ = lightning.changed() => {}
    }
}

async fn first(far: &[String]) -> Option<TcpStream> {
    for far in far {
        if let Ok(stream) = TcpStream::connect(far).await {
            return Some(stream);
        }
    }
    None
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_out: bool, mut weather: watch::Receiver<Weather>) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let Ok(count @ 1..) = from.read(&mut bytes).await else { return };
        let stalls = |weather: &Weather| *weather == Weather::BlackHole || (*weather == Weather::HalfOpen && !is_out);
        let Ok(now) = weather.wait_for(|weather| !stalls(weather)).await.map(|now| *now) else { return };
        let (piece, pause) = match now {
            Weather::Latency(pause) => (count, pause),
            Weather::Drip(piece, pause) => (piece, pause),
            _ => (count, Duration::ZERO),
        };
        for piece in bytes[..count].chunks(piece) {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await; // tidy: allow sleep, a slow wire is what it plays
            }
            if to.write_all(piece).await.is_err() {
                return;
            }
        }
    }
}
