//! Laws of the filters that choose, that take things apart, and that make ids.
//!
//! Not here: `default` (`expressions`), which attribute takes what (`attributes`).

use serde_json::{Value, json};

use super::{given, mistake_of, refused, value};

fn document() -> Value {
    json!({ "empty": "", "blank": " \n", "none": null, "nothing": [], "name": "Ada", "zero": 0, "no": false,
        "tags": ["red", "blue"], "level": "high", "code": 2,
        "items": [{ "sku": "a", "n": 1 }, { "sku": "b", "n": null }, { "sku": "c" }],
        "person": { "first": "Ada", "last": "L", "secret": "x", "gone": null } })
}

#[test]
fn the_first_that_says_something_is_taken() {
    for (text, expected) in [
        ("{{ [event.absent, event.name] | first_non_empty }}", json!("Ada")),
        (
            "{{ [event.x.y.z, event.none, event.empty, event.blank, event.nothing, event.name] | first_non_empty }}",
            json!("Ada"),
        ),
        ("{{ [event.zero, event.name] | first_non_empty }}", json!(0)),
        ("{{ [event.no, event.name] | first_non_empty }}", json!(false)),
        ("{{ [event.x, event.tags] | first_non_empty }}", json!(["red", "blue"])),
        ("{{ [event.x | default(omit), 'last'] | first_non_empty | upper }}", json!("LAST")),
        ("{{ [event.x, event.y] | first_non_empty | default('d') }}", json!("d")),
        ("{{ event.tags | first_non_empty }}", json!("red")),
    ] {
        assert_eq!(given(text, document()), expected, "{text}");
    }
    assert_eq!(value("{{ [event.x, event.empty] | first_non_empty | default(omit) }}", document()), Ok(None));
    assert_eq!(value("{{ [event.x, event.empty] | first_non_empty | default(omit) | trim }}", document()), Ok(None));
    assert!(refused("{{ [event.x, event.empty] | first_non_empty }}", document()).contains("gives nothing"));
    assert!(refused("{{ event.name | first_non_empty }}", document()).contains("takes a list"));
    assert!(refused("{{ [event.x | trim, event.name] | first_non_empty }}", document()).contains("event.x is missing"));
}

#[test]
fn what_is_not_among_the_allowed_is_refused_without_being_repeated() {
    assert_eq!(given("{{ event.level | one_of('low', 'high') }}", document()), json!("high"));
    assert_eq!(given("{{ event.code | one_of(1, 2, 3) }}", document()), json!(2));
    assert_eq!(given("{{ event.tags | one_of('red', 'green', 'blue') }}", document()), json!(["red", "blue"]));
    assert_eq!(given("{{ event.nothing | one_of('red') }}", document()), json!([]));
    for (text, word) in [
        ("{{ event.name | one_of('low', 'high') }}", "`one_of` takes 'low', 'high'; this is text, another"),
        ("{{ event.tags | one_of('red') }}", "this is text, another"),
        ("{{ event.code | one_of('2') }}", "this is a number, another"),
        ("{{ event.no | one_of(0, '', 'false') }}", "true or false, another"),
        ("{{ event.none | one_of('a') }}", "this is null"),
        ("{{ event.person | one_of('a') }}", "this is an object"),
    ] {
        let said = refused(text, document());
        assert!(said.contains(word) && !said.contains("Ada") && !said.contains("blue"), "{text}: {said}");
    }
}

#[test]
fn values_are_mapped_by_an_object_that_the_rule_writes() {
    for (text, expected) in [
        ("{{ event.level | lookup({'low': 'P3', 'high': 'P1'}) }}", json!("P1")),
        ("{{ event.code | lookup({'1': 'one', '2': 'two'}) }}", json!("two")),
        ("{{ event.tags | lookup({'red': 1, 'blue': 2}) }}", json!([1, 2])),
        ("{{ event.name | lookup({'low': 'P3'}) | default('P9') }}", json!("P9")),
        ("{{ event.tags | lookup({'red': 1}) | default([]) }}", json!([])),
        ("{{ {'low': 'P3', 'high': 'P1'}[event.level] }}", json!("P1")),
    ] {
        assert_eq!(given(text, document()), expected, "{text}");
    }
    for text in ["{{ event.level | lookup({'high': omit}) }}", "{{ {'high': omit}[event.level] }}"] {
        assert_eq!(value(text, document()), Ok(None), "{text}");
    }
    assert_eq!(given("{{ event.tags | lookup({'red': 1, 'blue': omit}) }}", document()), json!([1]));
    assert!(refused("{{ event.name | lookup({'low': 'P3'}) }}", document()).contains("gives nothing"));
    assert!(refused("{{ event.name | lookup(event.tags) }}", document()).contains("an object to look in"));
    assert!(refused("{{ event.person | lookup({'a': 1}) }}", document()).contains("this is an object"));
}

