//! Which lines of a storm are printed: in each window of time the first of each kind, and how many of the others there were.
//!
//! Not here: the lines themselves. Time is an argument; the same lines at the same times are always thinned out the same way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::core::gate::Moment;

/// A window begins with the first line of its kind and is so long.
pub const WINDOW: Duration = Duration::from_secs(10);

/// So many lines of one kind are printed in a window.
pub const LINES_MAX: u32 = 50;

/// Kinds told apart at a time; what comes beyond them shares one window for each word.
pub const KINDS_MAX: usize = 256;

/// What lines have in common that thin each other out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The message of the line.
    pub line: &'static str,
    /// Its reason, as a fixed word.
    pub reason: &'static str,
    /// The rule; empty for none, or where there are too many kinds.
    pub rule: Arc<str>,
}

/// Lines that were not printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Their kind.
    pub kind: Kind,
    /// How many.
    pub lines: u64,
    /// In how much time.
    pub window: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Moment,
    printed: u32,
    left_out: u64,
}

/// What was printed lately.
#[derive(Debug, Default)]
pub struct Thinning {
    windows: BTreeMap<Kind, Window>,
}

impl Thinning {
    /// Whether this line is printed. What ended before is asked for first, by [`Thinning::ended`].
    pub fn prints(&mut self, kind: Kind, now: Moment) -> bool {
        let is_crowded = self.windows.len() >= KINDS_MAX && !self.windows.contains_key(&kind);
        let kind = if is_crowded { Kind { rule: "".into(), ..kind } } else { kind };
        let window = self.windows.entry(kind).or_insert(Window { began: now, printed: 0, left_out: 0 });
        if window.printed < LINES_MAX {
            window.printed += 1;
            return true;
        }
        window.left_out = window.left_out.saturating_add(1);
        false
    }

    /// The windows that have ended, as far as lines were left out in them.
    pub fn ended(&mut self, now: Moment) -> Vec<LeftOut> {
        let has_ended = |window: &Window| now.saturating_sub(window.began) >= WINDOW;
        let ended: Vec<_> = self.windows.iter().filter(|(_, window)| has_ended(window)).collect();
        let told = ended.into_iter().filter(|(_, window)| window.left_out > 0);
        let told = told.map(|(kind, window)| LeftOut { kind: kind.clone(), lines: window.left_out, window: WINDOW });
        let told = told.collect();
        self.windows.retain(|_, window| !has_ended(window));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(reason: &'static str, rule: &str) -> Kind {
        Kind { line: "try failed", reason, rule: rule.into() }
    }

    /// So many lines at this moment: how many are printed.
    fn printed(thinning: &mut Thinning, kind: &Kind, lines: u32, now: Moment) -> u32 {
        (0..lines).map(|_| u32::from(thinning.prints(kind.clone(), now))).sum()
    }

    #[test]
    fn in_a_storm_the_first_lines_are_printed_and_the_others_are_counted() {
        let mut thinning = Thinning::default();
        let storm = kind("server_error", "lead");
        assert_eq!(printed(&mut thinning, &storm, 10_000, Duration::ZERO), LINES_MAX);
        assert!(thinning.ended(WINDOW / 2).is_empty(), "it goes on");
        let told = thinning.ended(WINDOW);
        assert_eq!(told, [LeftOut { kind: storm.clone(), lines: 10_000 - u64::from(LINES_MAX), window: WINDOW }]);
        assert!(thinning.ended(WINDOW).is_empty(), "told once");
        assert_eq!(printed(&mut thinning, &storm, 1, WINDOW), 1, "and the next window begins");
    }

    #[test]
    fn no_line_is_neither_printed_nor_counted() {
        let mut thinning = Thinning::default();
        let (mut sent, mut seen) = (0_u64, 0_u64);
        for step in 0..20_000_u64 {
            let now = Duration::from_millis(step * 7 % 61_000).max(Duration::from_millis(step));
            let reason = ["timeout", "reset", "throttled"][usize::try_from(step * 31 % 3).unwrap()];
            seen += thinning.ended(now).iter().map(|left| left.lines).sum::<u64>();
            seen += u64::from(thinning.prints(kind(reason, &(step % 400).to_string()), now));
            sent += 1;
        }
        seen += thinning.ended(Duration::MAX).iter().map(|left| left.lines).sum::<u64>();
        assert_eq!(seen, sent);
    }

    #[test]
    fn the_storm_of_one_rule_hides_no_line_of_another() {
        let mut thinning = Thinning::default();
        printed(&mut thinning, &kind("server_error", "lead"), 1_000, Duration::ZERO);
        assert!(thinning.prints(kind("server_error", "ticket"), Duration::ZERO));
        assert!(thinning.prints(kind("timeout", "lead"), Duration::ZERO));
    }

    #[test]
    fn rules_without_number_keep_a_bounded_number_of_windows() {
        let mut thinning = Thinning::default();
        for rule in 0..100_000 {
            thinning.prints(kind("timeout", &rule.to_string()), Duration::ZERO);
        }
        assert!(thinning.windows.len() <= KINDS_MAX + 1, "{}", thinning.windows.len());
        let left: u64 = thinning.ended(WINDOW).iter().map(|left| left.lines).sum();
        assert_eq!(left, 100_000 - u64::try_from(KINDS_MAX).unwrap() - u64::from(LINES_MAX));
    }
}
