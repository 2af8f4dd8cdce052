//! The spans of each event: from its arrival to its settlement, with the map, each request and each publish as a part of it. They are
//! put into a queue that is never waited for.
//!
//! Not here: which trace an event belongs to (`core::delivery`), and sending spans (`telemetry`).

mod photos;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use self::steps::{Api, Asked, Queues};
use crate::chakra::Client;
use crate::core::delivery::{ReceiptId, Settled, Traced};
use crate::core::message::Message;
use crate::core::reply::Reply;
use crate::core::settlement::Settlement;
use crate::core::span::{Attribute, Span};
use crate::core::trace_context::{SpanId, TraceContext, TraceId};
use crate::handover::spans::Spans;
use crate::metrics::Metrics;

/// What the dispatcher needs to make spans.
#[derive(Debug)]
pub struct Traces {
    /// Where they go.
    pub spans: Spans,
    /// The share of the traces that begin here and are kept, 0 to 1.
    pub sample: f64,
    /// The work queue.
    pub queue: String,
    /// The dead-letter queue.
    pub dead_letter_queue: String,
}

/// See the head of this file. Times are in nanoseconds since the Unix epoch.
pub(super) struct Tracer {
    spans: Spans,
    sample: f64,
    queues: Queues,
    api: Api,
    metrics: Arc<Metrics>,
    /// The message that is being opened.
    arriving: Option<(ReceiptId, Span)>,
    live: HashMap<ReceiptId, Live>,
}

/// The steps of an event that have begun.
struct Live {
    root: Span,
    request: Option<Span>,
    publish: Option<Span>,
    /// Whether the broker keeps what stands for it.
    is_published: bool,
}

impl Live {
    fn new(root: Span) -> Self {
        Self { root, request: None, publish: None, is_published: false }
    }
}

fn draw() -> SpanId {
    SpanId::drawn(fastrand::u64(..))
}

fn ended(span: Span, now_ns: u64) -> Span {
    // The clock of the machine may be set back.
    Span { ended_ns: now_ns.max(span.began_ns), ..span }
}

impl Tracer {
    pub(super) fn new(traces: Traces, client: &Client, metrics: Arc<Metrics>) -> Self {
        let Traces { spans, sample, queue, dead_letter_queue } = traces;
        let queues = Queues { work: queue, dead: dead_letter_queue };
        let api = Api::of(client.base(), client.server());
        Self { spans, sample, queues, api, metrics, arriving: None, live: HashMap::new() }
    }

    /// A message came in: it begins a trace, unless it turns out to belong to one.
    pub(super) fn arrived(&mut self, receipt: ReceiptId, message: &mut Message, now_ns: u64) {
        let is_kept = fastrand::f64() < self.sample;
        let begins = TraceContext::begun(TraceId::drawn(fastrand::u128(..)), draw(), is_kept);
        self.arriving = Some((receipt, steps::process(begins.clone(), &self.queues, message, now_ns)));
        message.begins = Some(Arc::new(begins));
    }

    /// It was opened, and its trace is known.
    pub(super) fn opened(&mut self, traced: &Traced, now_ns: u64) {
        let Some((receipt, root)) = self.arriving.take_if(|(receipt, _)| *receipt == traced.receipt) else { return };
        let (trace, link) = (&*traced.trace, traced.waited.clone());
        let root = if *trace == root.context {
            Span { link, ..root }
        } else {
            Span { context: trace.with_span(draw()), parent: Some(trace.span()), link, ..root }
        };
        let map = steps::map(&root, draw(), traced.rule.as_deref());
        self.put(ended(map, now_ns));
        self.live.insert(receipt, Live::new(root));
    }

    /// A create is sent: what its request says of the trace.
    pub(super) fn creates(&mut self, event: ReceiptId, procedure: &str, now_ns: u64) -> Option<Arc<TraceContext>> {
        self.asks(event, Asked::Create, procedure, now_ns)
    }

    /// A lookup is sent: what its request says of the trace.
    pub(super) fn looks_up(&mut self, event: ReceiptId, procedure: &str, now_ns: u64) -> Option<Arc<TraceContext>> {
        self.asks(event, Asked::Lookup, procedure, now_ns)
    }

