//! What one generation of connections leaves to the next.
//!
//! Not here: making the connections again (`connection`).

use std::time::Duration;

use tokio::time::Instant;

use super::Config;
use super::connect::Tries;
use super::error::BrokerError;
use super::notices::Notices;
use super::stall::StallDetector;
use crate::handover::prefetch::WantedPrefetch;

/// Connections that stood this long have the next wait begin at the shortest again.
const STABLE: Duration = Duration::from_secs(60);
/// After a message that could not be parsed, so many times the prefetch are taken one at a time: the message comes back
/// among those that were unacknowledged with it, at no certain place.
const CAUTIOUS_FOR: u16 = 4;

/// What the generation before came to.
pub(super) struct Previous {
    /// Since when it consumes, if it got as far.
    pub(super) consuming_since: Option<Instant>,
    /// What was told of the queues.
    pub(super) notices: Notices,
    /// What was told last of delay queues that the management API shows to be wrong.
    pub(super) wrong_delays: Option<String>,
    /// What was learned of the addresses.
    pub(super) tries: Tries,
    /// When the queue delivered last.
    pub(super) stall_detector: StallDetector,
    /// So many messages are still taken one at a time, because one could not be parsed: each lost connection counts
    /// towards the delivery limit of everything unacknowledged.
    pub(super) cautious_for: u16,
}

impl Previous {
    /// How many events may be taken of those that are wanted.
    pub(super) fn allows(&self, wanted: WantedPrefetch) -> WantedPrefetch {
        if self.cautious_for > 0 { WantedPrefetch::One } else { wanted }
    }

    /// What an error says of the messages that come next.
    pub(super) fn learn(&mut self, config: &Config, error: &BrokerError) {
        if error.is_unparsable() {
            self.cautious_for = config.prefetch.saturating_mul(CAUTIOUS_FOR);
            self.tries.expect_frame(error.large_frame());
        }
        if self.cautious_for == 0 {
            self.tries.expect_frame(None);
        }
    }

    /// How often in a row it has come to nothing, where it had so often before.
    pub(super) fn failures(&self, before: u32) -> u32 {
        if self.is_stable() { 0 } else { before.saturating_add(1) }
    }

    /// Whether it consumed for long enough. What failed slowly was not stable.
    fn is_stable(&self) -> bool {
        self.consuming_since.is_some_and(|since| since.elapsed() >= STABLE)
    }

    pub(super) fn new(config: &Config) -> Self {
        Self {
            consuming_since: None,
            notices: Notices::default(),
            wrong_delays: None,
            tries: Tries::default(),
            stall_detector: StallDetector::new(config.stall_timeout, Instant::now()),
            cautious_for: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use lapin::protocol::{AMQPError, AMQPHardError};

    use super::super::connect::CONSUMES;
    use super::super::size::FRAME_MAX;
    use super::super::stage::config;
    use super::super::{QueueType, Topology};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_consuming_for_a_minute_begins_the_waits_anew_and_a_slow_failure_does_not() {
        let mut previous = Previous::new(&config(Topology::Verify, QueueType::Quorum));
        let later = async |time| tokio::time::timeout(STABLE * 20, tokio::time::advance(time)).await.unwrap();
        later(STABLE * 10).await;
        assert_eq!(previous.failures(3), 4);
        previous.consuming_since = Some(Instant::now());
        later(STABLE / 2).await;
        assert_eq!(previous.failures(4), 5);
        later(STABLE / 2).await;
        assert_eq!(previous.failures(5), 0);
    }

    #[test]
    fn after_a_message_that_cannot_be_read_so_many_times_the_prefetch_come_one_at_a_time_in_frames_that_take_it() {
        let config = config(Topology::Verify, QueueType::Quorum);
        let large = AMQPError::new(AMQPHardError::FRAMEERROR.into(), "frame too large: 205169 bytes".into());
        let large = BrokerError::during("consuming", &lapin::ErrorKind::ProtocolError(large).into());
        let mut previous = Previous::new(&config);
        let frame_max = |previous: &Previous| previous.tries.frame_max(CONSUMES);
        previous.learn(&config, &BrokerError::new("gone"));
        assert_eq!(
            (previous.allows(WantedPrefetch::Double), frame_max(&previous)),
            (WantedPrefetch::Double, FRAME_MAX)
        );
        previous.learn(&config, &large);
        previous.learn(&config, &BrokerError::new("gone"));
        assert_eq!(previous.cautious_for, config.prefetch * CAUTIOUS_FOR, "another error makes nobody less careful");
        assert_eq!((previous.allows(WantedPrefetch::Double), frame_max(&previous)), (WantedPrefetch::One, 262_144));
        previous.cautious_for = 0;
        previous.learn(&config, &BrokerError::new("gone"));
        assert_eq!(frame_max(&previous), FRAME_MAX, "it has come");
    }
}
