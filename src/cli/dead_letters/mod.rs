//! `dead-letters`: what is in the dead-letter queue, why, and what to do about it: beside a running daemon, or without one.
//!
//! Not here: reading the queue (`amqp::letters`), and what is to be done with each letter (`core::letters`).

mod act;
mod arguments;
mod carry;
mod list;
mod open;
mod progress;
mod show;
mod story;
mod words;

use std::io::{self, Write};

use super::check::load_for_dry_run;
use super::exit::Exit;
use super::{Common, stack};
use crate::ready::Ready;
pub use arguments::Command;

/// Why a verb ended before its end.
enum Stop {
    /// In words, for a person.
    Said(String),
    /// Standard output takes no more.
    Output(io::Error),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Said(why)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Carries out what was asked.
///
/// # Errors
/// That `out` takes no more.
pub fn run(common: &Common, command: &Command, out: &mut impl Write) -> io::Result<Exit> {
    // Of a letter that somebody else put there the headers may be nested as deep as they like.
    if let Err(why) = stack::ensure() {
        eprintln!("{why}");
    }
    let ready = match load_for_dry_run(&common.config) {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    // A thread of its own for the client library: heartbeats go on while nobody reads what is printed.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(Box::pin(carry_out(&ready, command, out))),
        Err(error) => Err(Stop::Said(format!("the runtime cannot be begun: {error}"))),
    };
    match done {
        Ok(exit) => Ok(exit),
        Err(Stop::Output(error)) => Err(error),
        Err(Stop::Said(why)) => {
            eprintln!("{why}");
            Ok(Exit::LettersLeft)
        }
    }
}

async fn carry_out(ready: &Ready, command: &Command, out: &mut impl Write) -> Result<Exit, Stop> {
    match command {
        Command::List(arguments) => list::run(ready, arguments, out).await,
        Command::Show(arguments) => show::run(ready, arguments, out).await,
        Command::Retry(arguments) => act::retry(ready, arguments, out).await,
        Command::Discard(arguments) => act::discard(ready, arguments, out).await,
        Command::Export(arguments) => carry::export(ready, arguments, out).await,
        Command::Import(arguments) => carry::import(ready, arguments, out).await,
    }
}
