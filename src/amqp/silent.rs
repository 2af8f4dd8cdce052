//! Queues of `reply_to` of which the broker said nothing in time. Each answer to one holds a channel for `broker.call_timeout`; so one
//! answer in a minute tries, and the others are counted and left out.
//!
//! Not here: the answers (`reply`).

use std::collections::HashMap;
use std::time::Duration;

use lapin::types::ShortString;
use tokio::time::Instant;

use super::outgoing::Reply;

/// How long a queue is left alone.
const ALONE: Duration = Duration::from_secs(60);

/// The most that are remembered: their names are written by whoever publishes events.
const MOST: usize = 256;

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct SilentQueues(HashMap<ShortString, Instant>);

impl SilentQueues {
    /// Whether the broker said nothing of an answer to this queue.
    pub(super) fn heard(&mut self, queue: ShortString, is_silent: bool, now: Instant) {
        if !is_silent {
            self.0.remove(&queue);
            return;
        }
        if self.0.len() >= MOST {
            self.0.retain(|_, until| *until > now);
        }
        if self.0.len() < MOST {
            self.0.insert(queue, now + ALONE);
        }
    }

    /// The answer, or that it is left out. The first that is not left out tries for all.
    pub(super) fn held_against(&mut self, reply: Reply, now: Instant) -> Reply {
        let Reply::To { queue, .. } = &reply else { return reply };
        match self.0.get_mut(queue) {
            Some(until) if *until > now => Reply::Silent,
            Some(until) => {
                *until = now + ALONE;
                reply
            }
            None => reply,
        }
    }
}

#[cfg(test)]
mod tests {
    use lapin::BasicProperties;

    use super::*;
    use crate::amqp::packed::Packed;

    fn to(queue: &str) -> Reply {
        Reply::To { queue: queue.into(), properties: Box::new(Packed::of(BasicProperties::default())) }
    }

    #[test]
    fn one_answer_in_a_minute_tries_a_queue_that_is_silent_and_no_other_queue_is_held_against_it() {
        let (mut queues, start) = (SilentQueues::default(), Instant::now());
        queues.heard("silent".into(), true, start);
        let goes = |queues: &mut SilentQueues, queue: &str, after: u64| {
            matches!(queues.held_against(to(queue), start + Duration::from_secs(after)), Reply::To { .. })
        };
        assert!(!goes(&mut queues, "silent", 1) && goes(&mut queues, "other", 1) && !goes(&mut queues, "silent", 59));
        assert!(goes(&mut queues, "silent", 60) && !goes(&mut queues, "silent", 61), "one of them tries");
        queues.heard("silent".into(), false, start);
        assert!(goes(&mut queues, "silent", 62) && goes(&mut queues, "silent", 62), "it answers again");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_makes_room_for_what_is_newer() {
        let (mut queues, start) = (SilentQueues::default(), Instant::now());
        (0..2 * MOST).for_each(|number| queues.heard(number.to_string().into(), true, start));
        assert_eq!(queues.0.len(), MOST);
        queues.heard("newer".into(), true, start + ALONE);
        assert_eq!(queues.0.len(), 1);
        (1..MOST).for_each(|number| queues.heard(number.to_string().into(), true, start + 2 * ALONE));
        queues.heard("newest".into(), true, start + 2 * ALONE);
        assert_eq!(queues.0.len(), MOST, "only the one whose time is over made room");
    }
}
