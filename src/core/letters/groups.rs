//! Many dead letters in a few lines: by reason and rule, with counts, ages and one example.
//!
//! Not here: printing them, and which letters are meant (`filter`).

use std::collections::{BTreeMap, BTreeSet};

use super::Letter;
use crate::core::event::Identity;

/// Rules are named by headers, which others may write: beyond so many groups the rest is one.
const GROUPS_MAX: usize = 500;
/// The name of that one.
const OTHERS: &str = "(others)";
/// The longest text of an example, in characters.
const TEXT_MAX: usize = 300;

/// The letters of one reason and rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub letters: u64,
    /// How many of them are of an event that has another letter before.
    pub copies: u64,
    /// How many of them may be processes.
    pub may_exist: u64,
    /// When the first of them died, in epoch milliseconds; none where nobody says.
    pub oldest_ms: Option<u64>,
    /// When the last of them died.
    pub newest_ms: Option<u64>,
    /// The key of the first.
    pub example_key: String,
    /// The text of the first.
    pub example_text: String,
}

/// All groups.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    by_name: BTreeMap<(String, String), Group>,
    seen: BTreeSet<Identity>,
}

impl Groups {
    /// Counts a letter; answers its group where it is the first of one.
    pub fn add(&mut self, letter: &Letter) -> Option<(&(String, String), &Group)> {
        let mut name = (letter.reason(), letter.rule().to_owned());
        if self.by_name.len() >= GROUPS_MAX && !self.by_name.contains_key(&name) {
            name = (OTHERS.to_owned(), String::new());
        }
        let is_copy = letter.identity.is_some_and(|identity| !self.seen.insert(identity));
        let is_new = !self.by_name.contains_key(&name);
        let group = self.by_name.entry(name.clone()).or_default();
        group.add(letter, is_copy);
        self.by_name.get_key_value(&name).filter(|_| is_new)
    }

    /// The groups, the largest first.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&str, &str, &Group)> {
        let mut groups: Vec<_> =
            self.by_name.iter().map(|((reason, rule), group)| (reason.as_str(), rule.as_str(), group)).collect();
        groups.sort_by_key(|(.., group)| std::cmp::Reverse(group.letters));
        groups
    }

    /// All of them in one.
    #[must_use]
    pub fn total(&self) -> Group {
        let mut total = Group::default();
        for group in self.by_name.values() {
            total.letters += group.letters;
            total.copies += group.copies;
            total.may_exist += group.may_exist;
            total.died(group.oldest_ms);
            total.died(group.newest_ms);
        }
        total
    }
}

impl Group {
    fn add(&mut self, letter: &Letter, is_copy: bool) {
        if self.letters == 0 {
            self.example_key = letter.key.clone().unwrap_or_default();
            self.example_text = letter.text.chars().take(TEXT_MAX).collect();
        }
        self.letters += 1;
        self.copies += u64::from(is_copy);
        self.may_exist += u64::from(letter.may_exist);
        self.died(Some(letter.died_ms).filter(|at| *at != 0));
    }

    fn died(&mut self, at: Option<u64>) {
        self.oldest_ms = [self.oldest_ms, at].into_iter().flatten().min();
        self.newest_ms = [self.newest_ms, at].into_iter().flatten().max();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{died, read_of};
    use super::*;

    #[test]
    fn letters_of_one_reason_and_rule_are_one_line_and_the_largest_stands_first() {
        let mut groups = Groups::default();
        let mut add = |reason: &str, at, id: &str| {
            let read = read_of(died(reason, "lead", at), "{}", id);
            groups.add(&read.letter).is_some()
        };
        let news = [add("no_rule", 5, "m1"), add("refused", 9, "m2"), add("refused", 7, "m3"), add("refused", 8, "m2")];
        assert_eq!(news, [true, true, false, false]);
        let sorted = groups.sorted();
        let names: Vec<_> = sorted.iter().map(|(reason, _, group)| (*reason, group.letters, group.copies)).collect();
        assert_eq!(names, [("refused", 3, 1), ("no_rule", 1, 0)]);
        let refused = sorted[0].2;
        assert_eq!((refused.oldest_ms, refused.newest_ms, refused.example_key.as_str()), (Some(7), Some(9), "m2"));
        let total = groups.total();
        assert_eq!((total.letters, total.copies, total.oldest_ms), (4, 1, Some(5)));
    }

    #[test]
    fn names_that_others_write_take_no_more_room_than_a_bound() {
        let mut groups = Groups::default();
        for number in 0..2 * GROUPS_MAX {
            let read = read_of(died("refused", &format!("rule-{number}"), 5), "{}", &format!("m{number}"));
            groups.add(&read.letter);
        }
        assert_eq!(groups.sorted().len(), GROUPS_MAX + 1);
        assert_eq!(groups.total().letters, 2 * GROUPS_MAX as u64);
    }
}
