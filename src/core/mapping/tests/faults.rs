//! Laws of what an event is refused for: the rule is named, and everything that is wrong, within bounds.
//!
//! Not here: the words of a single refusal (`strictness`).

use serde_json::json;

use super::super::rules::{Unmapped, map};
use super::super::schemas::Schemas;
use super::super::written::{Spot, WrittenSchema};
use super::{event, rules};
use crate::core::bounds::Bounds;
use crate::core::reason::Reason;

const RULES: &str = "[[rule]]\nname = 'first'\ntype = 'other'\nprocedure = 'lead'\n\
    [[rule]]\nname = 'second'\nwhen = 'event.go'\nprocedure = 'lead'\nstatus = '{{ event.status }}'\n\
    data = { a = '{{ event.a }}', b = ['{{ event.b }}', 'and {{ event.c }} or {{ event.d }}'] }\n\
    record = { data = { e = '{{ event.e | lower }}' } }\n";

fn unmapped(document: serde_json::Value) -> Unmapped {
    map(&event(document), &rules(RULES), Bounds::DEFAULT).unwrap_err()
}

#[test]
fn what_cannot_be_mapped_names_its_rule() {
    for document in [json!({}), json!({ "go": 1 }), json!({ "go": true })] {
        let unmapped = unmapped(document);
        assert_eq!(unmapped.rule.as_deref(), Some("second"));
        assert_eq!(unmapped.fault.reason, Reason::Unmappable);
        assert!(unmapped.fault.text.starts_with("rule \"second\", "), "{}", unmapped.fault.text);
    }
    let none = unmapped(json!({ "go": false }));
    assert_eq!((none.rule, none.fault.reason), (None, Reason::NoRule));
}

#[test]
fn all_that_is_wrong_with_an_event_is_told_and_not_only_the_first() {
    let text = unmapped(json!({ "go": true, "status": "WRONG", "a": null, "e": 5 })).fault.text;
    for path in ["event.a is null", "event.b is missing", "event.c is missing", "event.d is missing", "event.e"] {
        assert!(text.contains(path), "{path}: {text}");
    }
    for field in ["data.a", "data.b[0]", "data.b[1]", "record.data.e", "status"] {
        assert!(text.contains(&format!("{field}: ")), "{field}: {text}");
    }
    assert!(!text.contains("WRONG"), "{text}");
}

#[test]
fn what_is_told_of_an_event_is_bounded() {
    let many: String = (0..500).map(|at| format!("a{at} = '{{{{ event.{}{at} }}}}'\n", "x".repeat(40))).collect();
    let rule = format!("[[rule]]\nname = 'r'\nprocedure = 'lead'\n[rule.data]\n{many}");
    let text = map(&event(json!({})), &rules(&rule), Bounds::DEFAULT).unwrap_err().fault.text;
    assert!(text.contains("event.xx") && text.contains("more"), "{text}");
    assert!(text.len() < 2000, "{} bytes", text.len());
}

#[test]
fn all_that_a_schema_refuses_is_told_and_the_rule_named() {
    let schema = json!({ "required": ["x"], "properties": { "a": { "type": "string" }, "b": { "maximum": 1 } } });
    let spot = |value| Spot { value, span: 0..1 };
    let data = Some(spot(schema));
    let written = WrittenSchema { procedure: Spot { value: "lead".to_owned(), span: 0..1 }, data, record: None };
    let rules = rules("[[rule]]\nname = 'r'\nprocedure = 'lead'\ndata = { a = 1, b = 2 }\n")
        .with(Schemas::compile(&[written]).unwrap());
    let unmapped = map(&event(json!({})), &rules, Bounds::DEFAULT).unwrap_err();
    assert_eq!((unmapped.rule.as_deref(), unmapped.fault.reason), (Some("r"), Reason::Schema));
    for name in ["data.x", "data.a", "data.b"] {
        assert!(unmapped.fault.text.contains(name), "{}", unmapped.fault.text);
    }
}
