//! How it stands with dead letters, and with outcomes that are told to producers, for the health checks.
//!
//! Not here: which queue refuses them and why (`broker`), and what becomes of them (`core::delivery`).

use crate::core::delivery::LettersState;

const WAITING: &str = "dead letters wait, since the dead-letter queue does not take them (publishes_refused says why): a quarter \
     of broker.prefetch is held, the others are delayed with their verdict. None is lost, and the API is not asked again";

const STAND_STILL: &str = "dead letters hold every place, and no delay queue takes them either: nothing more is taken from the \
     work queue until one of these queues takes them (publishes_refused, broker_blocked and no_delays say why)";

const UNTOLD: &str = "outcomes of events wait, since no queue takes them (publishes_refused says why): their events stay \
     unacknowledged or are delayed with their outcome. None is lost, and the API is not asked again";

/// See the head of this file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeadLetters {
    letters: LettersState,
    outcomes_wait: bool,
}

impl From<LettersState> for DeadLetters {
    fn from(state: LettersState) -> Self {
        Self { letters: state, outcomes_wait: false }
    }
}

impl DeadLetters {
    /// Takes in how it stands with dead letters.
    pub fn set_letters(&mut self, letters: LettersState) {
        self.letters = letters;
    }

    /// Takes in whether outcomes wait.
    pub fn set_outcomes(&mut self, wait: bool) {
        self.outcomes_wait = wait;
    }

    /// What it means that outcomes wait, for humans; nothing while all are told as they come.
    #[must_use]
    pub fn untold(self) -> Option<&'static str> {
        self.outcomes_wait.then_some(UNTOLD)
    }

    /// What it means, for humans; nothing while all are kept as they come.
    #[must_use]
    pub fn what(self) -> Option<&'static str> {
        match self.letters {
            LettersState::Kept => None,
            LettersState::Waiting => Some(WAITING),
            LettersState::StandStill => Some(STAND_STILL),
        }
    }

    /// Whether some wait.
    #[must_use]
    pub fn wait(self) -> bool {
        self.letters != LettersState::Kept
    }

    /// Whether they hold every place.
    #[must_use]
    pub fn stand_still(self) -> bool {
        self.letters == LettersState::StandStill
    }
}
