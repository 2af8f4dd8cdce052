//! Laws of a JSON text within a text: read within bounds, or a dead letter that says where it goes wrong.
//!
//! Not here: bodies that are such a text (`decode/tests`).

use serde_json::{Value, json};

use super::{given, refused};

const SECRET: &str = "Sup3r-s3cret";

#[test]
fn a_json_text_within_a_text_is_read_as_what_it_holds() {
    let inner =
        json!({ "order": { "id": 7, "lines": [{ "sku": "a" }, { "sku": "b" }], "note": null }, "big": u64::MAX });
    let outbox = json!({ "payload": inner.to_string() });
    for (text, expected) in [
        ("{{ event.payload | from_json }}", inner.clone()),
        ("{{ (event.payload | from_json).order.id }}", json!(7)),
        ("{{ (event.payload | from_json).order.lines | map('sku') | join(',') }}", json!("a,b")),
        ("{{ (event.payload | from_json).order.note | default('none') }}", json!("none")),
        ("{{ (event.payload | from_json).order.gone | default(0) }}", json!(0)),
        ("{{ (event.payload | from_json).big }}", json!(u64::MAX)),
        ("{{ event.payload | from_json | length }}", json!(2)),
        ("{{ event.payload | from_json | json }}", json!(inner.to_string())),
        ("{{ event.gone | default(omit) | from_json | default('?') }}", json!("omitted")),
    ] {
        let expected = if expected == "omitted" { None } else { Some(expected) };
        assert_eq!(super::value(text, outbox.clone()).unwrap(), expected, "{text}");
    }
    for (text, expected) in [
        ("\u{feff} {\"a\":1}\n", json!({ "a": 1 })),
        ("[1,2.5,true,\"x\"]", json!([1, 2.5, true, "x"])),
        ("-7", json!(-7)),
        ("\"text\"", json!("text")),
        ("{\"a\":1,\"a\":2}", json!({ "a": 2 })),
    ] {
        assert_eq!(given("{{ event.v | from_json }}", json!({ "v": text })), expected, "{text}");
    }
}

#[test]
fn what_is_read_already_passes_since_some_producers_encode_only_at_times() {
    for value in [json!({ "a": [1] }), json!([1])] {
        assert_eq!(given("{{ event.v | from_json }}", json!({ "v": value })), value);
        assert_eq!(given("{{ event.v | from_json }}", json!({ "v": value.to_string() })), value);
    }
}

#[test]
fn a_text_that_holds_no_json_is_refused_with_its_path_and_place_and_without_its_content() {
    for (wrong, word) in [
        (json!(SECRET), "is not JSON, at line 1 column 1"),
        (json!(format!("{{\"{SECRET}\":\n {SECRET}}}")), "is not JSON, at line 2 column 2"),
        (json!(format!("{{\"a\": \"{SECRET}")), "ends in the middle of JSON"),
        (json!("{} {}"), "is not JSON, at line 1 column 4"),
        (json!("[".repeat(200)), "deeper than 128"),
        (json!(" "), "is empty"),
        (json!(5), "a number"),
        (json!(true), "true or false"),
    ] {
        let said = refused("{{ (event.data.payload | from_json).id }}", json!({ "data": { "payload": wrong } }));
        assert!(said.contains("event.data.payload") && said.contains("from_json") && said.contains(word), "{said}");
        assert!(!said.contains(SECRET), "{said}");
    }
    assert!(refused("{{ event.data | from_json }}", json!({ "data": null })).contains("event.data"));
    assert!(refused("{{ event.data | from_json }}", json!({})).contains("event.data is missing"));
    assert!(refused("{{ event.data | from_json }}", json!({ "data": "null" })).contains("null"));
}

#[test]
fn what_is_read_of_a_text_is_bounded_in_size_in_values_and_in_work() {
    let list = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
    let length = |text: String| super::value("{{ event.v | from_json | length }}", json!({ "v": text }));
    assert_eq!(length(list(100_000)).unwrap(), Some(json!(99_999)));
    for (text, word) in [
        (list(100_001), "more than 100000 values"),
        (format!("{{\"a\":{}}}", list(100_000)), "more than 100000 values"),
        (format!("\"{}\"", "x".repeat(1024 * 1024)), "at most 1048576 bytes"),
    ] {
        let said = length(text).unwrap_err().text;
        assert!(said.contains(word), "{said}");
    }
    let often = ["event.v | from_json | length"; 5].join(" + ");
    let said = refused(&format!("{{{{ {often} }}}}"), json!({ "v": format!("\"{}\"", "x".repeat(1_000_000)) }));
    assert!(said.contains("more work"), "{said}");
}

#[test]
fn what_is_read_of_a_text_can_be_matched_on() {
    let file = "[[rule]]\nname = 'r'\nwhen = \"(event.m | from_json).kind == 'a'\"\nprocedure = 'lead'\n\
                data = { x = \"{{ key }}\" }\n";
    for (kind, matches) in [("a", true), ("b", false)] {
        let event = super::event(json!({ "m": json!({ "kind": kind }).to_string() }));
        assert_eq!(super::create(file, &event).is_ok(), matches);
    }
    let wrong = super::create(file, &super::event(Value::from_iter([("m", json!("{"))]))).unwrap_err();
    assert!(wrong.text.contains("when") && wrong.text.contains("event.m"), "{}", wrong.text);
}
