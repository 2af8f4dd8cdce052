//! Whether what is published to the exchange of outcomes comes back: which queues of ours its bindings lead to, over other exchanges
//! too. AMQP shows no bindings.
//!
//! Not here: publishing to it (`amqp`), and that no outcome is told of an outcome (`core::delivery`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::api::Api;
use super::{Config, Role};
use crate::core::queue::{Finding, Weight};

/// The most exchanges that are followed.
const EXCHANGES: usize = 64;

/// Where an exchange leads.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Every queue that its bindings lead to, and those of the exchanges that it leads to.
    pub(super) queues: BTreeSet<String>,
    /// Whether it is there, and leads to no queue at all.
    pub(super) is_nowhere: bool,
}

/// Follows the bindings of the exchange of outcomes, if there is to be one.
pub(super) async fn reached(api: &Api, config: &Config) -> Result<Reached, String> {
    let (mut queues, mut is_there) = (BTreeSet::new(), false);
    let mut exchanges: Vec<String> = config.exchange.iter().cloned().collect();
    let mut next = 0;
    while let Some(exchange) = exchanges.get(next).filter(|_| next < EXCHANGES) {
        next += 1;
        let path = ["exchanges", config.vhost.as_str(), exchange.as_str()];
        let made = api.get(&path, "arguments").await?;
        is_there |= made.is_some();
        let bound = api.get(&[&path[..], &["bindings", "source"]].concat(), "destination,destination_type").await?;
        let (to_queues, to_exchanges) = read(&made.unwrap_or_default(), &bound.unwrap_or_default());
        queues.extend(to_queues);
        for exchange in to_exchanges {
            if !exchanges.contains(&exchange) {
                exchanges.push(exchange);
            }
        }
    }
    let is_nowhere = is_there && queues.is_empty() && next < EXCHANGES;
    Ok(Reached { queues, is_nowhere })
}

/// The queues that an exchange leads to, and the exchanges; that which takes what no queue does among them.
fn read(made: &Value, bound: &Value) -> (Vec<String>, Vec<String>) {
    let bound: Vec<_> = bound.as_array().into_iter().flatten().collect();
    let names = |kind: &'static str| {
        let of_kind = bound.iter().filter(move |binding| binding["destination_type"] == kind);
        of_kind.filter_map(|binding| Some(binding["destination"].as_str()?.to_owned()))
    };
    let alternate = made["arguments"]["alternate-exchange"].as_str().map(str::to_owned);
    (names("queue").collect(), names("exchange").chain(alternate).collect())
}

/// What it means for a queue that it is reached.
pub(super) fn finding(exchange: &str, role: Role) -> Finding {
    let follows = match role {
        Role::Work | Role::Delay(_) => {
            "each outcome comes in as an event: none is told of it, but a rule that takes it makes a process of it"
        }
        Role::DeadLetters => "outcomes lie among the dead letters",
    };
    let words = format!("takes what is published to exchange `{exchange}`: {follows}. Take the binding away");
    Finding::new("binding", words, Weight::Mistaken)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn queues_and_exchanges_are_told_apart_and_an_alternate_exchange_is_one() {
        let bound = json!([
            { "destination": "a", "destination_type": "queue" },
            { "destination": "b", "destination_type": "exchange" },
            { "destination_type": "queue" },
        ]);
        let read = |made: Value| read(&made, &bound);
        assert_eq!(read(json!({})), (vec!["a".to_owned()], vec!["b".to_owned()]));
        let made = json!({ "arguments": { "alternate-exchange": "c" } });
        assert_eq!(read(made), (vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()]));
        assert_eq!(super::read(&json!([]), &json!(null)), (Vec::new(), Vec::new()));
    }
}
