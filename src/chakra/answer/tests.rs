//! Laws of reading an answer, without a socket.
//!
//! Not here: the wire (`chakra::tests`).

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

use super::{body, retry_after};
use crate::core::reply::{Body, ERROR_TEXT_MAX, Wrapper};

const JSON: &str = "application/json";

fn wrapper(text: &str) -> Wrapper {
    match body(JSON, text.as_bytes(), None) {
        Body::Json(wrapper) => wrapper,
        other => panic!("{text} is an object, read as {other:?}"),
    }
}

fn error_text(text: &str) -> Option<String> {
    wrapper(text).error_text
}

/// The wait read from a header, one day after the epoch.
fn wait(header: &str) -> Option<Duration> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
    retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(header).unwrap())]), now)
}

#[test]
fn a_body_is_known_by_its_content_before_its_type() {
    let object = Body::Json(Wrapper { is_bare: true, ..Wrapper::default() });
    let table: [(&str, &str, &Body); 16] = [
        (JSON, "{}", &object),
        ("", " {}\n", &object),
        ("text/plain", "\u{feff}{}", &object),
        ("text/html", "{}", &object),
        (JSON, "", &Body::Empty),
        ("text/html", " \r\n\t", &Body::Empty),
        ("text/html; charset=utf-8", "Bad Gateway", &Body::Html),
        ("TEXT/HTML", "x", &Body::Html),
        (JSON, "<!DocType html><p>x", &Body::Html),
        ("", "\n <HTML><body>", &Body::Html),
        (JSON, "{\"_data\":", &Body::Broken),
        (JSON, "[]", &Body::Broken),
        (JSON, "null", &Body::Broken),
        (JSON, "\"created\"", &Body::Broken),
        ("text/plain", "OK", &Body::Broken),
        ("text/htmlx", "a <html> further on", &Body::Broken),
    ];
    for (content_type, text, expected) in table {
        assert_eq!(&body(content_type, text.as_bytes(), None), expected, "{content_type} {text:?}");
    }
    assert_eq!(body(JSON, b"\xff\xfe\x00", None), Body::Broken);
}

#[test]
fn an_object_nested_beyond_reason_is_broken_and_never_overflows() {
    let deep = format!("{}{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert_eq!(body(JSON, deep.as_bytes(), None), Body::Broken);
}

#[test]
fn only_data_that_is_there_counts_as_data() {
    assert!(wrapper("{}").is_bare);
    assert!(!wrapper(r#"{"_data":null}"#).has_data);
    assert!(!wrapper(r#"{"_data":null}"#).is_bare);
    assert!(wrapper(r#"{"_data":{}}"#).has_data);
    assert!(wrapper(r#"{"_data":[]}"#).has_data);
}

#[test]
fn an_id_is_kept_only_if_it_is_short_text_on_one_line() {
    let id = |id: &str| wrapper(&format!(r#"{{"_data":{{"id":{id}}}}}"#)).process;
    assert_eq!(id(r#""p-1""#).as_deref(), Some("p-1"));
    assert_eq!(id(&format!("\"{}\"", "é".repeat(128))), Some("é".repeat(128)));
    for nothing in ["7", "null", r#""""#, r#""a\nb""#, &format!("\"{}\"", "x".repeat(129))] {
        assert_eq!(id(nothing), None, "{nothing}");
    }
}

#[test]
fn errors_are_there_only_if_they_say_something() {
    for none in [r#"{"_errors":null}"#, r#"{"_errors":[]}"#, r#"{"_errors":{}}"#, r#"{"_errors":""}"#, "{}"] {
        assert!(!wrapper(none).has_errors, "{none}");
    }
    for some in [r#"{"_errors":["x"]}"#, r#"{"_errors":[null]}"#, r#"{"_errors":"x"}"#, r#"{"_errors":{"a":1}}"#] {
        assert!(wrapper(some).has_errors, "{some}");
    }
}

#[test]
fn words_are_found_in_every_shape_that_integrators_met() {
    let shapes = [
        r#"{"_errors":["no such state","and more"]}"#,
        r#"{"_errors":[{"message":"no such state"}]}"#,
        r#"{"error":"no such state"}"#,
        r#"{"error":{"message":"no such state","code":7}}"#,
        r#"{"message":"no such state"}"#,
        r#"{"errors":[{"message":"no such state","code":7}]}"#,
        r#"{"_errors":[],"error":" ","message":" no such state "}"#,
        r#"{"_errors":["no such state"],"message":"something else"}"#,
    ];
    for shape in shapes {
        assert_eq!(error_text(shape).as_deref(), Some("no such state"), "{shape}");
    }
}

#[test]
fn where_nothing_is_said_there_are_no_words() {
    for silent in ["{}", r#"{"_errors":[]}"#, r#"{"error":7}"#, r#"{"message":{"a":1}}"#, r#"{"errors":[{}]}"#] {
        assert_eq!(error_text(silent), None, "{silent}");
    }
}

#[test]
fn words_stay_on_one_line_and_within_their_length() {
    assert_eq!(error_text(r#"{"error":"a\nb\u0000c\u001b[31m"}"#).as_deref(), Some("a b c [31m"));
    let long = error_text(&format!(r#"{{"error":"{}"}}"#, "é".repeat(ERROR_TEXT_MAX + 1)));
    assert_eq!(long, Some("é".repeat(ERROR_TEXT_MAX)));
}

#[test]
fn retry_after_is_read_in_both_forms_and_nonsense_is_ignored() {
    assert_eq!(wait("120"), Some(Duration::from_secs(120)));
    assert_eq!(wait("0"), Some(Duration::ZERO));
    assert_eq!(wait("Fri, 02 Jan 1970 00:00:30 GMT"), Some(Duration::from_secs(30)));
    assert_eq!(wait("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO), "a date in the past is no wait");
    for nonsense in ["", "soon", "-5", "+5", "1.5", "99999999999999999999999", "Fri, 99 Jan 1970 00:00:30 GMT"] {
        assert_eq!(wait(nonsense), None, "{nonsense:?}");
    }
    assert_eq!(retry_after(&HeaderMap::new(), SystemTime::UNIX_EPOCH), None);
}
