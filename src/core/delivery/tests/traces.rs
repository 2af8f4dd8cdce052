//! Which trace an event belongs to, and that what is told of it says so.

use serde_json::json;

use super::*;
use crate::core::put_back::PutBack;
use crate::core::trace_context::{SpanId, TraceContext, TraceId};

const OF_HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OF_EVENT: &str = "00-aaaa2f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const BEFORE: &str = "00-bbbb2f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn with_header(message: Message) -> Message {
    let headers = json!({"traceparent": OF_HEADER, "tracestate": "x=1"}).as_object().cloned().unwrap();
    Message { headers: headers.into(), ..message }
}

fn cloud_event(kind: &str) -> Message {
    let body = json!({"specversion": "1.0", "id": "1", "source": "/a", "type": kind, "traceparent": OF_EVENT});
    Message { body: Arc::new(body.to_string().into_bytes()), ..event(kind, "m1") }
}

/// What its requests say of its trace, and the trace in the line of its end.
fn of(message: Message) -> (Option<String>, Option<String>) {
    let mut bench = Bench::new(8);
    let (id, _) = bench.message(message);
    let sent = bench.machine.trace(id).map(|trace| trace.traceparent());
    let told = bench.replied(id, created()).told.remove(0);
    (sent, told.came_in.trace.map(|trace| trace.to_string()))
}

#[test]
fn an_event_belongs_to_the_trace_of_its_header_else_of_its_attribute() {
    let trace = |text: &str| Some(text[3..35].to_owned());
    assert_eq!(of(with_header(event("lead", "m1"))), (Some(OF_HEADER.to_owned()), trace(OF_HEADER)));
    assert_eq!(of(cloud_event("lead")), (Some(OF_EVENT.to_owned()), trace(OF_EVENT)));
    assert_eq!(of(with_header(cloud_event("lead"))), (Some(OF_HEADER.to_owned()), trace(OF_HEADER)));
    let plain =
        Message { body: Arc::new(json!({"traceparent": OF_EVENT}).to_string().into_bytes()), ..event("lead", "m") };
    assert_eq!(of(plain), (None, None), "a field of a plain event is its own affair");
    assert_eq!(of(event("lead", "m1")), (None, None));
}

#[test]
fn what_cannot_be_read_and_what_is_dead_are_told_with_their_trace() {
    for message in [
        with_header(Message { body: Arc::new(b"{".to_vec()), ..event("lead", "m1") }),
        with_header(event("nobody.wants", "m1")),
        with_header(Message { delayed_state: Some("broken".to_owned()), ..event("lead", "m1") }),
    ] {
        let told = Bench::new(8).message(message).1.told.remove(0);
        assert_eq!(told.result, "dead_lettered");
        assert_eq!(told.came_in.trace.map(|trace| trace.to_string()), Some(OF_HEADER[3..35].to_owned()));
    }
}

#[test]
fn what_waited_goes_on_in_its_trace_and_says_where_it_stood() {
    let begins = Some(Arc::new(TraceContext::begun(TraceId::drawn(7), SpanId::drawn(8), true)));
    let state = DelayedState { trace: Some(BEFORE.to_owned()), ..DelayedState::default() };
    let letter = PutBack { trace: Some(BEFORE.to_owned()), reason: "refused".to_owned(), ..PutBack::default() };
    let delayed = || Message { delayed_state: Some(state.encode()), ..event("lead", "m1") };
    let retried = Message { put_back: Some(letter), ..event("lead", "m1") };
    for (message, trace, waited) in [
        (delayed(), BEFORE, true),
        (with_header(delayed()), OF_HEADER, true),
        (retried, BEFORE, true),
        (event("lead", "m1"), "00-00000000000000000000000000000007-0000000000000008-03", false),
    ] {
        let mut bench = Bench::new(8);
        let (id, done) = bench.message(Message { begins: begins.clone(), ..message });
        let told = done.reports.iter().find_map(|report| match report {
            Report::Traced(traced) => Some(traced.clone()),
            _ => None,
        });
        let told = told.expect("it is told");
        assert_eq!((told.receipt, told.trace.traceparent().as_str()), (id, trace));
        assert_eq!(told.waited.map(|waited| waited.traceparent()), waited.then(|| BEFORE.to_owned()));
        assert_eq!(told.rule.as_deref(), Some("lead"));
    }
}

#[test]
fn where_no_spans_are_kept_no_trace_begins() {
    let done = Bench::new(8).event("lead", "m1").1;
    assert!(!done.reports.iter().any(|report| matches!(report, Report::Traced(_))));
}
