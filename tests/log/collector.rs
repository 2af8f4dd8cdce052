//! A collector of traces: it takes OTLP over HTTP, reads it by the types that OpenTelemetry generates, and refuses what they do not.
//!
//! Not here: tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// One span as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub trace: String,
    pub span: String,
    pub parent: String,
    pub name: String,
    pub kind: i32,
    pub links: Vec<(String, String)>,
    pub failed: bool,
    pub attributes: BTreeMap<String, String>,
    pub service: String,
}

/// See the head of this file. Dropping it ends it.
pub struct Collector {
    address: SocketAddr,
    spans: Arc<Mutex<Vec<Seen>>>,
    grown: watch::Receiver<usize>,
    _server: JoinSet<()>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let spans: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (grow, grown) = watch::channel(0);
        let all = Arc::clone(&spans);
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&all), grow.clone()));
            }
        });
        Self { address, spans, grown, _server: server }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans so far.
    pub fn spans(&self) -> Vec<Seen> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the spans are as they are wanted.
    pub async fn until(&mut self, wanted: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        loop {
            self.grown.borrow_and_update();
            let spans = self.spans();
            if wanted(&spans) {
                return spans;
            }
            assert!(self.grown.changed().await.is_ok(), "the collector ended: {spans:#?}");
        }
    }
}

async fn serve(mut stream: TcpStream, all: Arc<Mutex<Vec<Seen>>>, grow: watch::Sender<usize>) {
    let mut bytes = Vec::new();
    while let Some(body) = request(&mut stream, &mut bytes).await {
        let read = ExportTraceServiceRequest::decode(&body[..]).expect("it is a request of OTLP");
        {
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(read.resource_spans.into_iter().flat_map(|resource| {
                let service =
                    resource.resource.map(|of| texts(&of.attributes)["service.name"].clone()).unwrap_or_default();
                let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
                spans.map(move |span| seen(&span, &service)).collect::<Vec<_>>()
            }));
            grow.send_replace(all.len());
        }
        let answer = ExportTraceServiceResponse::default().encode_to_vec();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        if stream.write_all(&[head.into_bytes(), answer].concat()).await.is_err() {
            return;
        }
    }
}

/// The body of the next request, which is one of OTLP by its head.
async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(start) = head.parse(bytes).expect("it is HTTP") {
            assert_eq!((head.method, head.path), (Some("POST"), Some("/v1/traces")));
            let value = |name: &str| {
                let found = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
                found.map(|header| String::from_utf8_lossy(header.value).into_owned()).unwrap_or_default()
            };
            assert_eq!(value("content-type"), "application/x-protobuf");
            let end = start + value("content-length").parse::<usize>().expect("a length");
            if bytes.len() >= end {
                let body = bytes[start..end].to_vec();
                bytes.drain(..end);
                return Some(body);
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A span, which keeps the laws of the protocol.
fn seen(span: &Span, service: &str) -> Seen {
    assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8), "{span:?}");
    assert!(matches!(span.parent_span_id.len(), 0 | 8), "{span:?}");
    assert!(span.start_time_unix_nano > 0 && span.end_time_unix_nano >= span.start_time_unix_nano, "{span:?}");
    assert!((1..=5).contains(&span.kind) && !span.name.is_empty(), "{span:?}");
    assert!(span.links.iter().all(|link| link.trace_id.len() == 16 && link.span_id.len() == 8), "{span:?}");
    let links = span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id)));
    Seen {
        trace: hex(&span.trace_id),
        span: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name.clone(),
        kind: span.kind,
        links: links.collect(),
        failed: span.status.as_ref().is_some_and(|status| status.code == 2),
        attributes: texts(&span.attributes),
        service: service.to_owned(),
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.clone().and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|pair| (pair.key.clone(), text(pair))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
