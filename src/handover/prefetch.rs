//! How many unacknowledged events the dispatcher wants: the whole prefetch, or one.
//!
//! Not here: when which is wanted (`core::delivery`), and the subscription (`amqp`).

pub use crate::core::delivery::WantedPrefetch;
