//! What an operator asks of a rule that is held: that its events go on, and what came of it.
//!
//! Not here: who may ask (`pause`), HTTP (`server`), and what holds a rule (`core::delivery`).

use tokio::sync::{mpsc, oneshot};

#[cfg(test)]
mod tests;

/// So many wait until the dispatcher takes them. Its loop never stands still for long, and whoever asks waits for the answer.
const WAITING_MAX: usize = 4;

/// A rule is to go on. Whoever takes this answers; dropped without an answer, it says that the daemon stops.
#[derive(Debug)]
pub struct ResumeRule {
    /// The name of the rule, as it was asked for.
    pub rule: String,
    /// Where the answer goes.
    pub answer: oneshot::Sender<RuleResumed>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleResumed {
    /// It was held, and goes on.
    Released,
    /// It was not held: nothing changes.
    NotHeld,
    /// There is no rule of this name.
    Unknown {
        /// The name that is most like it, if one is.
        nearest: Option<String>,
    },
}

/// A bounded way from the admin server to the dispatcher.
#[must_use]
pub fn channel() -> (mpsc::Sender<ResumeRule>, mpsc::Receiver<ResumeRule>) {
    mpsc::channel(WAITING_MAX)
}

/// Asks, and waits for what came of it; none if nobody takes commands any more.
pub(super) async fn ask(dispatcher: &mpsc::Sender<ResumeRule>, rule: String) -> Option<RuleResumed> {
    let (answer, answered) = oneshot::channel();
    dispatcher.send(ResumeRule { rule, answer }).await.ok()?;
    answered.await.ok()
}
