//! What an event has of its row in the ledger, from its first claim on.
//!
//! Not here: what is asked and told by it (`claims`, `records`).

use super::report::Doubt;
use crate::core::ledger::Opens;

/// What an event has of its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Whether there is a ledger, and the key identifies an event.
    pub(super) is_used: bool,
    /// See [`Claim::ticket`]; 0 before the first claim, and after one that did not give it the row.
    pub(super) number: u64,
    pub(super) epoch: Option<i64>,
    /// Whether it may have the row: one that leaves gives it back.
    pub(super) has_row: bool,
    /// Which row that has ended its next claim opens.
    pub(super) opens: Opens,
    /// Whether another event of its key has the row that messages of this key share.
    pub(super) has_own_row: bool,
    /// Digest of its request, once it was claimed.
    pub(super) request: u64,
    /// How often another replica had it, since it came.
    pub(super) met: u32,
    /// Creates that may have been applied of which it was announced that it may be a second process, and why.
    pub(super) announced: Option<(u32, Doubt)>,
}

impl Ticket {
    pub(super) fn new(is_used: bool) -> Self {
        Self { is_used, ..Self::default() }
    }

    /// The row is another's, or has ended: what it asked before says nothing any more.
    pub(super) fn is_refused(&mut self) {
        (self.has_row, self.number) = (false, 0);
    }
}
