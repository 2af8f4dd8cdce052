//! A scripted HTTP peer on a real socket: it reads requests and does to each what the script says.
//!
//! Not here: anything that knows the API.

use std::convert::Infallible;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What the peer does to one request.
pub(super) enum Act {
    /// Answers with these bytes and keeps the connection.
    Say(String),
    /// Answers with this head and these bytes, and keeps the connection.
    SayBytes(String, Vec<u8>),
    /// Answers with these bytes and closes the connection.
    SayAndClose(String),
    /// Answers with these bytes, then says nothing more until the client closes the connection.
    SayAndHold(String),
    /// Answers with these bytes, then with a byte at a time until the client closes the connection.
    SayAndDrip(String, Duration),
    /// Answers with these bytes, then as fast as it can until the client closes the connection.
    SayAndFlood(String),
    /// Resets the connection.
    Reset,
}

/// What a peer of many connections does to one that was answered once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Answers on.
    Keeps,
    /// Closes it behind the answer, without having said so.
    Closes,
    /// Resets it under the next request.
    Cuts,
}

/// A request as the peer saw it.
pub(super) struct Seen {
    /// Which connection it came on, from 1.
    pub(super) connection: usize,
    /// The request line and the headers, names in lower case.
    pub(super) head: Vec<String>,
    /// The body.
    pub(super) body: String,
}

impl Seen {
    /// The values of a header.
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        let values = self.head.iter().filter_map(|line| line.split_once(": "));
        values.filter(|(found, _)| *found == name).map(|(_, value)| value).collect()
    }
}

pub(super) struct Peer(TcpListener);

impl Peer {
    pub(super) async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(super) fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// Reads one request for each act, on the connection that is open or else on a new one.
    pub(super) async fn serve(&self, acts: Vec<Act>) -> Vec<Seen> {
        let (mut seen, mut open, mut connections) = (Vec::new(), None, 0);
        for act in acts {
            let (stream, request) = loop {
                let mut stream = match open.take() {
                    Some(stream) => stream,
                    None => {
                        connections += 1;
                        self.0.accept().await.unwrap().0
                    }
                };
                if let Some(request) = read_request(&mut stream, connections).await {
                    break (stream, request);
                }
            };
            seen.push(request);
            open = perform(act, stream).await;
        }
        seen
    }

    /// Answers requests on any number of connections, and tells those it answered. Never ends.
    pub(super) async fn answer_each(&self, answer: &str, then: Then, seen: mpsc::Sender<Seen>) -> Infallible {
        let mut connections = JoinSet::new();
        for number in 1.. {
            let (stream, answer, seen) = (self.0.accept().await.unwrap().0, answer.to_owned(), seen.clone());
            connections.spawn(answer_on(stream, number, answer, then, seen));
        }
        unreachable!("there is always another number")
    }

    /// Does this to the first connection without reading a request, and keeps listening for ever.
    pub(super) async fn answer_at_once(&self, act: Act) {
        let stream = self.0.accept().await.unwrap().0;
        perform(act, stream).await;
        std::future::pending().await
    }
}

async fn answer_on(mut stream: TcpStream, number: usize, answer: String, then: Then, seen: mpsc::Sender<Seen>) {
    while let Some(request) = read_request(&mut stream, number).await {
        seen.send(request).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        match then {
            Then::Keeps => {}
            Then::Closes => return,
            Then::Cuts => {
                read_request(&mut stream, number).await;
                return stream.set_zero_linger().unwrap();
            }
        }
    }
}

/// One request, or none if the client closed the connection first.
async fn read_request(stream: &mut TcpStream, connection: usize) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let seen = Seen { connection, head: head.lines().map(lower_name).collect(), body: body.to_owned() };
        let length = seen.header("content-length").first().map_or(0, |length| length.parse().unwrap());
        if seen.body.len() >= length {
            return Some(seen);
        }
    }
}

fn lower_name(line: &str) -> String {
    match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    }
}

/// Returns the connection if it stays open for the next request.
async fn perform(act: Act, mut stream: TcpStream) -> Option<TcpStream> {
    match act {
        Act::Say(answer) => {
            stream.write_all(answer.as_bytes()).await.unwrap();
            return Some(stream);
        }
        Act::SayBytes(head, bytes) => {
            stream.write_all(&[head.as_bytes(), &bytes].concat()).await.unwrap();
            return Some(stream);
        }
        Act::SayAndClose(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
        Act::SayAndHold(answer) => {
            stream.write_all(answer.as_bytes()).await.unwrap();
            assert!(matches!(stream.read(&mut [0; 64]).await, Ok(0) | Err(_)), "the client has no more to say");
        }
        Act::SayAndDrip(answer, pause) => {
            let mut pace = tokio::time::interval(pause);
            stream.write_all(answer.as_bytes()).await.unwrap();
            while stream.write_all(b" ").await.is_ok() {
                pace.tick().await;
            }
        }
        Act::SayAndFlood(answer) => {
            stream.write_all(answer.as_bytes()).await.unwrap();
            while stream.write_all(&[b' '; 4096]).await.is_ok() {}
        }
        Act::Reset => stream.set_zero_linger().unwrap(),
    }
    None
}
