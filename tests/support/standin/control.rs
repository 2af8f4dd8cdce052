//! The control endpoints, for those who reach the stand-in from another process.
//!
//! Not here: what the settings do.

use std::collections::HashMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::books::{Books, House};
use super::faults::Rule;
use super::plan::Plan;
use super::wire::{Reply, Request};

/// One rule is added to the plan; a list takes its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rules {
    Plan(Vec<Rule>),
    Rule(Box<Rule>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lag {
    ms: u64,
}

/// Does what `path`, without its `/control/`, says.
pub fn answer(house: &House, request: &Request, path: &str) -> Reply {
    match (request.method.as_str(), path) {
        ("GET", "created") => shown(&house.read().created),
        ("GET", "photos") => shown(&house.read().photos),
        ("GET", "requests") => shown(&house.read().requests),
        ("POST", "reset") => set(house, Ok(()), |books, ()| books.reset()),
        ("POST", "fault") => set(house, read(request), |books, rules| match rules {
            Rules::Plan(rules) => books.plan = Plan::new(rules),
            Rules::Rule(rule) => books.plan.add(*rule),
        }),
        ("POST", "tokens") => set(house, read(request), |books, tokens: Vec<String>| books.tokens = tokens),
        ("POST", "lag") => set(house, read(request), |books, lag: Lag| books.lag = Duration::from_millis(lag.ms)),
        ("POST", "procedures") => {
            set(house, read(request), |books, procedures: HashMap<String, Vec<String>>| books.procedures = procedures)
        }
        _ => Reply::words(404, "there is no such control"),
    }
}

fn shown(entries: &impl Serialize) -> Reply {
    match serde_json::to_string(entries) {
        Ok(text) => Reply::json(200, text),
        Err(error) => Reply::words(500, &error.to_string()),
    }
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T, serde_json::Error> {
    serde_json::from_slice(&request.body)
}

fn set<T>(house: &House, read: Result<T, serde_json::Error>, change: impl FnOnce(&mut Books, T)) -> Reply {
    match read {
        Ok(value) => {
            house.update(|books| change(books, value));
            Reply::data(&json!({}), &json!({}))
        }
        Err(error) => Reply::words(422, &error.to_string()),
    }
}
