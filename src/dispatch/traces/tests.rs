//! Which spans an event makes, whatever becomes of it.

use std::collections::HashMap;

use tokio::sync::mpsc;

use super::*;
use crate::core::delay_queue::DELAY_QUEUES;
use crate::core::delivery::Traced;
use crate::core::photo::{Link, Missed, OnMissing, Photo, PhotoId, PhotoReply, Source};
use crate::core::reply::{Body, Lost, Response};
use crate::core::span::Kind;
use crate::handover::spans::{WAITING_MAX, queue};

const SECOND: u64 = 1_000_000_000;

struct Bench {
    tracer: Tracer,
    spans: mpsc::Receiver<Span>,
    metrics: Arc<Metrics>,
}

impl Bench {
    fn new() -> Self {
        let ((spans, waiting), metrics) = (queue(), Arc::new(Metrics::new()));
        let queues = Queues { work: "work".to_owned(), dead: "work.dead".to_owned() };
        let api = Api::of("https://api.example", ("api.example", Some(443)));
        let (sample, arriving, live) = (1.0, None, HashMap::new());
        let tracer = Tracer { spans, sample, queues, api, metrics: Arc::clone(&metrics), arriving, live };
        Self { tracer, spans: waiting, metrics }
    }

    /// A message comes in, of this trace or of none.
    fn arrives(&mut self, receipt: ReceiptId, of: Option<&str>) {
        let mut message =
            Message { message_id: Some("m1".to_owned()), exchange: "crm".to_owned(), ..Message::default() };
        self.tracer.arrived(receipt, &mut message, SECOND);
        let named = of.and_then(|text| TraceContext::read(text, None)).map(Arc::new);
        let trace = named.or(message.begins).expect("one begins");
        let traced = Traced { receipt, trace, waited: None, rule: Some("lead".into()) };
        self.tracer.opened(&traced, 2 * SECOND);
    }

    fn told(&mut self) -> Vec<Span> {
        std::iter::from_fn(|| self.spans.try_recv().ok()).collect()
    }
}

