//! What is read as a trace context, and what is as if it were not there.

use serde_json::json;

use super::*;

const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn state_of(text: &str) -> Option<String> {
    TraceContext::read(GOOD, Some(text)).unwrap().tracestate().map(str::to_owned)
}

#[test]
fn what_is_read_is_written_as_it_was() {
    let read = TraceContext::read(GOOD, Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")).unwrap();
    assert_eq!(read.traceparent(), GOOD);
    assert_eq!(read.trace().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(read.span().to_string(), "00f067aa0ba902b7");
    assert_eq!(read.tracestate(), Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
    assert!(read.is_sampled());
    let next = read.with_span(SpanId::drawn(0));
    assert_eq!(next.traceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01");
    assert_eq!(next.tracestate(), read.tracestate());
}

#[test]
fn what_is_no_traceparent_is_as_if_it_were_not_there() {
    for wrong in [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b70-01",
        "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0ä",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
    ] {
        assert_eq!(TraceContext::read(wrong, None), None, "{wrong}");
    }
    let endless = format!("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-{}", "x".repeat(100_000));
    assert_eq!(TraceContext::read(&endless, None), None);
}

#[test]
fn a_later_version_is_read_by_what_it_has_in_common_and_handed_on_as_this_one() {
    for later in [
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fd-what-comes",
    ] {
        assert_eq!(TraceContext::read(later, None).unwrap().traceparent(), GOOD, "{later}");
    }
}

#[test]
fn flags_that_nobody_knows_are_not_handed_on() {
    let all = TraceContext::read(&GOOD.replace("-01", "-ff"), None).unwrap();
    assert!(all.traceparent().ends_with("-03"));
    let none = TraceContext::read(&GOOD.replace("-01", "-00"), None).unwrap();
    assert!(!none.is_sampled());
}

#[test]
fn a_wrong_state_is_dropped_and_the_trace_stays() {
    let many = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
    for wrong in ["", ",", "a", "a=", "=b", "A=b", "a=b=c", "a=b,a=c", "a=\u{7f}", "a=ü", "a@b@c=d", &many(33)] {
        assert_eq!(state_of(wrong), None, "{wrong}");
    }
    assert_eq!(state_of(&"a".repeat(STATE_READ_MAX + 1)), None);
    assert_eq!(state_of(" a=1 ,, 0t@s=x y ").as_deref(), Some("a=1,0t@s=x y"));
    assert_eq!(state_of(&many(32)), Some(many(32)));
}

#[test]
fn a_state_that_is_too_long_loses_its_long_members_first_and_then_its_last() {
    let member = |key: &str, length: usize| format!("{key}={}", "v".repeat(length - 2));
    let long = [member("a", 129), member("b", 128), member("c", 128), member("d", 128), member("e", 20)];
    assert_eq!(state_of(&long.join(",")), Some(long[1..].join(",")));
    let short: Vec<String> = ["a", "b", "c", "d", "e"].map(|key| member(key, 128)).into();
    assert_eq!(state_of(&short.join(",")), Some(short[..3].join(",")));
}

#[test]
fn the_header_of_the_message_goes_before_the_attribute_of_the_event() {
    let other = GOOD.replace("4bf9", "aaaa");
    let both = map(json!({"cloudEvents:traceparent": other, "traceparent": GOOD, "ce_tracestate": "x=1"}));
    assert_eq!(TraceContext::of_headers(&both), TraceContext::read(GOOD, None));
    for prefix in ["cloudEvents:", "cloudEvents_", "ce-", "ce_", "CE-", ""] {
        let name = |name: &str| format!("{prefix}{name}");
        let headers = map(json!({name("traceparent"): GOOD, name("tracestate"): "x=1"}));
        assert_eq!(TraceContext::of_headers(&headers), TraceContext::read(GOOD, Some("x=1")), "{prefix}");
    }
    for none in [json!({}), json!({"traceparent": 5}), json!({"x-traceparent": GOOD}), json!({"traceparent": [GOOD]})] {
        assert_eq!(TraceContext::of_headers(&map(none)), None);
    }
    let broken = map(json!({"traceparent": "no", "ce-traceparent": GOOD}));
    assert_eq!(TraceContext::of_headers(&broken), TraceContext::read(GOOD, None));
}

#[test]
fn the_attributes_of_a_cloud_event_are_read_from_its_envelope() {
    let envelope = map(json!({"id": "1", "traceparent": GOOD, "tracestate": "x=1"}));
    assert_eq!(TraceContext::of_attributes(&envelope), TraceContext::read(GOOD, Some("x=1")));
    assert_eq!(TraceContext::of_attributes(&map(json!({"traceparent": null}))), None);
}
