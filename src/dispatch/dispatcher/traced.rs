//! What the dispatcher tells of traces: to the spans, if they are wanted, and to the API.
//!
//! Not here: the spans (`dispatch::traces`).

use std::sync::Arc;
use std::time::Duration;

use super::Dispatcher;
use crate::chakra::Client;
use crate::clock::epoch_ns;
use crate::core::delivery::{EventId, Input, ReceiptId, Report};
use crate::core::message::Message;
use crate::core::photo::Photo;
use crate::core::process::Procedure;
use crate::core::settlement::Settlement;
use crate::core::trace_context::TraceContext;
use crate::dispatch::traces::Tracer;

/// What a request is to say of its trace.
type Asked = fn(&mut Tracer, EventId, &str, u64) -> Option<Arc<TraceContext>>;

impl Dispatcher {
    /// A message came in.
    pub(super) fn trace(&mut self, receipt: ReceiptId, message: &mut Message) {
        if let Some(tracer) = &mut self.tracer {
            tracer.arrived(receipt, message, epoch_ns());
        }
    }

    /// A message is settled.
    pub(super) fn settles(&mut self, receipt: ReceiptId, settlement: &mut Settlement) {
        if let Some(tracer) = &mut self.tracer {
            tracer.settles(receipt, settlement, epoch_ns());
        }
    }

    /// Nothing more is heard of any event.
    pub(super) fn end_traces(&mut self) {
        if let Some(tracer) = &mut self.tracer {
            tracer.end(epoch_ns());
        }
    }

    /// A request ended.
    pub(super) fn trace_end(&mut self, input: &Input) {
        let Some(tracer) = &mut self.tracer else { return };
        match input {
            Input::Replied { event, reply, took, .. } => tracer.replied(*event, Some(reply), *took, epoch_ns()),
            Input::PhotoReplied { event, reply, took, .. } => tracer.brought(*event, reply, *took, epoch_ns()),
            Input::Panicked { event } => tracer.replied(*event, None, Duration::ZERO, epoch_ns()),
            Input::Withheld { event, .. } => tracer.withheld(*event),
            _ => {}
        }
    }

    /// What was published is kept, or not.
    pub(super) fn published(&mut self, receipt: ReceiptId, is_kept: bool) {
        if let Some(tracer) = &mut self.tracer {
            tracer.published(receipt, is_kept, epoch_ns());
        }
    }

    pub(super) fn tell(&mut self, report: Report) {
        if let Some(tracer) = &mut self.tracer {
            match &report {
                Report::Traced(traced) => tracer.opened(traced, epoch_ns()),
                Report::Settled(settled) => tracer.told(settled, epoch_ns()),
                _ => {}
            }
        }
        self.reporter.tell(report, self.clock.now());
    }

    /// The client for a request of this event, which says what trace it belongs to.
    pub(super) fn client(&mut self, event: EventId, asked: Asked, procedure: &Procedure) -> Client {
        let tracer = self.tracer.as_mut();
        let own = tracer.and_then(|tracer| asked(tracer, event, procedure.as_str(), epoch_ns()));
        self.client.within(own.or_else(|| self.machine.trace(event)))
    }

    /// The client that uploads a photo of this event.
    pub(super) fn uploader(&mut self, event: EventId, photo: &Photo) -> Client {
        let own = self.tracer.as_mut().and_then(|tracer| tracer.uploads(event, photo, epoch_ns()));
        self.client.within(own.or_else(|| self.machine.trace(event)))
    }
}
