//! What each rule about sizes must find, and what it must let pass.

use super::{RULES, Source, depth, file_lines, head, length, lengths, nesting};

fn function(lines: usize) -> String {
    format!("fn a() {{\n{}}}\n", "    b();\n    // c\n\n".repeat(lines))
}

#[test]
fn a_function_over_the_limit_is_found() {
    assert_eq!(length(&Source::new("src/a.rs", &function(60))), []);
    let found = length(&Source::new("src/a.rs", &function(61)));
    assert_eq!(found[0].to_string(), "src/a.rs:1: length: a has 61 lines, over 60");
    assert_eq!(length(&Source::new("tests/a.rs", &function(61))).len(), 1);
}

#[test]
fn a_daemon_of_middling_functions_is_found() {
    let of = |lines: &[usize]| {
        let text: String = lines.iter().map(|lines| function(*lines)).collect();
        lengths(&[Source::new("src/a.rs", &text)])
    };
    assert_eq!(of(&[1, 8, 60]).len(), 1, "the 95th percentile");
    assert_eq!(of(&[1, 9, 40]).len(), 1, "the median");
    assert_eq!(of(&[1, 8, 40]), []);
}

#[test]
fn functions_of_tests_do_not_change_the_median() {
    let text = format!("{}#[cfg(test)]\nmod tests {{\n{}{}}}\n", function(2), function(30), function(30));
    assert_eq!(lengths(&[Source::new("src/a.rs", &text)]), []);
}

#[test]
fn a_function_that_nests_deep_is_found() {
    let nested = |depth: usize| format!("fn a() {{\n{} b() {}\n}}\n", "if c {\n".repeat(depth), "}".repeat(depth));
    assert_eq!(depth(&Source::new("src/a.rs", &nested(4))), []);
    let found = depth(&Source::new("src/a.rs", &nested(5)));
    assert_eq!(found[0].to_string(), "src/a.rs:6: nesting: a nests 5 deep, over 4");
}

#[test]
fn only_blocks_nest() {
    let cases = [
        ("a(); b[1];", 0),
        ("if a { b } else { c }", 1),
        ("match a { B { c } => d, _ => e }", 0),
        ("match a { B { c } if c => { d } _ => e }", 1),
        ("let x = A { b: C { d: e } };", 0),
        ("if let A { b } = c { D { e } } else { f }", 1),
        ("for A { b } in c.iter().map(|d| { e }) { f }", 1),
        ("while a { loop { break } }", 2),
        ("a.map(|b| { c.map(move |d| { e }) })", 2),
        ("a.map(|b| -> C { d })", 1),
        ("let a = { b }; { c }", 1),
        ("let A { b } = c else { return };", 1),
        ("select! { a = b => { c } }", 1),
        ("impl A for B { fn c() -> D { e } }", 1),
        ("async move { unsafe { a } }", 2),
        ("if let A { b } = c && let D { e } = f { g }", 1),
        ("match (a, b) { (C, D) => match e { F => { if g { h } } } }", 2),
        ("", 0),
    ];
    for (body, depth) in cases {
        assert_eq!(nesting::deepest(body).0, depth, "of {body}");
    }
}

#[test]
fn a_file_over_the_limit_is_found() {
    assert_eq!(file_lines(&Source::new("tests/a.rs", &"// a\n".repeat(300))), []);
    let found = file_lines(&Source::new("tests/a.rs", &"// a\n".repeat(301)));
    assert_eq!(found[0].to_string(), "tests/a.rs:301: file: 301 lines, over 300");
}

#[test]
fn a_file_without_its_head_is_found() {
    let found = |path: &str, text: &str| head(&Source::new(path, text)).len();
    assert_eq!(found("src/a.rs", "//! A.\n//!\n//! Not here: b.\n\nfn a() {}\n"), 0);
    assert_eq!(found("tests/a.rs", "//! A.\n\nfn a() {}\n"), 0);
    assert_eq!(found("src/a.rs", "//! A.\n\nfn a() {}\n"), 1);
    assert_eq!(found("src/a.rs", "//! A.\n\n//! Not here: b.\nfn a() {}\n"), 1, "the head ends at a blank line");
    assert_eq!(found("src/a.rs", "fn a() {}\n"), 2);
    assert_eq!(found("tests/a.rs", "\n//! A.\n"), 1);
}

#[test]
fn an_empty_function_breaks_no_rule_of_size() {
    let source = Source::new("src/a.rs", "//! A.\n//! Not here: b.\nfn a() {}\ntype F = fn(u8);\n");
    assert!(RULES.iter().all(|rule| rule(&source).is_empty()));
}
