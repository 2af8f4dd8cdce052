//! Laws of the filters.
//!
//! Not here: null and missing values, which all but `default` refuse (`strictness`).

use serde_json::{Value, json};

use super::{given, refused};

#[test]
fn each_filter_does_what_its_name_says() {
    for (input, filter, expected) in [
        (json!("ÄB"), "lower", json!("äb")),
        (json!("äß"), "upper", json!("ÄSS")),
        (json!(" \u{a0}a b\n"), "trim", json!("a b")),
        (json!("a-b-c"), "replace('-', '+')", json!("a+b+c")),
        (json!("+49 (0)30/12-34 ٣"), "digits", json!("490301234")),
        (json!(4930), "digits", json!("4930")),
        (json!("héllo wörld"), "truncate(5)", json!("héll…")),
        (json!("héllo"), "truncate(5)", json!("héllo")),
        (json!("ab"), "truncate(1)", json!("…")),
        (json!("a,b"), "split(',')", json!(["a", "b"])),
        (json!(" a  b "), "split", json!(["a", "b"])),
        (json!([1, "b", true]), "join('-')", json!("1-b-true")),
        (json!(["a", "b"]), "join", json!("ab")),
        (json!([]), "join", json!("")),
        (json!([3, 1, 2]), "first", json!(3)),
        (json!([3, 1, 2]), "last", json!(2)),
        (json!([3, 1, 2.5]), "min", json!(1)),
        (json!([3, 1, 2.5]), "max", json!(3)),
        (json!(["b", "a"]), "min", json!("a")),
        (json!("héé"), "length", json!(3)),
        (json!([1, 2]), "length", json!(2)),
        (json!({ "a": 1 }), "length", json!(1)),
        (json!(" -12 "), "int", json!(-12)),
        (json!(-2.7), "int", json!(-2)),
        (json!(u64::MAX), "int", json!(u64::MAX)),
        (json!("1.5"), "float", json!(1.5)),
        (json!(2), "float", json!(2.0)),
        (json!(-3), "abs", json!(3)),
        (json!(-3.5), "abs", json!(3.5)),
        (json!(i64::MIN), "abs", json!(9_223_372_036_854_775_808_u64)),
        (json!(2.5), "round", json!(3.0)),
        (json!(2.344), "round(2)", json!(2.34)),
        (json!(7), "round", json!(7)),
        (json!(1.5), "string", json!("1.5")),
        (json!(true), "string", json!("true")),
        (json!({ "z": [1, null], "a": "\"" }), "json", json!(r#"{"z":[1,null],"a":"\""}"#)),
        (json!("x"), "tojson", json!("\"x\"")),
        (json!("2026-01-31T09:30:00Z"), "epoch_ms", json!(1_769_851_800_000_i64)),
        (json!("2026-01-31T15:00:00.250+05:30"), "epoch_ms", json!(1_769_851_800_250_i64)),
        (json!("1969-12-31T23:59:59Z"), "epoch_ms", json!(-1000)),
    ] {
        assert_eq!(
            given(&format!("{{{{ event.v | {filter} }}}}"), json!({ "v": input })),
            expected,
            "{input} | {filter}"
        );
    }
}

#[test]
fn a_filter_refuses_what_it_cannot_mean() {
    for (input, filter, word) in [
        (json!(5), "lower", "a number"),
        (json!(true), "trim", "true or false"),
        (json!(["a"]), "upper", "a list"),
        (json!({}), "string", "an object"),
        (json!(1.5), "digits", "a number"),
        (json!("abc"), "first", "text"),
        (json!({}), "last", "an object"),
        (json!([]), "first", "gives nothing"),
        (json!([]), "max", "gives nothing"),
        (json!([1, "a"]), "max", "two numbers or two texts"),
        (json!([null]), "min", "null"),
        (json!([[1]]), "join", "a list"),
        (json!(5), "length", "a number"),
        (json!("12x"), "int", "another text"),
        (json!("9223372036854775808"), "int", "another text"),
        (json!(1e300), "int", "64 bits"),
        (json!(true), "int", "true or false"),
        (json!("inf"), "float", "another text"),
        (json!("NaN"), "float", "another text"),
        (json!("2"), "abs", "text"),
        (json!(2.5), "round(event.n)", "0 to 15"),
        (json!("a"), "truncate(event.n)", "at least 1"),
        (json!("a"), "truncate(event.t)", "at least 1"),
        (json!("a"), "replace(event.t, 'b')", "empty"),
        (json!("a"), "replace('a', event.n)", "a number"),
        (json!("a"), "split(event.t)", "empty"),
    ] {
        let said = refused(&format!("{{{{ event.v | {filter} }}}}"), json!({ "v": input, "n": -1, "t": "" }));
        assert!(said.contains(word), "{input} | {filter}: {said}");
    }
}

#[test]
fn a_slice_and_a_joined_list_are_lists_to_every_filter() {
    let document = json!({ "l": [3, 1, 2], "t": "abc" });
    for (text, expected) in [
        ("{{ event.l[1:] | length }}", json!(2)),
        ("{{ (event.l[1:] + [9]) | length }}", json!(3)),
        ("{{ event.l[:2] | join('-') }}", json!("3-1")),
        ("{{ event.l[::-1] | first }}", json!(2)),
        ("{{ event.l[1:] | max }}", json!(2)),
        ("{{ (event.l[1:] + [9]) | last }}", json!(9)),
        ("{{ event.l[1:] is sequence }}", json!(true)),
        ("{{ event.l[1:] | json }}", json!("[1,2]")),
        ("{{ event.t[1:] | upper }}", json!("BC")),
    ] {
        assert_eq!(given(text, document.clone()), expected, "{text}");
    }
}

#[test]
fn epoch_ms_takes_nothing_but_a_date_with_its_offset() {
    let guesses: [Value; 6] = [
        json!(1_769_851_800),
        json!(1_769_851_800_000_i64),
        json!("1769851800"),
        json!("2026-01-31T09:30:00"),
        json!("2026-01-31"),
        json!("tomorrow"),
    ];
    for guess in guesses {
        let said = refused("{{ event.v | epoch_ms }}", json!({ "v": guess }));
        assert!(said.contains("RFC 3339"), "{said}");
    }
}
