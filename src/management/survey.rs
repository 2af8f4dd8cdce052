//! One round of questions to the management API: every queue of ours, and what is to be said of it.
//!
//! Not here: how an answer is written (`answer`), what a queue means for its events (`core::queue`), and when it is told (`watch`).

use super::answer::{self, COLUMNS, Seen};
use super::api::Api;
use super::{Config, Role};
use crate::core::queue::{Finding, HELD, LOCKED, Weight};

/// Why a queue that the daemon needs may not be seen.
const UNKNOWN: &str = "is not known to the management API: it may belong to another cluster, or the queue is missing";

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// What is to be said, the work queue first.
    pub found: Vec<OfQueue>,
    /// How full the queues are.
    pub levels: Vec<Level>,
    /// The name of the cluster that the API belongs to, if it says one.
    pub cluster: Option<String>,
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

/// Asks for every queue. Each question may take `timeout`.
///
/// # Errors
/// Says why the API could not be asked.
pub async fn take(config: &Config) -> Result<Survey, String> {
    let api = Api::open(config).await?;
    let mut survey = Survey::default();
    for (queue, role) in &config.queues {
        let path = ["queues", config.vhost.as_str(), queue.as_str()];
        let found = match api.get(&path, COLUMNS).await? {
            Some(told) => {
                let seen = answer::read(&told).ok_or("what answers there is no management API")?;
                survey.levels.push(level(queue, &seen));
                judged(&api, config, &seen, *role).await?
            }
            None => missing(*role),
        };
        let of_queue = |finding| OfQueue { queue: queue.clone(), role: *role, finding };
        survey.found.extend(found.into_iter().map(of_queue));
    }
    let told = api.get(&["cluster-name"], "name").await?;
    survey.cluster = told.and_then(|told| Some(told["name"].as_str()?.to_owned()));
    Ok(survey)
}

fn level(queue: &str, seen: &Seen) -> Level {
    let Seen { ready, unacknowledged, head_s, .. } = *seen;
    Level { queue: queue.to_owned(), ready, unacknowledged, head_s }
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
        Role::Delay(wait) => seen.queue.as_delay(wait),
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
