//! Laws of bounds: no expression and no event makes the mapping slow, large or deep.
//!
//! Not here: what is refused for its meaning (`strictness`).

use std::thread;

use serde_json::{Value, json};

use super::{compile, given, mistake_of, refused, value};
use crate::core::bounds::Bounds;

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("'''{{{{ {}{inner}{} }}}}'''", open.repeat(times), close.repeat(times))
}

#[test]
fn repetition_cannot_blow_memory() {
    for text in [
        "{{ 'x' * 200000000 }}",
        "{{ event.s * 99999999 }}",
        "{{ (('x' * 9999999) * 9999) | length }}",
        "{{ ([0] * 100000000) | max }}",
        "{{ [0] * event.n }}",
        "{{ 'x' * (2 ** 62) }}",
    ] {
        let said = refused(text, json!({ "s": "x", "n": 1_000_000_000 }));
        assert!(said.contains("takes numbers"), "{text}: {said}");
    }
}

#[test]
fn work_beyond_the_bound_is_stopped() {
    let document = json!({ "s": "a".repeat(1_000_000) });
    let joined = vec!["event.s"; 50].join(" ~ ");
    let filtered = vec!["upper"; 30].join(" | ");
    for text in [format!("{{{{ ({joined}) | length }}}}"), format!("{{{{ event.s | {filtered} | length }}}}")] {
        let said = refused(&text, document.clone());
        assert!(said.contains("more work"), "{said}");
    }
}

#[test]
fn there_is_no_range_to_bomb_with() {
    for text in ["range(10**9)|join", "range(999999999) | length", "[range(9)]"] {
        let (mistake, pointed) = mistake_of(&format!("'''{{{{ {text} }}}}'''"));
        assert!(mistake.what.contains("unknown function `range`") || mistake.what.contains("filter"), "{mistake:?}");
        assert!(pointed.contains("range("), "{pointed}");
    }
}

#[test]
fn filters_cannot_blow_text_up() {
    let document = json!({ "s": "a".repeat(100_000), "l": vec!["a".repeat(1000); 5000] });
    assert!(refused("{{ event.s | replace('a', event.s) }}", document.clone()).contains("bytes"));
    assert!(refused("{{ event.l | join(event.s) }}", document).contains("bytes"));
    for (text, filter) in [(",".repeat(100_000), "split(',')"), ("a ".repeat(100_001), "split")] {
        let said = refused(&format!("{{{{ event.s | {filter} | length }}}}"), json!({ "s": text }));
        assert!(said.contains("100000 pieces"), "{said}");
    }
}

#[test]
fn lists_that_filters_make_again_and_again_are_work() {
    let commas = json!({ "s": ",".repeat(90_000), "l": vec![json!({ "a": 1 }); 10_000], "n": vec![1; 10_000] });
    let table = [("event.s | split(',')", 10), ("event.l | map('a')", 60), ("event.n | lookup({'1': 2})", 60)];
    for (made, times) in table {
        assert_eq!(given(&format!("{{{{ [{made}] | length }}}}"), commas.clone()), json!(1));
        let many = vec![made; times].join(", ");
        let said = refused(&format!("{{{{ [{many}] | length }}}}"), commas.clone());
        assert!(said.contains("more work"), "{made}: {said}");
    }
}

#[test]
fn a_request_holds_no_more_values_than_an_event_may_however_they_are_multiplied() {
    let document = json!({ "l": vec![1; 60_000], "o": vec![json!({}); 24_000] });
    for text in ["{{ event.l }}", "{{ event.o }}", "{{ [event.l] }}"] {
        assert!(value(text, document.clone()).is_ok(), "{text}");
    }
    for text in ["{{ [event.l, event.l] }}", "{{ [event.o, event.o] }}", "{{ event }}"] {
        let said = refused(text, document.clone());
        assert!(said.contains("more than 100000 values (event.max_values"), "{text}: {said}");
    }
}

#[test]
fn a_request_of_more_than_four_mebibytes_is_refused_while_it_grows() {
    let document = json!({ "s": "a".repeat(1_000_000) });
    assert!(value("{{ [event.s, event.s, event.s, event.s] }}", document.clone()).is_ok());
    for text in [
        "{{ [event.s, event.s, event.s, event.s, event.s] }}",
        "{{ event.s }}{{ event.s }}{{ event.s }}{{ event.s }}{{ event.s }}",
        "{{ [[event, event, event, event], [event, event]] }}",
        "{{ [event, event, event, event, event] | json }}",
    ] {
        let said = refused(text, document.clone());
        assert!(said.contains(&Bounds::DEFAULT.max_request.to_string()), "{text}: {said}");
    }
    let escaped = json!({ "s": "\u{1}".repeat(1_000_000) });
    assert!(refused("{{ event.s }}", escaped).contains(&Bounds::DEFAULT.max_request.to_string()));
}

#[test]
fn a_megabyte_of_text_passes_through_a_chain_of_filters() {
    let document = json!({ "s": "Ä".repeat(500_000) });
    let text = "{{ event.s | trim | lower | upper | lower | truncate(400000) | upper | lower | length }}";
    assert_eq!(given(text, document), json!(400_000));
}

#[test]
fn deep_expressions_are_a_mistake_and_never_a_crash() {
    let tables = [
        nested("(", "1", ")", 1000),
        nested("[", "1", "]", 1000),
        nested("not ", "true", "", 500),
        nested("-", "event.a", "", 2000),
        nested("- ", "event.a", "", 1000),
        nested("", "1", "+1", 1000),
        nested("", "1", "~1", 1000),
        nested("", "event.a", "|abs", 500),
        nested("", "event.a", "[key]", 400),
        nested("1 if true else ", "1", "", 130),
        nested("", "event.a", "(1)", 600),
        nested("{'a':", "1", "}", 300),
        nested("", "1", "+1", 5000),
        nested("1<(", "1", ")<2", 30),
    ];
    let small_stack = thread::Builder::new().stack_size(2 * 1024 * 1024);
    let check = move || tables.iter().all(|written| !mistake_of(written).0.what.is_empty());
    assert!(small_stack.spawn(check).unwrap().join().unwrap());
}

#[test]
fn rows_of_operators_as_people_write_them_pass() {
    let row = vec!["event.a"; 50].join(" ~ ");
    assert_eq!(given(&format!("{{{{ {row} }}}}"), json!({ "a": 1 })), json!("1".repeat(50)));
    let row = vec!["event.a == 2"; 20].join(" or ");
    assert_eq!(given(&format!("{{{{ {row} }}}}"), json!({ "a": 2 })), json!(true));
}

#[test]
fn an_event_as_deep_as_decoding_allows_passes_whole() {
    let deep = (0..126).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    for text in ["{{ event.d }}", "{{ event.d | default(1) }}", "{{ [[event.d]][0][0] }}"] {
        assert_eq!(given(text, json!({ "d": deep })), deep, "{text}");
    }
}

#[test]
fn many_expressions_compile_and_drop_with_their_rules() {
    let fields: String = (0..500).map(|at| format!("f{at} = \"{{{{ event.a + {at} }}}}\"\n")).collect();
    let file = format!("[[rule]]\nname = 'r'\nprocedure = 'lead'\n[rule.data]\n{fields}");
    let first = compile(&file).unwrap();
    let copy = first.clone();
    drop(first);
    assert_eq!(copy.names().count(), 1);
}
