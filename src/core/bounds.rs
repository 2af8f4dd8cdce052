//! How large an event may be, and the request made of it: what the memory of a replica is reckoned from.
//!
//! Not here: the reckoning (`config`), and what is done with what is larger (`decode`, `mapping`).

/// What a list counts as among values: it takes as much memory as so many plain ones.
pub(in crate::core) const LIST_WEIGHT: usize = 2;

/// What an object counts as.
pub(in crate::core) const OBJECT_WEIGHT: usize = 4;

/// See the head of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The largest body taken, in bytes.
    pub max_bytes: usize,
    /// The most values in an event, and in the request made of it. Each counts one, a list two and an object four.
    pub max_values: usize,
    /// The largest request made, in bytes.
    pub max_request: usize,
}

impl Bounds {
    /// Those of a configuration that writes none.
    pub const DEFAULT: Self = Self { max_bytes: 1 << 20, max_values: 100_000, max_request: 4 << 20 };
}

/// What holds more values than a bound allows, as the end of a sentence.
pub(in crate::core) fn too_many(max_values: usize) -> String {
    format!(
        "more than {max_values} values (event.max_values; a list counts as {LIST_WEIGHT}, an object as {OBJECT_WEIGHT})"
    )
}
