//! How telling outcomes to producers fares.
//!
//! Not here: telling them (`amqp`, `core::delivery`).

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::{Level, Metrics, put};
use crate::core::delivery::OutcomeTold;
use crate::core::outcome::OutcomeKind;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Told {
    outcome: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Replied {
    result: &'static str,
}

/// What became of an answer to the queue of `reply_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyTold {
    /// The broker keeps it.
    Told,
    /// The broker does not take it: the queue is gone, or full.
    Gone,
    /// The queue is one of ours, or its name is none.
    Refused,
    /// The broker did not confirm it in time.
    Unconfirmed,
}

impl ReplyTold {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Told, Self::Gone, Self::Refused, Self::Unconfirmed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

/// Its numbers; all at nought where nothing is told.
#[derive(Debug)]
pub(super) struct Outcomes {
    told: Family<Told, Counter>,
    replies: Family<Replied, Counter>,
    waiting: Level,
}

impl Outcomes {
    pub(super) fn registered(all: &mut Registry) -> Self {
        Self {
            told: put(all, "outcomes", "Outcomes of events, by kind and by what became of telling them"),
            replies: put(all, "outcome_replies", "Answers to the queue of reply_to, by what became of them"),
            waiting: put(all, "outcomes_waiting", "Events held here since no queue takes their outcome"),
        }
    }
}

impl Metrics {
    /// An outcome was told, or not.
    pub fn outcome_told(&self, outcome: &'static str, result: &'static str) {
        self.outcomes.told.get_or_create(&Told { outcome, result }).inc();
    }

    /// An answer went to the queue of `reply_to`, or not.
    pub fn outcome_replied(&self, reply: ReplyTold) {
        self.outcomes.replies.get_or_create(&Replied { result: reply.as_str() }).inc();
    }

    /// Shows the counts of outcomes and answers at nought.
    pub(super) fn foresee_outcomes(&self) {
        for (kind, told) in OutcomeKind::ALL.iter().flat_map(|kind| OutcomeTold::ALL.map(|told| (kind, told))) {
            let (outcome, result) = (kind.as_str(), told.as_str());
            drop(self.outcomes.told.get_or_create(&Told { outcome, result }));
        }
        for reply in ReplyTold::ALL {
            drop(self.outcomes.replies.get_or_create(&Replied { result: reply.as_str() }));
        }
    }

    /// So many events wait for a queue that takes their outcome.
    pub fn outcomes_waiting(&self, events: usize) {
        self.outcomes.waiting.set(events as u64);
    }
}
