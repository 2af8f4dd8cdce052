//! How full the queues are, as the management API shows them.
//!
//! Not here: asking it (`management`).

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::{Level, Metrics, QueueSeen, put};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    queue: String,
}

/// Their numbers. None is shown while nothing is known.
#[derive(Debug)]
pub(super) struct Queues {
    is_asked: Level,
    ready: Family<Of, Level>,
    unacknowledged: Family<Of, Level>,
    head_age: Family<Of, Level>,
}

impl Queues {
    pub(super) fn registered(all: &mut Registry) -> Self {
        Self {
            is_asked: put(all, "management_up", "1 while the management API answers; 0 also where none is named"),
            ready: put(all, "queue_messages_ready", "Messages of a queue that wait, as the management API shows them"),
            unacknowledged: put(
                all,
                "queue_messages_unacknowledged",
                "Messages of a queue that consumers hold, of all of them",
            ),
            head_age: put(
                all,
                "queue_head_age_seconds",
                "Age of the first message of a queue, where the broker shows it",
            ),
        }
    }
}

impl Metrics {
    /// Whether the management API answered.
    pub fn management(&self, is_up: bool) {
        self.queues.is_asked.set(is_up.into());
    }

    /// What it showed last: of each queue messages ready, messages unacknowledged and the age of the first in seconds, as far as
    /// it said so. What is not among it is shown no more.
    pub fn queues_seen<'q>(&self, levels: impl IntoIterator<Item = (&'q str, [Option<u64>; 3])>) {
        let families = [&self.queues.ready, &self.queues.unacknowledged, &self.queues.head_age];
        families.iter().for_each(|family| family.clear());
        for (queue, numbers) in levels {
            for (family, number) in families.iter().zip(numbers) {
                if let Some(number) = number {
                    family.get_or_create(&Of { queue: queue.to_owned() }).set(number);
                }
            }
        }
    }
    /// How full this queue is, as far as it was shown.
    #[must_use]
    pub fn queue_seen(&self, queue: &str) -> QueueSeen {
        let of = Of { queue: queue.to_owned() };
        let seen = |family: &Family<Of, Level>| family.get(&of).map(|level| level.get());
        let Queues { ready, unacknowledged, head_age, .. } = &self.queues;
        QueueSeen { ready: seen(ready), unacknowledged: seen(unacknowledged), head_age_s: seen(head_age) }
    }
}
