//! Which photos of an event are up already, and which it goes without: what travels with it.
//!
//! Not here: what an upload means (`fault`), and what comes next (`progress`).

use serde::{Deserialize, Serialize};

use super::PhotoId;

/// See the head of this file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotosDone {
    /// Those that the API has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub up: Vec<PhotoId>,
    /// Those that could not be had, and that its rule does without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<PhotoId>,
    /// How often the next one failed.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub tries: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_nought(number: &u32) -> bool {
    *number == 0
}

impl PhotosDone {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether any photo is done with: what an older daemon, which would create the process without it, must not go on from.
    #[must_use]
    pub fn has_any(&self) -> bool {
        !self.up.is_empty() || !self.without.is_empty()
    }

    /// Whether nothing is left to do for this one.
    #[must_use]
    pub fn has(&self, id: PhotoId) -> bool {
        self.up.contains(&id) || self.without.contains(&id)
    }

    /// It is up.
    pub fn is_up(&mut self, id: PhotoId) {
        self.tries = 0;
        if !self.up.contains(&id) {
            self.up.push(id);
        }
    }

    /// The event goes without it.
    pub fn goes_without(&mut self, id: PhotoId) {
        self.tries = 0;
        if !self.without.contains(&id) {
            self.without.push(id);
        }
    }

    /// All that either knows of one event.
    #[must_use]
    pub fn joined(mut self, other: &Self) -> Self {
        other.without.iter().for_each(|id| {
            if !self.without.contains(id) {
                self.without.push(*id);
            }
        });
        other.up.iter().for_each(|id| {
            if !self.up.contains(id) {
                self.up.push(*id);
            }
        });
        self.tries = self.tries.max(other.tries);
        self
    }

    /// What it takes in memory beside its own size, in bytes.
    pub(in crate::core) fn bytes(&self) -> usize {
        (self.up.capacity() + self.without.capacity()) * size_of::<PhotoId>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::dead_letter::Verdict;
    use crate::core::delayed_state::{DelayedState, Unreadable};
    use crate::core::photo::{Link, Source};
    use crate::core::reason::Reason;

    fn verdict() -> Verdict {
        Verdict {
            reason: Reason::NoRule,
            text: "why".into(),
            may_exist: false,
            status: None,
            attempts: 1,
            at_ms: 1,
            rule: None,
            procedure: None,
            key: None,
            unknown: serde_json::Map::new(),
        }
    }

    #[test]
    fn photos_that_are_up_travel_and_a_daemon_that_knows_none_takes_them_for_newer() {
        let id = PhotoId::of("k", "r", "site", &Source::Link(Link::read("https://a.example/1").unwrap()));
        let up = PhotosDone { up: vec![id], ..PhotosDone::default() };
        let without = PhotosDone { without: vec![id], tries: 2, ..PhotosDone::default() };
        for photos in [up, without] {
            let mut state = DelayedState::default();
            state.progress.photos = photos;
            let text = state.encode();
            assert!(text.starts_with("{\"v\":3,"), "an older daemon must not act on it: {text}");
            assert_eq!(DelayedState::decode(&text), Ok(state.clone()));
            let strange = text.replacen("\"up\":", "\"up_of_later\":", 1).replacen("\"without\":", "\"x\":", 1);
            assert_eq!(
                DelayedState::decode(&strange),
                Err(Unreadable::Newer(3)),
                "what cannot be read is kept for a newer one"
            );
            let state = DelayedState { verdict: Some(Box::new(verdict())), ..state };
            assert!(state.encode().starts_with("{\"v\":2,"), "a verdict needs no photo");
            assert_eq!(DelayedState::decode(&state.encode()), Ok(state));
        }
        let mut tried = DelayedState::default();
        tried.progress.photos.tries = 2;
        assert!(tried.encode().starts_with("{\"v\":1,"), "no photo is up: any daemon may begin anew");
        assert_eq!(DelayedState::decode(&tried.encode()), Ok(tried));
    }
}
