//! Laws of schemas: what they refuse is no request, and the refusal names attributes and never their values.
//!
//! Not here: reading them from a file, and what becomes of the event (`tests/path`).

use serde_json::{Value, json};

use super::super::rules::{Mapped, map};
use super::super::schemas::Schemas;
use super::super::written::{Spot, WrittenSchema};
use super::{event, rules};
use crate::core::bounds::Bounds;
use crate::core::reason::{Fault, Reason};

const RULES: &str = r#"
[[rule]]
name = "any"
procedure = "{{ event.procedure | default('lead') }}"
data = { x = "{{ event.x | default(omit) }}" }
record = { data = "{{ event.record | default(omit) }}" }
"#;

/// What must not be told.
const VALUE: &str = "swordfish";

fn schema(procedure: &str, data: Option<Value>, record: Option<Value>) -> WrittenSchema {
    let spot = |value| Spot { value, span: 3..7 };
    let procedure = Spot { value: procedure.to_owned(), span: 0..2 };
    WrittenSchema { procedure, data: data.map(spot), record: record.map(spot) }
}

fn mapped(schemas: &[WrittenSchema], document: Value) -> Result<Mapped, Fault> {
    map(&event(document), &rules(RULES).with(Schemas::compile(schemas).unwrap()), Bounds::DEFAULT).map_err(Fault::from)
}

/// The text of the refusal of `data.x` by this schema.
fn refused(x: Value, schema_of_x: Value) -> String {
    let schema = schema("lead", Some(json!({ "properties": { "x": schema_of_x } })), None);
    let fault = mapped(&[schema], json!({ "x": x })).unwrap_err();
    assert_eq!(fault.reason, Reason::Schema);
    fault.text
}

/// A schema that knows these properties and no others.
fn closed(properties: Value) -> Value {
    json!({ "properties": properties, "additionalProperties": false })
}

#[test]
fn a_refusal_names_the_rule_the_attribute_and_the_keyword_and_never_the_value() {
    for (value, schema, keyword, path) in [
        (json!(VALUE), json!({ "type": "integer" }), "type", "data.x"),
        (json!(VALUE), json!({ "maxLength": 3 }), "maxLength", "data.x"),
        (json!(VALUE), json!({ "enum": ["a", "b"] }), "enum", "data.x"),
        (json!(VALUE), json!({ "const": "a" }), "const", "data.x"),
        (json!(VALUE), json!({ "pattern": "^[0-9]+$" }), "pattern", "data.x"),
        (json!(VALUE), json!({ "format": "email" }), "format", "data.x"),
        (json!(VALUE), json!({ "format": "date-time" }), "format", "data.x"),
        (json!(VALUE), json!({ "format": "uuid" }), "format", "data.x"),
        (json!(VALUE), json!({ "anyOf": [{ "type": "null" }] }), "anyOf", "data.x"),
        (json!(VALUE), json!({ "oneOf": [{}, {}] }), "oneOf", "data.x"),
        (json!(VALUE), json!({ "not": {} }), "not", "data.x"),
        (json!(VALUE), json!({ "if": {}, "then": { "minLength": 99 } }), "minLength", "data.x"),
        (json!([VALUE, VALUE]), json!({ "uniqueItems": true }), "uniqueItems", "data.x"),
        (json!([1, VALUE]), json!({ "items": { "type": "integer" } }), "type", "data.x[1]"),
        (json!([VALUE]), json!({ "contains": { "type": "null" } }), "contains", "data.x"),
        (json!({ "y": VALUE }), json!({ "required": ["z"] }), "required", "data.x.z"),
        (json!({ "x": VALUE }), closed(json!({})), "additionalProperties", "data.x.x"),
        (json!({ "y": VALUE }), closed(json!({ "y": { "type": "null" } })), "type", "data.x.y"),
        (json!({ VALUE: 1 }), closed(json!({ "y": {} })), "additionalProperties", "data.x.…"),
        (json!({ VALUE: 1 }), json!({ "additionalProperties": { "type": "null" } }), "type", "data.x.…"),
        (json!({ VALUE: 1 }), json!({ "unevaluatedProperties": false }), "unevaluatedProperties", "data.x.…"),
        (json!({ VALUE: 1 }), json!({ "propertyNames": { "maxLength": 3 } }), "propertyNames", "data.x"),
        (json!({ "y": 1 }), json!({ "properties": { "y": false } }), "false", "data.x.y"),
        (json!({ "y": VALUE }), json!({ "properties": { "y": { "type": "null" } } }), "type", "data.x.y"),
    ] {
        let text = refused(value, schema);
        assert!(text.starts_with(&format!("rule \"any\", {path} (`{keyword}`, at /properties/x/")), "{text}");
        assert!(text.ends_with(": the schema of \"lead\" refuses it; correct the event, the rule or the schema"));
        assert!(!text.contains(VALUE), "{text}");
    }
}

#[test]
fn what_a_request_does_not_have_counts_as_an_empty_object() {
    let needs = json!({ "required": ["x"] });
    let both = [schema("lead", Some(needs.clone()), Some(needs.clone()))];
    let text = mapped(&both, json!({})).unwrap_err().text;
    assert!(text.contains("data.x (`required`, at /required); record.data.x (`required`"), "{text}");
    assert!(mapped(&both, json!({ "x": 1, "record": { "x": 1 } })).is_ok());
}

