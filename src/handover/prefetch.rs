//! How many events are wanted in hand: as many as there are places, or one.
//!
//! Not here: when which is wanted (`dispatch`), and the subscription (`amqp`).

/// How many events are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WantedPrefetch {
    /// As many as there are places.
    #[default]
    Full,
    /// One, to ask with.
    One,
}
