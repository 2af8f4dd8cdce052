//! Laws of mistakes in rules: all at once, each at its place, with what was expected.
//!
//! Not here: what fails only for an event (`strictness`, `requests`).

use super::{compile, mistake_of, mistakes};

/// Keys, what is wrong and what the file has at each place.
fn said(file: &str) -> Vec<(String, String, String)> {
    let pointed = |span: Option<std::ops::Range<usize>>| span.map(|span| file[span].to_owned()).unwrap_or_default();
    mistakes(file)
        .into_iter()
        .map(|each| (each.key, format!("{}; {}", each.what, each.expected), pointed(each.span)))
        .collect()
}

#[test]
fn a_mistake_points_at_the_very_word() {
    for (written, pointed, word) in [
        ("'{{ evnt.a }}'", "evnt", "did"),
        ("'{{ event.a | lowr }}'", "lowr", "`lower`?"),
        ("'{{ event.a | lowercase }}'", "lowercase", "`lower`?"),
        ("'{{ event.a is defnied }}'", "defnied", "`defined`?"),
        ("'{{ len(event.a) }}'", "len(event.a)", "`value | length`"),
        ("'{{ event.a.strip() }}'", ".strip()", "`value | trim`"),
        ("'{{ event.a | upcase }}'", "upcase", "`upper`?"),
        ("'{{ zzzz(event.a) }}'", "zzzz(event.a)", "one of abs"),
        ("'{{ (event.a)() }}'", "(event.a)()", "a filter"),
        ("'{{ omit() }}'", "omit()", "without parentheses"),
        ("'{{ event.a | truncate }}'", "truncate", "1"),
        ("'{{ event.a | default }}'", "default", "1"),
        ("'{{ event.a | lower(1) }}'", "lower(1)", "0"),
        ("'{{ event.a | lookup(\"b\") }}'", "\"b\"", "an object"),
        ("'{{ event.a | round(precision=1) }}'", "round(precision=1)", "plain arguments"),
        ("'{{ event.a | join(*event.b) }}'", "join(*event.b)", "plain arguments"),
        ("'{{ {event.a: 1} }}'", "event.a", "quoted name"),
        ("'{{ 1e999 }}'", "1e999", "64 bits"),
        ("'ä {{ event.a + }} b'", "+", "such as"),
        ("'a {{ event.a b }}'", "b", "such as"),
        ("'{{ }}'", " ", "a path"),
        ("'{{}}'", "", "a path"),
        ("'a {% if x %}'", "{%", "an expression"),
        ("'a {# x #}'", "{#", "comment of the file"),
        ("'a }} b'", "}}", "to send it"),
        ("'a {{ b'", "{{", "outside of quotes"),
        ("'a {{ \"}}\"'", "{{", "outside of quotes"),
        ("'{{- event.a }}'", "{{", "with a space"),
        ("\"\"\"{{ loewr }}\"\"\"", "loewr", "`event.loewr`"),
        ("'''\n{{ event.a\n | uper }}'''", "uper", "`upper`?"),
        ("inf", "inf", "finite"),
        ("'{{ none }}'", "none", "`omit`"),
        ("'{{ event.a | default(none) }}'", "none", "`omit`"),
        ("'{{ event.a if event.b else none }}'", "none", "`omit`"),
        ("\"{{ headers['x y'] }}\"", "headers['x y']", "without spaces"),
        ("'{{ headers[\"\"] | default(1) }}'", "headers[\"\"]", "1 to 255"),
        ("'{{ headers[0] }}'", "headers[0]", "name of a member"),
        ("'{{ event[0].a }}'", "event[0].a", "name of a member"),
        ("'{{ routing_key.a | upper }}'", "routing_key.a", "split"),
        ("'{{ kye }}'", "kye", "`key`?"),
    ] {
        let (mistake, found) = mistake_of(written);
        assert_eq!(found, pointed, "{written}: {mistake:?}");
        let words = format!("did {} {}", mistake.what, mistake.expected);
        assert!(words.contains(word), "{written}: {mistake:?}");
        assert_eq!(mistake.key, "rule \"r\".data.x");
    }
}

#[test]
fn null_may_be_compared_with_and_a_name_of_a_header_may_be_any_other() {
    let long = format!("'{{{{ headers.{} }}}}'", "h".repeat(256));
    assert!(mistake_of(&long).0.what.contains("256 bytes"));
    for written in [
        "'{{ event.a == none }}'",
        "'{{ event.a is none }}'",
        "'{{ (event.a | default(none)) is none }}'",
        "'{{ headers[\"x-very.odd:name\"] }}'",
        "'{{ event.a if event.b != none else omit }}'",
    ] {
        assert!(
            compile(&format!("[[rule]]\nname = 'r'\nprocedure = 'lead'\ndata = {{ x = {written} }}\n")).is_ok(),
            "{written}"
        );
    }
}

