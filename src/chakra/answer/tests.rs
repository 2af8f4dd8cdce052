//! Laws of reading an answer, without a socket.
//!
//! Not here: the wire (`chakra::tests`).

use reqwest::header::{HeaderMap, HeaderValue, LOCATION};

use super::{body, redirects_to};
use crate::core::reply::{Body, Wrapper};

const JSON: &str = "application/json";

fn wrapper(text: &str) -> Wrapper {
    match body(JSON, text.as_bytes(), None) {
        Body::Json(wrapper) => wrapper,
        other => panic!("{text} is an object, read as {other:?}"),
    }
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
fn an_id_is_kept_only_if_it_is_a_number_or_short_text_on_one_line() {
    let id = |id: &str| wrapper(&format!(r#"{{"_data":{{"id":{id}}}}}"#)).process;
    assert_eq!(id(r#""p-1""#).as_deref(), Some("p-1"));
    assert_eq!(id(&format!("\"{}\"", "é".repeat(128))), Some("é".repeat(128)));
    for number in ["7", "0", "18446744073709551615", "-3"] {
        assert_eq!(id(number).as_deref(), Some(number), "as it is given");
    }
    for nothing in ["true", "[7]", "{}", "null", r#""""#, r#""a\nb""#, &format!("\"{}\"", "x".repeat(129))] {
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
        r#"{"_errors":["no such state"]}"#,
        r#"{"_errors":[{"message":"no such state"}]}"#,
        r#"{"_errors":[["no such state"]]}"#,
        r#"{"error":"no such state"}"#,
        r#"{"error":{"message":"no such state"}}"#,
        r#"{"message":"no such state"}"#,
        r#"{"errors":[{"message":"no such state"}]}"#,
        r#"{"_errors":[],"error":" ","message":" no such state "}"#,
    ];
    for shape in shapes {
        let wrapper = wrapper(shape);
        assert_eq!((wrapper.error_text.as_deref(), wrapper.is_api_word), (Some("no such state"), true), "{shape}");
    }
    assert!(!wrapper(r#"{"_data":null,"_meta":{}}"#).is_api_word);
}

#[test]
fn a_redirect_is_known_by_the_place_it_points_to_and_by_nothing_more() {
    let place = |location: &str| {
        let head = HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(location).unwrap())]);
        redirects_to(&head, &"https://api.example/v1/x".parse().unwrap())
    };
    let table = [
        ("https://login.example/sign-in?next=%2Fv1&token=s3cret#top", Some("https://login.example")),
        ("http://user:s3cret@other.example:8080/x", Some("http://other.example:8080")),
        ("//cdn.example/x", Some("https://cdn.example")),
        ("/elsewhere", Some("https://api.example")),
        ("../x", Some("https://api.example")),
        ("http://[::1]:81/", Some("http://[::1]:81")),
        ("mailto:ted@example", None),
        ("http://", None),
    ];
    for (location, expected) in table {
        assert_eq!(place(location).as_deref(), expected, "{location}");
    }
    assert_eq!(redirects_to(&HeaderMap::new(), &"https://api.example/".parse().unwrap()), None);
}
