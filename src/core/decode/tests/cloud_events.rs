//! Laws of CloudEvents, structured and binary.
//!
//! Not here: what holds for every message (`tests`).

use serde_json::{Map, Value, json};

use super::{decoded, envelope, fault, key, limits, message, typed};
use crate::core::decode::decode;
use crate::core::event::KeyOrigin;
use crate::core::message::Message;
use crate::core::reason::Reason;

fn binary(prefix: &str, body: &str, content_type: Option<&str>) -> Message {
    let headers: Map<String, Value> =
        [("specversion", "1.0"), ("ID", "42"), ("source", "/crm"), ("Type", "case.opened"), ("tenant", "n")]
            .iter()
            .map(|(name, value)| (format!("{prefix}{name}"), Value::from(*value)))
            .collect();
    Message { headers: headers.into(), content_type: content_type.map(str::to_owned), ..message(body) }
}

#[test]
fn a_structured_cloud_event_is_known_by_its_content_type_or_its_shape() {
    for content_type in
        ["application/cloudevents+json", "Application/CloudEvents+JSON; charset=utf-8", "application/json", ""]
    {
        let event = decoded(&typed(content_type, &envelope()));
        assert_eq!(event.document, envelope());
        assert_eq!(event.kind, "case.opened");
        assert_eq!(event.key, key("/crm|42", KeyOrigin::CloudEvents));
    }
}

#[test]
fn a_cloud_event_that_lacks_an_attribute_is_undecodable_and_the_attribute_is_named() {
    for attribute in ["specversion", "id", "source", "type"] {
        for wrong in [Value::Null, json!(""), json!(5)] {
            let mut envelope = envelope();
            envelope[attribute] = wrong;
            let fault = fault(&typed("application/cloudevents+json", &envelope));
            assert_eq!(fault.reason, Reason::Undecodable);
            assert!(fault.text.contains(attribute), "{}", fault.text);
        }
        let mut envelope = envelope();
        envelope.as_object_mut().unwrap().remove(attribute);
        assert!(fault(&typed("application/cloudevents+json", &envelope)).text.contains(attribute));
        let plain = decode(&typed("application/json", &envelope), &limits());
        let said = plain.map(|event| event.key.origin).map_err(|fault| fault.text);
        match attribute {
            "specversion" => assert_eq!(said, Ok(KeyOrigin::Body), "without it nothing says that it is one"),
            _ => assert!(said.unwrap_err().contains(attribute)),
        }
    }
}

#[test]
fn only_version_one_of_cloud_events_is_taken() {
    for (version, fits) in [("1.0", true), ("1.0.2", true), ("0.3", false), ("2.0", false), ("10.0", false)] {
        let mut envelope = envelope();
        envelope["specversion"] = json!(version);
        assert_eq!(decode(&typed("application/json", &envelope), &limits()).is_ok(), fits, "{version}");
    }
}

#[test]
fn a_batch_is_undecodable() {
    let fault = fault(&typed("application/cloudevents-batch+json; charset=utf-8", &json!([envelope()])));
    assert_eq!(fault.reason, Reason::Undecodable);
    assert!(fault.text.contains("one event a message"), "{}", fault.text);
}

#[test]
fn base64_data_becomes_data_where_it_is_json() {
    for (encoded, kind, data) in [
        ("eyJhIjoxfQ==", None, Some(json!({ "a": 1 }))),
        ("eyJhIjoxfQ==", Some("application/vnd.acme+json; v=1"), Some(json!({ "a": 1 }))),
        ("eyJhIjoxfQ==", Some("text/xml"), None),
        ("aGVsbG8=", None, None),
        ("//8=", Some("application/json"), None),
    ] {
        let mut envelope = envelope();
        envelope.as_object_mut().unwrap().remove("data");
        envelope["data_base64"] = json!(encoded);
        if let Some(kind) = kind {
            envelope["datacontenttype"] = json!(kind);
        }
        let document = decoded(&typed("application/json", &envelope)).document;
        assert_eq!(document.get("data"), data.as_ref(), "{encoded} {kind:?}");
        assert_eq!(document.get("data_base64").is_some(), data.is_none());
    }
}

#[test]
fn base64_data_that_is_none_is_undecodable() {
    for (wrong, word) in [(json!("%%%"), "not Base64"), (json!(5), "no text"), (json!("e30="), "both")] {
        let mut envelope = envelope();
        envelope["data_base64"] = wrong;
        assert!(fault(&typed("application/json", &envelope)).text.contains(word));
    }
}

