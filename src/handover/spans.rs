//! What the dispatcher hands to whoever sends spans: a queue that is bounded and never waited for.
//!
//! Not here: which spans there are (`dispatch`), and sending them (`telemetry`).

use tokio::sync::mpsc;

use crate::core::span::Span;

/// Spans that wait at most. Each has texts of bounded length, so that all of them take a few MiB at worst.
pub const WAITING_MAX: usize = 2048;

/// The end where spans are put in.
#[derive(Debug)]
pub struct Spans(mpsc::Sender<Span>);

/// An empty queue.
#[must_use]
pub fn queue() -> (Spans, mpsc::Receiver<Span>) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Spans(sender), receiver)
}

impl Spans {
    /// Puts a span in; false where there is no room, and it is lost.
    #[must_use]
    pub fn put(&self, span: Span) -> bool {
        self.0.try_send(span).is_ok()
    }
}
