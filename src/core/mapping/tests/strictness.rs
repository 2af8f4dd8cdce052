//! Laws of what an expression refuses, and of the words it refuses with.
//!
//! Not here: mistakes found at load time (`mistakes`).

use serde_json::json;

use super::{given, refused};

const SECRET: &str = "Sup3r-s3cret";

#[test]
fn a_missing_field_is_an_error_wherever_it_is_used() {
    for text in [
        "{{ event.gone + 1 }}",
        "{{ event.gone ~ 'x' }}",
        "{{ event.gone == 1 }}",
        "{{ event.gone != 1 }}",
        "{{ event.gone < 1 }}",
        "{{ 1 >= event.gone }}",
        "{{ event.gone in [1] }}",
        "{{ 1 in event.gone }}",
        "{{ not event.gone }}",
        "{{ event.gone and true }}",
        "{{ 1 if event.gone else 2 }}",
        "{{ event.gone if true else 2 }}",
        "{{ event.gone | lower }}",
        "{{ event.gone | length }}",
        "{{ event.gone | first }}",
        "{{ event.gone | int }}",
        "{{ event.gone is none }}",
        "{{ event.gone is string }}",
        "{{ event.gone[1:] }}",
        "{{ [event.gone] }}",
        "{{ {'a': [event.gone]} }}",
        "{{ -event.gone }}",
        "{{ event.gone | default(event.gone) }}",
        "{{ event.s | replace('a', event.gone) }}",
    ] {
        let said = refused(text, json!({ "s": "a" }));
        assert!(said.contains("missing"), "{text}: {said}");
    }
}

#[test]
fn an_error_names_the_whole_path_that_was_needed_and_no_other() {
    let said = refused("{{ event.a.b | default(1) + event.c.d }}", json!({ "c": {} }));
    assert!(said.contains("event.c.d is missing (event.c is there"), "{said}");
    assert!(!said.contains("event.a.b is missing"), "{said}");
    let said = refused("{{ event.list[-1].name }}", json!({ "list": [] }));
    assert!(said.contains("`event.list[-1].name`") && said.contains("missing"), "{said}");
}

#[test]
fn null_is_refused_where_the_engine_would_make_a_text_of_it() {
    for text in [
        "{{ event.n ~ 'x' }}",
        "{{ event.n | lower }}",
        "{{ event.n | upper }}",
        "{{ event.n | trim }}",
        "{{ event.n | string }}",
        "{{ event.n | replace('a', 'b') }}",
        "{{ event.n | digits }}",
        "{{ event.n | truncate(3) }}",
        "{{ event.n | split }}",
        "{{ event.n | int }}",
        "{{ event.n | float }}",
        "{{ event.n | abs }}",
        "{{ event.n | round }}",
        "{{ event.n | epoch_ms }}",
        "{{ event.n | length }}",
        "{{ event.n | join }}",
        "{{ event.n | min }}",
        "{{ [event.n] | join }}",
        "{{ event.n + 1 }}",
        "{{ 2 * event.n }}",
        "{{ -event.n }}",
        "{{ event.n < 1 }}",
        "{{ not event.n }}",
        "{{ 'x' in event.n }}",
        "{{ event.n[1:] }}",
        "{{ event.n if true else 1 }}",
        "{{ event.n is startingwith 'a' }}",
    ] {
        let said = refused(text, json!({ "n": null }));
        assert!(said.contains("null"), "{text}: {said}");
    }
}

#[test]
fn nothing_but_true_and_false_decides() {
    for document in
        [json!({ "v": 1 }), json!({ "v": "false" }), json!({ "v": "" }), json!({ "v": [] }), json!({ "v": {} })]
    {
        for text in
            ["{{ 1 if event.v else 2 }}", "{{ event.v and true }}", "{{ event.v or true }}", "{{ not event.v }}"]
        {
            assert!(refused(text, document.clone()).contains("true or false"), "{text} {document}");
        }
    }
}

#[test]
fn values_of_different_kinds_have_no_order() {
    for text in ["{{ event.t > 9 }}", "{{ 9 > event.t }}", "{{ event.l < event.l }}", "{{ 1 < event.t < 3 }}"] {
        let said = refused(text, json!({ "t": "10", "l": [1] }));
        assert!(said.contains("two numbers or two texts"), "{said}");
    }
    assert_eq!(given("{{ event.f > event.n }}", json!({ "f": 2.5, "n": 2 })), json!(true));
    assert_eq!(given("{{ event.a < event.b }}", json!({ "a": "10", "b": "9" })), json!(true));
}

#[test]
fn numbers_that_json_cannot_carry_are_refused() {
    for text in [
        "{{ event.h * event.h }}",
        "{{ event.h * event.h - event.h * event.h }}",
        "{{ event.max * 2 }}",
        "{{ 10 ** 400 }}",
        "{{ 1 // 0 }}",
        "{{ 1 / 0 }}",
        "{{ [1, [event.h * 10]] }}",
    ] {
        let said = refused(text, json!({ "h": 1e308, "max": u64::MAX }));
        assert!(said.contains("number") || said.contains("integer") || said.contains("cannot take"), "{text}: {said}");
    }
}

#[test]
fn no_error_repeats_a_value_or_a_name_of_the_event() {
    let document = json!({ "s": SECRET, "n": 1, "l": [SECRET], SECRET: SECRET, "o": { SECRET: 1 } });
    for text in [
        "{{ event.s + 1 }}",
        "{{ event.s * 1.5 }}",
        "{{ event.s - 1 }}",
        "{{ event.s | int }}",
        "{{ event.s | float }}",
        "{{ event.s | abs }}",
        "{{ event.s | epoch_ms }}",
        "{{ event.s | first }}",
        "{{ event.s | truncate(event.s) }}",
        "{{ event.s < 1 }}",
        "{{ event.s in event.n }}",
        "{{ event[event.s].gone.deeper }}",
        "{{ event[event.s] * event.l }}",
        "{{ event.l | max + 1 }}",
        "{{ event.l[event.s] }}",
        "{{ event.s[event.s:] }}",
        "{{ event.l ~ 'x' }}",
        "{{ {'a': event.gone}[event.s] }}",
        "{{ 1 if event.s else 2 }}",
        "{{ not event.o }}",
        "a {{ event.o }}",
        "{{ event.s.gone }}",
        "{{ -event.s }}",
    ] {
        let said = refused(text, document.clone());
        assert!(!said.contains(SECRET), "{text}: {said}");
    }
}
