//! What a rule says of events that come more than once: what of them must be equal, and which are looked up before their first create.
//!
//! Not here: recognising them (`core::delivery`).

use super::compile::Compiler;
use super::names;
use super::written::Spot;
use crate::core::mistake::Mistake;

/// What of two messages of one key must be equal.
const SAME_REQUEST: &str = "same-request";

/// When events are looked up, beside where they must be.
const ALWAYS: &str = "always";

/// What the keys of a rule's events promise.
const KEYS: [(&str, Keys); 2] = [("cloud-events", Keys::CloudEvents), ("unique", Keys::Unique)];

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

impl Compiler<'_> {
    /// What the rule says of events that come more than once.
    pub(super) fn repeats(&self, mistakes: &mut Vec<Mistake>) -> Repeats {
        let written = self.written();
        let same_request = self.word("duplicates", written.duplicates.as_ref(), &[SAME_REQUEST], mistakes).is_some();
        let always = self.word("reconcile", written.reconcile.as_ref(), &[ALWAYS], mistakes);
        let words = KEYS.map(|(word, _)| word);
        let keys = self.word("keys", written.keys.as_ref(), &words, mistakes);
        let keys = keys.and_then(|word| KEYS.iter().find(|(known, _)| *known == word).map(|(_, keys)| *keys));
        let Some(reconcile) = written.reconcile.as_ref().filter(|_| always.is_some()) else {
            if let Some(spot) = &written.keys {
                let expected = "`reconcile = \"always\"` beside it, or no such key";
                mistakes.push(self.mistake("keys", &spot.span, "says something to nobody", expected));
            }
            return Repeats { same_request, looks_first: None };
        };
        if written.reconcile_by.is_none() {
            let expected = "`reconcile_by` beside it: the attribute that carries the key";
            mistakes.push(self.mistake("reconcile", &reconcile.span, "nothing to look for", expected));
        }
        if written.keys.is_none() {
            let expected = "`keys = \"cloud-events\"`: only those are looked for; or `keys = \"unique\"`: no message id and no \
                            event.key of this rule's events ever comes again for another event";
            let what = "a lookup knows only the key, and message ids may come again";
            mistakes.push(self.mistake("reconcile", &reconcile.span, what, expected));
        }
        Repeats { same_request, looks_first: keys }
    }

    /// One of these words, if one is written.
    fn word<'w>(
        &self,
        field: &str,
        written: Option<&'w Spot<String>>,
        words: &[&str],
        mistakes: &mut Vec<Mistake>,
    ) -> Option<&'w str> {
        let spot = written?;
        if words.contains(&spot.value.as_str()) {
            return Some(&spot.value);
        }
        let what = format!("{:?} is not known", spot.value);
        mistakes.push(self.mistake(field, &spot.span, what, names::expected(&spot.value, words)));
        None
    }
}
