//! What the management API says of a queue, as values. RabbitMQ 3.10 to 4.3 differ in what they leave out, and in how they
//! write what is empty; whatever is not there or of another shape counts as not said.
//!
//! Not here: asking, and what follows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use crate::core::queue::{KIND, Queue, Setting, Value};

/// What is asked of a queue: the answer would hold the whole of its statistics otherwise.
pub(super) const COLUMNS: &str = "type,durable,auto_delete,exclusive,arguments,policy,operator_policy,\
     effective_policy_definition,consumer_details.exclusive,consumer_details.consumer_tag,messages_ready,messages_unacknowledged,head_message_timestamp";

/// A queue as it is seen.
pub(super) struct Seen {
    pub(super) queue: Queue,
    /// It belongs to a connection.
    pub(super) is_exclusive: bool,
    /// The tags of its subscriptions; none where the API gathers none.
    pub(super) consumers: Option<Vec<String>>,
    /// A consumer holds it for itself.
    pub(super) is_held: bool,
    pub(super) ready: Option<u64>,
    pub(super) unacknowledged: Option<u64>,
    /// When its first message was made, in epoch seconds, by what its producer wrote.
    pub(super) head_s: Option<i64>,
}

/// Reads an answer; none where it is no object.
pub(super) fn read(told: &Json) -> Option<Seen> {
    told.as_object()?;
    let is_set = |key: &str| told[key].as_bool() == Some(true);
    let kind = told["type"].as_str();
    // To consume exclusively means nothing to a quorum queue.
    let holds = |consumer: &Json| kind == Some("classic") && consumer["exclusive"] == true;
    let consumers = told["consumer_details"].as_array();
    let tag = |consumer: &Json| Some(consumer["consumer_tag"].as_str()?.to_owned());
    Some(Seen {
        consumers: consumers.map(|consumers| consumers.iter().filter_map(tag).collect()),
        queue: queue(told, kind),
        is_exclusive: is_set("exclusive"),
        is_held: consumers.is_some_and(|consumers| consumers.iter().any(holds)),
        ready: told["messages_ready"].as_u64(),
        unacknowledged: told["messages_unacknowledged"].as_u64(),
        head_s: epoch_seconds(&told["head_message_timestamp"]),
    })
}

fn queue(told: &Json, kind: Option<&str>) -> Queue {
    let mut settings: BTreeMap<_, _> = pairs(&told["arguments"])
        .map(|(name, value)| (name.to_owned(), Setting { value, is_of_policy: false }))
        .collect();
    if let Some(kind) = kind {
        settings.insert(KIND.to_owned(), Setting { value: Value::Text(kind.to_owned()), is_of_policy: false });
    }
    let mut queue = Queue {
        is_durable: told["durable"].as_bool() != Some(false),
        is_auto_delete: told["auto_delete"].as_bool() == Some(true),
        settings,
        policies: policies(told),
        unclear: None,
    };
    for (name, value) in pairs(&told["effective_policy_definition"]) {
        queue.set_by_policy(&format!("x-{name}"), value);
    }
    queue
}

/// The policies that apply, in words.
fn policies(told: &Json) -> Option<String> {
    let named = |key: &str, what: &str| {
        told[key].as_str().filter(|name| !name.is_empty()).map(|name| format!("{what} `{name}`"))
    };
    let both: Vec<_> =
        named("policy", "policy").into_iter().chain(named("operator_policy", "operator policy")).collect();
    (!both.is_empty()).then(|| both.join(" and "))
}

/// Empty ones are written as `[]` by some versions.
fn pairs(told: &Json) -> impl Iterator<Item = (&str, Value)> {
    told.as_object().into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), plain(value)?)))
}

fn plain(value: &Json) -> Option<Value> {
    match value {
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Number(number) => number.as_i64().map(Value::Number),
        Json::Bool(flag) => Some(Value::Flag(*flag)),
        _ => None,
    }
}

/// A number of seconds, or a date in either of the forms that versions have written.
fn epoch_seconds(told: &Json) -> Option<i64> {
    if let Some(seconds) = told.as_i64() {
        return Some(seconds);
    }
    let text = told.as_str().filter(|text| !text.is_empty())?;
    let instant = text.parse::<Timestamp>().ok();
    let civil = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    instant.or_else(civil).map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_versions_of_rabbitmq_say_is_read_alike() {
        let arguments = json!({ "x-queue-type": "quorum", "x-overflow": "reject-publish" });
        let told = |policy: Json| {
            read(&json!({
                "type": "quorum", "durable": true, "auto_delete": false, "exclusive": false, "arguments": arguments,
                "policy": "noon", "operator_policy": null, "effective_policy_definition": policy,
                "consumer_details": [{ "exclusive": true }], "messages_ready": 5, "head_message_timestamp": ""
            }))
            .unwrap()
        };
        let seen = told(json!({ "message-ttl": 1000 }));
        assert_eq!(seen.queue.settings["x-message-ttl"], Setting { value: Value::Number(1000), is_of_policy: true });
        assert_eq!(seen.queue.policies.as_deref(), Some("policy `noon`"));
        assert_eq!((seen.ready, seen.unacknowledged, seen.head_s), (Some(5), None, None));
        assert!(seen.queue.is_durable && !seen.is_exclusive && !seen.is_held, "a quorum queue is held by nobody");
        for empty in [json!({}), json!([]), json!(null), json!("")] {
            assert_eq!(told(empty).queue.settings.len(), 2);
        }
    }

    #[test]
    fn a_classic_queue_that_one_consumer_holds_is_seen_and_both_policies_are_named() {
        let seen = read(&json!({
            "type": "classic", "durable": false, "exclusive": true, "arguments": [],
            "policy": "a", "operator_policy": "b", "consumer_details": [{ "exclusive": false, "consumer_tag": "ours" }, { "exclusive": true }]
        }));
        let seen = seen.unwrap();
        assert_eq!(seen.consumers.as_deref(), Some(&["ours".to_owned()][..]));
        let silent = read(&json!({ "type": "classic", "consumer_details": null })).unwrap();
        assert_eq!(silent.consumers, None, "it gathers none: nobody knows who consumes");
        assert!(seen.is_exclusive && seen.is_held && !seen.queue.is_durable);
        assert_eq!(seen.queue.policies.as_deref(), Some("policy `a` and operator policy `b`"));
        assert_eq!(seen.queue.kind(), "classic");
    }

    #[test]
    fn the_time_of_the_first_message_is_read_in_each_form_that_versions_have_written() {
        for told in [json!(60), json!("1970-01-01T00:01:00.000+00:00"), json!("1970-01-01 00:01:00")] {
            assert_eq!(epoch_seconds(&told), Some(60), "{told}");
        }
        for told in [json!(null), json!(""), json!("yesterday"), json!({})] {
            assert_eq!(epoch_seconds(&told), None, "{told}");
        }
    }

    #[test]
    fn what_is_no_queue_says_nothing() {
        for told in [json!([]), json!("x"), json!(null)] {
            assert!(read(&told).is_none());
        }
    }
}
