//! What each step of an event is called and what is told of it, by OpenTelemetry's conventions for messaging and for HTTP. Keys,
//! rules and ids are told; payloads and secrets never.
//!
//! Not here: when a step begins and ends (`traces`), and photos (`photos`).

use super::text;
use crate::core::delivery::Settled;
use crate::core::message::Message;
use crate::core::reply::{Lost, NotSent, Reply};
use crate::core::span::{Attribute, Attributes, Kind, Span};
use crate::core::trace_context::{SpanId, TraceContext};

/// The queues that are named.
pub(super) struct Queues {
    pub(super) work: String,
    pub(super) dead: String,
}

/// The API, as spans tell of it.
pub(super) struct Api {
    pub(super) base: String,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

/// What a request asks for.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    Create,
    Lookup,
}

impl Asked {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Lookup => "lookup",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Create => "process",
            Self::Lookup => "process/list",
        }
    }
}

impl Api {
    pub(super) fn of(base: &str, (host, port): (&str, Option<u16>)) -> Self {
        Self { base: base.to_owned(), host: host.to_owned(), port }
    }
}

fn messaging(operation: &'static str, kind: &'static str, destination: &str) -> Attributes {
    vec![
        text("messaging.system", "rabbitmq"),
        text("messaging.operation.name", operation),
        text("messaging.operation.type", kind),
        text("messaging.destination.name", destination),
    ]
}

/// A step of an event.
pub(super) fn child(of: &Span, span: SpanId, name: String, kind: Kind, began_ns: u64, attributes: Attributes) -> Span {
    let (context, parent) = (of.context.with_span(span), Some(of.context.span()));
    Span { context, parent, name, kind, began_ns, ended_ns: began_ns, attributes, link: None, error: None }
}

/// The whole of what is done for a message, from its arrival to its settlement.
pub(super) fn process(context: TraceContext, queues: &Queues, message: &Message, began_ns: u64) -> Span {
    let Message { exchange, routing_key, .. } = message;
    let route = [exchange.as_str(), routing_key.as_str()].into_iter().filter(|part| !part.is_empty());
    let parts: Vec<&str> = route.filter(|part| *part != queues.work).chain([queues.work.as_str()]).collect();
    let mut attributes = messaging("process", "process", &parts.join(":"));
    attributes.push(("messaging.message.body.size", Attribute::count(message.body.len())));
    attributes.extend(message.message_id.as_deref().map(|id| text("messaging.message.id", id)));
    attributes.push(text("messaging.rabbitmq.destination.routing_key", routing_key));
    let name = format!("process {}", queues.work);
    let kind = Kind::Consumer;
    Span { context, parent: None, name, kind, began_ns, ended_ns: began_ns, attributes, link: None, error: None }
}

/// Decoding and mapping.
pub(super) fn map(of: &Span, span: SpanId, rule: Option<&str>) -> Span {
    let attributes = rule.map(|rule| text("chakra_bridge.rule", rule)).into_iter().collect();
    child(of, span, "map".to_owned(), Kind::Internal, of.began_ns, attributes)
}

/// A request to the API.
pub(super) fn request(of: &Span, span: SpanId, api: &Api, asked: Asked, procedure: &str, began_ns: u64) -> Span {
    let path = asked.path();
    let template = format!("/v1/ext/procedure/{{procedure}}/{path}");
    let mut attributes = vec![
        text("http.request.method", "POST"),
        text("url.full", &format!("{}/v1/ext/procedure/{procedure}/{path}", api.base)),
        text("url.template", &template),
        text("server.address", &api.host),
        text("chakra_bridge.request", asked.word()),
        text("chakra_bridge.procedure", procedure),
    ];
    attributes.extend(api.port.map(|port| ("server.port", Attribute::Number(port.into()))));
    child(of, span, format!("POST {template}"), Kind::Client, began_ns, attributes)
}

/// A request with what came of it; none if it ended by a panic.
pub(super) fn answered(mut span: Span, reply: Option<&Reply>) -> Span {
    let status = reply.and_then(Reply::status);
    span.attributes.extend(status.map(|status| ("http.response.status_code", Attribute::Number(status.into()))));
    let error = match reply {
        None => Some("panic".to_owned()),
        Some(Reply::Response(_)) => status.filter(|status| *status >= 400).map(|status| status.to_string()),
        Some(Reply::Lost { why, .. }) => Some(lost(*why).to_owned()),
        Some(Reply::NotSent { why, .. }) => Some(not_sent(*why).to_owned()),
    };
    Span { error, ..span }
}

fn lost(why: Lost) -> &'static str {
    match why {
        Lost::Timeout => "timeout",
        Lost::Reset => "reset",
    }
}

fn not_sent(why: NotSent) -> &'static str {
    match why {
        NotSent::Unreachable => "unreachable",
        NotSent::Certificate => "certificate",
        NotSent::Proxy => "proxy",
        NotSent::Token => "token",
        NotSent::NoDescriptors => "no_descriptors",
    }
}

/// The message is acknowledged, or goes back to its queue.
pub(super) fn settle(of: &Span, span: SpanId, queue: &str, word: &'static str, began_ns: u64) -> Span {
    child(of, span, format!("{word} {queue}"), Kind::Client, began_ns, messaging(word, "settle", queue))
}

/// What stands for the message is published to this queue, and confirmed; then the message is acknowledged.
pub(super) fn publish(of: &Span, span: SpanId, queue: &str, began_ns: u64) -> Span {
    child(of, span, format!("publish {queue}"), Kind::Producer, began_ns, messaging("publish", "send", queue))
}

/// How the event ended.
pub(super) fn tell(root: &mut Span, settled: &Settled) {
    let reason = Some(settled.reason()).filter(|reason| !reason.is_empty());
    let told = [
        ("chakra_bridge.result", Some(settled.result)),
        ("chakra_bridge.event.key", settled.key.as_ref().map(|key| key.text.as_str())),
        ("chakra_bridge.rule", settled.rule.as_deref()),
        ("chakra_bridge.process", settled.process.as_deref()),
        ("chakra_bridge.reason", reason),
    ];
    root.attributes.extend(told.into_iter().filter_map(|(name, value)| Some(text(name, value?))));
    root.error = reason.or((settled.result == "connection_lost").then_some("connection_lost")).map(str::to_owned);
}
