//! What was seen last, up to a bound: the oldest is forgotten first.
//!
//! Not here: what it is remembered for (`company`, `survived`).

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// Remembered at most: more than can be unacknowledged over several lost connections.
pub(super) const REMEMBERED_MAX: usize = 16_384;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Remembered<T> {
    all: HashSet<T>,
    order: VecDeque<T>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self { all: HashSet::new(), order: VecDeque::new() }
    }
}

impl<T: Copy + Eq + Hash> Remembered<T> {
    /// What is remembered already keeps its place.
    pub(super) fn note(&mut self, seen: T) {
        if !self.all.insert(seen) {
            return;
        }
        self.order.push_back(seen);
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
    }

    pub(super) fn has(&self, seen: T) -> bool {
        self.all.contains(&seen)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}
