//! What a collector reads of a span, and what its answers mean.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;

use super::*;
use crate::core::span::{Attribute, Kind};
use crate::core::trace_context::{SpanId, TraceContext, TraceId};

fn span() -> Span {
    let context = TraceContext::read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Some("x=1")).unwrap();
    Span {
        context: context.with_span(SpanId::drawn(5)),
        parent: Some(context.span()),
        name: "process work".to_owned(),
        kind: Kind::Consumer,
        began_ns: 7,
        ended_ns: 9,
        attributes: vec![("messaging.system", Attribute::text("rabbitmq")), ("size", Attribute::Number(-3))],
        link: Some(TraceContext::begun(TraceId::drawn(1), SpanId::drawn(2), true)),
        error: Some("refused".to_owned()),
    }
}

#[test]
fn the_types_of_the_protocol_read_all_of_a_span() {
    let body = message::request(&message::Service::named("bridge", 1), [span()].into_iter());
    let read = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    assert_eq!(read.encoded_len(), body.len(), "nothing is left unread");
    let resource = &read.resource_spans[0];
    let of = |attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], key: &str| {
        let found = attributes.iter().find(|pair| pair.key == key);
        found.and_then(|pair| pair.value.clone()).and_then(|value| value.value)
    };
    let service = &resource.resource.as_ref().unwrap().attributes;
    assert_eq!(of(service, "service.name"), Some(Value::StringValue("bridge".to_owned())));
    assert_eq!(resource.scope_spans[0].scope.as_ref().unwrap().name, "chakra-bridge");
    let read = &resource.scope_spans[0].spans[0];
    assert_eq!(read.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes());
    assert_eq!(read.span_id, 5_u64.to_be_bytes());
    assert_eq!(read.parent_span_id, 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes());
    assert_eq!((read.name.as_str(), read.kind, read.trace_state.as_str()), ("process work", 5, "x=1"));
    assert_eq!((read.start_time_unix_nano, read.end_time_unix_nano, read.flags), (7, 9, 0x301));
    assert_eq!(of(&read.attributes, "size"), Some(Value::IntValue(-3)));
    assert_eq!(of(&read.attributes, "error.type"), Some(Value::StringValue("refused".to_owned())));
    assert_eq!(read.status.as_ref().unwrap().code, 2);
    assert_eq!((read.links[0].trace_id.clone(), read.links[0].flags), (1_u128.to_be_bytes().to_vec(), 0x303));
}

#[test]
fn an_answer_means_what_the_protocol_says() {
    let judge = |status: u16, body: &[u8]| judged(StatusCode::from_u16(status).unwrap(), None, body);
    assert_eq!(judge(200, b""), Sent::Taken(0));
    let partial = ExportTracePartialSuccess { rejected_spans: 3, error_message: "too old".to_owned() };
    let partial = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    assert_eq!(judge(200, &partial), Sent::Taken(3));
    assert_eq!(judge(200, b"\xff\xff"), Sent::Taken(0), "what is no answer refuses nothing");
    for again in [429, 502, 503, 504] {
        assert!(matches!(judge(again, b""), Sent::Later(..)), "{again}");
    }
    for never in [301, 400, 404, 413, 500] {
        assert!(matches!(judge(never, b""), Sent::Refused(_)), "{never}");
    }
}

#[tokio::test(start_paused = true)]
async fn spans_are_gathered_for_a_moment_and_the_last_ones_at_once() {
    tokio::time::timeout(Duration::from_secs(60), gathered()).await.expect("within the deadline");
}

async fn gathered() {
    let (sender, mut spans) = mpsc::channel(2 * BATCH);
    let mut batch = Vec::new();
    for _ in 0..BATCH + 1 {
        sender.send(span()).await.unwrap();
    }
    let began = Instant::now();
    assert!(gather(&mut spans, &mut batch).await);
    assert_eq!((batch.len(), began.elapsed()), (BATCH, Duration::ZERO), "a whole one goes at once");
    batch.clear();
    assert!(gather(&mut spans, &mut batch).await);
    assert_eq!((batch.len(), began.elapsed()), (1, GATHER));
    batch.clear();
    sender.send(span()).await.unwrap();
    drop(sender);
    assert!(gather(&mut spans, &mut batch).await);
    assert_eq!((batch.len(), began.elapsed()), (1, GATHER), "nobody can put in any more");
    assert!(!gather(&mut spans, &mut batch).await);
}
