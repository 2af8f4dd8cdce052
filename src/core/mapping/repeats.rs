//! What a rule says of events that come more than once: what of them must be equal, and which are looked up before their first create.
//!
//! Not here: recognising them (`core::delivery`).

use super::names;
use super::written::{Spot, WrittenRule};
use crate::core::mistake::Span;

/// What of two messages of one key must be equal.
const SAME_REQUEST: &str = "same-request";

/// When events are looked up, beside where they must be.
const ALWAYS: &str = "always";

/// What the keys of a rule's events promise.
const KEYS: [(&str, Keys); 2] = [("cloud-events", Keys::CloudEvents), ("unique", Keys::Unique)];

/// What a rule must say whose events are looked up before their first create.
const PROMISE: &str = "`keys = \"cloud-events\"`, where only those are looked up first, or `keys = \"unique\"`, where no message \
                       id and no event.key ever comes again for another event";

/// Which keys name one event for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// Source and id of CloudEvents.
    CloudEvents,
    /// Message ids and `event.key` too.
    Unique,
}

/// See the head of this file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Repeats {
    /// Whether the same request is enough, where the bodies differ.
    pub(super) same_request: bool,
    /// Whose first create is preceded by a lookup.
    pub(super) looks_first: Option<Keys>,
}

/// A mistake: the field, its place, what is wrong, and what was expected.
pub(super) type Wrong = (&'static str, Span, String, String);

/// What the rule says of events that come more than once.
pub(super) fn of(written: &WrittenRule, wrong: &mut Vec<Wrong>) -> Repeats {
    let same_request = word("duplicates", written.duplicates.as_ref(), &[SAME_REQUEST], wrong).is_some();
    let always = word("reconcile", written.reconcile.as_ref(), &[ALWAYS], wrong);
    let keys = word("keys", written.keys.as_ref(), &KEYS.map(|(word, _)| word), wrong);
    let looks_first = keys.and_then(|word| KEYS.iter().find(|(known, _)| *known == word).map(|(_, keys)| *keys));
    match &written.reconcile {
        Some(reconcile) if always.is_some() => needs(written, reconcile, wrong),
        Some(_) => {}
        None => {
            if let Some(keys) = &written.keys {
                let expected = "`reconcile = \"always\"` beside it, or no such key";
                wrong.push(("keys", keys.span.clone(), "says something to nobody".to_owned(), expected.to_owned()));
            }
        }
    }
    Repeats { same_request, looks_first: looks_first.filter(|_| always.is_some()) }
}

/// What a lookup before the first create needs.
fn needs(written: &WrittenRule, reconcile: &Spot<String>, wrong: &mut Vec<Wrong>) {
    if written.reconcile_by.is_none() {
        let expected = "`reconcile_by` beside it: the attribute that carries the key";
        wrong.push(("reconcile", reconcile.span.clone(), "nothing to look for".to_owned(), expected.to_owned()));
    }
    if written.keys.is_none() {
        let what = "a lookup knows only the key, and message ids may come again";
        wrong.push(("reconcile", reconcile.span.clone(), what.to_owned(), PROMISE.to_owned()));
    }
}

/// One of these words, if one is written.
fn word<'w>(
    field: &'static str,
    written: Option<&'w Spot<String>>,
    words: &[&str],
    wrong: &mut Vec<Wrong>,
) -> Option<&'w str> {
    let spot = written?;
    if words.contains(&spot.value.as_str()) {
        return Some(&spot.value);
    }
    let what = format!("{:?} is not known", spot.value);
    wrong.push((field, spot.span.clone(), what, names::expected(&spot.value, words)));
    None
}
