//! How it stands with the ledger, for health checks and the log.
//!
//! Not here: asking it (`ledger`), and what events do meanwhile (`dispatch`).

use jiff::Timestamp;

/// Whether the ledger can be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LedgerState {
    /// None is configured.
    #[default]
    Off,
    /// It was not reached yet.
    Opening,
    /// It answers.
    Up,
    /// Another daemon has it: this one waits until that is gone.
    InUse {
        /// What is in use, for humans.
        why: String,
    },
    /// It cannot be asked now.
    Away {
        /// For humans; never holds the password.
        why: String,
        /// What a person can do about it.
        next: &'static str,
    },
}

/// The state, since when, and what its store does not promise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerStatus {
    /// The state.
    pub state: LedgerState,
    /// Since when, in seconds since the Unix epoch.
    pub since_s: u64,
    /// Why a row that was committed may be lost by a crash of the machine, if it may.
    pub degraded: Option<String>,
}

impl LedgerStatus {
    /// One that is to be opened.
    #[must_use]
    pub fn opening(now_s: u64) -> Self {
        Self { state: LedgerState::Opening, since_s: now_s, degraded: None }
    }

    /// Takes the next state in. Answers whether that is worth a word: the same trouble in other words is not.
    pub fn becomes(&mut self, state: LedgerState, now_s: u64) -> bool {
        let is_other = std::mem::discriminant(&self.state) != std::mem::discriminant(&state);
        if is_other {
            self.since_s = now_s;
        }
        let next = |state: &LedgerState| match state {
            LedgerState::Away { next, .. } => Some(*next),
            _ => None,
        };
        let is_news = is_other || next(&self.state) != next(&state);
        self.state = state;
        is_news
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self.state {
            LedgerState::Off => "off",
            LedgerState::Opening => "opening",
            LedgerState::Up => "up",
            LedgerState::InUse { .. } => "in_use",
            LedgerState::Away { .. } => "away",
        }
    }

    /// Whether events may be taken as far as the ledger is concerned. One that is away only lets them wait; one that another daemon has
    /// lets them wait for as long as that daemon lives.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !matches!(self.state, LedgerState::Opening | LedgerState::InUse { .. })
    }

    /// What is wrong, since when, and what can be done; nothing while nothing is.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let since = i64::try_from(self.since_s).ok().and_then(|since| Timestamp::from_second(since).ok());
        let since = since.map(|since| since.to_string()).unwrap_or_default();
        match &self.state {
            LedgerState::Off | LedgerState::Up => None,
            LedgerState::Opening => Some(format!("since {since}: not reached yet")),
            LedgerState::InUse { why } => {
                Some(format!("since {since}: {why}; this daemon takes it over once that one is gone"))
            }
            LedgerState::Away { why, next } => Some(format!("since {since}: {why}. {next}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_with_its_beginning_and_what_to_do_and_keeps_its_beginning_in_other_words() {
        let mut status = LedgerStatus::opening(10);
        let away = |why: &str| LedgerState::Away { why: why.to_owned(), next: "Mend it" };
        assert!(status.becomes(away("gone"), 20));
        assert!(!status.becomes(away("no route"), 30));
        assert!(status.becomes(LedgerState::Away { why: "no route".to_owned(), next: "Make room" }, 35));
        assert!(status.becomes(away("no route"), 37));
        assert_eq!(status.trouble().as_deref(), Some("since 1970-01-01T00:00:20Z: no route. Mend it"));
        assert!(status.becomes(LedgerState::Up, 40) && status.trouble().is_none() && status.is_ready());
    }
}
