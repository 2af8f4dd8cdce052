//! Laws of lone paths.
//!
//! Not here: paths inside larger expressions (`strictness`).

use serde_json::json;

use super::{given, refused, value};

#[test]
fn a_lone_path_keeps_the_type_of_what_it_finds() {
    let document = json!({ "data": { "n": 9_007_199_254_740_993_u64, "max": u64::MAX, "f": 1.5, "t": "x", "b": false,
        "l": [1, { "z": 1, "a": null }], "o": { "z": 1, "a": 2 }, "odd name": 1, "": 2 } });
    for (text, expected) in [
        ("{{ event.data.n }}", json!(9_007_199_254_740_993_u64)),
        ("{{ event.data.max }}", json!(u64::MAX)),
        ("  {{event.data.f}} ", json!(1.5)),
        ("{{ event.data.t }}", json!("x")),
        ("{{ event.data.b }}", json!(false)),
        ("{{ event.data.l }}", json!([1, { "z": 1, "a": null }])),
        ("{{ event.data.l[1].z }}", json!(1)),
        ("{{ event.data.l.1.z }}", json!(1)),
        ("{{ event['data']['odd name'] }}", json!(1)),
        ("{{ event.data[''] }}", json!(2)),
        ("{{ key }}", json!("crm|42")),
        ("{{ type }}", json!("case.opened")),
        ("{{ headers.tenant }}", json!("north")),
        ("{{ headers['x-tries'] }}", json!(2)),
        ("{{ exchange }}", json!("crm")),
        ("{{ routing_key }}", json!("case.opened.north")),
    ] {
        assert_eq!(given(text, document.clone()), expected, "{text}");
    }
}

#[test]
fn objects_keep_the_order_of_their_members_through_paths_and_expressions() {
    let document = json!({ "o": { "z": 1, "a": 2, "m": 3 } });
    for text in ["{{ event.o }}", "{{ event.o | default(omit) }}"] {
        assert_eq!(given(text, document.clone()).to_string(), r#"{"z":1,"a":2,"m":3}"#, "{text}");
    }
}

#[test]
fn a_path_that_leads_nowhere_is_named_whole_with_the_part_that_is_there() {
    let document = json!({ "data": { "secret-name": 1, "list": [1] } });
    for (text, expected) in [
        ("{{ event.data.customer.phone }}", "event.data.customer.phone is missing (event.data is there"),
        ("{{ event.data.list[7] }}", "event.data.list[7] is missing (event.data.list is there"),
        ("{{ event.data.list.name }}", "event.data.list.name is missing (event.data.list is there"),
        ("{{ event['a b'].c }}", "event[\"a b\"].c is missing (event is there"),
        ("{{ headers.absent }}", "headers.absent is missing (headers is there"),
        ("{{ message_id }}", "message_id is missing"),
    ] {
        let said = refused(text, document.clone());
        assert!(said.contains(expected), "{said}");
        assert!(said.starts_with("rule \"r\", data.x: "), "{said}");
        assert!(!said.contains("secret-name"), "{said}");
    }
}

#[test]
fn null_is_never_sent_for_a_lone_path() {
    let said = refused("{{ event.data.x }}", json!({ "data": { "x": null } }));
    assert!(said.contains("event.data.x is null") && said.contains("default("), "{said}");
    assert_eq!(value("{{ event.data.x | default(omit) }}", json!({ "data": { "x": null } })), Ok(None));
}
