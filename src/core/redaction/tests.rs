//! Laws of the log's words: no value of a request is in them, in whatever way the API repeats it.
//!
//! Not here: what the API said (`chakra::error_text`).

use serde_json::{Value, json};

use super::{VALUES_MAX, without_secret, without_values};
use crate::core::process::{CreateProcess, Procedure};

fn request(data: Value) -> CreateProcess {
    with_body(json!({ "data": data }))
}

fn with_body(body: Value) -> CreateProcess {
    CreateProcess {
        procedure: Procedure::new("lead").unwrap(),
        procedure_is_literal: true,
        lookup: None,
        photos: crate::core::photo::Photos::default(),
        body: body.to_string().into_bytes().into(),
    }
}

fn told(text: &str, data: Value) -> String {
    without_values(text, &request(data)).unwrap()
}

#[test]
fn a_value_of_four_characters_or_more_is_blank_wherever_it_stands() {
    let data = json!({"name": "Swordfish", "age": 4711, "nested": {"Walter": ["Pilchard", true]}, "short": "abc"});
    let text = "lead: Swordfish is no name; swordfish, SWORDFISH4711 Walter's pilchard is true, abc is kept";
    assert_eq!(told(text, data), "lead: … is no name; …, … …'s … is …, abc is kept");
}

#[test]
fn the_words_of_the_api_and_the_names_of_attributes_stay() {
    let data = json!({"phone_number": "+49 30 123456"});
    let text = "the API answered 422: it refused the request; in its words: phone_number: '+49 30 123456' is no number";
    let expected = "the API answered 422: it refused the request; in its words: phone_number: '…' is no number";
    assert_eq!(told(text, data), expected);
    assert_eq!(told("nothing of it", json!({})), "nothing of it");
}

#[test]
fn a_value_is_known_however_it_is_escaped() {
    let value = "Zoë \"Z\" O'Neil & Søn";
    for text in [
        "got Zoë \"Z\" O'Neil & Søn here",
        "got Zo\\u00eb \\\"Z\\\" O'Neil & S\\u00f8n here",
        "got Zo%C3%AB%20%22Z%22%20O%27Neil%20%26%20S%C3%B8n here",
        "got Zo%c3%ab+%22Z%22+O%27Neil+%26+S%c3%b8n here",
        "got Zo&#235; &quot;Z&quot; O&#x27;Neil &amp; S&#xf8;n here",
        "got ZOË \"Z\" O'NEIL & SØN here",
    ] {
        assert_eq!(told(text, json!({"name": value})), "got … here", "{text}");
    }
    assert_eq!(told("got 💡💡💡💡 or \\ud83d\\udca1💡💡💡", json!({"a": "💡💡💡💡"})), "got … or …");
    assert_eq!(told("got one two", json!({"a": "one\r\n\ttwo"})), "got one two", "three blanks are not one");
    assert_eq!(told("got one two", json!({"a": "one\ntwo"})), "got …");
}

#[test]
fn the_beginning_or_the_end_of_a_long_value_is_enough() {
    let long = "a long story of a customer that goes on and on";
    assert_eq!(told("'a long story of...' is too long", json!({"a": long})), "'…...' is too long");
    assert_eq!(told("'...goes on and on' is too long", json!({"a": long})), "'...…' is too long");
}

#[test]
fn every_place_of_a_request_is_looked_at() {
    let body = json!({
        "record": { "data": { "email": "ted@example.com" } },
        "status": "OPEN",
        "state": "FRESH",
        "nextActionAt": 1_700_000_000_000_i64,
        "assignedTo": "walter",
    });
    let request = CreateProcess { procedure_is_literal: false, ..with_body(body) };
    let text = "email ted@example.com OPEN FRESH 1700000000000 walter lead";
    assert_eq!(without_values(text, &request).unwrap(), "email … … … … … …");
}

#[test]
fn overlapping_values_leave_nothing_between_and_broken_escapes_nothing_behind() {
    assert_eq!(told("abcdefgh", json!({"a": "abcdef", "b": "cdefgh"})), "…");
    for broken in
        ["%", "%4", "%zz", "%C3", "%ff%ff", "\\", "\\u", "\\u12", "\\ud83d", "&", "&#;", "&#xffffffff;", "é%C3"]
    {
        assert_eq!(told(broken, json!({"a": "none of it"})), broken);
    }
}

#[test]
fn the_words_of_a_request_with_too_many_values_are_not_told() {
    let many: Vec<Value> = (0..VALUES_MAX / 8).map(|number| json!(format!("{number:09}"))).collect();
    assert_eq!(without_values("anything", &request(json!({"a": many}))), None);
}

#[test]
fn a_secret_is_blank_whole_or_in_part_and_a_word_that_it_begins_with_and_a_short_one_blank_nothing() {
    let text = "sent tok/en+1234567890, tok%2Fen%2B1234567890, tok\\/en+1234567890 and tok/en+123456789";
    assert_eq!(without_secret(text, "tok/en+1234567890"), "sent …, …, … and …");
    assert_eq!(without_secret("the stand-in refuses stand-in-token", "stand-in-token"), "the stand-in refuses …");
    assert_eq!(without_secret("abc and nothing", "abc"), "abc and nothing");
    assert_eq!(without_secret("nothing", ""), "nothing");
}
