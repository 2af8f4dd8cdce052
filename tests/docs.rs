//! The documents: what they list is what the code knows, what they show is run, and what they link to is there.
//!
//! Not here: `docs/mistakes.md`, which `mistakes.rs` makes by running the program.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod docs {
    pub(crate) mod blocks;
    pub(crate) mod commands;
    pub(crate) mod evidence;
    pub(crate) mod links;
    pub(crate) mod lists;
    pub(crate) mod metrics;
    pub(crate) mod page;
    pub(crate) mod source;
}
