//! What became of each event: read from the API, the dead-letter queue and the daemon's log, and printed.
//!
//! Not here: waiting for it.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::Value;

use super::events::Sample;

/// What became of one event.
pub struct SettledAs {
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
pub fn results(samples: &[Sample], log: &[Value]) -> Vec<SettledAs> {
    samples.iter().map(|sample| result(sample, log)).collect()
}

fn result(sample: &Sample, log: &[Value]) -> SettledAs {
    let key = sample.key.unwrap_or_default();
    // Where one is published again, both have its key.
    let mut lines = log.iter().rev().filter(|line| line["result"].is_string() && line["key"] == key);
    let last = lines.clone().next();
    let line = lines.find(|line| line["result"] == sample.result).or(last);
    let text = |name: &str| line.and_then(|line| line[name].as_str()).unwrap_or_default().to_owned();
    let outcome = line.map_or_else(|| "still queued".to_owned(), |_| text("result"));
    let status = line.and_then(|line| line["status"].as_u64()).map(|status| format!(" ({status})")).unwrap_or_default();
    let detail = if outcome == "dead_lettered" { format!("{}{status}", text("reason")) } else { text("process") };
    let attempts = line.and_then(|line| line["attempts"].as_u64()).unwrap_or_default();
    SettledAs { about: sample.about, is_expected: outcome == sample.result, outcome, detail, attempts }
}

/// The table.
pub fn table(results: &[SettledAs]) -> String {
    let mut text = format!("{:<37} {:<12} {:>8}  {}\n", "event", "became", "attempts", "process, or why not");
    text.push_str(&"-".repeat(98));
    for result in results {
        let mark = if result.is_expected { "" } else { "  <- not as expected" };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n{:<37} {:<12} {:>8}  {}{mark}",
            result.about, result.outcome, result.attempts, result.detail
        );
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
    pub results: Vec<SettledAs>,
    /// Processes in the stand-in.
    pub created: usize,
    /// Messages in the dead-letter queue.
    pub dead: usize,
    /// Events skipped.
    pub skipped: usize,
    /// Messages that were recognised as published again.
    pub duplicates: usize,
    /// Outcomes that the producers were told.
    pub told: usize,
    /// Events still in the queue.
    pub queued: usize,
}

impl Report {
    /// Prints it; a success only if every event is accounted for, as expected.
    pub fn print(&self) -> ExitCode {
        let Self { published, code, created, dead, skipped, duplicates, told, queued, .. } = self;
        println!("\n{}\n", table(&self.results));
        println!(
            "published {published} = processes {created} + dead letters {dead} + skipped {skipped} + \
             duplicates {duplicates} + queued {queued}"
        );
        println!("the daemon ended with exit code {}", code.unwrap_or(-1));
        println!("outcomes told: {told}");
        let accounted = *published == created + dead + skipped + duplicates + queued && published - queued == *told;
        if accounted && *code == Some(0) && self.results.iter().all(|result| result.is_expected) {
            println!("every event is accounted for");
            return ExitCode::SUCCESS;
        }
        println!("NOT as expected: see the lines above");
        ExitCode::FAILURE
    }
}
