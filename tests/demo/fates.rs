//! What became of each event: read from the API, the dead-letter queue and the daemon's log, and printed.
//!
//! Not here: waiting for it.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::Value;

use super::events::Sample;

/// What became of one event.
pub struct Fate {
    /// What the event shows.
    about: &'static str,
    /// The word of the log.
    outcome: String,
    /// The process id, or why it is dead.
    detail: String,
    /// Requests that came to an outcome.
    attempts: u64,
    /// Whether it is what should have become of it.
    pub is_expected: bool,
}

/// What became of each sample, by the log lines of their keys.
pub fn fates(samples: &[Sample], log: &[Value]) -> Vec<Fate> {
    samples.iter().map(|sample| fate(sample, log)).collect()
}

fn fate(sample: &Sample, log: &[Value]) -> Fate {
    let key = sample.key.unwrap_or_default();
    let line = log.iter().rev().find(|line| line["outcome"].is_string() && line["key"] == key);
    let text = |name: &str| line.and_then(|line| line[name].as_str()).unwrap_or_default().to_owned();
    let outcome = line.map_or_else(|| "still queued".to_owned(), |_| text("outcome"));
    let status = line.and_then(|line| line["status"].as_u64()).map(|status| format!(" ({status})")).unwrap_or_default();
    let detail = if outcome == "dead_letter" { format!("{}{status}", text("reason")) } else { text("process") };
    let attempts = line.and_then(|line| line["attempts"].as_u64()).unwrap_or_default();
    Fate { about: sample.about, is_expected: outcome == sample.fate, outcome, detail, attempts }
}

/// The table.
pub fn table(fates: &[Fate]) -> String {
    let mut text = format!("{:<37} {:<12} {:>8}  {}\n", "event", "became", "attempts", "process, or why not");
    text.push_str(&"-".repeat(98));
    for fate in fates {
        let mark = if fate.is_expected { "" } else { "  <- not as expected" };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{:<37} {:<12} {:>8}  {}{mark}", fate.about, fate.outcome, fate.attempts, fate.detail);
    }
    text
}

/// All that became of all events.
pub struct Report {
    /// Events published.
    pub published: usize,
    /// How the daemon ended.
    pub code: Option<i32>,
    /// What became of each sample.
    pub fates: Vec<Fate>,
    /// Processes in the stand-in.
    pub created: usize,
    /// Messages in the dead-letter queue.
    pub dead: usize,
    /// Events skipped.
    pub skipped: usize,
    /// Events still in the queue.
    pub queued: usize,
}

impl Report {
    /// Prints it; a success only if every event is accounted for, as expected.
    pub fn print(&self) -> ExitCode {
        let Self { published, code, created, dead, skipped, queued, .. } = self;
        println!("\n{}\n", table(&self.fates));
        println!(
            "published {published} = processes {created} + dead letters {dead} + skipped {skipped} + queued {queued}"
        );
        println!("the daemon ended with exit code {}", code.unwrap_or(-1));
        let accounted = *published == created + dead + skipped + queued;
        if accounted && *code == Some(0) && self.fates.iter().all(|fate| fate.is_expected) {
            println!("every event is accounted for");
            return ExitCode::SUCCESS;
        }
        println!("NOT as expected: see the lines above");
        ExitCode::FAILURE
    }
}
