//! Which dead letters are meant: by reason, rule, key, age, or an expression over the event.
//!
//! Not here: how many of them (`plan`), and what is done with them.

use super::{BROKER, FOREIGN, Read};
use crate::core::mapping::condition::Condition;
use crate::core::reason::Reason;

/// What the letters that are meant have in common. What is empty asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One of these reasons, as [`super::Letter::reason`] has them.
    pub reasons: Vec<String>,
    /// One of these rules, as the letter names it.
    pub rules: Vec<String>,
    /// One of these keys.
    pub keys: Vec<String>,
    /// They died before this moment, in epoch milliseconds.
    pub died_before_ms: Option<u64>,
    /// They died at this moment or after it, in epoch milliseconds.
    pub died_since_ms: Option<u64>,
    /// This is true of their event. An event that lacks a field of it, or cannot be read, is not meant.
    pub when: Option<Condition>,
}

impl Filter {
    /// Whether every letter is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let has_age = self.died_before_ms.is_some() || self.died_since_ms.is_some();
        self.reasons.is_empty() && self.rules.is_empty() && self.keys.is_empty() && !has_age && self.when.is_none()
    }

    /// Whether this letter is meant. One of which nobody says when it died is of no age.
    #[must_use]
    pub fn takes(&self, read: &Read) -> bool {
        let letter = &read.letter;
        let one_of = |list: &[String], word: &str| list.is_empty() || list.iter().any(|wanted| wanted == word);
        let is_before = self.died_before_ms.is_none_or(|moment| letter.died_ms != 0 && letter.died_ms < moment);
        let is_since = self.died_since_ms.is_none_or(|moment| letter.died_ms >= moment);
        let has_key = self.keys.is_empty() || letter.key.as_ref().is_some_and(|key| self.keys.contains(key));
        let is_named = one_of(&self.reasons, &letter.reason()) && one_of(&self.rules, letter.rule());
        is_before && is_since && has_key && is_named && self.is_true_of(read)
    }

    fn is_true_of(&self, read: &Read) -> bool {
        let Some(when) = &self.when else { return true };
        read.event.as_ref().is_ok_and(|event| when.holds(event))
    }
}

/// Reads the word of a reason.
///
/// # Errors
/// In words, with those that are known.
pub fn reason(word: &str) -> Result<String, String> {
    let is_known = Reason::ALL.iter().any(|reason| reason.as_str() == word);
    let is_of_broker = word.strip_prefix(BROKER).is_some_and(|cause| !cause.is_empty());
    if is_known || is_of_broker || word == FOREIGN {
        return Ok(word.to_owned());
    }
    let known: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    Err(format!(
        "known are {}, {BROKER} with the broker's own word (such as {BROKER}delivery_limit), and {FOREIGN}",
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{died, read_of};
    use super::*;

    fn is_taken(filter: &Filter) -> bool {
        filter.takes(&read_of(died("refused", "lead", 5_000), r#"{"n": 2}"#, "m1"))
    }

    #[test]
    fn every_condition_must_hold_and_none_asks_for_nothing() {
        assert!(is_taken(&Filter::default()) && Filter::default().is_empty());
        let full = Filter {
            reasons: vec!["no_rule".into(), "refused".into()],
            rules: vec!["lead".into()],
            keys: vec!["m1".into()],
            died_before_ms: Some(5_001),
            died_since_ms: Some(5_000),
            when: Some(Condition::compile("event.n == 2").unwrap()),
        };
        assert!(is_taken(&full) && !full.is_empty());
        let not = [
            Filter { reasons: vec!["no_rule".into()], ..full.clone() },
            Filter { rules: vec!["case".into()], ..full.clone() },
            Filter { keys: vec!["m2".into()], ..full.clone() },
            Filter { died_before_ms: Some(5_000), ..full.clone() },
            Filter { died_since_ms: Some(5_001), ..full.clone() },
            Filter { when: Some(Condition::compile("event.n == 3").unwrap()), ..full.clone() },
            Filter { when: Some(Condition::compile("event.absent == 3").unwrap()), ..full },
        ];
        for (number, filter) in not.iter().enumerate() {
            assert!(!is_taken(filter), "{number}");
        }
    }

    #[test]
    fn a_reason_that_nobody_gives_is_told_with_those_that_are_known() {
        for word in ["refused", "foreign", "broker:delivery_limit"] {
            assert_eq!(reason(word).as_deref(), Ok(word));
        }
        for word in ["refusd", "broker:", ""] {
            assert!(reason(word).unwrap_err().contains("key_reused"), "{word}");
        }
    }
}
