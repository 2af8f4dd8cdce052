//! Laws of the request that a rule makes.
//!
//! Not here: which rule (`matching`), each expression (`expressions`).

use serde_json::{Value, json};

use super::{create, event, made, rules, sent};
use crate::core::reason::Reason;

const FILE: &str = r#"
[[rule]]
name = "support-case-opened"
procedure = "ticket"
reconcile_by = "event_key"
status = "OPEN"
state = "NEW"
nextActionAt = "{{ event.data.follow_up | epoch_ms }}"
assignedTo = "{{ event.data.agent | default(omit) }}"
[rule.data]
event_key = "{{ key }}"
subject = "[{{ event.data.subject | trim }}]"
priority = "{{ event.data.priority }}"
tags = ["support", "{{ event.data.tag | default(omit) }}", 3, 1.5, true]
extra = { note = "{{ event.data.note | default(omit) }}", fixed = "x" }
[rule.record.data]
phone_number = "{{ event.data.phone | digits }}"
"#;

fn full() -> Value {
    json!({ "data": { "follow_up": "2026-01-31T09:30:00Z", "agent": "sam", "subject": " broken ", "priority": 2,
        "tag": "hot", "note": "n", "phone": "+49 30 1" } })
}

fn without(field: &str) -> Value {
    let mut document = full();
    document["data"].as_object_mut().unwrap().remove(field);
    document
}

#[test]
fn a_rule_makes_the_request_that_is_written() {
    let (request, content) = made(FILE, &event(full())).unwrap();
    assert_eq!(request.procedure.as_str(), "ticket");
    assert!(request.procedure_is_literal);
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), content.to_value());
    assert_eq!(
        content.to_value(),
        json!({
            "data": { "event_key": "crm|42", "subject": "[broken]", "priority": 2,
                "tags": ["support", "hot", 3, 1.5, true], "extra": { "note": "n", "fixed": "x" } },
            "record": { "data": { "phone_number": "49301" } },
            "status": "OPEN", "state": "NEW", "nextActionAt": 1_769_851_800_000_i64, "assignedTo": "sam",
        })
    );
}

#[test]
fn what_is_omitted_or_not_written_is_not_sent() {
    let mut document = without("agent");
    document["data"].as_object_mut().unwrap().retain(|name, _| name != "tag" && name != "note");
    let sent = sent(FILE, document);
    assert!(sent.get("assignedTo").is_none());
    assert_eq!(sent["data"]["tags"], json!(["support", 3, 1.5, true]));
    assert_eq!(sent["data"]["extra"], json!({ "fixed": "x" }));
    assert_eq!(super::sent("[[rule]]\nname = 'r'\nprocedure = 'lead'\n", json!({})), json!({}));
}

#[test]
fn a_body_is_spelt_as_the_api_documents() {
    let file = "[[rule]]\nname = 'r'\nprocedure = 'lead'\nassignedTo = 'ted'\nnextActionAt = 1618558867539\nstatus = 'OPEN'\n\
                [rule.record.data]\nphone = '7'\n[rule.data]\nz = 'Zoë \"x\"'\na = 5\nf = 1.5\n";
    let body = r#"{"data":{"a":5,"f":1.5,"z":"Zoë \"x\""},"record":{"data":{"phone":"7"}},"status":"OPEN","nextActionAt":1618558867539,"assignedTo":"ted"}"#;
    let request = create(file, &event(json!({}))).unwrap();
    assert_eq!(std::str::from_utf8(&request.body).unwrap(), body);
}

#[test]
fn a_fault_names_the_rule_and_the_field() {
    for (gone, field) in [
        ("follow_up", "nextActionAt"),
        ("subject", "data.subject"),
        ("priority", "data.priority"),
        ("phone", "record.data.phone_number"),
    ] {
        let fault = create(FILE, &event(without(gone))).unwrap_err();
        assert_eq!(fault.reason, Reason::Unmappable);
        let expected = format!("rule \"support-case-opened\", {field}: ");
        assert!(fault.text.starts_with(&expected) && fault.text.contains(gone), "{}", fault.text);
    }
}

