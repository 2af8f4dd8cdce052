//! What is risky about queues that somebody else made, and what cannot be worked with: said at each connect and by
//! `check --online`.
//!
//! Not here: how they are made (`made`), and when it is told (`topology`). A policy may make up for it, which AMQP does not
//! show.

use std::fmt;

use lapin::Connection;

use super::error::BrokerError;
use super::made::{self, Known, Made};
use super::questions::has_exchange;
use super::topology::{back_to, kind};
use super::{Config, QueueType};

/// The default limit of quorum queues since RabbitMQ 4.0; a lower one is worth a warning. Negative is none.
const DELIVERIES_MIN: i64 = 20;

const LOCKED: &str = "belongs to another connection (exclusive): nobody else may use it, and it ends with that connection. \
     Make a durable quorum queue in its place";
const STREAM: &str = "is a stream, and streams are not consumed: what is published while no daemon runs would never be \
     delivered. Make a quorum queue, bind it where the stream is bound, and name it in broker.queue";
const AUTO_DELETE: &str = "is auto-delete: the broker deletes it, with every event in it, when this daemon stops. Make it again \
     without that";
const CLASSIC: &str = "is a classic queue: it is on one node; the broker does not count how often an event was given back, so \
     that one that takes the daemon down is not recognised; and after a restart of the broker its whole backlog counts as \
     delivered before, so that each event is looked up first";
const TRANSIENT: &str = "is not durable: a restart of the broker deletes it, with every event in it";
const FEW_RETURNS: &str = "gives an event up after fewer than 20 returns: shutdowns, lost connections and delay queues may each \
     be counted, so that good events end as dead letters of the broker";
const NO_TARGET: &str = "names no dead-letter exchange: what the broker gives up by itself (delivery limit, expiry, length) is \
     deleted, unless a policy says where it goes";
const AT_MOST_ONCE: &str = "dead-letters at most once: what the broker gives up by itself can be lost on its way, unless both \
     x-dead-letter-strategy is at-least-once and x-overflow is reject-publish";

/// One thing worth a word about a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The queue.
    pub(super) queue: String,
    /// What it is about.
    pub(super) argument: &'static str,
    /// What about it, as the end of a sentence that begins with the queue.
    pub(super) words: String,
    /// It cannot be worked with.
    pub(super) is_refused: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "queue `{}` {}", self.queue, self.words)
    }
}

/// What was found.
#[derive(Default)]
pub(super) struct Findings {
    /// All of it, the work queue first.
    pub(super) list: Vec<Finding>,
    /// The broker does not let this user see how the queues are made.
    pub(super) is_hidden: bool,
}

/// Everything about the work queue and the dead-letter queue, both of which are there, that the broker lets this user see.
pub(super) async fn find(config: &Config, connection: &Connection) -> Result<Findings, BrokerError> {
    let mut found = Findings::default();
    let wanted = back_to(QueueType::Quorum, &config.dead_letter_queue);
    match made::ask(config, connection, &config.queue, wanted).await? {
        Known::Made(made) => {
            found.list.extend(named(&config.queue, of_work(&made)));
            let target = made.text("x-dead-letter-exchange").filter(|target| !target.is_empty());
            if let Some(target) = target.map(str::to_owned)
                && !has_exchange(config, connection, &target).await?
            {
                let words = format!(
                    "dead-letters to exchange `{target}`, which does not exist: what the broker gives up is deleted"
                );
                found.list.extend(named(&config.queue, vec![("x-dead-letter-exchange", words, false)]));
            }
        }
        Known::Locked => found.list.extend(named(&config.queue, vec![("exclusive", LOCKED.to_owned(), true)])),
        Known::Nothing => found.is_hidden = true,
    }
    let dead = &config.dead_letter_queue;
    match made::ask(config, connection, dead, kind(QueueType::Quorum)).await? {
        Known::Made(made) => found.list.extend(named(dead, of_dead(&made))),
        Known::Locked => found.list.extend(named(dead, vec![("exclusive", LOCKED.to_owned(), true)])),
        Known::Nothing => found.is_hidden = true,
    }
    Ok(found)
}