#[test]
fn a_refusal_of_something_large_does_not_look_up_the_place() {
    let words = json!({ "anyOf": [{ "items": { "type": "string" } }, { "type": "null" }] });
    let text = refused(json!(vec![1; 90_000]), words);
    assert!(text.starts_with("rule \"any\", data (somewhere: it is too large to say where): the schema"), "{text}");
}

#[test]
fn a_schema_is_for_one_procedure_also_where_the_event_names_it() {
    let schemas = [schema("ticket", Some(json!({ "required": ["x"] })), None)];
    assert!(mapped(&schemas, json!({ "procedure": "lead" })).is_ok());
    let fault = mapped(&schemas, json!({ "procedure": "ticket" })).unwrap_err();
    assert_eq!(fault.reason, Reason::Schema);
    assert!(mapped(&schemas, json!({ "procedure": "ticket", "x": 1 })).is_ok());
}

/// What is wrong with a schema and what was expected.
fn mistake(schema_of_data: Value) -> String {
    let mut found = Schemas::compile(&[schema("lead", Some(schema_of_data), None)]).unwrap_err();
    assert_eq!((found.len(), &found[0].span, found[0].key.as_str()), (1, &Some(3..7), "schema \"lead\".data"));
    let mistake = found.remove(0);
    format!("{}; {}", mistake.what, mistake.expected)
}

#[test]
fn what_is_no_schema_or_reaches_beyond_itself_is_a_mistake_at_its_place() {
    let of_x = |schema: Value| json!({ "properties": { "x": schema } });
    for (schema, words) in [
        (of_x(json!({ "type": "strng" })), "at /properties/x/type"),
        (of_x(json!({ "minLength": -1 })), "at /properties/x/minLength"),
        (of_x(json!({ "format": "emial" })), "emial"),
        (of_x(json!({ "$ref": "https://example.com/s.json" })), "references within the schema"),
        (of_x(json!({ "$ref": "file:///etc/passwd" })), "references within the schema"),
        (of_x(json!({ "$ref": "other.json" })), "references within the schema"),
        (of_x(json!({ "$ref": "#/nowhere" })), "leads nowhere"),
        (of_x(json!({ "pattern": "(?=a)b" })), "linear time"),
        (of_x(json!({ "pattern": "(a)\\1" })), "linear time"),
        (json!({ "$schema": "https://example.com/other" }), "references within the schema"),
        (json!([]), "is no valid schema"),
    ] {
        let said = mistake(schema.clone());
        assert!(said.contains(words), "{schema}: {said}");
    }
    assert!(mistake(of_x(json!({ "$ref": "https://example.com/".to_owned() + &"x".repeat(9000) }))).len() < 500);
}

#[test]
fn a_pattern_that_would_backtrack_for_ever_is_matched_at_once() {
    let text = refused(json!("a".repeat(50_000) + "!"), json!({ "pattern": "^(a+)+$" }));
    assert!(text.contains("`pattern`"), "{text}");
}

#[test]
fn references_lead_in_no_circle_so_that_no_event_costs_the_power_of_its_depth() {
    let node = |more: Value| {
        let mut node = json!({ "$defs": { "node": { "properties": { "a": { "$ref": "#/$defs/node" } } } } });
        node.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        node
    };
    for (schema, words) in [
        (node(json!({ "$ref": "#/$defs/node" })), "refers to itself; references that lead in no circle"),
        (node(json!({ "properties": { "x": { "anyOf": [{ "$ref": "#/$defs/node" }] } } })), "refers to itself"),
        (json!({ "properties": { "x": { "$ref": "#/properties" } } }), "refers to itself"),
        (json!({ "$ref": "#" }), "has the reference \"#\""),
        (json!({ "$anchor": "a", "properties": { "x": { "$ref": "#a" } } }), "has the reference \"#a\""),
        (json!({ "$dynamicRef": "#a" }), "has a $dynamicRef"),
        (json!({ "properties": { "x": { "$id": "x", "$ref": "#/properties/x" } } }), "has an $id below its top"),
        (json!({ "$schema": "http://json-schema.org/draft-04/schema#" }), "draft 6 or newer"),
        (json!({ "$ref": "https://json-schema.org/draft/2020-12/schema" }), "references within the schema"),
    ] {
        let said = mistake(schema.clone());
        assert!(said.contains(words), "{schema}: {said}");
    }
}

#[test]
fn a_schema_may_say_a_thing_once_and_use_it_often() {
    let shared = json!({
        "$id": "https://example.com/lead",
        "$defs": { "id": { "type": "string" }, "pair": { "items": { "$ref": "#/$defs/id" } }, "a/b": { "type": "object" } },
        "properties": { "x": {
            "properties": { "left": { "$ref": "#/$defs/pair" }, "right": { "$ref": "#/$defs/pair" }, "$ref": {} },
            "allOf": [{ "$ref": "#/$defs/a~1b" }],
        } },
    });
    let schemas = [schema("lead", Some(shared), None)];
    assert!(mapped(&schemas, json!({ "x": { "left": ["1"], "right": ["2"] } })).is_ok());
    let text = mapped(&schemas, json!({ "x": { "left": ["1"], "right": [2] } })).unwrap_err().text;
    assert!(text.contains("data.x.right[0] (`type`"), "{text}");
}
