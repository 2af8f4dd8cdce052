//! The law of the short way: a chain gives exactly what the engine gives.
//!
//! Not here: what that is (`filters`).

use serde_json::{Value, json};

use super::event;
use crate::core::mapping::answer::Budget;
use crate::core::mapping::expression::{Expression, Given};
use crate::core::mapping::place::{Inside, Place};
use crate::core::mapping::scope::Scope;

const LINKS: [&str; 33] = [
    "abs",
    "bool",
    "capture('([0-9]+)')",
    "capture('x')",
    "default('d')",
    "default(omit)",
    "default(none)",
    "default(-5)",
    "digits",
    "epoch_ms",
    "epoch_ms('Asia/Kolkata')",
    "first",
    "float",
    "from_epoch_ms",
    "from_epoch_s",
    "from_json",
    "int",
    "last",
    "length",
    "lower",
    "one_of('a', 1, 1769851800)",
    "round",
    "round(1)",
    "sha256",
    "split",
    "split(',')",
    "string",
    "trim",
    "truncate(3)",
    "upper",
    "uuid5('dns')",
    "json",
    "replace('a', 'bb')",
];

fn values() -> Vec<Value> {
    let long = "ä".repeat(5000);
    vec![
        json!(null),
        json!(true),
        json!(1),
        json!(-7),
        json!(1_769_851_800),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(2.5),
        json!(1e300),
        json!(""),
        json!(" Ab, İß 12 "),
        json!("a"),
        json!("true"),
        json!("{\"a\":[1,null]}"),
        json!("null"),
        json!("1769851800"),
        json!("2026-01-31T09:30:00Z"),
        json!("2026-01-31"),
        json!(long),
        json!(["a", "b"]),
        json!({ "a": 1 }),
    ]
}

fn compiled(source: &str) -> Option<Expression> {
    let place = Place { text: source, span: &(0..source.len()), key: "x", inside: Inside::default() };
    Expression::compile(place, 0..source.len()).ok()
}

fn same_both_ways(source: &str, documents: &[Value]) {
    let Some(expression) = compiled(source) else { return };
    for document in documents {
        let event = event(document.clone());
        let scope = Scope::of(&event);
        let run = expression.run(scope, &mut Budget::of_one());
        let thorough = expression.thorough(scope, &mut Budget::of_one());
        assert_eq!(run, thorough, "{source} of {document}");
        assert!(!matches!(run, Ok(Given::Value(Value::Null))), "{source} of {document}");
    }
}

#[test]
fn a_chain_gives_what_the_engine_gives() {
    let mut documents: Vec<_> = values().into_iter().map(|value| json!({ "v": value })).collect();
    documents.push(json!({}));
    for first in LINKS {
        same_both_ways(&format!("event.v | {first}"), &documents);
        for second in LINKS {
            same_both_ways(&format!("event.v | {first} | {second}"), &documents);
        }
    }
    same_both_ways("event.a.b | default(omit) | trim | lower | truncate(3)", &documents);
}