#[test]
fn an_attribute_that_could_not_be_read_is_one_mistake_and_not_two() {
    let file = "[[rule]]\nname = 'r'\nprocedure = 'lead'\nreconcile_by = 'id'\ndata = { id = '{{ evnt.a }}' }\n";
    assert_eq!(said(file).len(), 1, "{:?}", said(file));
}

#[test]
fn where_escapes_shift_the_text_the_whole_string_is_pointed_at() {
    let (_, pointed) = mistake_of(r#""\u00e4 {{ evnt }}""#);
    assert_eq!(pointed, r#""\u00e4 {{ evnt }}""#);
}

#[test]
fn a_misspelt_variable_gets_the_nearest_name() {
    for (written, nearest) in
        [("evnt", "`event`?"), ("routing_keys", "`routing_key`?"), ("header", "`headers`?"), ("omitt", "`omit`?")]
    {
        let (mistake, _) = mistake_of(&format!("'{{{{ {written}.x }}}}'"));
        assert!(mistake.what.contains(written) && mistake.expected.starts_with(nearest), "{mistake:?}");
    }
    assert!(mistake_of("'{{ zzzz }}'").0.expected.starts_with("`event.zzzz`"));
    assert!(mistake_of("'{{ null }}'").0.expected.starts_with("`omit`"));
}

#[test]
fn all_mistakes_of_all_rules_are_told_at_once_in_the_order_of_the_file() {
    let file = r#"
[[rule]]
name = "a"
type = "x"
when = "{{ event.a }}"
procedure = "lead/../x"
status = "open"
state = ""
nextActionAt = "tomorrow"
assignedTo = 5
[rule.data]
x = "{{ a | b }} {{ c is d }}"
[[rule.data.list]]
y = "{{ e }}"
[rule.record.data]
z = "{{ f( }}"
[[rule]]
name = "a"
type = ["y", ""]
"#;
    let said = said(file);
    let keys: Vec<_> = said.iter().map(|(key, _, pointed)| (key.as_str(), pointed.as_str())).collect();
    assert_eq!(
        keys,
        [
            ("rule \"a\".when", "\"{{ event.a }}\""),
            ("rule \"a\".procedure", "\"lead/../x\""),
            ("rule \"a\".status", "\"open\""),
            ("rule \"a\".state", "\"\""),
            ("rule \"a\".nextActionAt", "\"tomorrow\""),
            ("rule \"a\".assignedTo", "5"),
            ("rule \"a\".data.x", "a"),
            ("rule \"a\".data.x", "b"),
            ("rule \"a\".data.x", "c"),
            ("rule \"a\".data.x", "d"),
            ("rule \"a\".data.list[0].y", "e"),
            ("rule \"a\".record.data.z", "("),
            ("rule \"a\".procedure", "[[rule]]"),
            ("rule \"a\".name", "\"a\""),
            ("rule \"a\".type", "\"\""),
        ]
    );
    assert!(said[2].1.contains("`OPEN`?"), "{}", said[2].1);
}

#[test]
fn fields_that_never_fit_are_found_at_load_time() {
    for (written, word) in [
        ("status = 'PENDING'", "one of OPEN"),
        ("status = true", "OPEN"),
        ("state = 1", "not empty"),
        ("state = ' '", "not empty"),
        ("assignedTo = ['a']", "not empty"),
        ("nextActionAt = 1.0", "without a fraction"),
        ("nextActionAt = 1767225600", "write 1767225600000"),
        ("nextActionAt = '2026-01-01T00:00:00Z'", "epoch_ms"),
        ("nextActionAt = { a = 1 }", "epoch milliseconds"),
        ("data = 'x'", "a table"),
        ("record = ['x']", "a table"),
        ("data = { '' = 1 }", "short id"),
        ("data = { a = { '' = 1 } }", "short id"),
        ("data = { key = '{{ key }}' }\nreconcile_by = 'kee'", "`key`?"),
        ("reconcile_by = 'event_key'", "`event_key = \"{{ key }}\"`"),
        ("data = { event_key = 'fixed' }\nreconcile_by = 'event_key'", "same for every event"),
        ("data = { event_key = \"{{ 'fixed' }}\" }\nreconcile_by = 'event_key'", "nothing of the event"),
        ("data = { event_key = '{{ event | json | sha256 }}' }\nreconcile_by = 'event_key'", "is a hash"),
        ("data = { event_key = '{{ event | json | uuid5(\"url\") }}' }\nreconcile_by = 'event_key'", "is a hash"),
        ("data = { event_key = ['{{ key }}'] }\nreconcile_by = 'event_key'", "nothing of the event"),
    ] {
        let said = said(&format!("[[rule]]\nname = 'r'\nprocedure = 'lead'\n{written}\n"));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].1.contains(word), "{said:?}");
    }
}

