//! The verbs: `run`, `check`, `map`, `test`, `healthcheck`, `pause`, `resume`, `log-level`, `trace`, `dead-letters`, `init`,
//! `schema`, `topology`, `completions`, `man`.
//!
//! Not here: what they do to an event; each only reads, asks a room, and prints.

mod admin_client;
pub mod check;
mod color;
pub mod command;
pub mod dead_letters;
mod descriptors;
pub mod exit;
pub mod healthcheck;
pub mod init;
pub mod map;
mod memory;
mod online;
pub mod run;
pub mod schema;
pub mod shell;
mod stack;
pub mod test;
pub mod topology;
pub mod trace;

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use exit::Exit;

/// Where the configuration lies by default.
const CONFIG: &str = "/etc/chakra-bridge/chakra-bridge.toml";

/// RabbitMQ domain events become ChakraHQ processes.
#[derive(Debug, Parser)]
#[command(name = "chakra-bridge", version, about, arg_required_else_help = false)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What every verb takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The configuration file.
    #[arg(short, long, global = true, env = "CHAKRA_BRIDGE_CONFIG", default_value = CONFIG, value_name = "FILE")]
    pub config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Runs the daemon (also without any verb)
    Run,
    /// Says every mistake of the configuration at once, with file and line
    Check(check::Arguments),
    /// Dry run: the request that each event would become, or why it would be a dead letter
    Map(map::Arguments),
    /// Runs the mapping cases, and says what differs and what no case tries
    Test(test::Arguments),
    /// Asks the daemon beside it how it is; 0 is well, 1 is not
    Healthcheck(healthcheck::Arguments),
    /// Tells the daemon beside it, or all of a fleet, to send nothing until it is resumed; 1 if it was not done
    Pause(command::Arguments),
    /// Ends the pause of the daemon beside it, or of a fleet, or lets one held rule go on; 1 if it was not done
    Resume(command::Resume),
    /// Says what became of events, by their keys; 1 if of one of them nothing is known
    Trace(trace::Arguments),
    /// Makes a first configuration, with a rule and a case that passes, from one event
    Init(init::Arguments),
    /// Prints a draft of a JSON Schema of a procedure's attributes, as the API knows them
    Schema(schema::Arguments),
    /// Prints what the configured queue needs of the broker: a script, definitions, rights or a policy
    Topology(topology::Arguments),
    /// Gives the log of the daemon beside it, or of a fleet, another level for a while; 1 if it was not done
    LogLevel(command::LogLevel),
    /// Lists, shows, retries, discards, exports and imports dead letters
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Prints the completions of the verbs for a shell
    #[command(hide = true)]
    Completions(shell::Completions),
    /// Writes the man pages of the verbs into a folder
    #[command(hide = true)]
    Man(shell::Man),
}

/// Runs the verb that `arguments` name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let (common, out) = (&cli.common, &mut io::stdout());
    let done = match cli.verb.unwrap_or(Verb::Run) {
        Verb::Run => Ok(run::run(common)),
        Verb::Check(arguments) => check::run(common, &arguments, out),
        Verb::Map(arguments) => map::run(common, &arguments, out),
        Verb::Test(arguments) => test::run(common, &arguments, out),
        Verb::Healthcheck(arguments) => healthcheck::run(common, &arguments, out),
        Verb::Pause(arguments) => command::pause(common, &arguments, out),
        Verb::Resume(arguments) => command::resume(common, &arguments, out),
        Verb::Trace(arguments) => trace::run(common, &arguments, out),
        Verb::Init(arguments) => init::run(&arguments, out),
        Verb::Schema(arguments) => schema::run(common, &arguments, out),
        Verb::Topology(arguments) => topology::run(common, &arguments, out),
        Verb::LogLevel(arguments) => command::log_level(common, &arguments, out),
        Verb::DeadLetters(command) => dead_letters::run(common, &command, out),
        Verb::Completions(arguments) => shell::completions(&arguments, out),
        Verb::Man(arguments) => shell::man(&arguments, out),
    };
    done.unwrap_or_else(|error| output_closed(&error))
}

/// Whoever read has gone, as `head` goes once it has enough, or the disk is full.
fn output_closed(error: &io::Error) -> Exit {
    if error.kind() != ErrorKind::BrokenPipe {
        // Where that is full as well, nobody can be told.
        drop(writeln!(io::stderr(), "standard output: {error}"));
    }
    Exit::OutputClosed
}

fn usage(error: &clap::Error) -> Exit {
    // Help and version come this way too, on standard output.
    let is_mistake = error.use_stderr();
    if error.print().is_err() || is_mistake { Exit::Usage } else { Exit::Done }
}
