//! One thing worth a word about a queue, and what follows from it.
//!
//! Not here: what is found (`queue`).

use super::TARGET;

/// What follows from a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The queue cannot be worked with: nothing is consumed from a work queue, and nothing delayed in a delay queue.
    Refused,
    /// Messages leave the queue unseen, come back early, or are not taken while all goes well otherwise.
    Loses,
    /// Nobody wants it, and a daemon that runs goes on: `check --online` refuses it.
    Mistaken,
    /// It is worth a word.
    Risky,
}

impl Weight {
    /// Whether events are at risk while all else goes well.
    #[must_use]
    pub fn is_loss(self) -> bool {
        matches!(self, Self::Loses | Self::Mistaken)
    }

    /// Whether `check --online` refuses it.
    #[must_use]
    pub fn is_mistake(self) -> bool {
        matches!(self, Self::Refused | Self::Mistaken)
    }
}

/// One thing worth a word about a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub argument: &'static str,
    /// What about it, as the end of a sentence that begins with the queue.
    pub words: String,
    /// What follows.
    pub weight: Weight,
}

impl Finding {
    /// One.
    #[must_use]
    pub fn new(argument: &'static str, words: impl Into<String>, weight: Weight) -> Self {
        Self { argument, words: words.into(), weight }
    }

    /// It dead-letters to an exchange that is not there.
    #[must_use]
    pub fn no_exchange(target: &str) -> Self {
        let words =
            format!("dead-letters to exchange `{target}`, which does not exist: what the broker gives up is deleted");
        Self::new(TARGET, words, Weight::Risky)
    }
}
