//! What `dead-letters` and its verbs take.
//!
//! Not here: what they do.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::cli::admin_client::duration;
use crate::clock::millis;
use crate::core::letters::filter::{self, Filter};
use crate::core::mapping::condition::Condition;

/// The verbs of `dead-letters`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What is there, by reason and rule, with counts, ages and one example of each
    List(List),
    /// One letter: its event, why, and the request that the rules of now would make, or why not
    Show(Show),
    /// Asks for their events again: publishes each to the work queue, and takes the letter out once the broker keeps that
    Retry(Retry),
    /// Takes letters out for good: their events are gone
    Discard(Discard),
    /// Writes letters to a file, one JSON object a line, and leaves them where they are
    Export(Export),
    /// Puts letters of a file into the dead-letter queue
    Import(Import),
}

/// Which letters are meant. Each option narrows; given more than once, one of its values will do.
#[derive(Args, Debug, Default)]
pub(super) struct Which {
    /// Of this reason: one of the daemon's, broker:WORD or foreign
    #[arg(long = "reason", value_name = "WORD", value_parser = filter::reason)]
    reasons: Vec<String>,
    /// Of this rule, as the letter names it
    #[arg(long = "rule", value_name = "NAME")]
    rules: Vec<String>,
    /// Of the event with this key
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Dead for longer than this
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    older_than: Option<Duration>,
    /// Dead for no longer than this
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    newer_than: Option<Duration>,
    /// This is true of their event, written as `when` of a rule
    #[arg(long, value_name = "EXPRESSION")]
    when: Option<String>,
}

impl Which {
    /// The same as a filter.
    ///
    /// # Errors
    /// That the expression cannot be compiled, in words.
    pub(super) fn filter(&self, now_ms: u64) -> Result<Filter, String> {
        let before = |age: Duration| now_ms.saturating_sub(millis(age));
        let when = self.when.as_deref().map(Condition::compile).transpose();
        Ok(Filter {
            reasons: self.reasons.clone(),
            rules: self.rules.clone(),
            keys: self.keys.clone(),
            died_before_ms: self.older_than.map(before),
            died_since_ms: self.newer_than.map(before),
            when: when.map_err(|why| format!("--when: {why}"))?,
        })
    }
}

/// What every pass takes.
#[derive(Args, Debug, Default)]
pub(super) struct Looking {
    /// Looks also where each pass counts one towards the delivery limit of the queue, or may
    #[arg(long)]
    pub(super) yes_count_one: bool,
    /// Who asks: an address or a name; by default the variable USER
    #[arg(long, value_name = "NAME")]
    pub(super) from: Option<String>,
    /// Prints JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Looking {
    /// Who asks.
    pub(super) fn who(&self) -> String {
        let user = || ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        self.from.clone().or_else(user).unwrap_or_else(|| "somebody".to_owned())
    }
}

/// What `list` takes.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    pub(super) which: Which,
    #[command(flatten)]
    pub(super) looking: Looking,
    /// Prints each letter in a line of its own as it is found
    #[arg(long)]
    pub(super) each: bool,
}

/// What `show` takes.
#[derive(Args, Debug)]
pub struct Show {
    #[command(flatten)]
    pub(super) which: Which,
    #[command(flatten)]
    pub(super) looking: Looking,
    /// So many letters at most
    #[arg(long, default_value = "1", value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: u64,
}

/// How fast, how many, and whether at all.
#[derive(Args, Debug)]
pub(super) struct Measure {
    /// Says what would be done, and does nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// So many events at most, the oldest letters first
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: Option<u64>,
    /// So many letters a second at most
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) rate: Option<u32>,
}

/// What `retry` takes.
#[derive(Args, Debug)]
pub struct Retry {
    #[command(flatten)]
    pub(super) which: Which,
    #[command(flatten)]
    pub(super) looking: Looking,
    #[command(flatten)]
    pub(super) measure: Measure,
    /// Retries also what the rules of now would make a dead letter again
    #[arg(long)]
    pub(super) force: bool,
    /// Retries also what may be a process already and cannot be looked up: a second process is possible
    #[arg(long)]
    pub(super) yes_may_double: bool,
}

/// What `discard` takes.
#[derive(Args, Debug)]
pub struct Discard {
    #[command(flatten)]
    pub(super) which: Which,
    #[command(flatten)]
    pub(super) looking: Looking,
    #[command(flatten)]
    pub(super) measure: Measure,
    /// They are gone for good, and that is meant
    #[arg(long)]
    pub(super) yes: bool,
}

/// What `export` takes.
#[derive(Args, Debug)]
pub struct Export {
    #[command(flatten)]
    pub(super) which: Which,
    #[command(flatten)]
    pub(super) looking: Looking,
    /// The file, which must not exist: only its owner may read it. `-` is standard output
    #[arg(value_name = "FILE")]
    pub(super) to: PathBuf,
}

/// What `import` takes.
#[derive(Args, Debug)]
pub struct Import {
    /// The file, as `export` wrote it; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Who asks: an address or a name; by default the variable USER
    #[arg(long, value_name = "NAME")]
    pub(super) from: Option<String>,
    /// Says what would be done, and does nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}
