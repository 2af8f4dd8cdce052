//! Laws of expressions that give something.
//!
//! Not here: what is refused (`strictness`, `mistakes`), each filter (`filters`).

use serde_json::{Value, json};

use super::{given, refused, value};

fn document() -> Value {
    json!({ "a": 7, "b": 2, "f": 1.5, "name": "Ada", "yes": true, "no": false, "none": null, "list": [3, 1, 2],
        "at": "name", "items": [{ "id": "x" }, { "id": "y" }], "big": u64::MAX })
}

#[test]
fn expressions_give_values_in_their_own_types() {
    for (text, expected) in [
        ("{{ 1 }}", json!(1)),
        ("{{ 'it''s' }}", json!("its")),
        (r#"{{ "a\"b\\c\n\u00e9" }}"#, json!("a\"b\\c\né")),
        ("{{ 1.5e3 }}", json!(1500.0)),
        ("{{ 1e-7 }}", json!(1e-7)),
        ("{{ event.a + event.b * 2 }}", json!(11)),
        ("{{ (event.a + event.b) * 2 }}", json!(18)),
        ("{{ event.a - event.b - 1 }}", json!(4)),
        ("{{ event.a / event.b }}", json!(3.5)),
        ("{{ event.a // event.b }}", json!(3)),
        ("{{ event.a % event.b }}", json!(1)),
        ("{{ -event.b ** 2 }}", json!(4)),
        ("{{ 2 ** 3 ** 2 }}", json!(64)),
        ("{{ event.f + event.a }}", json!(8.5)),
        ("{{ event.big }}", json!(u64::MAX)),
        ("{{ event.name ~ ' ' ~ event.a ~ ' ' ~ event.yes }}", json!("Ada 7 true")),
        ("{{ event.a > event.b }}", json!(true)),
        ("{{ 1 < event.b <= 2 < 3 }}", json!(true)),
        ("{{ 1 < event.b < 2 }}", json!(false)),
        ("{{ event.name == 'Ada' and not event.no or event.no }}", json!(true)),
        ("{{ event.b in event.list }}", json!(true)),
        ("{{ event.a not in event.list }}", json!(true)),
        ("{{ 'd' in event.name }}", json!(true)),
        ("{{ 'big' if event.a > 5 else 'small' }}", json!("big")),
        ("{{ 1 if event.no else 2 if event.no else 3 }}", json!(3)),
        ("{{ [event.a, 'x', [event.b]] }}", json!([7, "x", [2]])),
        ("{{ (event.a, event.b) }}", json!([7, 2])),
        ("{{ {'b': event.a, 'a': {'c': event.b}} }}", json!({ "b": 7, "a": { "c": 2 } })),
        ("{{ event.items[-1].id }}", json!("y")),
        ("{{ event[event.at] }}", json!("Ada")),
        ("{{ (event.items | last).id }}", json!("y")),
        ("{{ event.list[1:] }}", json!([1, 2])),
        ("{{ event.name[:2] }}", json!("Ad")),
        ("{{ event.name[::-1] }}", json!("adA")),
        ("{{ {'Ada': 1, 'Bob': 2}[event.name] }}", json!(1)),
        ("{{ event.none == none }}", json!(true)),
        ("{{ event.none is none }}", json!(true)),
        ("{{ event.name is string and event.a is integer and event.f is float }}", json!(true)),
        (
            "{{ event.list is sequence and event is mapping and event.yes is boolean and event.a is number }}",
            json!(true),
        ),
        ("{{ event.name is startingwith 'A' and event.name is endingwith('a') }}", json!(true)),
        ("{{ event.absent is defined or event.absent.deep is not undefined }}", json!(false)),
        ("{{ event.name is not none }}", json!(true)),
    ] {
        assert_eq!(given(text, document()), expected, "{text}");
    }
}

#[test]
fn default_stands_in_for_missing_and_null_at_any_depth() {
    for path in ["event.none", "event.absent", "event.x.y.z", "event.none.y", "event.name.y", "event.list[9].id"] {
        assert_eq!(given(&format!("{{{{ {path} | default('d') }}}}"), document()), json!("d"), "{path}");
        assert_eq!(given(&format!("{{{{ {path} | default('d') | upper }}}}"), document()), json!("D"), "{path}");
    }
    for path in ["event[event.at].y.z", "(event.list | last).y", "event.items[-9].id.z", "([] | first)", "event[key].x"]
    {
        assert_eq!(given(&format!("{{{{ {path} | default(5) }}}}"), document()), json!(5), "{path}");
    }
    assert_eq!(given("{{ event.name | default('d') }}", document()), json!("Ada"));
    assert_eq!(given("{{ event.no | default(true) }}", document()), json!(false));
    assert_eq!(given("{{ event.x | default(event.y) | default(event.a) }}", document()), json!(7));
}

#[test]
fn what_is_not_reached_is_not_needed() {
    assert_eq!(given("{{ event.absent if event.absent is defined else 'none' }}", document()), json!("none"));
    assert_eq!(given("{{ event.no and event.absent > 1 }}", document()), json!(false));
    assert_eq!(given("{{ event.yes or event.absent > 1 }}", document()), json!(true));
}

#[test]
fn omit_leaves_the_field_out_and_is_nothing_else() {
    for text in ["{{ omit }}", "{{ event.absent | default(omit) }}", "{{ event.a if event.no else omit }}"] {
        assert_eq!(value(text, document()), Ok(None), "{text}");
    }
    for text in ["a {{ omit }}", "{{ omit ~ 'x' }}", "{{ event.name | replace('A', omit) }}", "{{ -omit }}"] {
        assert!(refused(text, document()).contains("omit"), "{text}");
    }
}

#[test]
fn omit_passes_through_filters_and_out_of_lists_and_objects() {
    for chain in
        ["trim", "lower | trim", "truncate(5) | upper", "epoch_ms", "epoch_ms('UTC')", "one_of('a')", "default(1)"]
    {
        for text in [format!("{{{{ event.absent | default(omit) | {chain} }}}}"), format!("{{{{ omit | {chain} }}}}")] {
            assert_eq!(value(&text, document()), Ok(None), "{text}");
        }
    }
    for (text, expected) in [
        ("{{ [omit] }}", json!([])),
        ("{{ {'a': omit, 'b': 1} }}", json!({ "b": 1 })),
        ("{{ [event.a, event.x | default(omit) | trim, [event.y | default(omit)]] }}", json!([7, []])),
        ("{{ {'a': {'b': event.x | default(omit), 'c': event.a if event.no else omit}} }}", json!({ "a": {} })),
        ("{{ [event.name, event.x | default(omit)] | join('-') }}", json!("Ada")),
        ("{{ [event.name | lookup({'Ada': omit}), 'y'] }}", json!(["y"])),
        ("{{ {'p': {'Ada': omit}[event.name], 'q': 1} }}", json!({ "q": 1 })),
        ("{{ (event.gone, event.name) | first_non_empty }}", json!("Ada")),
        ("{{ {'z': 1, 'a': 2, 'm': omit} | json }}", json!(r#"{"z":1,"a":2}"#)),
    ] {
        assert_eq!(given(text, document()), expected, "{text}");
    }
}

#[test]
fn mixed_text_joins_texts_numbers_and_truths_and_refuses_the_rest() {
    let text = "{{ event.name }}: {{ event.a }}/{{ event.f }} {{ event.yes }}{{ '}}' }}";
    assert_eq!(given(text, document()), json!("Ada: 7/1.5 true}}"));
    assert_eq!(given("{{ event.a }}{{ event.b }}", document()), json!("72"));
    assert_eq!(given("no braces { } at all", document()), json!("no braces { } at all"));
    for (text, word) in [
        ("a {{ event.none }}", "null"),
        ("a {{ event.absent }}", "missing"),
        ("a {{ event.list }}", "a list"),
        ("a {{ event }}", "an object"),
        ("a {{ {'b': 1} }}", "an object"),
    ] {
        let said = refused(text, document());
        assert!(said.contains(word) && said.contains("data.x"), "{said}");
    }
}

#[test]
fn text_of_an_event_is_data_and_never_evaluated() {
    let long = "ä".repeat(500_000);
    for text in ["{{ 7*7 }}", "{% raw %}", "{# x #}", "\u{0}\u{1b}[2J\r\n\t", "\"'`\\", "<b>&amp;", "none", &long] {
        let document = json!({ "t": text, text: 1 });
        assert_eq!(given("{{ event.t }}", document.clone()), json!(text));
        assert_eq!(given("{{ event.t | default('') }}", document.clone()), json!(text));
        assert_eq!(given("{{ event.t ~ '' }}", document.clone()), json!(text));
        assert_eq!(given("<{{ event.t }}>", document.clone()), json!(format!("<{text}>")));
        assert_eq!(given("{{ event[event.t] }}", document), json!(1));
    }
}

#[test]
fn strictness_changes_no_answer_that_the_engine_gives_on_sound_values() {
    let engine = minijinja::Environment::new();
    for source in [
        "not event.a == 1",
        "not event.no and event.yes or event.no",
        "event.no or event.yes and not event.no",
        "-event.a + event.b",
        "-(event.a + event.b) * 2",
        "event.a - (event.b - 1)",
        "event.a - event.b + 1",
        "2 ** -1",
        "-2 ** 2",
        "7 // -2",
        "-7 % 3",
        "event.a * event.b ** 2 / 4",
        "'a' if event.yes else 'b' ~ 'c'",
        "('a' if event.no else 'b') ~ 'c'",
        "'x' + 1 ~ 2",
        "event.a > 1 == true",
        "1 < event.b < 3 == true",
        "event.b not in [1] and event.a in [7]",
        "not event.b in event.list",
        "event.list[0] + event.list[-1]",
        "event.list[:2] + [9]",
        "(event.list[1:] + [9])[2]",
        "event.items[::-1][0].id",
        "event.name[1:] ~ event.name[:1]",
        "event.items[1]['id'] ~ event['items'].0.id",
        "{'a': [1, {'b': event.f}]}.a[1].b",
        "[1, 2, 3][event.b]",
        "event.name + '!' == 'Ada!'",
        "'\\u00e9\\n\\\\' ~ \"'\"",
        "event.f * 2 == 3",
        "event.absent is undefined and event.name is defined and event.none is none",
        "1 if event.no else 2 if event.no else 3",
        "(1 if event.yes else 2) if event.yes else 3",
    ] {
        let plain = engine.compile_expression(source).unwrap();
        let context =
            minijinja::Value::from_pairs([("event", minijinja::Value::from(minijinja::value::Serde(document())))]);
        let expected = serde_json::to_value(plain.eval(context).unwrap()).unwrap();
        assert_eq!(given(&format!("{{{{ {source} }}}}"), document()), expected, "{source}");
    }
}
