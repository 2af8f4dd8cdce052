//! The level of the log that an operator wants for a while.
//!
//! Not here: who may ask (`admin`), and how it is set (`telemetry`).

use std::time::Duration;

use tokio::time::Instant;
use tracing::level_filters::LevelFilter;

/// The longest that a level may be wanted for: whoever forgets it has the usual log again on the next day.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The levels, by the words of `log.level`.
const LEVELS: [(&str, LevelFilter); 5] = [
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

/// See the head of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedLevel {
    /// The least serious lines that are printed.
    pub level: LevelFilter,
    /// Until then.
    pub until: Instant,
}

/// The level with this word.
#[must_use]
pub fn named(word: &str) -> Option<LevelFilter> {
    LEVELS.iter().find(|(known, _)| *known == word).map(|(_, level)| *level)
}

/// The level to be in force now: that of the operator while it is wanted, or else that of the configuration.
#[must_use]
pub fn in_force(configured: LevelFilter, wanted: Option<WantedLevel>, now: Instant) -> LevelFilter {
    wanted.filter(|wanted| wanted.until > now).map_or(configured, |wanted| wanted.level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_level_holds_until_its_end_and_then_that_of_the_configuration() {
        let now = Instant::now();
        let wanted = Some(WantedLevel { level: LevelFilter::DEBUG, until: now + Duration::from_secs(5) });
        assert_eq!(in_force(LevelFilter::INFO, None, now), LevelFilter::INFO);
        assert_eq!(in_force(LevelFilter::INFO, wanted, now), LevelFilter::DEBUG);
        assert_eq!(in_force(LevelFilter::WARN, wanted, now + Duration::from_secs(5)), LevelFilter::WARN);
        assert_eq!((named("debug"), named("loud")), (Some(LevelFilter::DEBUG), None));
    }
}
