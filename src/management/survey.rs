//! One round of questions to the management API: every queue of ours, and what is to be said of it.
//!
//! Not here: how an answer is written (`answer`), what a queue means for its events (`core::queue`), and when it is told (`watch`).

use std::time::Duration;

use super::answer::{self, COLUMNS, Seen};
use super::api::Api;
use super::{Config, Role, bindings};
use crate::core::queue::{Finding, HELD, LOCKED, Weight};
use crate::states::queues::Subscribed;

/// A subscription is shown after so long for certain: the API gathers every 5 s.
const SHOWN_AFTER: Duration = Duration::from_secs(15);

/// Why a queue that the daemon needs may not be seen.
const UNKNOWN: &str = "is not known to the management API: it may belong to another cluster, or the queue is missing";

/// How it is said that our own subscription is not shown.
const UNSEEN: &str = "is not consumed by this daemon as the management API shows it";

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// What is to be said, the work queue first.
    pub found: Vec<OfQueue>,
    /// How full the queues are.
    pub levels: Vec<Level>,
    /// Whether the exchange of outcomes is there, and no queue takes anything of it.
    pub is_exchange_unbound: bool,
}

impl Survey {
    /// Leaves out that these queues are not known: AMQP says that they are missing, or has not said yet that they are there.
    pub fn leave_out_unknown(&mut self, is_missing: impl Fn(&str) -> bool) {
        self.found.retain(|of_queue| of_queue.finding.words != UNKNOWN || !is_missing(&of_queue.queue));
    }

    /// Leaves out that our subscription is not shown: it ended while the API was asked, as at every drain.
    pub fn leave_out_subscription(&mut self) {
        self.found.retain(|of_queue| !of_queue.finding.words.starts_with(UNSEEN));
    }
}

/// One thing worth a word, and the queue that it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct OfQueue {
    /// The queue.
    pub queue: String,
    /// What it is for.
    pub role: Role,
    /// What about it.
    pub finding: Finding,
}

impl OfQueue {
    /// A sentence for humans.
    #[must_use]
    pub fn words(&self) -> String {
        format!("queue `{}` {}", self.queue, self.finding.words)
    }

    /// Whether another consumer holds it, which may end at any moment.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.finding.words == HELD
    }
}

/// How full a queue is, as far as the API says: up to 5 s late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The queue.
    pub queue: String,
    /// Messages that wait for a consumer.
    pub ready: Option<u64>,
    /// Messages that consumers hold.
    pub unacknowledged: Option<u64>,
    /// When the first message was made, in epoch seconds, where its producer wrote that and the queue shows it.
    pub head_s: Option<i64>,
}

/// Asks for every queue. Each question may take `timeout`. Where this daemon has a subscription, it is looked for.
///
/// # Errors
/// Says why the API could not be asked.
pub async fn take(config: &Config, subscribed: Option<&Subscribed>) -> Result<Survey, String> {
    let api = Api::open(config).await?;
    let reached = bindings::reached(&api, config).await?;
    let mut survey = Survey { is_exchange_unbound: reached.is_nowhere, ..Survey::default() };
    let subscribed = subscribed.filter(|subscribed| subscribed.since.elapsed() >= SHOWN_AFTER);
    for (queue, role) in &config.queues {
        let path = ["queues", config.vhost.as_str(), queue.as_str()];
        let found = match api.get(&path, COLUMNS).await? {
            Some(told) => {
                let seen = answer::read(&told).ok_or("what answers there is no management API")?;
                survey.levels.push(level(queue, &seen));
                let mut found = judged(&api, config, &seen, *role).await?;
                found.extend(subscribed.filter(|_| *role == Role::Work).and_then(|own| elsewhere(&seen, own)));
                let exchange = config.exchange.as_ref().filter(|_| reached.queues.contains(queue));
                found.extend(exchange.map(|exchange| bindings::finding(exchange, *role)));
                found
            }
            None => missing(*role),
        };
        let of_queue = |finding| OfQueue { queue: queue.clone(), role: *role, finding };
        survey.found.extend(found.into_iter().map(of_queue));
    }
    Ok(survey)
}

fn level(queue: &str, seen: &Seen) -> Level {
    let Seen { ready, unacknowledged, head_s, .. } = *seen;
    Level { queue: queue.to_owned(), ready, unacknowledged, head_s }
}

/// The API shows no subscription of ours: the address that it was begun at belongs to another cluster.
fn elsewhere(seen: &Seen, own: &Subscribed) -> Option<Finding> {
    let words = format!(
        "{UNSEEN}, but at {}: broker.management.url and that address are two clusters, and events may be split over both",
        own.address
    );
    let is_hidden = !seen.consumers.as_ref()?.contains(&own.tag);
    is_hidden.then(|| Finding::new("consumers", words, Weight::Loses))
}

/// That a delay queue is missing, AMQP tells.
fn missing(role: Role) -> Vec<Finding> {
    match role {
        Role::Work | Role::DeadLetters => vec![Finding::new("queue", UNKNOWN, Weight::Risky)],
        Role::Delay(_) => Vec::new(),
    }
}

async fn judged(api: &Api, config: &Config, seen: &Seen, role: Role) -> Result<Vec<Finding>, String> {
    if seen.is_exclusive {
        return Ok(vec![Finding::new("exclusive", LOCKED, Weight::Refused)]);
    }
    let mut found = match role {
        Role::Work => seen.queue.as_work(),
        Role::DeadLetters => seen.queue.as_dead_letters(),
        Role::Delay(wait) => seen.queue.as_delay(wait, config.work_queue()),
    };
    if role == Role::Work {
        if seen.is_held {
            found.push(Finding::new("consumers", HELD, Weight::Refused));
        }
        if let Some(target) = seen.queue.target()
            && api.get(&["exchanges", &config.vhost, target], "name").await?.is_none()
        {
            found.push(Finding::no_exchange(target));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn own(tag: &str) -> Subscribed {
        Subscribed { tag: tag.to_owned(), address: "one:5672".to_owned(), since: Instant::now() }
    }

    fn shown(consumers: &serde_json::Value) -> Seen {
        let told = serde_json::json!({ "consumer_details": consumers });
        answer::read(&told).unwrap()
    }

    #[test]
    fn a_subscription_that_ended_while_the_api_was_asked_is_not_told_to_be_elsewhere() {
        let seen = shown(&serde_json::json!([{ "consumer_tag": "another" }]));
        let finding = elsewhere(&seen, &own("ours")).unwrap();
        assert!(finding.words.contains("at one:5672") && finding.weight.is_loss(), "{finding:?}");
        let of = |finding| OfQueue { queue: "q".to_owned(), role: Role::Work, finding };
        let other = of(Finding::new("x", "has a time to live", Weight::Loses));
        let mut survey = Survey { found: vec![of(finding), other.clone()], ..Survey::default() };
        survey.leave_out_subscription();
        assert_eq!(survey.found, [other]);
    }
}
