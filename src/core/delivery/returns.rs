//! How often each message was given back because this process lost a connection: of those returns it did not die. What other
//! messages were given back, or before this one was published, counts for none.
//!
//! Not here: what the other returns mean (`progress`).

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Messages remembered at most: more than can be unacknowledged over several lost connections.
const REMEMBERED_MAX: usize = 16_384;
/// So much of a body tells it from another: a confusion costs no more than a later suspicion.
const HEAD: usize = 1024;

/// Which messages were lost with connections, and how often.
#[derive(Debug, Default)]
pub(super) struct Returns {
    counts: HashMap<u64, Count>,
    order: VecDeque<u64>,
}

#[derive(Debug, Default)]
struct Count {
    returns: u32,
    /// The number of the connection that was lost last.
    last: u32,
}

impl Returns {
    /// A message with this body was unacknowledged when this connection was lost. Those with the same body count once.
    pub(super) fn note(&mut self, body: &[u8], connection: u32) {
        let message = fingerprint(body);
        let count = self.counts.entry(message).or_insert_with(|| {
            self.order.push_back(message);
            Count::default()
        });
        if count.last != connection {
            *count = Count { returns: count.returns.saturating_add(1), last: connection };
        }
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
    }

    /// How often a message with this body was given back by a connection of this process.
    pub(super) fn of(&self, body: &[u8]) -> u32 {
        if self.counts.is_empty() {
            return 0;
        }
        self.counts.get(&fingerprint(body)).map_or(0, |count| count.returns)
    }
}

fn fingerprint(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.len().hash(&mut hasher);
    body[..body.len().min(HEAD)].hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lost_connection_counts_once_for_each_message_that_it_held_and_for_no_other() {
        let mut returns = Returns::default();
        assert_eq!(returns.of(b"a"), 0);
        for connection in [1, 1, 2] {
            returns.note(b"a", connection);
        }
        returns.note(b"b", 2);
        assert_eq!([b"a", b"b", b"c"].map(|body| returns.of(body)), [2, 1, 0]);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut returns = Returns::default();
        (0..=REMEMBERED_MAX).for_each(|number| returns.note(&number.to_be_bytes(), 1));
        assert_eq!((returns.of(&0_usize.to_be_bytes()), returns.of(&1_usize.to_be_bytes())), (0, 1));
        assert_eq!(returns.counts.len(), REMEMBERED_MAX);
    }
}
