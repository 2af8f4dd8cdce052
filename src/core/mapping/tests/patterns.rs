//! Laws of regular expressions in rules.
//!
//! Not here: mistakes in other arguments (`arguments`).

use serde_json::{Value, json};

use super::{given, mistake_of, refused, value};

fn document() -> Value {
    json!({ "t": "Order A-1043 of 2026-01-31", "long": "a".repeat(70_000), "many": "a".repeat(10_001), "wide": "b".repeat(6000) })
}

#[test]
fn a_pattern_tests_captures_and_replaces() {
    for (text, expected) in [
        ("{{ event.t is matches('A-[0-9]+') }}", json!(true)),
        ("{{ event.t is not matches('^A-') }}", json!(true)),
        ("{{ 'order' if event.t is matches('(?i)^order ') else 'other' }}", json!("order")),
        ("{{ event.t | capture('A-([0-9]+)') }}", json!("1043")),
        ("{{ event.t | capture('A-[0-9]+') }}", json!("A-1043")),
        ("{{ event.t | capture('([A-Z])-([0-9]+)', 2) }}", json!("1043")),
        ("{{ event.t | capture('([A-Z])-([0-9]+)', 0) }}", json!("A-1043")),
        ("{{ event.t | capture('(?P<year>[0-9]{4})-', 'year') | int }}", json!(2026)),
        ("{{ event.t | capture('(B)|A') | default('none') }}", json!("none")),
        ("{{ event.t | capture('^[0-9]') | default('none') }}", json!("none")),
        ("{{ event.t | regex_replace('[0-9]+', '#') }}", json!("Order A-# of #-#-#")),
        (
            "{{ event.t | regex_replace('(?P<y>[0-9]{4})-([0-9]{2})-([0-9]{2})', '$3.$2.${y}') }}",
            json!("Order A-1043 of 31.01.2026"),
        ),
        ("{{ event.t | regex_replace('A', '$$') }}", json!("Order $-1043 of 2026-01-31")),
        (r"{{ event.t | capture('\\w+ ([\\w.+-]+) \\w+ [\\w.]+-\\d+') }}", json!("A-1043")),
        ("{{ event.t | regex_replace('x', 'y') }}", json!("Order A-1043 of 2026-01-31")),
    ] {
        assert_eq!(given(text, document()), expected, "{text}");
    }
    assert_eq!(value("{{ event.t | capture('^[0-9]') | default(omit) }}", document()), Ok(None));
    assert!(refused("{{ event.t | capture('^[0-9]') }}", document()).contains("gives nothing"));
}

#[test]
fn a_bad_pattern_is_found_when_the_rule_is_loaded() {
    for (call, pointed, word) in [
        ("capture('a(b')", "'a(b'", "unclosed group"),
        ("capture('[z-a]')", "'[z-a]'", "regular expression"),
        ("capture('(?=a)')", "'(?=a)'", "look-around"),
        (r"capture('(a)\\1')", r"'(a)\\1'", "backreferences"),
        (r"capture('(\\w{100}){100}')", r"'(\\w{100}){100}'", "compiles to more"),
        ("capture('a', 1)", "1", "no group 1"),
        ("capture('(?P<y>a)', 'x')", "'x'", "no group 'x'"),
        ("capture('(a)', -1)", "-1", "no group -1"),
        ("regex_replace('(a)', '$2')", "'$2'", "no group 2"),
        ("regex_replace('(a)', '$1b')", "'$1b'", "`${1}text`"),
        ("regex_replace('a', 5)", "5", "quoted text"),
        ("capture(event.p)", "event.p", "not written out"),
        ("capture('a' ~ 'b')", "'a' ~ 'b'", "not written out"),
        ("capture(5)", "5", "quoted regular expression"),
    ] {
        let (call, pointed) = (call.replace('\'', "\""), pointed.replace('\'', "\""));
        let (mistake, found) = mistake_of(&format!("'{{{{ event.v | {call} }}}}'"));
        assert_eq!(found, pointed, "{call}: {mistake:?}");
        assert!(format!("{} {}", mistake.what, mistake.expected).contains(word), "{call}: {mistake:?}");
    }
    let (_, found) = mistake_of("'''{{ event.v is matches('*') }}'''");
    assert_eq!(found, "'*'");
}

#[test]
fn a_pattern_reads_and_makes_no_more_than_its_bounds() {
    for (text, word) in [
        ("{{ event.long is matches('a') }}", "65536 bytes"),
        ("{{ event.long | capture('a') }}", "65536 bytes"),
        ("{{ event.many | capture('(a{1,100}){10}') }}", "8192 bytes"),
        ("{{ event.long | regex_replace('a', 'b') }}", "65536 bytes"),
        ("{{ event.many | regex_replace('a', 'b') }}", "10000 times"),
        ("{{ event.wide | regex_replace('.+', 'R') }}", "bytes"),
    ] {
        let text = text.replace('R', &"$0".repeat(900));
        let said = refused(&text, document());
        assert!(said.contains(word), "{text}: {said}");
    }
}

#[test]
fn a_pattern_that_explodes_elsewhere_is_quick_here() {
    let document = json!({ "t": "a".repeat(60_000) });
    assert_eq!(given("{{ event.t is matches('^(a+)+$') }}", document.clone()), json!(true));
    assert_eq!(given("{{ event.t is matches('^(a|a)*b') }}", document), json!(false));
}

#[test]
fn a_pattern_refuses_what_is_no_text() {
    for call in ["capture('a')", "regex_replace('a', 'b')"] {
        for value in [json!(5), json!(null), json!(["a"])] {
            assert!(refused(&format!("{{{{ event.v | {call} }}}}"), json!({ "v": value })).contains("takes text"));
        }
    }
    assert!(refused("{{ event.v is matches('a') }}", json!({ "v": 5 })).contains("takes text"));
}
