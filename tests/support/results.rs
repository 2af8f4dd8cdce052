//! Events that name what the API does with them: a process at once, late or without an answer, a wait, a refusal.
//!
//! Not here: who takes them.
#![allow(dead_code, unreachable_pub, reason = "each test that includes it uses a part of it")]

use std::ops::Range;

use lapin::BasicProperties;

use crate::support::scene::Scene;
use crate::support::standin::{Canned, Fault, Rule};

/// What the events ask for, in turn.
pub const RESULTS: [&str; 6] = ["late", "plain", "locked", "refused", "lost", "plain"];

/// The rule that hands on to the API what an event asks for.
pub const RULE: &str = r#"
[[rule]]
name = "any"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", result = "{{ event.result }}" }
"#;

/// An API that does so. What is locked is sent away for longer than it is waited in memory.
pub fn plan() -> Vec<Rule> {
    vec![
        Rule::always(Canned::new(423).retry_after("2")).attribute("result", "locked").times(1),
        Rule::always(Canned::new(422)).attribute("result", "refused"),
        Rule::always(Fault::CreateLate { ms: 900 }).attribute("result", "late").times(1),
        Rule::always(Fault::CreateThenReset).attribute("result", "lost").times(1),
    ]
}

/// Publishes the events of these numbers, and answers their keys.
pub async fn publish(scene: &Scene, prefix: &str, numbers: Range<usize>) -> Vec<String> {
    let keys: Vec<String> = numbers.clone().map(|number| format!("{prefix}-{number}")).collect();
    let messages = keys.iter().zip(numbers).map(|(key, number)| {
        let properties = BasicProperties::default().with_message_id(key.as_str().into()).with_delivery_mode(2);
        (format!(r#"{{"result": "{}"}}"#, RESULTS[number % RESULTS.len()]).into_bytes(), properties)
    });
    scene.client.publish_many("", &scene.queue(), messages.collect()).await;
    keys
}
