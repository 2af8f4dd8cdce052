//! `healthcheck`: asks the daemon beside it how it is, for containers that have no shell and no curl.
//!
//! Not here: what a daemon answers (`admin`), and the rest of its configuration: a mistake there makes nobody ill.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use hyper::{Request, StatusCode};

use super::Common;
use super::admin_client::{self, Place, ask_within};
use super::exit::Exit;

/// What `healthcheck` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Asks whether it takes events (`/readyz`), not only whether it moves (`/livez`)
    #[arg(long)]
    ready: bool,
    /// How long the whole may take
    #[arg(long, default_value = "2s", value_parser = admin_client::duration, value_name = "DURATION")]
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

fn asked(common: &Common, arguments: &Arguments) -> Result<String, String> {
    let Place { address, guess } = Place::of(&common.config)?;
    let path = if arguments.ready { "/readyz" } else { "/livez" };
    let request = Request::get(path).body(String::new()).map_err(|error| error.to_string())?;
    let url = format!("http://{address}{path}");
    match ask_within(arguments.timeout, address, request) {
        Ok((StatusCode::OK, body)) => Ok(format!("{url} answers 200: {body}{guess}")),
        Ok((status, body)) => Err(format!("{url} answers {}: {body}{guess}", status.as_u16())),
        Err(why) => Err(format!("{url}: {why}{guess}")),
    }
}