#[test]
fn a_rule_that_skips_sends_nothing() {
    let file =
        "[[rule]]\nname = 'r'\naction = 'skip'\nprocedure = 'lead'\nstate = 'A'\nreconcile_by = 'a'\n[rule.data]\n";
    let keys: Vec<_> = said(file).into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["procedure", "state", "reconcile_by", "data"].map(|field| format!("rule \"r\".{field}")));
    assert!(compile("[[rule]]\nname = 'r'\naction = 'skip'\n").is_ok());
}

#[test]
fn a_rule_that_earlier_rules_shut_out_is_a_mistake() {
    let rule = |name: &str, more: &str| format!("[[rule]]\nname = '{name}'\naction = 'skip'\n{more}\n");
    for (earlier, later) in [
        ("", "type = 'a.b'"),
        ("type = '*'", "type = 'a.b'"),
        ("type = '*'", ""),
        ("type = ['a.*', 'b']", "type = 'a.*'"),
        ("type = ['a', 'b', 'c']", "type = ['b', 'a']\nwhen = 'true'"),
        ("type = 'a.*'", "type = 'a.b'"),
        ("type = 'a.*'", "type = ['a.b', 'a.c.*', 'a.?']"),
        ("type = 'a.?'", "type = 'a.?'"),
    ] {
        let said = said(&(rule("one", earlier) + &rule("two", later)));
        assert_eq!(said.len(), 1, "{earlier} / {later}: {said:?}");
        assert_eq!((said[0].0.as_str(), said[0].2.as_str()), ("rule \"two\"", "'two'"));
    }
    let split = rule("one", "type = 'a'") + &rule("two", "type = 'b'") + &rule("three", "type = ['a', 'b']");
    assert_eq!(said(&split).len(), 1);
    for (earlier, later) in [
        ("when = 'event.a'", "type = 'a.b'"),
        ("type = 'a'", "type = ['a', 'b']"),
        ("type = 'a.*'", "type = ['a.b', 'b']"),
        ("type = 'a.b'", "type = 'a.*'"),
        ("type = 'a.?'", "type = 'a.*'"),
        ("type = 'a.*'\nwhen = 'event.a'", "type = 'a.b'"),
        ("type = 'a'", ""),
    ] {
        assert!(compile(&(rule("one", earlier) + &rule("two", later))).is_ok(), "{earlier} / {later}");
    }
}

#[test]
fn what_a_rule_says_of_events_that_come_again_is_told_where_it_cannot_be() {
    let rule = |lines: &str| {
        format!("[[rule]]\nname = 'deal'\nprocedure = 'deal'\n{lines}\ndata = {{ event_key = '{{{{ key }}}}' }}\n")
    };
    for (lines, key, words, pointed) in [
        ("duplicates = 'same-body'", "duplicates", "\"same-body\" is not known; one of same-request", "'same-body'"),
        ("reconcile = 'never'", "reconcile", "\"never\" is not known; one of always", "'never'"),
        (
            "reconcile = 'always'\nkeys = 'unique'",
            "reconcile",
            "nothing to look for; `reconcile_by` beside it",
            "'always'",
        ),
        (
            "reconcile = 'always'\nreconcile_by = 'event_key'",
            "reconcile",
            "a lookup knows only the key, and message ids",
            "'always'",
        ),
        ("keys = 'unique'", "keys", "says something to nobody; `reconcile = \"always\"` beside it", "'unique'"),
    ] {
        let said = said(&rule(lines));
        let [(told, text, place)] = &said[..] else { panic!("{lines}: {said:?}") };
        assert_eq!((told.as_str(), place.as_str()), (format!("rule \"deal\".{key}").as_str(), pointed));
        assert!(text.starts_with(words), "{lines}: {text}");
    }
    assert!(compile(&rule("reconcile = 'always'\nreconcile_by = 'event_key'\nkeys = 'cloud-events'")).is_ok());
    let skips = said("[[rule]]\nname = 'noise'\naction = 'skip'\nduplicates = 'same-request'\n");
    assert_eq!(skips.len(), 1, "a rule that skips has no duplicates: {skips:?}");
}
