//! `trace`: what became of events, by their keys: from the ledger, and where it knows nothing by asking the API.
//!
//! Not here: the questions (`ledger::read`, `chakra::lookup`), and any change: it only reads.

mod lookups;
pub(super) mod told;

use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write};
use std::path::PathBuf;

use clap::Args;

use super::Common;
use super::exit::Exit;
use crate::ledger::read::Reader;
use crate::ready::{Ready, load_to_run};
use lookups::Lookups;
use told::Told;

/// What `trace` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Keys of events, as the log has them in `key`: of a CloudEvent its source, a `|` and its id
    #[arg(value_name = "KEY", required_unless_present = "file")]
    keys: Vec<String>,
    /// A file with a key a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Prints one JSON object a line, one for each key
    #[arg(long)]
    json: bool,
}

/// Says of each key what is known; 1 if of one of them nothing is.
///
/// # Errors
/// That `out` takes no more.
pub fn run(common: &Common, arguments: &Arguments, out: &mut impl Write) -> io::Result<Exit> {
    let ready = match load_to_run(&common.config) {
        Ok(ready) => ready,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return Ok(Exit::Config);
        }
    };
    let keys = match keys(arguments) {
        Ok(keys) => keys,
        Err(why) => {
            eprintln!("{why}");
            return Ok(Exit::Usage);
        }
    };
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(trace(&ready, &keys, arguments.json, out)),
        Err(error) => {
            eprintln!("the runtime cannot be begun: {error}");
            Ok(Exit::Internal)
        }
    }
}

/// Those of the command line, then those of the file.
fn keys(arguments: &Arguments) -> Result<Vec<String>, String> {
    let mut keys = arguments.keys.clone();
    let Some(path) = &arguments.file else { return Ok(keys) };
    let say = |error: io::Error| format!("{}: {error}", path.display());
    let text = if path.as_os_str() == "-" {
        io::read_to_string(io::stdin()).map_err(say)?
    } else {
        let file = crate::files::open(path).map_err(say)?;
        BufReader::new(file).lines().collect::<io::Result<Vec<_>>>().map_err(say)?.join("\n")
    };
    keys.extend(text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned));
    Ok(keys)
}

async fn trace(ready: &Ready, keys: &[String], is_json: bool, out: &mut impl Write) -> io::Result<Exit> {
    let mut ledger = match &ready.config.ledger {
        Some(config) => Some(Reader::open(config).await),
        None => None,
    };
    let lookups = Lookups::of(ready);
    let (mut exit, mut progress) = (Exit::Done, Progress::of(keys.len()));
    for key in keys {
        progress.step();
        let rows = match &mut ledger {
            None => None,
            Some(Ok(reader)) => Some(reader.rows(key).await),
            Some(Err(why)) => Some(Err(why.clone())),
        };
        let knows = rows.as_ref().is_some_and(|rows| rows.as_ref().is_ok_and(|rows| !rows.is_empty()));
        let looked_up = if knows { Vec::new() } else { lookups.ask(key).await };
        let told = Told { key, ready, rows, looked_up, lookups: &lookups };
        if !told.is_known() {
            exit = Exit::NotTraced;
        }
        progress.clear();
        if is_json {
            writeln!(out, "{}", told.json())?;
        } else {
            writeln!(out, "{}", told.page())?;
        }
    }
    Ok(exit)
}

/// How far it is, on a terminal and for several keys.
struct Progress {
    done: usize,
    all: usize,
    is_shown: bool,
}

impl Progress {
    fn of(all: usize) -> Self {
        Self { done: 0, all, is_shown: all > 1 && io::stderr().is_terminal() }
    }

    fn step(&mut self) {
        self.done += 1;
        if self.is_shown {
            eprint!("\r{}/{} keys", self.done, self.all);
        }
    }

    fn clear(&self) {
        if self.is_shown {
            eprint!("\r\x1b[K");
        }
    }
}
