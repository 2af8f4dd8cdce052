//! The stand-in of the API on its own, for demonstrations: the first line printed says where it listens.
//!
//! Not here: what it does (`mod.rs`, with its control endpoints).

use std::io;
use std::net::SocketAddr;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

#[path = "mod.rs"]
mod standin;

use standin::StandIn;

/// A stand-in of the ChakraHQ API.
#[derive(Parser)]
struct Arguments {
    /// Where it listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// A token it accepts; may be given more than once.
    #[arg(long, default_value = StandIn::TOKEN)]
    token: Vec<String>,
    /// The attribute that carries the event's key.
    #[arg(long, default_value = "event_key")]
    key_attribute: String,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    let standin = StandIn::start_on(arguments.listen).await?;
    standin.set_tokens(&arguments.token.iter().map(String::as_str).collect::<Vec<_>>());
    standin.set_key_attribute(&arguments.key_attribute);
    println!("listening on {}", standin.url());
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
