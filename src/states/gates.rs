//! What is shut, for the health checks: since when, why in a sentence with the next step, what was answered last, and when it is
//! asked again.
//!
//! Not here: when a gate shuts (`core::gate`), and which step follows from what (`core::next_step`).

/// One scope that is shut, for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShutGate {
    /// `everything`, or the short id of a procedure.
    pub scope: String,
    /// Why, as a fixed word.
    pub why: &'static str,
    /// Since when, in epoch milliseconds.
    pub since_ms: u64,
    /// Why, in a sentence with the next step.
    pub what: String,
    /// What was answered last; none where nothing was.
    pub answered: Option<Answered>,
    /// When it is asked again, in epoch milliseconds; none where nobody asks.
    pub asks_again_ms: Option<u64>,
    /// How many single requests have asked in vain.
    pub probes: u32,
}

/// What was answered last, or why nothing was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// By whom, as it is configured.
    pub host: String,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// What its body was: `json`, `html`, `empty` or `other`.
    pub body: Option<&'static str>,
    /// Why no answer came, or why it could not be read.
    pub detail: Option<String>,
}
