//! How it stands with dead letters, for the health checks.
//!
//! Not here: which queue refuses them and why (`broker`), and what becomes of them (`core::delivery`).

use crate::core::delivery::LettersState;

const WAITING: &str = "dead letters wait, since the dead-letter queue does not take them (publishes_refused says why): a quarter \
     of broker.prefetch is held, the others are delayed with their verdict. None is lost, and the API is not asked again";

const STAND_STILL: &str = "dead letters hold every place, and no delay queue takes them either: nothing more is taken from the \
     work queue until one of these queues takes them (publishes_refused, broker_blocked and no_delays say why)";

/// See the head of this file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeadLetters(LettersState);

impl From<LettersState> for DeadLetters {
    fn from(state: LettersState) -> Self {
        Self(state)
    }
}

impl DeadLetters {
    /// What it means, for humans; nothing while all are kept as they come.
    #[must_use]
    pub fn what(self) -> Option<&'static str> {
        match self.0 {
            LettersState::Kept => None,
            LettersState::Waiting => Some(WAITING),
            LettersState::StandStill => Some(STAND_STILL),
        }
    }

    /// Whether some wait.
    #[must_use]
    pub fn wait(self) -> bool {
        self.0 != LettersState::Kept
    }

    /// Whether they hold every place.
    #[must_use]
    pub fn stand_still(self) -> bool {
        self.0 == LettersState::StandStill
    }
}
