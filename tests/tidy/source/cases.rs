//! What the views of a source promise.

use super::mask::mask;
use super::names::{names, names_it};
use super::{Source, find, module};

#[test]
fn literals_and_comments_are_masked_and_code_is_not() {
    let cases = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("a\"{b", 'c', '\'', '"')"#, r#"f("_____", '_', '__', '_')"#),
        (r##"r#"a"b"# + br"c" + b"d" + b'e'"##, r##"r#"___"# + br"_" + b"_" + b'_'"##),
        ("fn f<'a>(x: &'a str) -> Foo<'a> {}", "fn f<'a>(x: &'a str) -> Foo<'a> {}"),
        ("let r#type = \"a\nb\";", "let r#type = \"_\n_\";"),
        ("'ä' 'b", "'__' 'b"),
        ("x(\"//\") // \"", "x(\"__\")     "),
    ];
    for (text, masked) in cases {
        assert_eq!(mask(text), masked, "of {text}");
    }
}

#[test]
fn masking_an_unfinished_source_ends() {
    for text in ["\"a", "r#\"a", "/* a", "'\\", "// a", "'", "\"\\"] {
        assert_eq!(mask(text).len(), text.len(), "of {text}");
    }
}

#[test]
fn a_word_is_not_found_inside_a_longer_one() {
    assert_eq!(find("a.ack( back(ack, ack_all", "ack").collect::<Vec<_>>(), [2, 12]);
    assert_eq!(find("a.ack(b)", ".ack(").collect::<Vec<_>>(), [1]);
}

#[test]
fn what_stands_under_cfg_test_is_no_code_of_the_daemon() {
    let text = "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n  fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nuse d;\nfn e() {}\n";
    let source = Source::new("src/x.rs", text);
    for (word, is_daemon) in [("fn a", true), ("fn b", false), ("fn c", true), ("use d", false), ("fn e", true)] {
        assert_eq!(source.daemon.contains(word), is_daemon, "{word}");
        assert_eq!(source.tests.contains(word), !is_daemon, "{word}");
    }
    assert_eq!(source.daemon.len(), text.len());
}

#[test]
fn files_named_tests_hold_no_code_of_the_daemon() {
    for path in ["src/core/gate/tests.rs", "src/core/tests/gate.rs", "tests/path.rs"] {
        assert!(Source::new(path, "fn a() {}").daemon.trim().is_empty(), "{path}");
    }
}

#[test]
fn a_path_is_read_through_groups_and_super() {
    let code = "use super::super::amqp;\nuse crate::{config::{self, secret as s}, core::*};\nlet x = super::y::Z::new(a.tokio);";
    let paths: Vec<_> = names(code, "crate::core::gate").into_iter().map(|name| name.path).collect();
    for path in ["crate::amqp", "crate::config", "crate::config::secret", "crate::core::*", "crate::core::y::Z::new"] {
        assert!(paths.iter().any(|named| named == path), "{path} is not in {paths:?}");
    }
    assert!(!paths.iter().any(|named| named == "tokio"));
}

#[test]
fn a_pattern_fits_whole_words_of_a_path() {
    assert!(names_it("tokio::sync::mpsc", "tokio"));
    assert!(names_it("crate::core::judge::Judgement", "*::Judgement"));
    assert!(names_it("Judgement::Created", "*::Judgement"));
    assert!(!names_it("tokio_util::x", "tokio"));
    assert!(!names_it("crate::tokio", "tokio"));
    assert!(!names_it("crate::OutcomeKind", "*::Judgement"));
}

#[test]
fn the_module_of_a_file_is_known() {
    assert_eq!(module("src/core/mapping/mod.rs"), "crate::core::mapping");
    assert_eq!(module("src/core/mapping/written.rs"), "crate::core::mapping::written");
    assert_eq!(module("src/main.rs"), "crate");
}
