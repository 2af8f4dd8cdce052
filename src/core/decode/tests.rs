//! Laws of decoding: bodies, limits, keys and types.
//!
//! Not here: the forms of CloudEvents (`cloud_events`), laws of mapping (`mapping/tests`).

mod cloud_events;

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};

use super::{KEY_BYTES_MAX, Limits, decode};
use crate::core::bounds::Bounds;
use crate::core::event::{Event, Key, KeyOrigin};
use crate::core::mapping::key::KeyExpression;
use crate::core::mapping::written::Spot;
use crate::core::message::Message;
use crate::core::reason::{Fault, Reason};

const SECRET: &str = "Sup3r-s3cret";

fn message(body: impl Into<Vec<u8>>) -> Message {
    Message { body: Arc::new(body.into()), exchange: "crm".into(), routing_key: "a.b".into(), ..Message::default() }
}

fn typed(content_type: &str, body: &Value) -> Message {
    Message { content_type: Some(content_type.to_owned()), ..message(body.to_string()) }
}

fn limits() -> Limits {
    Limits { bounds: Bounds { max_bytes: 100_000, ..Bounds::DEFAULT }, key: None }
}

fn keyed(expression: &str) -> Limits {
    let written = Spot { value: expression.to_owned(), span: 0..expression.len() + 2 };
    Limits { key: Some(KeyExpression::compile(&written, "event.key").unwrap()), ..limits() }
}

fn decoded(message: &Message) -> Event {
    decode(message, &limits()).unwrap()
}

fn fault(message: &Message) -> Fault {
    decode(message, &limits()).unwrap_err()
}

fn key(text: &str, origin: KeyOrigin) -> Key {
    Key { text: text.to_owned(), origin }
}

fn envelope() -> Value {
    json!({ "specversion": "1.0", "id": "42", "source": "/crm", "type": "case.opened", "data": { "a": 1 } })
}

