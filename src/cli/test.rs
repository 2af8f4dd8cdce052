//! `test`: runs the mapping cases, says what differs, and what no case tries.
//!
//! Not here: what a case is and how it is run (`core::case`).

mod print;
mod report;

use std::io::IsTerminal as _;

use clap::Args;

use super::Common;
use super::check::load_at_desk;
use super::exit::Exit;
use super::ink::Ink;
use report::Report;

/// What `test` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
    /// Fails as well if a rule, or a field that a rule writes, is tried by no passing case
    #[arg(long)]
    strict: bool,
}

/// Runs every case and prints what came of it.
pub fn run(common: &Common, arguments: &Arguments) -> Exit {
    let ready = match load_at_desk(&common.config) {
        Ok(ready) => ready,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return Exit::Config;
        }
    };
    let report = Report::of(&ready);
    if arguments.json {
        println!("{}", report.json());
    } else {
        let ink = Ink::on(std::io::stdout().is_terminal());
        print!("{}", print::text(&report, ink, arguments.strict));
    }
    let is_good = report.failed() == 0 && (report.gaps.is_empty() || !arguments.strict);
    if is_good { Exit::Done } else { Exit::CaseFailed }
}
