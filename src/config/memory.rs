//! How much memory a replica may need: one formula, from what the configuration lets in.
//!
//! Not here: what the machine allows (`cli`), and what keeps to the bounds (`core::bounds`).

use super::{Config, Source};
use crate::core::mapping::rules::Rules;

const MIB: u64 = 1 << 20;

/// The program, its connections and the admin port, and what waits for the log's reader.
const OWN: u64 = 40 * MIB;

/// What is remembered beside recent events, the last creates with the longest keys, and what the allocator keeps of what was
/// freed.
const REMEMBERED: u64 = 60 * MIB;

/// The connection of a ledger, its statements, and what SQLite keeps of its file.
const LEDGER: u64 = 8 * MIB;

/// The headers of a message: the broker lets 128 KiB of them come. Very many are kept as bytes, and few as a tree.
const HEADERS: u64 = (128 + 48) * 1024;

/// What one value takes while its event is mapped: in the event, in an expression and in the request.
const VALUE: u64 = 384;

/// The body as it came out of its compression, as it is read, and as texts of the event and of its request.
const COPIES: u64 = 4;

/// What each byte of the file takes while it is read, at the start and beside the rules in force at a reload.
const FILE_BYTE: u64 = 32;

/// What an expression takes that has filters or operators, before a reload and behind it.
const EXPRESSION: u64 = 2 * 12 * 1024;

/// What of each picture is on its way between its source and the API, and the connection to its source.
const PIECES: u64 = 1 << 20;

/// What a replica needs at most, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Whatever `broker.prefetch` is.
    pub fixed: u64,
    /// For each unacknowledged event: its message with the headers, its request and the answer.
    pub each: u64,
    /// All of it.
    pub total: u64,
}

impl Memory {
    /// Whatever events hold and the API answers.
    #[must_use]
    pub fn of(config: &Config, rules: &Rules, source: &Source) -> Self {
        let bounds = config.bounds;
        let mapped = bounds.max_values as u64 * VALUE + bounds.max_bytes as u64 * COPIES;
        let has_photos = rules.iter().any(|rule| rule.photos().0);
        let fetches = rules.iter().any(|rule| rule.photos().1);
        let rules = source.text().len() as u64 * FILE_BYTE + rules.expressions() as u64 * EXPRESSION;
        let ledger = if config.ledger.is_some() { LEDGER } else { 0 };
        let fixed = OWN + REMEMBERED + ledger + config.repeats.memory as u64 + mapped + rules;
        let message = bounds.max_bytes as u64 + HEADERS;
        // Pictures that come without their length are gathered, as many as are fetched at once; one in an event is held beside it.
        let photos = config.photo_policy.at_once as u64 * (config.photos.max_size + PIECES);
        let fetched = if fetches { photos } else { 0 };
        let held = if has_photos { bounds.max_bytes as u64 } else { 0 };
        let fixed = fixed + fetched;
        let each = held + message + (bounds.max_request + config.api.max_reply) as u64;
        // While dead letters are refused: the messages of those that are held beyond the prefetch.
        let letters = u64::from(config.broker.prefetch) * message / 4;
        Self { fixed, each, total: fixed + letters + u64::from(config.broker.prefetch) * each }
    }
}
