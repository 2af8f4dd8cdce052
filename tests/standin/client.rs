//! A client that hears every byte, and how the connection ended.
//!
//! Not here: anything an HTTP client would do for us.

use std::future::Future;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::standin::StandIn;

/// The path that creates a lead.
pub(crate) const LEAD: &str = "/v1/ext/procedure/lead/process";

/// The path that lists leads.
pub(crate) const LEADS: &str = "/v1/ext/procedure/lead/process/list";

/// Holds a test to its deadline.
pub(crate) async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), test).await.expect("the test did not end in time")
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In order.
    Closed,
    /// By a reset.
    Reset,
}

/// All that was heard of one request.
#[derive(Debug)]
pub(crate) struct Heard {
    /// Head and body.
    pub(crate) text: String,
    /// How it ended.
    pub(crate) end: End,
    /// In how many pieces it came.
    pub(crate) pieces: usize,
}

impl Heard {
    /// The status.
    pub(crate) fn status(&self) -> u16 {
        self.text.split(' ').nth(1).expect("a status").parse().expect("a number")
    }

    /// The body, as text.
    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").expect("a whole head").1
    }

    /// The body, as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.body()).expect("JSON")
    }

    /// The status, and the first words in the wrapper.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status(), self.json()["_errors"][0].as_str().unwrap_or_default().to_owned())
    }
}

/// A request with the right token.
pub(crate) fn post(path: &str, body: &str) -> String {
    let (token, length) = (StandIn::TOKEN, body.len());
    format!(
        "POST {path} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// A create with this event key.
pub(crate) fn create(key: &str) -> String {
    post(LEAD, &json!({"data": {"event_key": key, "score": 5}, "status": "OPEN"}).to_string())
}

/// A connection over which this has been sent.
pub(crate) async fn send(standin: &StandIn, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(standin.address()).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream
}

/// Sends a request and asks for the connection to be closed behind it.
pub(crate) async fn ask(standin: &StandIn, request: &str) -> Heard {
    let closing = request.replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1);
    hear(send(standin, &closing).await).await
}

/// Asks for a list with this body.
pub(crate) async fn list(standin: &StandIn, body: &Value) -> Heard {
    ask(standin, &post(LEADS, &body.to_string())).await
}

/// Hears a connection out.
pub(crate) async fn hear(mut stream: TcpStream) -> Heard {
    let (mut bytes, mut pieces) = (Vec::new(), 0);
    let end = loop {
        match stream.read_buf(&mut bytes).await {
            Ok(0) => break End::Closed,
            Ok(_) => pieces += 1,
            Err(_) => break End::Reset,
        }
    };
    Heard { text: String::from_utf8(bytes).expect("text"), end, pieces }
}

/// Hears one whole answer of a connection that stays open.
pub(crate) async fn hear_one(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> String {
    loop {
        if let Some(end) = end_of_answer(bytes) {
            let rest = bytes.split_off(end);
            return String::from_utf8(std::mem::replace(bytes, rest)).expect("text");
        }
        assert_ne!(stream.read_buf(bytes).await.expect("read"), 0, "the connection ended");
    }
}

fn end_of_answer(bytes: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(bytes).expect("text");
    let (head, _) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let end = head.len() + 4 + length.parse::<usize>().expect("a number");
    (bytes.len() >= end).then_some(end)
}
