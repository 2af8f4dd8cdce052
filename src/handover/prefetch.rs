//! How many unacknowledged events the dispatcher wants: the whole prefetch, or one.
//!
//! Not here: when which is wanted (`dispatch`), and the subscription (`amqp`).

/// How many unacknowledged events the dispatcher wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WantedPrefetch {
    /// The whole prefetch.
    #[default]
    Full,
    /// One, which serves as the probe of a shut gate.
    One,
}
