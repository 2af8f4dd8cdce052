//! How much memory a replica may need: one formula, from what the configuration lets in.
//!
//! Not here: what the machine allows (`cli`), and what keeps to the bounds (`core::bounds`).

use super::Config;
use crate::core::recent::REMEMBERED_MAX;

const MIB: u64 = 1 << 20;

/// The program, its connections and the admin port, and what waits for the log's reader.
const OWN: u64 = 40 * MIB;

/// What is remembered of one event that was settled: its key, where it was looked up, and why it is a dead letter.
const REMEMBERED: u64 = 4 * 1024;

/// What one value takes while its event is mapped: in the event, in an expression and in the request.
const VALUE: u64 = 384;

/// The body as it came out of its compression, as it is read, and as texts of the event and of its request.
const COPIES: u64 = 4;

impl Config {
    /// The most memory that a replica needs, in bytes, whatever events hold and the API answers.
    #[must_use]
    pub fn memory_max(&self) -> u64 {
        self.memory_fixed() + u64::from(self.broker.prefetch) * self.memory_of_one()
    }

    /// What of it does not depend on `broker.prefetch`.
    #[must_use]
    pub fn memory_fixed(&self) -> u64 {
        let mapped = self.bounds.max_values as u64 * VALUE + self.bounds.max_bytes as u64 * COPIES;
        OWN + REMEMBERED_MAX as u64 * REMEMBERED + mapped
    }

    /// What each unacknowledged event takes: its message, its request and the answer.
    #[must_use]
    pub fn memory_of_one(&self) -> u64 {
        (self.bounds.max_bytes + self.bounds.max_request + self.api.max_reply) as u64
    }
}
