//! Whether a consumer has stalled: connected, room for more, messages ready in the queue, and nothing arrives.
//!
//! Not here: what is done about it (`session`). Brokers and clients lose subscriptions without a word on either side, and
//! every other check passes then.
//!
//! The standby of a single active consumer receives nothing either, and rightly: AMQP 0-9-1 does not tell whether a queue
//! is such a one, and a quorum queue counts only the active one of its consumers (measured with RabbitMQ 3.10.8). But
//! whoever was ever served by its subscription is no standby, and neither is anybody at a queue without consumers.

use std::time::Duration;

use tokio::time::Instant;

/// The longest time between two attempts to subscribe again.
const STALL_TIMEOUT_MAX: Duration = Duration::from_secs(600);

/// What a queue says when it is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Messages that wait for a consumer.
    pub(super) ready: u32,
    /// Subscriptions, ours among them unless the broker has lost it, or others are its standby.
    pub(super) consumers: u32,
}

/// What the silence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StallState {
    /// The queue is empty, or the silence is short.
    Normal,
    /// Another one may be served in our place: subscribing anew costs nothing and mends what may be broken.
    Doubtful,
    /// Connections and subscription have to be made again.
    Stalled,
}

/// Watches the deliveries of all sessions.
#[derive(Clone, Debug)]
pub(super) struct StallDetector {
    limit: Duration,
    timeout: Duration,
    silent_since: Instant,
    was_served: bool,
}

impl StallDetector {
    /// A detector that calls `limit` without a delivery a stall, while the queue holds messages. Each further verdict takes
    /// twice as long, up to ten minutes, until a message arrives.
    pub(super) fn new(limit: Duration, now: Instant) -> Self {
        Self { limit, timeout: limit, silent_since: now, was_served: false }
    }

    /// A subscription of its own begins.
    pub(super) fn subscribed(&mut self, now: Instant) {
        self.silent_since = now;
        self.was_served = false;
    }

    /// A message arrived.
    pub(super) fn received(&mut self, now: Instant) {
        self.silent_since = now;
        self.timeout = self.limit;
        self.was_served = true;
    }

    /// Nothing can arrive while there is no room for more.
    pub(super) fn has_no_room(&mut self, now: Instant) {
        self.silent_since = now;
    }

    /// Whether it is worth asking the queue: the silence has lasted half of what is borne.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now.duration_since(self.silent_since) >= self.timeout / 2
    }

    /// What the silence means, by what the queue says.
    pub(super) fn judge(&mut self, asked: Asked, now: Instant) -> StallState {
        if asked.ready == 0 {
            self.silent_since = now;
            return StallState::Normal;
        }
        if now.duration_since(self.silent_since) < self.timeout {
            return StallState::Normal;
        }
        self.silent_since = now;
        self.timeout = (self.timeout * 2).min(STALL_TIMEOUT_MAX.max(self.limit));
        if self.was_served || asked.consumers == 0 { StallState::Stalled } else { StallState::Doubtful }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn ask(ready: u32, consumers: u32) -> Asked {
        Asked { ready, consumers }
    }

    #[test]
    fn a_silence_counts_only_while_there_is_something_to_hear_and_room_for_it() {
        let start = Instant::now();
        let mut stall_detector = StallDetector::new(LIMIT, start);
        stall_detector.received(start);
        assert!(!stall_detector.is_due(start + LIMIT / 3));
        assert!(stall_detector.is_due(start + LIMIT / 2));
        assert_eq!(stall_detector.judge(ask(5, 1), start + LIMIT / 2), StallState::Normal);
        assert_eq!(stall_detector.judge(ask(0, 1), start + LIMIT), StallState::Normal);
        assert_eq!(
            stall_detector.judge(ask(5, 1), start + LIMIT * 3 / 2),
            StallState::Normal,
            "it was empty until then"
        );
        stall_detector.has_no_room(start + LIMIT * 3 / 2);
        assert!(!stall_detector.is_due(start + LIMIT * 3 / 2 + LIMIT / 3));
        assert_eq!(stall_detector.judge(ask(5, 1), start + LIMIT * 5 / 2), StallState::Stalled);
    }

    #[test]
    fn one_that_was_served_is_stalled_and_one_that_never_was_may_be_a_standby() {
        let start = Instant::now();
        let mut stall_detector = StallDetector::new(LIMIT, start);
        assert_eq!(stall_detector.judge(ask(5, 1), start + LIMIT), StallState::Doubtful);
        stall_detector.received(start + LIMIT);
        assert_eq!(stall_detector.judge(ask(5, 2), start + LIMIT * 2), StallState::Stalled);
        stall_detector.subscribed(start + LIMIT * 2);
        assert_eq!(stall_detector.judge(ask(5, 2), start + LIMIT * 3), StallState::Normal, "its silence begins anew");
        assert_eq!(stall_detector.judge(ask(5, 2), start + LIMIT * 4), StallState::Doubtful);
        assert_eq!(stall_detector.judge(ask(5, 0), start + LIMIT * 8), StallState::Stalled, "lost by the broker");
    }

    #[test]
    fn each_verdict_takes_twice_as_long_until_something_is_heard() {
        let start = Instant::now();
        let mut stall_detector = StallDetector::new(LIMIT, start);
        let (mut now, mut waits) = (start, Vec::new());
        for _ in 0..7 {
            let began = now;
            while stall_detector.judge(ask(1, 0), now) == StallState::Normal {
                now += Duration::from_secs(1);
            }
            waits.push((now - began).as_secs());
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600]);
        stall_detector.received(now);
        assert_eq!(stall_detector.judge(ask(1, 1), now + LIMIT), StallState::Stalled);
    }
}
