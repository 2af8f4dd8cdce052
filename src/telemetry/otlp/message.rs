//! Spans as messages of OTLP, version 1: the part of the protocol that is used here, with its numbers. The tests read it by the types
//! that OpenTelemetry generates.
//!
//! Not here: sending them (`otlp`).

use prost::{Message, Oneof};

use crate::core::span::{Attribute, Kind, Span};

/// The type of the body of a request.
pub(super) const CONTENT_TYPE: &str = "application/x-protobuf";

/// The conventions that the names of attributes keep.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.37.0";

/// The flags of a span beside those of W3C: that it is known whether its parent is elsewhere.
const KNOWS_IF_REMOTE: u32 = 1 << 8;
const IS_REMOTE: u32 = 1 << 9;

/// `ExportTraceServiceRequest`, `ResourceSpans` and `ScopeSpans`.
#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
    #[prost(string, tag = "3")]
    schema_url: String,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Written>,
    #[prost(string, tag = "3")]
    schema_url: String,
}

#[derive(Clone, PartialEq, Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

/// `Span`.
#[derive(Clone, PartialEq, Message)]
struct Written {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    trace_state: String,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(fixed32, tag = "16")]
    flags: u32,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, repeated, tag = "13")]
    links: Vec<Link>,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
}

#[derive(Clone, PartialEq, Message)]
struct Link {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(fixed32, tag = "6")]
    flags: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "Value", tags = "1, 3")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Value {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(int64, tag = "3")]
    Number(i64),
}

/// `ExportTraceServiceResponse`.
#[derive(Clone, PartialEq, Message)]
struct Answer {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
}

/// Who made the spans.
pub(super) struct Service(Resource);

impl Service {
    /// Of this name; `instance` tells this process from others of the name.
    pub(super) fn named(name: &str, instance: u128) -> Self {
        let attributes = [
            ("service.name", name.to_owned()),
            ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
            ("service.instance.id", format!("{instance:032x}")),
        ];
        let attributes = attributes.into_iter().map(|(key, text)| pair(key, Attribute::Text(text)));
        Self(Resource { attributes: attributes.collect() })
    }
}

/// The body of a request with these spans.
pub(super) fn request(service: &Service, spans: impl Iterator<Item = Span>) -> Vec<u8> {
    let scope = Scope { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let scope_spans =
        ScopeSpans { scope: Some(scope), spans: spans.map(written).collect(), schema_url: SCHEMA.to_owned() };
    let resource_spans = ResourceSpans {
        resource: Some(service.0.clone()),
        scope_spans: vec![scope_spans],
        schema_url: SCHEMA.to_owned(),
    };
    Request { resource_spans: vec![resource_spans] }.encode_to_vec()
}

/// How many spans an answer says were not taken.
pub(super) fn refused(answer: &[u8]) -> u64 {
    let partial = Answer::decode(answer).ok().and_then(|answer| answer.partial_success);
    partial.and_then(|partial| u64::try_from(partial.rejected_spans).ok()).unwrap_or(0)
}

fn written(span: Span) -> Written {
    let Span { context, parent, name, kind, began_ns, ended_ns, attributes, link, error } = span;
    // Only the first step here has a parent elsewhere.
    let remote = if kind == Kind::Consumer && parent.is_some() { IS_REMOTE } else { 0 };
    let failed = error.iter().map(|error| pair("error.type", Attribute::Text(error.clone())));
    let attributes = attributes.into_iter().map(|(key, value)| pair(key, value)).chain(failed).collect();
    let links = link.map(|to| Link {
        trace_id: to.trace().bytes().to_vec(),
        span_id: to.span().bytes().to_vec(),
        flags: u32::from(to.flags()) | KNOWS_IF_REMOTE | IS_REMOTE,
    });
    Written {
        trace_id: context.trace().bytes().to_vec(),
        span_id: context.span().bytes().to_vec(),
        trace_state: context.tracestate().unwrap_or_default().to_owned(),
        parent_span_id: parent.map(|parent| parent.bytes().to_vec()).unwrap_or_default(),
        flags: u32::from(context.flags()) | KNOWS_IF_REMOTE | remote,
        name,
        kind: number(kind),
        start_time_unix_nano: began_ns,
        end_time_unix_nano: ended_ns,
        attributes,
        links: links.into_iter().collect(),
        status: error.map(|message| Status { message, code: 2 }),
    }
}

fn number(kind: Kind) -> i32 {
    match kind {
        Kind::Internal => 1,
        Kind::Client => 3,
        Kind::Producer => 4,
        Kind::Consumer => 5,
    }
}

fn pair(key: &'static str, value: Attribute) -> KeyValue {
    let value = match value {
        Attribute::Text(text) => Value::Text(text),
        Attribute::Number(number) => Value::Number(number),
    };
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) }
}
