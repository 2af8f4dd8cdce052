//! The queues that are to be there: how they are called, and the arguments that each is made with.
//!
//! Not here: whether they are there, and making them (`topology`).

use lapin::types::{AMQPValue, FieldTable};

use super::{Config, QueueType};
use crate::core::delay_queue::{DELAY_QUEUES, DelayQueue};
use crate::core::letters::cost::{ENDLESS, LIMIT};

/// The end of the name of a queue that cannot be; the longest that is put behind the work queue's name.
pub const NOWHERE: &str = ".wait.nowhere";

/// The queues that are to be there, and what each is made with where it is missing.
pub(super) fn wanted(config: &Config) -> Vec<(String, FieldTable)> {
    let work = back_to(config.queue_type, &config.dead_letter_queue);
    let mut wanted = vec![(config.dead_letter_queue.clone(), endless(config.queue_type)), (config.queue.clone(), work)];
    wanted.extend(
        DELAY_QUEUES
            .map(|delay_queue| (delay_queue_name(&config.queue, delay_queue), of_delay_queue(config, delay_queue))),
    );
    wanted
}

/// The rights that making this queue takes.
pub(super) fn rights(config: &Config, queue: &str) -> String {
    if queue == config.dead_letter_queue {
        return format!("to configure `{queue}`");
    }
    format!("to configure and read `{queue}` and to write to `amq.default`")
}

/// The names of its delay queues.
pub(super) fn delay_queues(config: &Config) -> impl Iterator<Item = String> {
    DELAY_QUEUES.into_iter().map(|delay_queue| delay_queue_name(&config.queue, delay_queue))
}

/// The name of a delay queue of `queue`.
#[must_use]
pub fn delay_queue_name(queue: &str, delay_queue: DelayQueue) -> String {
    format!("{queue}.wait.{}", delay_queue.label)
}

/// What a delay queue is made with.
pub(super) fn of_delay_queue(config: &Config, delay_queue: DelayQueue) -> FieldTable {
    let mut arguments = back_to(QueueType::Quorum, &config.queue);
    let wait_ms = i64::try_from(delay_queue.wait.as_millis()).unwrap_or(i64::MAX);
    arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(wait_ms));
    arguments
}

/// What a queue of this kind is made with.
pub(super) fn kind(queue_type: QueueType) -> FieldTable {
    let word = match queue_type {
        QueueType::Quorum => "quorum",
        QueueType::Classic => "classic",
    };
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString(word.into()));
    arguments
}

/// A queue that gives up no message however often it is given back: whoever looks at a dead letter gives it back.
pub(super) fn endless(queue_type: QueueType) -> FieldTable {
    let mut arguments = kind(queue_type);
    if queue_type == QueueType::Quorum {
        arguments.insert(LIMIT.into(), AMQPValue::LongLongInt(ENDLESS));
    }
    arguments
}

/// A queue whose own dead letters go to `target`: what the broker gives up by itself must not vanish.
pub(super) fn back_to(queue_type: QueueType, target: &str) -> FieldTable {
    let mut arguments = kind(queue_type);
    let mut say = |key: &str, value: &str| {
        arguments.insert(key.into(), AMQPValue::LongString(value.into()));
    };
    say("x-dead-letter-exchange", "");
    say("x-dead-letter-routing-key", target);
    if queue_type == QueueType::Quorum {
        // Together: at least once. Without reject-publish the broker falls back to at most once.
        say("x-dead-letter-strategy", "at-least-once");
        say("x-overflow", "reject-publish");
    }
    arguments
}
