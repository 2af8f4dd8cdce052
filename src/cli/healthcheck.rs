//! `healthcheck`: asks the daemon beside it how it is, for containers that have no shell and no curl.
//!
//! Not here: what a daemon answers (`admin`), and the rest of its configuration: a mistake there makes nobody ill.

use std::future::poll_fn;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use clap::Args;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::fmt::friendly::SpanParser;
use tokio::net::TcpStream;

use super::Common;
use super::exit::Exit;
use crate::config::{self, Listening};
use crate::ready::variables;

/// The most of an answer that is shown, in characters.
const SHOWN_MAX: usize = 600;

/// What `healthcheck` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Asks whether it takes events (`/readyz`), not only whether it moves (`/livez`)
    #[arg(long)]
    ready: bool,
    /// How long the whole may take
    #[arg(long, default_value = "2s", value_parser = duration, value_name = "DURATION")]
    timeout: Duration,
}

/// Asks, and says in one line how it is: on standard output if well, on standard error if not.
///
/// # Errors
/// That `out` takes no more.
pub fn run(common: &Common, arguments: &Arguments, out: &mut impl Write) -> io::Result<Exit> {
    match asked(common, arguments) {
        Ok(words) => {
            writeln!(out, "healthy: {words}")?;
            Ok(Exit::Done)
        }
        Err(words) => {
            eprintln!("not healthy: {words}");
            Ok(Exit::Unhealthy)
        }
    }
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    SpanParser::new().parse_unsigned_duration(text).map_err(|_| "write a duration such as 2s")
}

fn asked(common: &Common, arguments: &Arguments) -> Result<String, String> {
    let Listening { address, doubt } = config::admin_listen(&common.config, variables())?;
    let address = nearest(address)?;
    let path = if arguments.ready { "/readyz" } else { "/livez" };
    let told = ask_within(arguments.timeout, address, path);
    let guess = doubt.map(|doubt| format!(" (asked where it listens by default: {doubt})")).unwrap_or_default();
    let place = format!("http://{address}{path}");
    match told {
        Ok((StatusCode::OK, body)) => Ok(format!("{place} answers 200: {body}{guess}")),
        Ok((status, body)) => Err(format!("{place} answers {}: {body}{guess}", status.as_u16())),
        Err(why) => Err(format!("{place}: {why}{guess}")),
    }
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

fn ask_within(limit: Duration, address: SocketAddr, path: &str) -> Result<(StatusCode, String), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be begun: {error}"))?;
    let asking = async { tokio::time::timeout(limit, ask(address, path)).await };
    runtime.block_on(asking).unwrap_or_else(|_| Err(format!("no answer within {} s", limit.as_secs_f32())))
}

async fn ask(address: SocketAddr, path: &str) -> Result<(StatusCode, String), String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let request = Request::get(path).header(HOST, address.to_string()).body(String::new());
    let request = request.map_err(|error| error.to_string())?;
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
