//! `test`: runs the mapping cases, says what differs, and what no case tries.
//!
//! Not here: what a case is and how it is run (`core::case`).

mod print;
mod report;

use std::io::{IsTerminal as _, Write};

use clap::Args;

use super::Common;
use super::check::load_for_dry_run;
use super::color::Color;
use super::exit::Exit;
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
///
/// # Errors
/// That `out` takes no more.
pub fn run(common: &Common, arguments: &Arguments, out: &mut impl Write) -> std::io::Result<Exit> {
    let ready = match load_for_dry_run(&common.config) {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    let report = Report::of(&ready);
    if arguments.json {
        writeln!(out, "{}", report.json())?;
    } else {
        let color = Color::on(std::io::stdout().is_terminal());
        write!(out, "{}", print::text(&report, color, arguments.strict))?;
    }
    let is_good = report.failed() == 0 && (report.gaps.is_empty() || !arguments.strict);
    Ok(if is_good { Exit::Done } else { Exit::CaseFailed })
}
