//! Asking the API whether an event is a process, by the attribute that rules look it up by.
//!
//! Not here: one request (`chakra::lookup`), and what an answer means (`core::lookup`).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chakra::Client;
use crate::core::judge::Judgement;
use crate::core::lookup::{Lookup, judge_lookup};
use crate::core::procedure::Procedure;
use crate::core::reply::Reply;
use crate::ready::Ready;

/// What can be asked.
pub(super) struct Lookups {
    client: Result<Client, String>,
    /// Procedure and attribute, each pair once.
    targets: BTreeSet<(String, String)>,
    /// Rules whose events cannot be looked up, or whose procedure stands in the event.
    pub(super) without: Vec<String>,
}

/// What came of one question.
pub(super) struct LookedUp {
    pub(super) procedure: String,
    pub(super) attribute: String,
    pub(super) found: Found,
}

/// What the API says.
pub(super) enum Found {
    /// So many processes; the id of the first, if it tells it.
    Process(Option<String>, usize),
    /// None.
    Absent,
    /// Nothing follows.
    Unclear(String),
}

impl Lookups {
    pub(super) fn of(ready: &Ready) -> Self {
        let (mut targets, mut without) = (BTreeSet::new(), Vec::new());
        for rule in ready.rules.iter().filter(|rule| !rule.is_skip()) {
            match rule.lookup_target().and_then(|target| Some((target.procedure?, target.attribute))) {
                Some(target) => drop(targets.insert(target)),
                None => without.push(rule.name().to_string()),
            }
        }
        Self { client: Client::new(&ready.config.api), targets, without }
    }

    /// Asks for a key by each of them.
    pub(super) async fn ask(&self, key: &str) -> Vec<LookedUp> {
        let mut all = Vec::new();
        for (procedure, attribute) in &self.targets {
            let found = self.one(procedure, attribute, key).await.unwrap_or_else(Found::Unclear);
            all.push(LookedUp { procedure: procedure.clone(), attribute: attribute.clone(), found });
        }
        all
    }

    async fn one(&self, procedure: &str, attribute: &str, key: &str) -> Result<Found, String> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let procedure = Procedure::new(procedure)?;
        let lookup = Lookup { procedure, attribute: attribute.to_owned(), value: Value::from(key) };
        let reply = client.look_up(&lookup).await;
        Ok(match judge_lookup(&reply, &lookup) {
            Judgement::Found { process, copies } => Found::Process(process, copies),
            Judgement::Absent => Found::Absent,
            _ => Found::Unclear(unclear(&reply)),
        })
    }
}

fn unclear(reply: &Reply) -> String {
    match (reply.status(), reply.detail()) {
        (_, Some(detail)) => detail.to_owned(),
        (Some(status), None) => format!("the API answers {status}, from which nothing follows"),
        (None, None) => "the API gives no answer".to_owned(),
    }
}