    fn asks(&mut self, event: ReceiptId, asked: Asked, procedure: &str, now_ns: u64) -> Option<Arc<TraceContext>> {
        let live = self.live.get_mut(&event)?;
        let span = steps::request(&live.root, draw(), &self.api, asked, procedure, now_ns);
        let context = Arc::new(span.context.clone());
        live.request = Some(span);
        Some(context)
    }

    /// A request took so long and ended; none if it ended by a panic.
    pub(super) fn replied(&mut self, event: ReceiptId, reply: Option<&Reply>, took: Duration, now_ns: u64) {
        let Some(span) = self.live.get_mut(&event).and_then(|live| live.request.take()) else { return };
        // It may have waited for the ledger before.
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let began_ns = if reply.is_some() { now_ns.saturating_sub(took_ns) } else { span.began_ns };
        self.put(ended(steps::answered(Span { began_ns, ..span }, reply), now_ns));
    }

    /// A create was not sent after all.
    pub(super) fn withheld(&mut self, event: ReceiptId) {
        if let Some(live) = self.live.get_mut(&event) {
            live.request = None;
        }
    }

    /// A message is settled. What is published for it takes along where it stands.
    pub(super) fn settles(&mut self, receipt: ReceiptId, settlement: &mut Settlement, now_ns: u64) {
        let Some(live) = self.live.get_mut(&receipt) else { return };
        match settlement {
            Settlement::Ack | Settlement::Release => {
                let word = if *settlement == Settlement::Ack { "ack" } else { "requeue" };
                let span = steps::settle(&live.root, draw(), &self.queues.work, word, now_ns);
                self.put(ended(span, now_ns));
                self.finish(receipt, now_ns);
            }
            Settlement::DeadLetter(letter) => {
                let span = steps::publish(&live.root, draw(), &self.queues.dead, now_ns);
                letter.trace = Some(span.context.traceparent());
                live.publish = Some(span);
            }
            Settlement::Tell(outcome) => {
                let span = steps::publish(&live.root, draw(), &outcome.routing_key(), now_ns);
                outcome.trace = Some(span.context.traceparent());
                live.publish = Some(span);
            }
            Settlement::Delay(queue, state) => {
                let name = format!("{}.wait.{}", self.queues.work, queue.label);
                let span = steps::publish(&live.root, draw(), &name, now_ns);
                state.trace = Some(span.context.traceparent());
                live.publish = Some(span);
            }
        }
    }

    /// The broker keeps what was published, or does not take it.
    pub(super) fn published(&mut self, receipt: ReceiptId, is_kept: bool, now_ns: u64) {
        let Some(live) = self.live.get_mut(&receipt) else { return };
        live.is_published = is_kept;
        let Some(span) = live.publish.take() else { return };
        let error = (!is_kept).then(|| "refused".to_owned());
        self.put(ended(Span { error, ..span }, now_ns));
    }

    /// How the event ended is told. What is acknowledged or given back is settled after that.
    pub(super) fn told(&mut self, settled: &Settled, now_ns: u64) {
        let receipt = settled.came_in.receipt;
        let Some(live) = self.live.get_mut(&receipt) else { return };
        steps::tell(&mut live.root, settled);
        if live.is_published || live.publish.is_some() {
            self.finish(receipt, now_ns);
        }
    }

    /// Nothing more is heard of whatever has not ended.
    pub(super) fn end(&mut self, now_ns: u64) {
        let left: Vec<ReceiptId> = self.live.keys().copied().collect();
        for receipt in left {
            if let Some(live) = self.live.get_mut(&receipt) {
                live.root.error = Some("cut_off".to_owned());
            }
            self.finish(receipt, now_ns);
        }
    }

    fn finish(&mut self, receipt: ReceiptId, now_ns: u64) {
        if let Some(live) = self.live.remove(&receipt) {
            self.put(ended(live.root, now_ns));
        }
    }

    fn put(&self, span: Span) {
        if span.context.is_sampled() && !self.spans.put(span) {
            self.metrics.spans_dropped(1);
        }
    }
}

fn text(name: &'static str, text: &str) -> (&'static str, Attribute) {
    (name, Attribute::text(text))
}