/// An argument, the words about it, and whether it cannot be worked with.
type Said = (&'static str, String, bool);

fn named(queue: &str, said: Vec<Said>) -> impl Iterator<Item = Finding> {
    said.into_iter().map(|(argument, words, is_refused)| Finding {
        queue: queue.to_owned(),
        argument,
        words,
        is_refused,
    })
}

/// What is to be said of a work queue that is made so.
fn of_work(made: &Made) -> Vec<Said> {
    let kind = made.kind();
    let mut said = Vec::new();
    match kind {
        "quorum" => {}
        "classic" => said.push(("x-queue-type", CLASSIC.to_owned(), false)),
        "stream" => return vec![("x-queue-type", STREAM.to_owned(), true)],
        other => {
            let words = format!("is of the kind `{other}`, which this daemon does not know. Make a quorum queue");
            return vec![("x-queue-type", words, true)];
        }
    }
    if made.is_auto_delete {
        said.push(("auto_delete", AUTO_DELETE.to_owned(), true));
    }
    if !made.is_durable {
        said.push(("durable", TRANSIENT.to_owned(), false));
    }
    said.extend(of_target(made));
    if made.number("x-delivery-limit").is_some_and(|limit| (0..DELIVERIES_MIN).contains(&limit)) {
        said.push(("x-delivery-limit", FEW_RETURNS.to_owned(), false));
    }
    said.extend(of_limits(made, "events"));
    said.extend(unclear(made));
    said
}

/// Where what the broker gives up goes.
fn of_target(made: &Made) -> Option<Said> {
    if made.text("x-dead-letter-exchange").is_none() {
        return Some(("x-dead-letter-exchange", NO_TARGET.to_owned(), false));
    }
    let is_sure = made.text("x-dead-letter-strategy") == Some("at-least-once") && rejects(made);
    (made.kind() == "quorum" && !is_sure).then(|| ("x-dead-letter-strategy", AT_MOST_ONCE.to_owned(), false))
}

/// What is to be said of a dead-letter queue that is made so.
fn of_dead(made: &Made) -> Vec<Said> {
    let mut said = Vec::new();
    let words = match made.kind() {
        "quorum" => None,
        "classic" => Some("is a classic queue: each dead letter is on one node"),
        "stream" => Some("is a stream: no dead letter can be taken out of it, and its retention deletes the oldest"),
        _ => Some("is of a kind that this daemon does not know"),
    };
    said.extend(words.map(|words| ("x-queue-type", words.to_owned(), false)));
    if made.is_auto_delete {
        let words = "is auto-delete: the broker deletes it, with every dead letter in it, when its last reader leaves";
        said.push(("auto_delete", words.to_owned(), false));
    }
    if !made.is_durable {
        let words = "is not durable: a restart of the broker deletes it, with every dead letter in it";
        said.push(("durable", words.to_owned(), false));
    }
    if made.kind() != "stream" {
        said.extend(of_limits(made, "dead letters"));
        said.extend(unclear(made));
    }
    said
}

/// A full queue that refuses is waited for, by publishers and by this daemon.
fn rejects(made: &Made) -> bool {
    made.text("x-overflow").is_some_and(|overflow| overflow.starts_with("reject-publish"))
}

/// What takes messages out of a queue that nobody has seen.
fn of_limits(made: &Made, what: &str) -> Vec<Said> {
    let mut said = Vec::new();
    for limit in ["x-max-length", "x-max-length-bytes"] {
        if made.number(limit).is_some() && !rejects(made) {
            let words = format!(
                "has a limit of its length: beyond it the broker drops the oldest {what}, unless x-overflow is reject-publish"
            );
            said.push((limit, words, false));
        }
    }
    if let Some(limit) = made.number("x-message-ttl") {
        let words = format!("has a time to live: {what} that nobody has taken after {limit} ms leave it unseen");
        said.push(("x-message-ttl", words, false));
    }
    if let Some(limit) = made.number("x-expires") {
        let words =
            format!("expires: the broker deletes it, with all {what} in it, when nobody uses it for {limit} ms");
        said.push(("x-expires", words, false));
    }
    said
}

fn unclear(made: &Made) -> Option<Said> {
    let said = made.unclear.as_ref()?;
    Some(("unknown", format!("is made otherwise than it should be: {said}"), false))
}

#[cfg(test)]
mod tests {
    use super::super::made::tests::made;
    use super::*;

    fn has(argument: &str, value: &str, kind: &str) -> String {
        format!("'{argument}' for queue 'q': received none but current is the value '{value}' of type '{kind}'")
    }

    fn lacks(argument: &str) -> String {
        format!("'{argument}' for queue 'q': received the value 'x' of type 'longstr' but current is none")
    }

    fn work(said: &[String]) -> Vec<(&'static str, bool)> {
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        of_work(&made(&said)).into_iter().map(|(argument, _, is_refused)| (argument, is_refused)).collect()
    }

    const KIND: &str = "x-queue-type";

    #[test]
    fn a_queue_as_it_should_be_and_one_that_only_orders_or_serves_otherwise_is_worth_no_word() {
        assert_eq!(work(&[]), []);
        assert_eq!(work(&[has("x-single-active-consumer", "true", "bool")]), []);
        assert_eq!(work(&[has("x-max-length", "5", "signedint")]), [], "it refuses beyond it");
        assert_eq!(work(&[has("x-dead-letter-routing-key", "another", "longstr")]), []);
    }

    #[test]
    fn a_companys_own_dead_letter_exchange_is_not_told_as_none() {
        let own = [has("x-dead-letter-exchange", "company.dlx", "longstr"), lacks("x-dead-letter-routing-key")];
        assert_eq!(work(&own), []);
        let bare = ["x-dead-letter-exchange", "x-dead-letter-routing-key", "x-dead-letter-strategy", "x-overflow"];
        assert_eq!(work(&bare.map(lacks)), [("x-dead-letter-exchange", false)], "one line for one thing");
    }

    #[test]
    fn a_classic_queue_is_told_what_is_true_of_classic_queues_and_each_thing_once() {
        let of_classic = |more: &[String]| {
            let mut said = vec![has(KIND, "classic", "longstr"), lacks("x-overflow")];
            said.extend_from_slice(more);
            work(&said)
        };
        assert_eq!(of_classic(&[]), [(KIND, false)]);
        let none = [lacks("x-dead-letter-exchange"), lacks("x-dead-letter-routing-key")];
        assert_eq!(of_classic(&none), [(KIND, false), ("x-dead-letter-exchange", false)]);
        let short = [has("x-max-length", "5", "signedint")];
        assert_eq!(of_classic(&short), [(KIND, false), ("x-max-length", false)]);
    }

    #[test]
    fn what_loses_every_event_at_once_is_refused() {
        assert_eq!(work(&[has(KIND, "stream", "longstr")]), [(KIND, true)]);
        assert_eq!(work(&[has(KIND, "of_a_plugin", "longstr")]), [(KIND, true)]);
        let auto_delete = "'auto_delete' for queue 'q': received 'false' but current is 'true'".to_owned();
        assert!(work(&[auto_delete]).contains(&("auto_delete", true)));
    }

    #[test]
    fn only_a_low_delivery_limit_is_a_queue_warning() {
        let is_told = |limit: i64| !work(&[has("x-delivery-limit", &limit.to_string(), "signedint")]).is_empty();
        assert_eq!([-1, 0, 3, 19, 20, 100].map(is_told), [false, true, true, true, false, false]);
    }

    #[test]
    fn a_limit_of_the_dead_letter_queue_is_a_queue_warning_unless_it_refuses() {
        let told = |said: &[String]| {
            let said: Vec<&str> = said.iter().map(String::as_str).collect();
            of_dead(&made(&said)).into_iter().map(|(argument, ..)| argument).collect::<Vec<_>>()
        };
        let short = has("x-max-length", "5", "signedint");
        assert_eq!(told(std::slice::from_ref(&short)), [] as [&str; 0]);
        assert_eq!(told(&[lacks("x-overflow"), short]), ["x-max-length"]);
        assert_eq!(told(&[has("x-message-ttl", "5", "signedint")]), ["x-message-ttl"]);
        assert_eq!(
            told(&[has("x-dead-letter-exchange", "again", "longstr")]),
            [] as [&str; 0],
            "somebody's way to try again"
        );
        assert_eq!(told(&[has(KIND, "stream", "longstr")]), [KIND]);
    }
}
