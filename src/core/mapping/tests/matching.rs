//! Laws of which rule an event goes to.
//!
//! Not here: what the rule makes of it (`requests`).

use serde_json::json;

use super::{event, rules};
use crate::core::bounds::Bounds;
use crate::core::event::Event;
use crate::core::mapping::considered::{considered, variables};
use crate::core::mapping::rules::{Mapped, Rules, map};
use crate::core::reason::{Fault, Reason};

fn matched(rules: &Rules, event: &Event) -> Result<String, Fault> {
    map(event, rules, Bounds::DEFAULT).map_err(Fault::from).map(|mapped| match mapped {
        Mapped::Create { rule, .. } => format!("create {rule}"),
        Mapped::Skip { rule } => format!("skip {rule}"),
    })
}

fn of_kind(kind: &str) -> Event {
    Event { kind: kind.to_owned(), ..event(json!({ "priority": 2 })) }
}

const FILE: &str = r#"
[[rule]]
name = "urgent"
type = ["case.*", "ticket.?"]
when = "event.priority >= 5"
procedure = "hot"
[[rule]]
name = "noise"
type = "case.closed"
action = "skip"
[[rule]]
name = "case"
type = "case.*"
procedure = "cold"
"#;

#[test]
fn the_first_rule_that_matches_wins() {
    let rules = rules(FILE);
    for (kind, priority, expected) in [
        ("case.opened", 5, "create urgent"),
        ("case.opened", 4, "create case"),
        ("case.closed", 5, "create urgent"),
        ("case.closed", 1, "skip noise"),
        ("ticket.1", 9, "create urgent"),
    ] {
        let event = Event { kind: kind.to_owned(), ..event(json!({ "priority": priority })) };
        assert_eq!(matched(&rules, &event).as_deref(), Ok(expected), "{kind} {priority}");
    }
}

#[test]
fn an_event_that_no_rule_matches_is_named_by_its_type_alone() {
    for kind in ["CASE.opened", "ticket.12", "", "x\ny"] {
        let fault = matched(&rules(FILE), &of_kind(kind)).unwrap_err();
        assert_eq!(fault.reason, Reason::NoRule);
        assert!(fault.text.contains(&format!("{kind:?}")), "{}", fault.text);
    }
    let fault = matched(&rules(FILE), &of_kind(&"k".repeat(100_000))).unwrap_err();
    assert!(fault.text.len() < 300);
}

#[test]
fn when_must_be_true_or_false_and_anything_else_is_an_error_that_names_the_path() {
    for (when, word) in [
        ("event.gone", "event.gone is missing"),
        ("event.gone > 1", "event.gone is missing"),
        ("event.none", "event.none is null"),
        ("event.none > 1", "null"),
        ("event.text", "text, not true or false"),
        ("event.priority", "a number, not true or false"),
        ("omit", "omit"),
        ("'10' > 9", "two numbers or two texts"),
    ] {
        let rules = rules(&format!("[[rule]]\nname = 'r'\naction = 'skip'\nwhen = \"{when}\"\n"));
        let event = event(json!({ "none": null, "text": "true", "priority": 2 }));
        let fault = matched(&rules, &event).unwrap_err();
        assert_eq!(fault.reason, Reason::Unmappable);
        assert!(fault.text.starts_with("rule \"r\", when: ") && fault.text.contains(word), "{}", fault.text);
    }
}

#[test]
fn a_rule_of_another_type_is_not_asked() {
    let rules = rules(
        "[[rule]]\nname = 'a'\ntype = 'x'\nwhen = 'event.gone'\naction = 'skip'\n[[rule]]\nname = 'b'\naction = 'skip'\n",
    );
    assert_eq!(matched(&rules, &of_kind("y")).as_deref(), Ok("skip b"));
}

#[test]
fn what_was_considered_ends_where_mapping_ends() {
    let said = |kind: &str, document| {
        let event = Event { kind: kind.to_owned(), ..event(document) };
        let all = considered(&event, &rules(FILE));
        all.iter().map(|each| format!("{} {} {}", each.rule, each.matched, each.why)).collect::<Vec<_>>()
    };
    assert_eq!(
        said("case.opened", json!({ "priority": 1 })),
        [
            r#"urgent false its type matches "case.*" or "ticket.?", and `event.priority >= 5` is false"#,
            r#"noise false its type does not match: "case.opened" is not "case.closed""#,
            r#"case true its type matches "case.*""#,
        ]
    );
    assert_eq!(
        said("case.opened", json!({ "priority": 9 })),
        [r#"urgent true its type matches "case.*" or "ticket.?", and `event.priority >= 5` is true"#,]
    );
    let failed = said("case.opened", json!({}));
    assert_eq!(failed.len(), 1);
    assert!(failed[0].contains("event.priority is missing"), "{failed:?}");
}

#[test]
fn the_variables_that_are_shown_are_those_that_a_rule_reads() {
    let event = Event { message_id: None, ..of_kind("y") };
    let shown = variables(&event);
    let names: Vec<_> = shown.keys().map(String::as_str).collect();
    assert_eq!(names, ["event", "key", "type", "headers", "exchange", "routing_key"]);
    assert_eq!((&shown["event"], &shown["type"]), (&event.document, &json!("y")));
}

#[test]
fn no_rules_at_all_match_nothing() {
    assert_eq!(matched(&Rules::default(), &of_kind("a")).unwrap_err().reason, Reason::NoRule);
}
