//! A relay between a daemon and its broker that reads AMQP frames, and stops the world at a chosen one.
//!
//! Not here: which frame is chosen, and killing.
#![allow(dead_code, unreachable_pub, reason = "each test that includes it uses a part of it")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

/// What a client says first, before any frame.
const PROTOCOL_HEADER: usize = 8;
/// Type, channel and size.
const FRAME_HEAD: usize = 7;
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;

/// Who sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Daemon,
    Broker,
}

/// What a frame does, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    Delivers,
    /// Head or body of a message.
    Content,
    /// Publishes to this queue.
    Publishes(String),
    /// Asks whether this queue is there.
    LooksFor(String),
    /// From the daemon an acknowledgement, from the broker a confirm.
    Acknowledges,
    Else,
}

/// One frame on its way.
#[derive(Clone, Debug)]
pub struct Seen {
    pub from: From,
    pub connection: usize,
    pub channel: u16,
    pub doing: Doing,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passes,
    /// It passes, and nothing after it.
    PassesLast,
    /// It does not, and nothing after it.
    Held,
    /// It does not, and the rest goes on.
    Swallowed,
}

/// Decides about each frame in turn.
pub type Breakpoint = Box<dyn FnMut(&Seen) -> Verdict + Send>;

/// See the head of this file. Dropping it ends every connection.
pub struct Relay {
    address: SocketAddr,
    state: Arc<State>,
    reached: watch::Receiver<bool>,
    _running: JoinSet<()>,
}

struct State {
    breakpoint: Mutex<Option<Breakpoint>>,
    reached: watch::Sender<bool>,
    cut: Notify,
}

impl State {
    fn breakpoint(&self) -> MutexGuard<'_, Option<Breakpoint>> {
        self.breakpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, seen: &Seen) -> Verdict {
        if *self.reached.borrow() {
            return Verdict::Held;
        }
        let mut breakpoint = self.breakpoint();
        let verdict = breakpoint.as_mut().map_or(Verdict::Passes, |breakpoint| breakpoint(seen));
        if matches!(verdict, Verdict::PassesLast | Verdict::Held) {
            self.reached.send_replace(true);
        }
        verdict
    }
}

impl Relay {
    /// A relay to the broker at `upstream`.
    pub async fn start(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (reached, seen) = watch::channel(false);
        let state = Arc::new(State { breakpoint: Mutex::new(None), reached, cut: Notify::new() });
        let mut running = JoinSet::new();
        running.spawn(accept(listener, upstream, Arc::clone(&state)));
        Self { address, state, reached: seen, _running: running }
    }

    /// Where a daemon connects to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets a breakpoint for the connections from now on.
    pub fn arm(&self, breakpoint: Breakpoint) {
        *self.state.breakpoint() = Some(breakpoint);
        self.state.reached.send_replace(false);
    }

    /// Lets everything pass from now on.
    pub fn disarm(&self) {
        *self.state.breakpoint() = None;
        self.state.reached.send_replace(false);
    }

    /// Ends every connection that stands now.
    pub fn cut(&self) {
        self.state.cut.notify_waiters();
    }

    /// Waits until the breakpoint was reached.
    pub async fn reached(&mut self) {
        self.reached.wait_for(|reached| *reached).await.expect("the relay stands");
    }
}

async fn accept(listener: TcpListener, upstream: String, state: Arc<State>) {
    let mut running = JoinSet::new();
    for connection in 0.. {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((near, _)) = accepted else { return };
                let Ok(far) = TcpStream::connect(&upstream).await else { continue };
                running.spawn(join(near, far, connection, Arc::clone(&state)));
            }
            Some(_) = running.join_next() => {}
        }
    }
}

/// Both ways of one connection, until either end is gone: then the other goes too, as if there were no relay.
async fn join(near: TcpStream, far: TcpStream, connection: usize, state: Arc<State>) {
    let ((from_daemon, to_daemon), (from_broker, to_broker)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = state.cut.notified() => {}
        () = pump(from_daemon, to_broker, From::Daemon, connection, &state) => {}
        () = pump(from_broker, to_daemon, From::Broker, connection, &state) => {}
    }
}

/// Reads on after the breakpoint was reached, so that the end of the daemon is noticed.
async fn pump(mut reader: OwnedReadHalf, writer: OwnedWriteHalf, from: From, connection: usize, state: &State) {
    let (frames, queue) = mpsc::channel(1024);
    let reading = async move {
        if from == From::Daemon {
            let mut header = vec![0; PROTOCOL_HEADER];
            if reader.read_exact(&mut header).await.is_err() || frames.send(header).await.is_err() {
                return;
            }
        }
        while let Some((frame, seen)) = next(&mut reader, from, connection).await {
            let verdict = state.judge(&seen);
            let passes = matches!(verdict, Verdict::Passes | Verdict::PassesLast);
            if passes && frames.send(frame).await.is_err() {
                return;
            }
        }
    };
    // The reader takes its end of the queue along: when it ends, the writer writes what passed, and ends too.
    let ((), ()) = tokio::join!(reading, write(writer, queue));
}

async fn write(mut writer: OwnedWriteHalf, mut frames: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        if writer.write_all(&frame).await.is_err() {
            return;
        }
    }
}

async fn next(reader: &mut OwnedReadHalf, from: From, connection: usize) -> Option<(Vec<u8>, Seen)> {
    let mut frame = vec![0; FRAME_HEAD];
    reader.read_exact(&mut frame).await.ok()?;
    let channel = u16::from_be_bytes([frame[1], frame[2]]);
    let size = u32::from_be_bytes([frame[3], frame[4], frame[5], frame[6]]) as usize;
    frame.resize(FRAME_HEAD + size + 1, 0);
    reader.read_exact(&mut frame[FRAME_HEAD..]).await.ok()?;
    let doing = match frame[0] {
        METHOD => doing(&frame[FRAME_HEAD..]),
        HEADER | BODY => Doing::Content,
        _ => Doing::Else,
    };
    Some((frame, Seen { from, connection, channel, doing }))
}

fn doing(method: &[u8]) -> Doing {
    match method.get(..4) {
        Some([0, 60, 0, 60]) => Doing::Delivers,
        Some([0, 60, 0, 80]) => Doing::Acknowledges,
        // Class, method, two reserved bytes, the exchange and the routing key, each with its length before it.
        Some([0, 60, 0, 40]) => Doing::Publishes(second_text(&method[6..]).unwrap_or_default()),
        // Class, method, two reserved bytes, the queue, and bits, of which the first says that nothing is to be made.
        Some([0, 50, 0, 10]) => looked_for(&method[6..]).map_or(Doing::Else, Doing::LooksFor),
        _ => Doing::Else,
    }
}

fn looked_for(bytes: &[u8]) -> Option<String> {
    let (name, rest) = bytes.get(1..)?.split_at_checked(usize::from(*bytes.first()?))?;
    (rest.first()? & 1 == 1).then(|| String::from_utf8_lossy(name).into_owned())
}

fn second_text(bytes: &[u8]) -> Option<String> {
    let rest = bytes.get(1 + usize::from(*bytes.first()?)..)?;
    let text = rest.get(1..1 + usize::from(*rest.first()?))?;
    Some(String::from_utf8_lossy(text).into_owned())
}
