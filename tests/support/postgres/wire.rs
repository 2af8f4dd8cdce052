//! A relay between a daemon and its Postgres that reads the frames of its protocol: it holds a chosen write of the ledger, or the word
//! that it is committed; or it stops to forward anything and closes nothing.
//!
//! Not here: killing. Only connections without TLS can be read.
#![allow(dead_code, unreachable_pub, clippy::expect_used, reason = "each test that includes it uses a part of it")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A write of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// That a create is about to be sent.
    Claim,
    /// How it ended.
    Record,
}

/// Where on its way a write is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was written, and is not at the database.
    Before(Write),
    /// It is committed, and the word of it is not at the daemon.
    After(Write),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Daemon,
    Database,
}

/// Binds the values of a statement.
const BIND: u8 = b'B';
/// The end of a statement, with a word whether its transaction is over.
const READY: u8 = b'Z';
const IS_OVER: u8 = b'I';

/// See the head of this file. Dropping it ends every connection.
pub struct Wire {
    address: SocketAddr,
    state: Arc<State>,
    _running: JoinSet<()>,
}

struct State {
    stop: Mutex<Option<Stop>>,
    /// Whether the stop was reached: nothing passes since.
    reached: watch::Sender<bool>,
    /// Whether it forwards.
    forwards: watch::Sender<bool>,
}

impl State {
    /// Whether a frame passes. `marked` is whether the write that is followed has passed on this connection.
    fn passes(&self, from: From, frame: &[u8], marked: &watch::Sender<bool>) -> bool {
        if *self.reached.borrow() {
            return false;
        }
        let stop = *self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        let is_held = match (stop, from) {
            (Some(Stop::Before(wanted)), From::Daemon) => write(frame) == Some(wanted),
            (Some(Stop::After(wanted)), From::Daemon) => {
                if write(frame) == Some(wanted) {
                    marked.send_replace(true);
                }
                false
            }
            (Some(Stop::After(_)), From::Database) => {
                *marked.borrow() && frame.first() == Some(&READY) && frame.last() == Some(&IS_OVER)
            }
            (Some(Stop::Before(_)), From::Database) | (None, _) => false,
        };
        if is_held {
            self.reached.send_replace(true);
        }
        !is_held
    }
}

/// Which write a frame is, told by the words of a row's columns. Pruning names how rows ended, and no hold.
fn write(frame: &[u8]) -> Option<Write> {
    let has = |word: &[u8]| frame.windows(word.len()).any(|part| part == word);
    if frame.first() != Some(&BIND) || !has(b"sends") {
        return None;
    }
    Some(if has(b"created") || has(b"dead") { Write::Record } else { Write::Claim })
}

impl Wire {
    /// A relay to the database on this port.
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (reached, forwards) = (watch::Sender::new(false), watch::Sender::new(true));
        let state = Arc::new(State { stop: Mutex::new(None), reached, forwards });
        let mut running = JoinSet::new();
        running.spawn(accept(listener, port, Arc::clone(&state)));
        Self { address, state, _running: running }
    }

    /// Where a daemon connects to.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Stops the world there, on whatever connection.
    pub fn arm(&self, stop: Stop) {
        self.set(Some(stop));
    }

    /// Lets everything pass from now on.
    pub fn disarm(&self) {
        self.set(None);
    }

    fn set(&self, stop: Option<Stop>) {
        *self.state.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop;
        self.state.reached.send_replace(false);
    }

    /// Waits until the stop was reached.
    pub async fn reached(&self) {
        let mut reached = self.state.reached.subscribe();
        reached.wait_for(|reached| *reached).await.expect("the relay stands");
    }

    /// Forwards nothing and closes nothing; new connections are taken, and lead nowhere.
    pub fn leads_nowhere(&self) {
        self.state.forwards.send_replace(false);
    }

    /// Forwards again.
    pub fn leads_on(&self) {
        self.state.forwards.send_replace(true);
    }
}

async fn accept(listener: TcpListener, port: u16, state: Arc<State>) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((near, _)) = accepted else { return };
                running.spawn(join(near, port, Arc::clone(&state)));
            }
            Some(_) = running.join_next() => {}
        }
    }
}

/// Both ways of one connection, until either end is gone: then the other goes too.
async fn join(near: TcpStream, port: u16, state: Arc<State>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let ((from_daemon, to_daemon), (from_database, to_database)) = (near.into_split(), far.into_split());
    let marked = watch::Sender::new(false);
    tokio::select! {
        () = pump(from_daemon, to_database, From::Daemon, &state, &marked) => {}
        () = pump(from_database, to_daemon, From::Database, &state, &marked) => {}
    }
}

/// Reads on behind a stop, so that the end of the daemon is noticed.
async fn pump(
    mut reader: OwnedReadHalf,
    mut writer: OwnedWriteHalf,
    from: From,
    state: &State,
    marked: &watch::Sender<bool>,
) {
    let mut forwards = state.forwards.subscribe();
    // The first word of a client has no letter before it.
    let mut has_letter = from == From::Database;
    while let Some(frame) = next(&mut reader, has_letter).await {
        has_letter = true;
        if forwards.wait_for(|forwards| *forwards).await.is_err() {
            return;
        }
        if state.passes(from, &frame, marked) && writer.write_all(&frame).await.is_err() {
            return;
        }
    }
}

async fn next(reader: &mut OwnedReadHalf, has_letter: bool) -> Option<Vec<u8>> {
    let mut frame = vec![0; usize::from(has_letter) + 4];
    reader.read_exact(&mut frame).await.ok()?;
    let head = frame.len();
    let length = u32::from_be_bytes(frame[head - 4..].try_into().ok()?) as usize;
    frame.resize(head + length.checked_sub(4)?, 0);
    reader.read_exact(&mut frame[head..]).await.ok()?;
    Some(frame)
}
