//! What is told of photos, as values.
//!
//! Not here: when it is told (`photos`, `sources`), and all other reports (`report`).

use std::sync::Arc;
use std::time::Duration;

use crate::core::event::Key;
use crate::core::trace_context::TraceId;

/// What there is to tell of photos. A link is told to nobody: its query may be a signature.
#[derive(Clone, Debug, PartialEq)]
pub enum PhotoReport {
    /// A try to bring a photo up ended.
    Tried {
        /// What it came to: `up`, or why not.
        outcome: &'static str,
        /// How large the picture is that is up by it.
        bytes: u64,
        /// How long it took.
        took: Duration,
    },
    /// A picture could not be had, and its process is created without it, as the rule says.
    LeftOut {
        /// The event's key, if it could be decoded.
        key: Option<Key>,
        /// Its rule.
        rule: Option<Arc<str>>,
        /// The trace that it belongs to.
        trace: Option<TraceId>,
        /// The name of the photo in the rule.
        photo: Arc<str>,
        /// The host that it was to come from.
        host: Option<String>,
        /// Why, as a fixed word.
        reason: &'static str,
    },
    /// The host of pictures fails: it is asked by single fetches until one works.
    SourceShut {
        /// The host.
        host: Arc<str>,
        /// How the last fetch failed, as a fixed word.
        why: &'static str,
        /// The HTTP status, if an answer came.
        status: Option<u16>,
        /// Why no answer came, or why it broke off.
        detail: Option<String>,
        /// The wait before the next fetch.
        wait: Duration,
        /// How many single fetches failed so far.
        probes: u32,
    },
    /// The host of pictures answers again.
    SourceOpened {
        /// The host.
        host: Arc<str>,
        /// How long it was shut.
        after: Duration,
    },
}