#[test]
fn a_plain_object_is_the_document() {
    let headers = json!({ "h": 1 }).as_object().cloned().unwrap();
    let event = decoded(&Message {
        headers: headers.clone().into(),
        message_id: Some("m".into()),
        ..message(r#" {"a":[1]} "#)
    });
    assert_eq!(event.document, json!({ "a": [1] }));
    assert_eq!((event.exchange.as_str(), event.routing_key.as_str()), ("crm", "a.b"));
    assert_eq!((event.headers, event.message_id.as_deref()), (headers, Some("m")));
}

#[test]
fn what_is_no_json_object_is_undecodable_with_its_place_and_without_its_content() {
    let deep = format!("{}{SECRET}", "[".repeat(200));
    for (body, words) in [
        (Vec::new(), "empty"),
        (b" \n\t ".to_vec(), "empty"),
        (format!("{{\"{SECRET}\":\n  {SECRET}}}").into_bytes(), "is not JSON, at line 2 column 3"),
        (format!("{{\"a\": \"{SECRET}").into_bytes(), "ends in the middle of JSON, at line 1"),
        (b"{\"a\":\n\"x\xff\"}".to_vec(), "is not UTF-8, at line 2 column 3"),
        (deep.into_bytes(), "deeper than 128"),
        (b"[1]".to_vec(), "a JSON list"),
        (b"\"a\"".to_vec(), "no object"),
        (b"null".to_vec(), "no object"),
        (b"{} {}".to_vec(), "is not JSON, at line 1 column 4"),
        (b"\xef\xbb\xbf".to_vec(), "empty"),
        (format!("\"{SECRET}\"").into_bytes(), "a JSON text, and no object; as JSON of its own it is not JSON"),
        (b"\"[1]\"".to_vec(), "a JSON text that holds JSON, and no object"),
        (b"\"\\\"{}\\\"\"".to_vec(), "a JSON text that holds JSON, and no object"),
    ] {
        let fault = fault(&message(body));
        assert_eq!(fault.reason, Reason::Undecodable);
        assert!(fault.text.contains(words), "{words}: {}", fault.text);
        assert!(!fault.text.contains(SECRET), "{}", fault.text);
    }
}

#[test]
fn a_body_that_is_a_text_which_holds_an_object_is_that_object() {
    let twice = |value: &Value| message(Value::from(value.to_string()).to_string());
    assert_eq!(decoded(&twice(&json!({ "a": [1] }))).document, json!({ "a": [1] }));
    let event = decoded(&twice(&envelope()));
    assert_eq!((event.document, event.key), (envelope(), key("/crm|42", KeyOrigin::CloudEvents)));
    let typed = Message { content_type: Some("application/cloudevents+json".into()), ..twice(&envelope()) };
    assert_eq!(decoded(&typed).kind, "case.opened");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_body() {
    for body in ["{\"a\":1}", " {\"a\":1}", "\"{\\\"a\\\":1}\""] {
        assert_eq!(decoded(&message(format!("\u{feff}{body}"))).document, json!({ "a": 1 }), "{body}");
    }
}

#[test]
fn a_body_over_the_limit_is_too_large_before_it_is_looked_at() {
    let limits = Limits { bounds: Bounds { max_bytes: 10, ..Bounds::DEFAULT }, key: None };
    assert!(decode(&message(r#"{"a":1234}"#), &limits).is_ok());
    let fault = decode(&message("x".repeat(11)), &limits).unwrap_err();
    assert_eq!(fault.reason, Reason::TooLarge);
    assert!(fault.text.contains("11") && fault.text.contains("10"), "{}", fault.text);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(encoding: &str, body: Vec<u8>) -> Message {
    Message { content_encoding: Some(encoding.to_owned()), ..message(body) }
}

#[test]
fn a_body_is_read_as_it_was_before_it_was_compressed() {
    let plain = br#"{"a":1}"#;
    for (encoding, body) in [
        ("", plain.to_vec()),
        ("identity", plain.to_vec()),
        ("UTF-8", plain.to_vec()),
        ("utf8", plain.to_vec()),
        ("gzip", gzip(plain)),
        ("X-GZIP", gzip(plain)),
        ("deflate", deflate(plain)),
        ("gzip, utf-8", gzip(plain)),
        ("deflate, gzip", gzip(&deflate(plain))),
        ("gzip", gzip(b"\xef\xbb\xbf{\"a\":1}")),
    ] {
        assert_eq!(decoded(&encoded(encoding, body)).document, json!({ "a": 1 }), "{encoding}");
    }
    let event = decoded(&encoded("gzip", gzip(envelope().to_string().as_bytes())));
    assert_eq!(event.key, key("/crm|42", KeyOrigin::CloudEvents));
}

#[test]
fn an_encoding_that_is_not_read_is_named() {
    for (encoding, body, words) in [
        ("br", b"{}".to_vec(), "`br`"),
        ("zstd", b"{}".to_vec(), "`zstd`"),
        ("gzip", b"{}".to_vec(), "`gzip`, and the body cannot be decoded"),
        ("gzip", gzip(b"{}")[..12].to_vec(), "`gzip`"),
        ("deflate", b"{}".to_vec(), "`deflate`"),
        ("gzip, gzip, gzip", gzip(b"{}"), "3 times over"),
    ] {
        let fault = fault(&encoded(encoding, body));
        assert_eq!(fault.reason, Reason::Undecodable);
        assert!(fault.text.contains(words), "{encoding}: {}", fault.text);
    }
    assert!(fault(&message(gzip(b"{}"))).text.contains("no content encoding says so"));
    assert!(fault(&message(b"\xff\xfe{\0}\0".to_vec())).text.contains("UTF-16"));
    assert!(fault(&encoded(&"z".repeat(500), Vec::from(b"{}"))).text.len() < 300);
}

#[test]
fn a_body_over_the_limit_once_it_is_decoded_is_too_large_and_never_held() {
    let bomb = gzip(&vec![b' '; 50_000_000]);
    for (encoding, body) in [("gzip", bomb.clone()), ("gzip, gzip", gzip(&bomb))] {
        let fault = fault(&encoded(encoding, body));
        assert_eq!(fault.reason, Reason::TooLarge);
        assert!(fault.text.contains("100000"), "{}", fault.text);
    }
}

#[test]
fn the_first_key_that_an_event_has_is_its_key() {
    let limits = keyed("event.data.a");
    let with_id = |body: String, id: &str| Message { message_id: Some(id.to_owned()), ..message(body) };
    let plain = json!({ "data": { "a": "x" } }).to_string();
    for (message, expected) in [
        (with_id(envelope().to_string(), "m"), key("/crm|42", KeyOrigin::CloudEvents)),
        (with_id(plain.clone(), "m"), key("m", KeyOrigin::MessageId)),
        (with_id(plain.clone(), ""), key("x", KeyOrigin::Expression)),
        (message(plain), key("x", KeyOrigin::Expression)),
        (message(json!({ "data": { "a": 7 } }).to_string()), key("7", KeyOrigin::Expression)),
    ] {
        assert_eq!(decode(&message, &limits).unwrap().key, expected);
    }
    let hash = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(decoded(&message("{}")).key, key(hash, KeyOrigin::Body));
}

#[test]
fn a_key_expression_that_gives_no_key_is_unmappable_and_never_a_hash() {
    for (document, words) in [
        (json!({ "data": {} }), "event.data.a is missing"),
        (json!({ "data": { "a": null } }), "event.data.a is null"),
        (json!({ "data": { "a": "" } }), "`event.data.a` is an empty text"),
        (json!({ "data": { "a": [SECRET] } }), "`event.data.a` is a list"),
        (json!({ "data": { "a": true } }), "`event.data.a` is true or false"),
    ] {
        let fault = decode(&message(document.to_string()), &keyed("event.data.a")).unwrap_err();
        assert_eq!(fault.reason, Reason::Unmappable);
        assert!(fault.text.starts_with("event.key: ") && fault.text.contains(words), "{}", fault.text);
        assert!(!fault.text.contains(SECRET));
    }
    let joined = decode(&message(r#"{"a":1,"b":"x"}"#), &keyed("event.a ~ '/' ~ event.b ~ '/' ~ routing_key")).unwrap();
    assert_eq!(joined.key.text, "1/x/a.b");
}

#[test]
fn a_key_expression_must_read_something_else_than_the_key() {
    for (written, word) in
        [("key", "another"), ("'fixed'", "same for every"), ("{{ event.a }}", "no braces"), ("evnt.a", "`event`?")]
    {
        let written = Spot { value: written.to_owned(), span: 10..written.len() + 12 };
        let mistakes = KeyExpression::compile(&written, "event.key").unwrap_err();
        let mistake = mistakes.first().unwrap();
        assert_eq!(mistake.key, "event.key");
        assert!(format!("{} {}", mistake.what, mistake.expected).contains(word), "{mistake:?}");
    }
}

#[test]
fn a_key_is_bounded() {
    for (length, fits) in [(KEY_BYTES_MAX, true), (KEY_BYTES_MAX + 1, false)] {
        let message = Message { message_id: Some("k".repeat(length)), ..message("{}") };
        assert_eq!(decode(&message, &limits()).map_err(|fault| fault.reason).is_ok(), fits);
    }
}

#[test]
fn the_type_is_that_of_the_envelope_then_of_the_message_then_the_routing_key() {
    let of =
        |kind: Option<&str>, body: String| decoded(&Message { kind: kind.map(str::to_owned), ..message(body) }).kind;
    assert_eq!(of(Some("amqp"), envelope().to_string()), "case.opened");
    assert_eq!(of(Some("amqp"), "{}".to_owned()), "amqp");
    assert_eq!(of(Some(""), "{}".to_owned()), "a.b");
    assert_eq!(of(None, "{}".to_owned()), "a.b");
}
