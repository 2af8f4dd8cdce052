//! A program that is measured: its processor time and its memory, as the operating system tells them.
//!
//! Not here: which program (`runner`).

use std::process::{Child, Command};

use tokio::task::JoinSet;

/// How often the operating system counts a second of a processor.
const TICKS: f64 = 100.0;

/// A program that is measured. Dropping it ends it.
pub struct Process {
    child: Child,
    _beside: JoinSet<()>,
}

impl Process {
    /// Starts it; what runs beside it ends with it.
    pub fn start(mut command: Command, beside: JoinSet<()>) -> Self {
        Self { child: command.spawn().expect("it begins"), _beside: beside }
    }

    /// Seconds of a processor that it has used.
    pub fn cpu(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        let after = text.rsplit(')').next().expect("fields behind its name");
        let fields: Vec<f64> =
            after.split_whitespace().skip(11).take(2).map(|text| text.parse().expect("ticks")).collect();
        fields.iter().sum::<f64>() / TICKS
    }

    /// The most memory that it had, in MiB.
    pub fn peak_mib(&self) -> f64 {
        self.status("VmHWM:") / 1024.0
    }

    /// What the operating system says of it, in KiB.
    pub fn status(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line of it");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
