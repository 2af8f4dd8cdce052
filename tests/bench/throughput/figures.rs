//! What the runs come to: medians with their spread, a picture, and a table of figures with their bars.
//!
//! Not here: the runs (`runner`).

use std::process::ExitCode;

use super::runner::{Run, Runner};

/// How long the longest bar of the picture is, in characters.
const WIDTH: f64 = 40.0;

/// The runs of one program.
#[derive(Default)]
pub struct Rounds(Vec<Run>);

impl Rounds {
    pub fn add(&mut self, run: Run) {
        self.0.push(run);
    }

    pub fn rate(&self) -> f64 {
        median(self.0.iter().map(|run| run.rate))
    }

    pub fn cpu(&self) -> f64 {
        median(self.0.iter().map(|run| run.cpu))
    }

    pub fn memory(&self) -> f64 {
        median(self.0.iter().map(|run| run.memory))
    }

    /// The quicker of two.
    pub fn better(self, other: Self) -> Self {
        if other.rate() > self.rate() { other } else { self }
    }

    fn spread(&self, of: fn(&Run) -> f64) -> String {
        let (least, most) =
            self.0.iter().map(of).fold((f64::MAX, 0.0), |(least, most), one| (one.min(least), one.max(most)));
        format!("{:.0} ({least:.0} to {most:.0})", median(self.0.iter().map(of)))
    }
}

pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// A bar for each, and their figures.
pub fn picture(runners: &[Runner], rounds: &[Rounds]) {
    let most = rounds.iter().map(Rounds::rate).fold(1.0, f64::max);
    println!("{:<36} {:>24} {:>20} {:>16}", "who", "events/s", "CPU µs/event", "peak MiB");
    for (runner, rounds) in runners.iter().zip(rounds) {
        let [rate, cpu, memory] =
            [rounds.spread(|run| run.rate), rounds.spread(|run| run.cpu), rounds.spread(|run| run.memory)];
        println!("{:<36} {rate:>24} {cpu:>20} {memory:>16}", runner.to_string());
    }
    for (runner, rounds) in runners.iter().zip(rounds) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the width")]
        let length = (rounds.rate() / most * WIDTH) as usize;
        println!("{:<36} {}", runner.to_string(), "█".repeat(length));
    }
}

/// What is aimed at, and what a noisy machine may make of it before the bench fails.
#[derive(Clone, Copy)]
pub struct Bar {
    aim: f64,
    fails: f64,
}

impl Bar {
    pub fn new(aim: f64, fails: f64) -> Self {
        Self { aim, fails }
    }
}

enum Side {
    Least(Bar),
    Most(Bar),
    Told,
}

/// One figure of the table.
pub struct Figure {
    name: &'static str,
    value: f64,
    side: Side,
}

impl Figure {
    pub fn least(name: &'static str, value: f64, bar: Bar) -> Self {
        Self { name, value, side: Side::Least(bar) }
    }

    pub fn most(name: &'static str, value: f64, bar: Bar) -> Self {
        Self { name, value, side: Side::Most(bar) }
    }

    pub fn told(name: &'static str, value: f64) -> Self {
        Self { name, value, side: Side::Told }
    }

    /// Its bar, whether it keeps it, and whether it keeps it with room for noise.
    fn judged(&self) -> (String, bool, bool) {
        match &self.side {
            Side::Least(bar) => (format!("at least {}", bar.aim), self.value >= bar.aim, self.value >= bar.fails),
            Side::Most(bar) => (format!("at most {}", bar.aim), self.value <= bar.aim, self.value <= bar.fails),
            Side::Told => ("no bar".to_owned(), true, true),
        }
    }
}

pub fn table(figures: &[Figure]) -> ExitCode {
    for figure in figures {
        let (bar, is_kept, _) = figure.judged();
        let mark = if is_kept { "" } else { "  falls short" };
        println!("{:<64} {:>8.2}  {bar}{mark}", figure.name, figure.value);
    }
    let failed = figures.iter().filter(|figure| !figure.judged().2).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