#[test]
fn binary_mode_gives_the_document_of_structured_mode() {
    for prefix in ["cloudEvents:", "cloudEvents_", "ce-", "CE-", "ce_", "cloudevents:"] {
        for content_type in [None, Some("application/json; charset=utf-8"), Some("application/vnd.acme+json")] {
            let event = decoded(&binary(prefix, r#"{"a":1}"#, content_type));
            let mut expected = envelope();
            expected["tenant"] = json!("n");
            if let Some(content_type) = content_type {
                expected["datacontenttype"] = json!(content_type);
            }
            assert_eq!(event.document, expected, "{prefix}");
            assert_eq!((event.key, event.kind.as_str()), (key("/crm|42", KeyOrigin::CloudEvents), "case.opened"));
        }
    }
}

#[test]
fn binary_data_may_be_any_json_or_nothing_but_not_something_else() {
    assert_eq!(decoded(&binary("ce-", "[1]", None)).document["data"], json!([1]));
    assert_eq!(decoded(&binary("ce-", "", Some("text/plain"))).document.get("data"), None);
    for (body, content_type) in [("<a/>", Some("text/xml")), ("<a/>", None), ("{}", Some("application/octet-stream"))] {
        assert_eq!(fault(&binary("ce-", body, content_type)).reason, Reason::Undecodable);
    }
}

/// The message with other headers.
fn with(message: &Message, change: impl FnOnce(&mut Map<String, Value>)) -> Message {
    let mut headers = message.headers.open().into_owned();
    change(&mut headers);
    Message { headers: headers.into(), ..message.clone() }
}

#[test]
fn attributes_in_mixed_spellings_are_one_envelope() {
    let mut mixed = binary("ce-", r#"{"a":1}"#, None);
    for (from, to) in [("ce-ID", "cloudEvents:id"), ("ce-source", "cloudEvents_source"), ("ce-Type", "CE_type")] {
        mixed = with(&mixed, |headers| {
            let value = headers.remove(from).unwrap();
            headers.insert(to.to_owned(), value);
        });
    }
    assert_eq!(decoded(&mixed).key, key("/crm|42", KeyOrigin::CloudEvents));
    let mixed = with(&mixed, |headers| drop(headers.insert("ce-id".to_owned(), json!("42"))));
    assert_eq!(decoded(&mixed).key.text, "/crm|42", "the same twice");
    let fault = fault(&with(&mixed, |headers| drop(headers.insert("ce-id".to_owned(), json!("43")))));
    assert!(fault.text.contains("attribute id under two prefixes"), "{}", fault.text);
    assert!(!fault.text.contains("43"), "{}", fault.text);
}

#[test]
fn a_malformed_binary_cloud_event_is_undecodable_and_all_that_is_wrong_is_named() {
    for prefix in ["cloudEvents:", "cloudEvents_", "ce-", "ce_"] {
        for (name, attribute) in [("specversion", "specversion"), ("ID", "id"), ("source", "source"), ("Type", "type")]
        {
            let whole = binary(prefix, "{}", None);
            let header = format!("{prefix}{name}");
            for wrong in [Some(json!(5)), Some(json!("")), Some(json!(null)), Some(json!([1])), None] {
                let message = with(&whole, |headers| {
                    headers.remove(&header);
                    headers.extend(wrong.map(|wrong| (header.clone(), wrong)));
                });
                let fault = fault(&message);
                assert_eq!(fault.reason, Reason::Undecodable);
                assert!(fault.text.contains(&format!("attribute {attribute}")), "{}", fault.text);
            }
        }
        let alone = json!({ format!("{prefix}id"): "42" }).as_object().cloned().unwrap();
        let fault = fault(&Message { headers: alone.into(), ..message("{}") });
        for missing in ["specversion", "source", "type"] {
            assert!(fault.text.contains(&format!("no attribute {missing}")), "{}", fault.text);
        }
    }
}

#[test]
fn headers_that_name_no_attribute_of_every_event_make_no_cloud_event() {
    for name in ["ce-tenant", "ce_", "ce-data", "cost", "cloudevents"] {
        let headers = json!({ name: "x" }).as_object().cloned().unwrap();
        assert_eq!(
            decoded(&Message { headers: headers.into(), ..message("{}") }).key.origin,
            KeyOrigin::Body,
            "{name}"
        );
    }
}

#[test]
fn another_format_of_cloud_events_is_named() {
    for kind in ["application/cloudevents+avro", "application/cloudevents+protobuf"] {
        assert!(fault(&typed(kind, &json!({}))).text.contains("another format than JSON"));
    }
    assert!(fault(&typed("application/cloudevents-batch", &json!([]))).text.contains("one event a message"));
}

#[test]
fn a_number_that_64_bits_cannot_hold_is_no_id() {
    let body = envelope().to_string().replace("\"42\"", "123456789012345678901234");
    assert!(fault(&message(body)).text.contains("attribute id"));
}

#[test]
fn sources_and_ids_that_share_a_bar_stay_apart() {
    let keyed = |source: &str, id: &str| {
        let mut envelope = envelope();
        envelope["source"] = json!(source);
        envelope["id"] = json!(id);
        decoded(&typed("application/json", &envelope)).key.text
    };
    assert_eq!(keyed("a|b", "c"), "a%7Cb|c");
    assert_eq!(keyed("a", "b|c"), "a|b|c");
}
