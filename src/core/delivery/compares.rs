//! What an event is compared by with others of its key.
//!
//! Not here: comparing them (`others`), and which of them wait for each other (`repeats`).

/// See the head of this file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Compares {
    /// Whether the same request is enough to be the same event.
    pub(super) same_request: bool,
    /// Whether it is refused where it is another event.
    pub(super) refuses: bool,
}

impl Compares {
    /// Whether others of its key are to be waited for, whatever their bodies.
    pub(super) fn by_key(self) -> bool {
        self.same_request || self.refuses
    }
}
