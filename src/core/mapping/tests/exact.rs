//! The law of numbers: what 64 bits cannot hold is sent as it was written or refused, and never altered.
//!
//! Not here: which numbers those are (`core::json`).

use serde_json::{Value, json};

use super::{event, mistake_of, refused, value};
use crate::core::json::parse;

const WIDE: [&str; 5] =
    ["123456789012345678901234567890", "-9223372036854775809", "1234567890123456.78", "0.1234567890123456789", "1e400"];

fn document(number: &str) -> Value {
    let text = format!(
        "{{\"n\":{number},\"list\":[{{\"a\":1,\"n\":{number}}}],\"text\":{:?},\"whole\":{{\"b\":2,\"n\":{number}}}}}",
        format!("{{\"n\":{number},\"a\":1}}")
    );
    parse(&text, 1000).unwrap()
}

#[test]
fn a_number_that_would_be_altered_is_refused_by_its_path_wherever_it_is_read() {
    for number in WIDE {
        for (text, path) in [
            ("{{ event.n }}", "event.n is a number that 64 bits cannot hold"),
            ("{{ event }}", "event holds a number that 64 bits cannot hold"),
            ("{{ event.whole }}", "event.whole holds a number"),
            ("{{ event.list }}", "event.list holds a number"),
            ("{{ event.n | default(0) }}", "event.n"),
            ("{{ event.n | int }}", "event.n"),
            ("{{ event.n | float }}", "event.n"),
            ("{{ event.n | abs }}", "event.n"),
            ("{{ event.n | round(2) }}", "event.n"),
            ("{{ event.n | digits }}", "event.n"),
            ("{{ event.n | epoch_ms }}", "event.n"),
            ("{{ event.n | json }}", "event.n"),
            ("{{ event.n + 1 }}", "event.n"),
            ("{{ event.n > 1 }}", "event.n"),
            ("{{ [event.n] }}", "event.n"),
            ("{{ event.list | map('n') | max }}", "event.list"),
            ("{{ event.whole | pick('n') }}", "event.whole"),
            ("{{ (event.text | from_json).n }}", "event.text"),
            ("{{ event.text | from_json }}", "event.text"),
            ("{{ event.n if true else 1 }}", "event.n"),
            ("a {{ event.n }}", "event.n"),
        ] {
            let said = refused(text, document(number));
            assert!(said.contains(path) && said.contains("64 bits"), "{text} of {number}: {said}");
            assert!(!said.contains(number), "{said}");
        }
    }
}

#[test]
fn what_lies_beside_it_is_read_and_as_a_text_it_is_sent_as_it_was_written() {
    for number in WIDE {
        for (text, expected) in [
            ("{{ event.n | string }}", json!(number)),
            ("{{ 'no. ' ~ event.n }}", json!(format!("no. {number}"))),
            ("{{ (event.text | from_json).n | string }}", json!(number)),
            ("{{ event.list | map('n') | join }}", json!(number)),
            ("{{ event.list | map('a') }}", json!([1])),
            ("{{ event.whole | pick('b') }}", json!({ "b": 2 })),
            ("{{ event.whole.b }}", json!(2)),
            ("{{ (event.text | from_json).a }}", json!(1)),
            ("{{ event.n is defined }}", json!(true)),
            ("{{ event.n == event.whole.n }}", json!(true)),
            ("{{ event.n == event.whole.b }}", json!(false)),
            ("{{ event.text }}", json!(format!("{{\"n\":{number},\"a\":1}}"))),
        ] {
            assert_eq!(value(text, document(number)).unwrap(), Some(expected), "{text} of {number}");
        }
    }
}

#[test]
fn a_number_that_64_bits_hold_comes_out_as_it_went_in() {
    for number in ["18446744073709551615", "-9223372036854775808", "9007199254740993", "0.30000000000000004", "-0.1"] {
        for text in ["{{ event.n }}", "{{ event.n | default(0) }}", "{{ (event.text | from_json).n }}"] {
            let given = value(text, document(number)).unwrap().unwrap();
            assert_eq!(given.to_string(), number, "{text}");
        }
    }
    assert_eq!(value("{{ event.n | float }}", document("0.1")).unwrap(), Some(json!(0.1)));
    assert!(refused("{{ event.n | float }}", document("9007199254740993")).contains("would alter"));
    assert!(refused("{{ event.n | float }}", json!({ "n": "0.1234567890123456789" })).contains("would alter"));
    assert_eq!(value("{{ event.n | float }}", json!({ "n": " 1.50 " })).unwrap(), Some(json!(1.5)));
}

#[test]
fn a_number_that_a_rule_writes_is_held_or_a_mistake() {
    for written in ["18446744073709551616", "0.1234567890123456789", "1234567890123456.78"] {
        let (mistake, _) = mistake_of(&format!("'{{{{ event.a | default({written}) }}}}'"));
        assert!(format!("{} {}", mistake.what, mistake.expected).contains("64 bits"), "{mistake:?}");
    }
}

#[test]
fn a_person_sees_it_as_it_was_written() {
    let seen = crate::core::mapping::considered::variables(&event(document(WIDE[0])));
    assert_eq!(seen["event"]["n"], json!(WIDE[0]));
}
