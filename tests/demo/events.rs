//! The sample events, one of every result, and the rules they meet.
//!
//! Not here: publishing them.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

/// An event to publish, and what should become of it.
pub struct Sample {
    /// What it shows.
    pub about: &'static str,
    /// What should become of it: the word of the log.
    pub result: &'static str,
    /// The key it has, if it can be decoded.
    pub key: Option<&'static str>,
    /// AMQP properties.
    pub properties: BasicProperties,
    /// The body.
    pub body: &'static str,
}

/// The rules of the demonstration.
pub const RULES: &str = include_str!("rules.toml");

fn structured() -> BasicProperties {
    BasicProperties::default().with_content_type("application/cloudevents+json".into()).with_delivery_mode(2)
}

fn plain(id: &str, kind: &str) -> BasicProperties {
    BasicProperties::default().with_message_id(id.into()).with_type(kind.into()).with_delivery_mode(2)
}

fn binary(id: &str, kind: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    let attributes = [("specversion", "1.0"), ("id", id), ("source", "/visits"), ("type", kind)];
    for (name, value) in attributes {
        headers.insert(format!("cloudEvents:{name}").into(), AMQPValue::LongString(value.into()));
    }
    BasicProperties::default().with_content_type("application/json".into()).with_headers(headers).with_delivery_mode(2)
}

/// One event of every result.
pub fn samples() -> Vec<Sample> {
    let sample = |about, result, key, properties, body| Sample { about, result, key, properties, body };
    vec![
        sample(
            "a lead (CloudEvents, structured)",
            "created",
            Some("/web|lead-1"),
            structured(),
            include_str!("lead.json"),
        ),
        sample(
            "a ticket (plain JSON)",
            "created",
            Some("case-7"),
            plain("case-7", "case.opened"),
            include_str!("ticket.json"),
        ),
        sample(
            "the same ticket, published again",
            "duplicate",
            Some("case-7"),
            plain("case-7", "case.opened"),
            include_str!("ticket.json"),
        ),
        sample(
            "a field visit with two pictures",
            "created",
            Some("/visits|visit-3"),
            binary("visit-3", "visit.planned"),
            include_str!("fieldvisit.json"),
        ),
        sample(
            "a lead that needs two tries",
            "created",
            Some("flaky-1"),
            plain("flaky-1", "lead.created"),
            r#"{"first": "Robin", "phone": "7701214823"}"#,
        ),
        sample("no rule matches", "dead_lettered", Some("odd-1"), plain("odd-1", "invoice.paid"), r#"{"amount": 12}"#),
        sample("undecodable", "dead_lettered", None, plain("broken-1", "lead.created"), r#"{"first": "#),
        sample(
            "a field is missing",
            "dead_lettered",
            Some("thin-1"),
            plain("thin-1", "lead.created"),
            r#"{"first": "Lily"}"#,
        ),
        sample("skipped by a rule", "skipped", Some("beat-1"), plain("beat-1", "heartbeat"), "{}"),
        sample(
            "refused by the API with 422",
            "dead_lettered",
            Some("wrong-1"),
            plain("wrong-1", "case.opened"),
            r#"{"subject": "Printer", "state": "NO_SUCH_STATE", "priority": 1, "phone": "7701214824"}"#,
        ),
    ]
}
