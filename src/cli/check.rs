//! `check`: every mistake of the configuration at once, and what is promised for each rule.
//!
//! Not here: opening a connection, which `--online` alone does (`online`). Otherwise only the files that the configuration
//! names are read.

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::{Common, memory, online};
use crate::config::Mistakes;
use crate::ready::{self, Ready, load};
use crate::telemetry::is_coloured;

/// What `check` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Prints JSON
    #[arg(long)]
    json: bool,
    /// Asks the broker and the API too: what is missing or wrong there is a mistake, a risk is a warning
    #[arg(long)]
    online: bool,
}

/// The configuration for a verb that sends nothing.
///
/// # Errors
/// How the verb ends, every mistake having been said on standard error.
pub(super) fn load_for_dry_run(path: &Path) -> Result<Ready, Exit> {
    ready::load_for_dry_run(path).map_err(|mistakes| {
        eprintln!("{mistakes}");
        Exit::Config
    })
}

/// Checks, and prints what it found.
///
/// # Errors
/// That `out` takes no more.
pub fn run(common: &Common, arguments: &Arguments, out: &mut impl Write) -> io::Result<Exit> {
    let (checked, warnings) = checked(common, arguments);
    match checked {
        Ok(ready) => {
            good(common, arguments, &ready, &warnings, out)?;
            Ok(Exit::Done)
        }
        Err(mistakes) => {
            bad(arguments, &mistakes, &warnings, out)?;
            Ok(Exit::Config)
        }
    }
}

/// With every warning.
fn checked(common: &Common, arguments: &Arguments) -> (Result<Ready, Box<Mistakes>>, Vec<String>) {
    let ready = match load(&common.config) {
        Ok(ready) => ready,
        Err(mistakes) => return (Err(mistakes), Vec::new()),
    };
    let mut warnings = ready.warnings();
    warnings.extend(memory::warning(ready.memory()));
    let found = if arguments.online { online::ask(&ready) } else { online::Found::default() };
    warnings.extend(found.warnings);
    if found.mistakes.is_empty() {
        return (Ok(ready), warnings);
    }
    (Err(Box::new(Mistakes::new(ready.source, found.mistakes))), warnings)
}

fn good(
    common: &Common,
    arguments: &Arguments,
    ready: &Ready,
    warnings: &[String],
    out: &mut impl Write,
) -> io::Result<()> {
    let guarantees = ready.guarantees();
    if arguments.json {
        return writeln!(
            out,
            "{}",
            json!({ "mistakes": [], "warnings": warnings, "guarantees": guarantees, "memory_bytes": ready.memory().total })
        );
    }
    warnings.iter().try_for_each(|warning| writeln!(out, "warning: {warning}"))?;
    guarantees.iter().try_for_each(|guarantee| writeln!(out, "{guarantee}"))?;
    writeln!(out, "{}", memory::told(ready.memory()))?;
    let (file, rules) = (common.config.display(), guarantees.len());
    writeln!(out, "{file}: no mistakes; rules: {rules}. Next: chakra-bridge map EVENT…")
}

fn bad(arguments: &Arguments, mistakes: &Mistakes, warnings: &[String], out: &mut impl Write) -> io::Result<()> {
    if arguments.json {
        let list = mistakes.list.iter().map(|mistake| {
            let start = mistake.span.as_ref().map(|span| span.start);
            let (line, column) = (start.map(|at| mistakes.source.line(at)), start.map(|at| mistakes.source.column(at)));
            json!({ "line": line, "column": column, "key": mistake.key, "what": mistake.what, "expected": mistake.expected })
        });
        let list = list.collect::<Vec<_>>();
        return writeln!(out, "{}", json!({ "file": mistakes.source.path(), "mistakes": list, "warnings": warnings }));
    }
    warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    eprintln!("{}", mistakes.render(is_coloured(std::io::stderr().is_terminal())));
    let count = mistakes.list.len();
    eprintln!("{count} mistake{}; nothing was started", if count == 1 { "" } else { "s" });
    Ok(())
}
