//! Which outcomes of its events a rule has told to their producers.
//!
//! Not here: telling them (`core::delivery`), and those of rules that do not say it (`core::outcome`).

use super::names;
use super::repeats::Wrong;
use super::written::{Spot, Written, WrittenRule};
use crate::core::outcome::{OutcomeKind, OutcomeKinds};

const FIELD: &str = "outcomes";

/// What the rule says; none where it says nothing.
pub(super) fn of(written: &WrittenRule, wrong: &mut Vec<Wrong>) -> Option<OutcomeKinds> {
    let spot = written.outcomes.as_ref()?;
    let expected = || format!("a list of these words: {}; empty for none", OutcomeKind::WORDS.join(", "));
    let Written::List(list) = &spot.value else {
        wrong.push((FIELD, spot.span.clone(), "is no list".to_owned(), expected()));
        return None;
    };
    let mut kinds = OutcomeKinds::default();
    for Spot { value, span } in list {
        let Written::Text(word) = value else {
            wrong.push((FIELD, span.clone(), "is no text".to_owned(), expected()));
            continue;
        };
        match OutcomeKind::ALL.into_iter().find(|kind| kind.as_str() == word) {
            Some(kind) => kinds = kinds.with(kind),
            None => {
                let expected = names::expected(word, &OutcomeKind::WORDS);
                wrong.push((FIELD, span.clone(), format!("{word:?} is not known"), expected));
            }
        }
    }
    Some(kinds)
}
