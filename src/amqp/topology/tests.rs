//! Laws of which queues there are to be, and of what is said where they are not.
//!
//! Not here: a broker.

use lapin::types::{AMQPValue, FieldTable};

use super::*;
use crate::amqp::QueueType;
use crate::amqp::stage::config;
use crate::core::queue::{Finding, Weight};

fn missing(queues: &[&str]) -> Missing {
    Missing(queues.iter().map(ToString::to_string).collect())
}

/// What a queue is made with, as it is written.
fn arguments(of: &FieldTable) -> Vec<String> {
    let word = |value: &AMQPValue| match value {
        AMQPValue::LongString(text) => text.to_string(),
        AMQPValue::LongLongInt(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    of.inner().iter().map(|(name, value)| format!("{name}={}", word(value))).collect()
}

const QUORUM: [&str; 5] = [
    "x-dead-letter-exchange=",
    "x-dead-letter-routing-key=dead",
    "x-dead-letter-strategy=at-least-once",
    "x-overflow=reject-publish",
    "x-queue-type=quorum",
];
const CLASSIC: [&str; 3] = ["x-dead-letter-exchange=", "x-dead-letter-routing-key=dead", "x-queue-type=classic"];

#[test]
fn what_a_queue_gives_up_goes_to_the_next_and_a_delay_queue_keeps_it_so_long_whatever_the_kind_of_the_others() {
    for (queue_type, work, dead) in [
        (QueueType::Quorum, &QUORUM[..], &["x-delivery-limit=1000000000", "x-queue-type=quorum"][..]),
        (QueueType::Classic, &CLASSIC[..], &["x-queue-type=classic"][..]),
    ] {
        let wanted = wanted(&config(Topology::Declare, queue_type));
        let names: Vec<_> = wanted.iter().map(|(queue, _)| queue.as_str()).collect();
        assert_eq!(names, ["dead", "work", "work.wait.10s", "work.wait.1m", "work.wait.10m", "work.wait.1h"]);
        assert_eq!(arguments(&wanted[0].1), dead);
        assert_eq!(arguments(&wanted[1].1), work);
        for ((_, delays), ttl) in wanted[2..].iter().zip([10_000, 60_000, 600_000, 3_600_000]) {
            let mut like_work: Vec<_> = QUORUM.map(|argument| argument.replace("=dead", "=work")).into();
            like_work.insert(3, format!("x-message-ttl={ttl}"));
            assert_eq!(arguments(delays), like_work);
        }
    }
}

#[test]
fn what_is_missing_is_named_with_what_to_do_about_it_and_nothing_else_is() {
    let verify = config(Topology::Verify, QueueType::Quorum);
    let both = missing(&["work", "work.wait.1m", "dead"]);
    let remedy = "; make what is missing, or set broker.topology = \"declare\"";
    let words = |queues: &str| Some(format!("missing in the broker: {queues}{remedy}"));
    assert_eq!(both.to_consume(&verify), words("queue `work` and queue `dead`"));
    assert_eq!(both.to_delay(&verify), words("queue `work.wait.1m`"));
    let declare = config(Topology::Declare, QueueType::Quorum);
    assert_eq!(both.to_delay(&declare).as_deref(), Some("missing in the broker: queue `work.wait.1m`"));
    let mut made = missing(&["work", "dead"]);
    made.was_made("work");
    assert_eq!((made.has("work"), made.has("dead"), made.to_delay(&verify)), (false, true, None));
    assert_eq!(missing(&["dead"]).into_names(), ["dead"]);
    made.was_made("dead");
    assert_eq!((made.to_consume(&verify), made.into_names()), (None, Vec::new()));
}

#[test]
fn a_queue_that_may_not_be_made_is_told_with_the_rights_that_it_takes() {
    let config = config(Topology::Declare, QueueType::Quorum);
    assert_eq!(Unmade::default().why("missing"), "missing");
    let unmade = Unmade(["dead", "work"].map(|queue| rights(&config, queue)).into());
    let told = unmade.why("missing");
    let wanted = "missing; this user may not make it: make it by hand, or give the user the right to configure `dead`, \
                  to configure and read `work` and to write to `amq.default`";
    assert_eq!(told, wanted);
}

#[test]
fn each_finding_is_told_once_with_its_queue_and_one_that_cannot_be_worked_with_is_an_error() {
    let config = config(Topology::Verify, QueueType::Quorum);
    let of =
        |queue: &str, does: &str, weight| OfQueue { queue: queue.into(), finding: Finding::new("x", does, weight) };
    let mut notices = Notices::default();
    let list = vec![of("work", "drops events", Weight::Loses), of("dead", "is small", Weight::Risky)];
    let told = tell(&config, Findings { list: list.clone(), is_hidden: false }, &mut notices).unwrap();
    let words = |words: &str, is_loss| QueueWarning { words: words.into(), is_loss };
    assert_eq!(told, [words("queue `work` drops events", true), words("queue `dead` is small", false)]);
    for told in ["queue warning: the work queue drops events", "queue warning: the dead-letter queue is small"] {
        assert!(!notices.is_new(told), "{told}");
    }
    let hidden = "the broker does not let this user see how the queues are made";
    assert!(notices.is_new(hidden), "nothing is hidden");
    let refused = [list, vec![of("work", "is a stream", Weight::Refused)]].concat();
    let error = tell(&config, Findings { list: refused, is_hidden: false }, &mut notices).unwrap_err();
    assert_eq!(error.to_string(), "queue `work` is a stream");
}