#[test]
fn a_field_of_the_wrong_kind_is_the_fault_of_the_event() {
    for (field, values, word) in [
        ("procedure", vec![json!("../x"), json!(""), json!(5), json!("a b"), json!([])], "short id"),
        ("status", vec![json!("open"), json!(1), json!({})], "OPEN, COMPLETED, CANCELLED"),
        ("state", vec![json!(""), json!("  "), json!(4), json!(["a"])], "not empty"),
        ("assignedTo", vec![json!(""), json!(true)], "not empty"),
        ("nextActionAt", vec![json!("1769851800000"), json!(1.5), json!(1e12), json!(u64::MAX)], "epoch milliseconds"),
    ] {
        for value in values {
            let procedure = if field == "procedure" { "" } else { "procedure = 'lead'\n" };
            let file = format!("[[rule]]\nname = 'r'\n{procedure}{field} = '{{{{ event.v }}}}'\n");
            let fault = create(&file, &event(json!({ "v": value }))).unwrap_err();
            assert_eq!(fault.reason, Reason::Unmappable);
            assert!(fault.text.contains(field) && fault.text.contains(word), "{value}: {}", fault.text);
        }
    }
}

#[test]
fn fields_taken_from_the_event_are_taken_when_they_fit() {
    let file = "[[rule]]\nname = 'r'\nprocedure = '{{ event.p }}-x'\nstatus = '{{ event.s }}'\nnextActionAt = '{{ event.n }}'\n";
    let request = create(file, &event(json!({ "p": "lead", "s": "CANCELLED", "n": -5 }))).unwrap();
    assert_eq!(request.procedure.as_str(), "lead-x");
    assert!(!request.procedure_is_literal);
    assert_eq!(
        serde_json::from_slice::<Value>(&request.body).unwrap(),
        json!({ "status": "CANCELLED", "nextActionAt": -5 })
    );
}

#[test]
fn a_procedure_cannot_be_left_out() {
    let fault = create("[[rule]]\nname = 'r'\nprocedure = '{{ omit }}'\n", &event(json!({}))).unwrap_err();
    assert!(fault.text.contains("procedure"), "{}", fault.text);
}

#[test]
fn the_attribute_of_the_lookup_must_be_there_and_tell_events_apart() {
    let file = "[[rule]]\nname = 'r'\nprocedure = 'lead'\nreconcile_by = 'k'\n[rule.data]\nk = '{{ event.k | default(omit) }}'\n";
    for (document, fits) in [
        (json!({ "k": "a" }), true),
        (json!({ "k": 5 }), true),
        (json!({ "k": "" }), false),
        (json!({ "k": true }), false),
        (json!({ "k": ["a"] }), false),
        (json!({}), false),
    ] {
        let made = create(file, &event(document.clone()));
        assert_eq!(made.is_ok(), fits, "{document}");
        assert!(made.map_or_else(|fault| fault.text.contains("data.k"), |_| true));
    }
}

#[test]
fn rules_say_what_they_are() {
    let rules = rules(
        &format!("{FILE}[[rule]]\nname = 'rest'\ntype = 'x'\naction = 'skip'\n")
            .replace("procedure = \"ticket\"", "type = 'y'\nprocedure = \"ticket\""),
    );
    let names: Vec<_> = rules.names().map(|name| name.to_string()).collect();
    assert_eq!(names, ["support-case-opened", "rest"]);
    let first = rules.named("support-case-opened").unwrap();
    assert_eq!((first.procedure(), first.reconcile_by()), (Some("ticket"), Some("event_key")));
    assert!(first.procedure_is_literal() && !first.is_skip());
    let rest = rules.named("rest").unwrap();
    assert_eq!((rest.procedure(), rest.reconcile_by(), rest.is_skip()), (None, None, true));
    assert!(rules.named("other").is_none());
}
