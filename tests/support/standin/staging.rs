//! How a fault looks on the wire: whether the create is done, what is answered, and in what manner.
//!
//! Not here: when a fault is played (`plan`).

use std::io;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::faults::{Canned, ErrorBody, Fault};
use super::plan::Drawn;
use super::wire::Reply;

/// What is done about one request.
pub struct Staging {
    /// How long to wait first; the client going away ends it.
    pub delay: Duration,
    /// How long to wait then, whether or not the client is there.
    pub late: Duration,
    /// Whether the create is done.
    pub applied: bool,
    /// Whether a list leaves out its filter.
    pub ignore_where: bool,
    /// What is answered in place of the truth.
    pub reply: Option<Reply>,
    /// How the answer goes out.
    pub manner: Manner,
    /// The content encoding that it goes out in.
    pub coding: Option<String>,
}

/// How an answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// All at once.
    Whole,
    /// Half of it, then a reset.
    Half,
    /// Byte by byte, with this pause.
    Drip(Duration),
    /// Not at all: the connection is reset.
    Reset,
    /// Not at all: the connection is closed.
    Close,
    /// Not at all: the connection is held until the client goes.
    Hold,
}

impl Staging {
    /// An answer and nothing else.
    pub fn plain(reply: Reply) -> Self {
        Self { applied: false, reply: Some(reply), ..Self::of(Drawn::default(), false) }
    }

    /// Stages what the plan has drawn for a request on a connection that served others before it, or none.
    pub fn of(mut drawn: Drawn, is_reused: bool) -> Self {
        drawn.fault = drawn.fault.filter(|fault| *fault != Fault::CutReused || is_reused);
        let (applied, manner) = drawn.fault.as_ref().map_or((true, Manner::Whole), habit);
        let late = match drawn.fault {
            Some(Fault::CreateLate { ms }) => Duration::from_millis(ms),
            _ => Duration::ZERO,
        };
        Self {
            delay: drawn.delay,
            late,
            applied: drawn.applied.unwrap_or(applied),
            ignore_where: drawn.fault == Some(Fault::IgnoreWhere),
            reply: drawn.fault.as_ref().and_then(reply_of),
            manner,
            coding: match drawn.fault {
                Some(Fault::Encoded { coding }) => Some(coding),
                _ => None,
            },
        }
    }
}

/// Whether the fault creates, and how its answer goes out.
fn habit(fault: &Fault) -> (bool, Manner) {
    match fault {
        Fault::Status(_)
        | Fault::SuccessHtml
        | Fault::SuccessWithErrors
        | Fault::Redirect
        | Fault::RedirectTo { .. } => (false, Manner::Whole),
        Fault::ResetBeforeReply | Fault::CutReused => (false, Manner::Reset),
        Fault::CloseSilently => (false, Manner::Close),
        Fault::NeverAnswer => (false, Manner::Hold),
        Fault::ResetMidReply => (true, Manner::Half),
        Fault::CreateThenReset => (true, Manner::Reset),
        Fault::CreateThenNeverAnswer => (true, Manner::Hold),
        Fault::SlowDrip { ms } => (true, Manner::Drip(Duration::from_millis(*ms))),
        Fault::Delay { .. }
        | Fault::CreateLate { .. }
        | Fault::SuccessBare
        | Fault::SuccessEmpty
        | Fault::SuccessNumericId
        | Fault::Encoded { .. }
        | Fault::IgnoreWhere => (true, Manner::Whole),
    }
}

fn reply_of(fault: &Fault) -> Option<Reply> {
    let reply = match fault {
        Fault::Status(canned) => canned_reply(canned),
        Fault::SuccessBare => Reply::json(200, "{}".to_owned()),
        Fault::SuccessEmpty => Reply::empty(200),
        Fault::SuccessHtml => Reply::html(200, "Welcome"),
        Fault::SuccessWithErrors => Reply::words(200, "the process was not saved"),
        Fault::Redirect => Reply::empty(302).header("location", "/elsewhere"),
        Fault::RedirectTo { location } => Reply::empty(302).header("location", location),
        Fault::SuccessNumericId => Reply::data(&json!({"id": 4711}), &json!({})),
        _ => return None,
    };
    Some(reply)
}

fn canned_reply(canned: &Canned) -> Reply {
    let words = format!("the stand-in was told to answer {}", canned.status);
    let code = canned.status;
    let reply = match canned.body {
        ErrorBody::Wrapper => Reply::words(code, &words),
        ErrorBody::Html => Reply::html(code, &words),
        ErrorBody::Text => Reply::text(code, &words),
        ErrorBody::Empty => Reply::empty(code),
        ErrorBody::BrokenJson => Reply::json(code, r#"{"_data":{"id":"#.to_owned()),
        ErrorBody::ErrorObject => {
            let error = json!({"error": {"message": words, "code": code, "error_data": {}}});
            Reply::json(code, error.to_string())
        }
        ErrorBody::ErrorText => Reply::json(code, json!({ "error": words }).to_string()),
        ErrorBody::Message => Reply::json(code, json!({ "message": words }).to_string()),
        ErrorBody::Nested => Reply::json(code, json!({"_errors": {"marker": [words]}}).to_string()),
        ErrorBody::Errors => Reply::json(code, json!({"errors": [{"message": words, "code": code}]}).to_string()),
    };
    match &canned.retry_after {
        Some(text) => reply.header("retry-after", text),
        None => reply,
    }
}

impl Manner {
    /// Whether the client gets to see a status.
    pub fn shows_status(self) -> bool {
        matches!(self, Self::Whole | Self::Half | Self::Drip(_))
    }

    /// Sends the bytes in this manner. Answers whether the connection can go on.
    pub async fn send(self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<bool> {
        match self {
            Self::Whole => stream.write_all(bytes).await?,
            Self::Drip(pause) => drip(stream, bytes, pause).await?,
            Self::Half => {
                stream.write_all(&bytes[..bytes.len() / 2]).await?;
                stream.set_zero_linger()?;
            }
            Self::Reset => stream.set_zero_linger()?,
            Self::Close => {}
            Self::Hold => hold(stream).await,
        }
        Ok(matches!(self, Self::Whole | Self::Drip(_)))
    }
}

async fn drip(stream: &mut TcpStream, bytes: &[u8], pause: Duration) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(std::slice::from_ref(byte)).await?;
        tokio::time::sleep(pause).await; // tidy: allow sleep, a slow answer is what it plays
    }
    Ok(())
}

/// Swallows what comes until the client goes.
async fn hold(stream: &mut TcpStream) {
    let mut scratch = [0; 1024];
    while stream.read(&mut scratch).await.is_ok_and(|read| read > 0) {}
}

/// Waits; answers early, with true, if the client goes before a further byte has come.
pub async fn client_goes_within(stream: &TcpStream, wait: Duration) -> bool {
    let gone = async {
        let mut byte = [0];
        if stream.peek(&mut byte).await.is_ok_and(|read| read > 0) {
            std::future::pending::<()>().await;
        }
    };
    tokio::time::timeout(wait, gone).await.is_ok()
}