fn names(spans: &[Span]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

#[test]
fn a_message_that_is_settled_leaves_nothing_behind() {
    let mut bench = Bench::new();
    bench.arrives(1, None);
    bench.tracer.creates(1, "lead", 3 * SECOND);
    let reply = Reply::Response(Response::new(200, Body::Empty));
    bench.tracer.replied(1, Some(&reply), Duration::from_secs(1), 5 * SECOND);
    bench.tracer.settles(1, &mut Settlement::Ack, 6 * SECOND);
    assert!(bench.tracer.live.is_empty());
    let spans = bench.told();
    assert_eq!(names(&spans), ["map", "POST /v1/ext/procedure/{procedure}/process", "ack work", "process work"]);
    let root = &spans[3];
    assert!(spans[..3].iter().all(|span| span.parent == Some(root.context.span())), "{spans:#?}");
    assert_eq!((root.parent, root.kind, root.began_ns, root.ended_ns), (None, Kind::Consumer, SECOND, 6 * SECOND));
    assert_eq!(
        (spans[1].began_ns, spans[1].ended_ns),
        (4 * SECOND, 5 * SECOND),
        "what it waited for before is no request"
    );
    assert!(root.attributes.contains(&text("messaging.destination.name", "crm:work")));
}

#[test]
fn a_request_that_failed_says_why_and_one_that_was_not_sent_is_none() {
    let mut bench = Bench::new();
    bench.arrives(1, None);
    let failed = Reply::Response(Response::new(503, Body::Empty));
    let lost = Reply::Lost { why: Lost::Timeout, detail: String::new() };
    for reply in [Some(&failed), Some(&lost), None] {
        assert!(bench.tracer.creates(1, "lead", 3 * SECOND).is_some());
        bench.tracer.replied(1, reply, Duration::ZERO, 4 * SECOND);
    }
    bench.tracer.creates(1, "lead", 3 * SECOND);
    bench.tracer.withheld(1);
    bench.tracer.end(5 * SECOND);
    let spans = bench.told();
    let errors: Vec<_> = spans.iter().map(|span| span.error.as_deref()).collect();
    assert_eq!(errors, [None, Some("503"), Some("timeout"), Some("panic"), Some("cut_off")], "{spans:#?}");
}

#[test]
fn a_photo_that_is_brought_up_is_an_upload_and_one_that_cannot_be_had_a_fetch_and_neither_tells_its_link() {
    let mut bench = Bench::new();
    bench.arrives(1, None);
    let source = Source::Link(Link::read("https://cdn.example/1.jpg?sig=SECRET").unwrap());
    let id = PhotoId::of("k", "r", "site", &source);
    let photo = Photo { id, name: "site".into(), source, filename: None, on_missing: OnMissing::DeadLetter };
    let up = PhotoReply::Asked { reply: Reply::Response(Response::new(409, Body::Empty)), bytes: 5 };
    for reply in [&up, &PhotoReply::Missed(Missed::Gone(404))] {
        let said = bench.tracer.uploads(1, &photo, 3 * SECOND).unwrap();
        bench.tracer.brought(1, reply, Duration::from_secs(1), 5 * SECOND);
        assert_eq!(bench.tracer.live[&1].root.context.trace(), said.trace());
    }
    let spans = bench.told();
    assert_eq!(names(&spans), ["map", "POST /v1/ext/photo/{photoId}", "fetch photo"]);
    assert_eq!((spans[1].began_ns, spans[1].ended_ns), (4 * SECOND, 5 * SECOND));
    assert!(spans[1].attributes.contains(&text("url.full", &format!("https://api.example/v1/ext/photo/{id}"))));
    assert!(spans[2].attributes.contains(&text("chakra_bridge.photo.host", "cdn.example")));
    assert_eq!(spans[2].error.as_deref(), Some("photo_gone"));
    assert!(!format!("{spans:?}").contains("SECRET"));
}

#[test]
fn what_is_published_for_an_event_says_where_it_stood_and_ends_it_once_it_is_kept() {
    let mut bench = Bench::new();
    bench.arrives(1, None);
    let mut delay = Settlement::Delay(DELAY_QUEUES[0], Box::default());
    bench.tracer.settles(1, &mut delay, 3 * SECOND);
    bench.tracer.published(1, false, 4 * SECOND);
    bench.tracer.settles(1, &mut delay, 5 * SECOND);
    bench.tracer.published(1, true, 6 * SECOND);
    let settled = Settled {
        result: "delayed",
        key: None,
        rule: None,
        process: None,
        fault: None,
        status: None,
        attempts: 0,
        took: Duration::ZERO,
        delayed: None,
        came_in: crate::core::delivery::CameIn { receipt: 1, ..Default::default() },
        why: None,
    };
    bench.tracer.told(&settled, 6 * SECOND);
    let spans = bench.told();
    assert_eq!(names(&spans), ["map", "publish work.wait.10s", "publish work.wait.10s", "process work"]);
    assert_eq!(spans[1].error.as_deref(), Some("refused"));
    let Settlement::Delay(_, state) = delay else { panic!("it is one") };
    assert_eq!(state.trace, Some(spans[2].context.traceparent()));
    assert!(bench.tracer.live.is_empty());
}

#[test]
fn a_trace_that_whoever_called_does_not_keep_is_handed_on_and_not_told() {
    let mut bench = Bench::new();
    bench.arrives(1, Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"));
    let sent = bench.tracer.creates(1, "lead", 3 * SECOND).unwrap().traceparent();
    assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && sent.ends_with("-00"), "{sent}");
    bench.tracer.settles(1, &mut Settlement::Ack, 6 * SECOND);
    assert_eq!(bench.told(), []);
}

#[test]
fn what_has_no_room_is_lost_and_counted() {
    let mut bench = Bench::new();
    for receipt in 0..2000 {
        bench.arrives(receipt, None);
        bench.tracer.settles(receipt, &mut Settlement::Release, 6 * SECOND);
    }
    assert_eq!(bench.told().len(), WAITING_MAX);
    let lost = 2000 * 3 - WAITING_MAX;
    assert!(bench.metrics.text().contains(&format!("chakra_bridge_spans_dropped_total {lost}\n")));
}
