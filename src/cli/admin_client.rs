//! Asking the admin server of the daemon beside this program: one request, one answer in one line.
//!
//! Not here: what is asked (`healthcheck`, `command`), and what the daemon answers (`admin`).

use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::fmt::friendly::SpanParser;
use tokio::net::TcpStream;

use crate::config::{self, Listening};
use crate::ready::variables;

/// The most of an answer that is shown, in characters.
const SHOWN_MAX: usize = 600;

/// What was answered, and the beginning of its body in one line; or why nothing was.
pub(super) type Answered = Result<(StatusCode, String), String>;

/// Where the daemon beside this program listens.
pub(super) struct Place {
    pub(super) address: SocketAddr,
    /// A remark where that is a guess; empty otherwise.
    pub(super) guess: String,
}

impl Place {
    /// As the file at `config` or the environment says.
    ///
    /// # Errors
    /// That the address is none, or that nobody can know the port.
    pub(super) fn of(config: &Path) -> Result<Self, String> {
        let Listening { address, doubt } = config::admin_listen(config, variables())?;
        let guess = doubt.map(|doubt| format!(" (asked where it listens by default: {doubt})")).unwrap_or_default();
        Ok(Self { address: nearest(address)?, guess })
    }
}

/// A duration of the command line.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    SpanParser::new().parse_unsigned_duration(text).map_err(|_| "write a duration such as 2s")
}

/// Where somebody on the same machine asks.
fn nearest(listen: SocketAddr) -> Result<SocketAddr, String> {
    if listen.port() == 0 {
        return Err("admin.listen takes any free port, so nobody can know which: write a port".to_owned());
    }
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Ok(SocketAddr::new(ip, listen.port()))
}

/// Sends the request to `address`, with that as its host, and takes no longer than `limit`.
pub(super) fn ask_within(limit: Duration, address: SocketAddr, request: Request<String>) -> Answered {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be begun: {error}"))?;
    let asking = async { tokio::time::timeout(limit, ask(address, request)).await };
    runtime.block_on(asking).unwrap_or_else(|_| Err(format!("no answer within {} s", limit.as_secs_f32())))
}

async fn ask(address: SocketAddr, mut request: Request<String>) -> Answered {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let host = address.to_string().try_into().map_err(|_| "the address is no host".to_owned())?;
    request.headers_mut().insert(HOST, host);
    let asking = async move {
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        Ok((answer.status(), beginning(answer.into_body()).await))
    };
    // The connection ends once its sender is dropped; how it ends says no more than the answer does.
    tokio::join!(asking, connection).0
}

/// What the answer begins with, in one line.
async fn beginning(mut body: Incoming) -> String {
    let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
    let data = frame.and_then(Result::ok).and_then(|frame| frame.into_data().ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&data);
    text.trim().chars().map(|character| if character.is_control() { ' ' } else { character }).take(SHOWN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_asked_for_at_its_own_loopback() {
        let near = |listen: &str| nearest(listen.parse().unwrap()).map(|address| address.to_string());
        assert_eq!(near("0.0.0.0:9464").unwrap(), "127.0.0.1:9464");
        assert_eq!(near("[::]:9464").unwrap(), "[::1]:9464");
        assert_eq!(near("10.1.2.3:80").unwrap(), "10.1.2.3:80");
        assert!(near("0.0.0.0:0").unwrap_err().contains("write a port"));
    }
}