#[test]
fn members_are_taken_of_each_item_and_of_an_object() {
    for (text, expected) in [
        ("{{ event.items | map('sku') }}", json!(["a", "b", "c"])),
        ("{{ event.items | map('sku') | join(', ') }}", json!("a, b, c")),
        ("{{ event.items | map('n', omit) }}", json!([1])),
        ("{{ event.items | map('n', 0) }}", json!([1, 0, 0])),
        ("{{ event.nothing | map('sku') }}", json!([])),
        ("{{ event.person | pick('last', 'first') | json }}", json!(r#"{"last":"L","first":"Ada"}"#)),
    ] {
        assert_eq!(given(text, document()), expected, "{text}");
    }
    for (text, word) in [
        ("{{ event.items | map('n') }}", "[1].n is null"),
        ("{{ event.tags | map('n') }}", "a list of objects"),
        ("{{ event.name | map('n') }}", "takes a list"),
        ("{{ event.person | pick('first', 'middle') }}", "no member 'middle'"),
        ("{{ event.person | pick('gone') }}", "no member 'gone'"),
        ("{{ event.tags | pick('sku') }}", "takes an object"),
    ] {
        assert!(refused(text, document()).contains(word), "{text}: {}", refused(text, document()));
    }
}

#[test]
fn the_same_text_has_the_same_id() {
    let document = json!({ "t": "python.org", "n": 1 });
    for (text, expected) in [
        ("{{ event.t | uuid5('dns') }}", "886313e1-3b8a-5372-9b90-0c9aee199e5d"),
        ("{{ event.t | uuid5('6ba7b810-9dad-11d1-80b4-00c04fd430c8') }}", "886313e1-3b8a-5372-9b90-0c9aee199e5d"),
        ("{{ '' | sha256 }}", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("{{ 'abc' | sha256 }}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ] {
        assert_eq!(given(text, document.clone()), json!(expected), "{text}");
    }
    for text in ["{{ event.n | sha256 }}", "{{ event.n | uuid5('dns') }}"] {
        assert!(refused(text, document.clone()).contains("takes text"), "{text}");
    }
}

#[test]
fn what_an_argument_can_never_be_is_found_when_the_rule_is_loaded() {
    for (call, pointed, word) in [
        ("truncate(0)", "0", "at least 1"),
        ("truncate(-3)", "-3", "at least 1"),
        ("truncate('x')", "'x'", "at least 1"),
        ("round(16)", "16", "0 to 15"),
        ("split('')", "''", "not empty"),
        ("replace('', 'b')", "''", "not empty"),
        ("replace('a', 5)", "5", "quoted text"),
        ("join(1)", "1", "quoted text"),
        ("map('')", "''", "name of a member"),
        ("map(event.n)", "event.n", "not written out"),
        ("pick('a', 5)", "5", "name of a member"),
        ("one_of(event.a)", "event.a", "not written out"),
        ("one_of('a', none)", "none", "a number"),
        ("uuid5('dnss')", "'dnss'", "`dns`?"),
        ("uuid5('6ba7b810')", "'6ba7b810'", "a UUID"),
        ("uuid5(key)", "key", "not written out"),
        ("one_of", "one_of", "1 to 64"),
        ("epoch_ms(5)", "5", "time zone"),
    ] {
        let (mistake, found) = mistake_of(&format!("'''{{{{ event.v | {call} }}}}'''"));
        assert_eq!(found, pointed, "{call}: {mistake:?}");
        assert!(format!("{} {}", mistake.what, mistake.expected).contains(word), "{call}: {mistake:?}");
    }
    let (mistake, found) = mistake_of("'''{{ event.v is startingwith(5) }}'''");
    assert_eq!((found.as_str(), mistake.what.as_str()), ("5", "not what is taken here"));
}

#[test]
fn a_default_that_can_never_apply_is_found_when_the_rule_is_loaded() {
    let (mistake, found) = mistake_of("'''{{ event.v | trim | default('x') }}'''");
    assert_eq!(found, "default('x')");
    assert!(mistake.what.contains("behind `trim`") && mistake.expected == "`… | default(…) | trim`", "{mistake:?}");
}
