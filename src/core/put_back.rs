//! A dead letter of ours that somebody puts back on the work queue, or a message that says *again* by a header: what its headers say,
//! and where the event stands by that.
//!
//! Not here: reading the headers (`amqp`), and what is asked for the event (`delivery`).
//!
//! Whoever puts it back has mended something. So it begins anew: with a lookup, if its rule can look up, since it may have
//! become a process after all; with the route of its event, by which rules match; and with no wait of before. What may have
//! been created stays in doubt: its next create is announced.

use crate::core::delayed_state::DelayedState;
use crate::core::lookup::Lookup;
use crate::core::progress::{CONFESSION, Progress};
use crate::core::reason::Reason;

/// What the headers of such a message say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutBack {
    /// The fixed word why it was a dead letter. Another release may know others.
    pub reason: String,
    /// Whether it says that a create of it may have been applied.
    pub may_exist: bool,
    /// The text of the dead letter.
    pub text: String,
    /// The exchange that the event was first published to, if it is told.
    pub exchange: Option<String>,
    /// The routing key that the event was first published with, if it is told.
    pub routing_key: Option<String>,
    /// When it was first received, in epoch milliseconds; 0 where it is not told.
    pub first_seen_ms: u64,
    /// When it was given up, in epoch milliseconds; 0 where it is not told.
    pub last_seen_ms: u64,
    /// How often its event was asked for again before.
    pub retries: u32,
    /// The id of the outcome that was told of it, if one was.
    pub outcome: Option<String>,
    /// Where the event stood in its trace, if it is told.
    pub trace: Option<String>,
    /// Where a create of it may have been applied, if that is told.
    pub sent: Option<Lookup>,
}

impl PutBack {
    /// Whether a create of it may have been applied before it died.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        // Letters of older releases say it by their reason and their text alone.
        self.may_exist
            || Reason::ALL.iter().any(|reason| reason.leaves_doubt() && self.reason == reason.as_str())
            || self.text.contains(CONFESSION)
    }

    /// Where the event stands; `exchange` and `routing_key` are what this message came by.
    #[must_use]
    pub fn state(&self, exchange: &str, routing_key: &str) -> DelayedState {
        DelayedState {
            progress: if self.is_doubtful() { Progress::doubtful(self.last_seen_ms) } else { Progress::default() },
            exchange: self.exchange.as_deref().unwrap_or(exchange).to_owned(),
            routing_key: self.routing_key.as_deref().unwrap_or(routing_key).to_owned(),
            first_seen_ms: self.first_seen_ms,
            sent: self.sent.clone().filter(|_| self.is_doubtful()),
            is_retry: true,
            retries: self.retries.saturating_add(1),
            earlier: self.outcome.clone(),
            trace: self.trace.clone(),
            ..DelayedState::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reason::Fault;

    #[test]
    fn what_may_be_a_process_stays_in_doubt_and_nothing_else_does() {
        for reason in Reason::ALL {
            let back = PutBack { reason: reason.as_str().to_owned(), ..PutBack::default() };
            assert_eq!(back.is_doubtful(), matches!(reason, Reason::Unknown | Reason::Crashing), "{reason:?}");
            let unsure = Progress { unsure_creates: 1, ..Progress::default() };
            let text = unsure.confessed(Fault::new(reason, "as it was.")).text;
            assert!(PutBack { text, ..back.clone() }.is_doubtful(), "{reason:?}: its text says so");
            assert!(PutBack { may_exist: true, ..back }.is_doubtful(), "{reason:?}: its header says so");
        }
    }

    #[test]
    fn it_has_the_route_of_its_event_where_that_is_told_and_else_the_one_that_it_came_by() {
        let told = PutBack { exchange: Some("crm".into()), routing_key: Some(String::new()), ..PutBack::default() };
        let state = told.state("", "work");
        assert_eq!((state.exchange.as_str(), state.routing_key.as_str()), ("crm", ""));
        let state = PutBack::default().state("by", "hand");
        assert_eq!((state.exchange.as_str(), state.routing_key.as_str()), ("by", "hand"));
    }
}
