//! `completions` and `man`: what a shell and a reader of manuals want of the verbs. Hidden, since packages are made with them.
//!
//! Not here: the verbs themselves; `clap` knows their arguments and their help.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use super::exit::Exit;

/// What `completions` takes.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// What `man` takes.
#[derive(Args, Debug)]
pub struct Man {
    /// The folder to write a page for each verb into; it must exist
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Prints the completions of the verbs for one shell.
///
/// # Errors
/// That `out` takes no more.
pub fn completions(arguments: &Completions, out: &mut impl Write) -> io::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "chakra-bridge", &mut script);
    out.write_all(&script)?;
    Ok(Exit::Done)
}

/// Writes the man pages, one for each verb, and says how many.
///
/// # Errors
/// That `out` takes no more.
pub fn man(arguments: &Man, out: &mut impl Write) -> io::Result<Exit> {
    if let Err(error) = clap_mangen::generate_to(Cli::command(), &arguments.folder) {
        eprintln!("{}: {error}", arguments.folder.display());
        return Ok(Exit::Usage);
    }
    writeln!(out, "{}: the man pages of the verbs", arguments.folder.display())?;
    Ok(Exit::Done)
}
