//! What was told before is not told again until it changes.
//!
//! Not here: what is told.

use std::collections::BTreeSet;

/// The warnings of one connect after the other.
#[derive(Default)]
pub(super) struct Notices {
    told: BTreeSet<String>,
    now: BTreeSet<String>,
}

impl Notices {
    /// Whether this is to be told: it was not true at the connect before, and not told at this one.
    pub(super) fn is_new(&mut self, words: &str) -> bool {
        self.now.insert(words.to_owned()) && !self.told.contains(words)
    }

    /// Everything was looked at: what was not told of now has ended, and is told again if it comes back.
    pub(super) fn complete(&mut self) {
        self.told = std::mem::take(&mut self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_told_once_and_again_when_it_comes_back() {
        let mut notices = Notices::default();
        assert!(notices.is_new("a"));
        assert!(!notices.is_new("a"), "the connect failed before its end, and begins again");
        notices.complete();
        assert!(!notices.is_new("a"));
        assert!(notices.is_new("b"));
        notices.complete();
        assert!(!notices.is_new("b"));
        notices.complete();
        assert!(notices.is_new("a"), "it had ended");
    }
}
