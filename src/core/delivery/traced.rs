//! Which trace an event belongs to: the one that its message names, the one that it had before it waited in the broker, or one that
//! begins here.
//!
//! Not here: reading the names of traces (`core::trace_context`), and spans (`dispatch`).

use std::sync::Arc;

use super::open::What;
use super::report::Report;
use super::told::Traced;
use super::{EventId, Machine, ReceiptId};
use crate::core::delayed_state::DelayedState;
use crate::core::message::Message;
use crate::core::trace_context::TraceContext;

impl Machine {
    /// The trace of a message that was opened; told where one may begin here, since spans are kept then.
    pub(super) fn traced(
        &mut self,
        receipt: ReceiptId,
        message: &Message,
        state: &DelayedState,
        named: Option<TraceContext>,
        what: &What,
    ) -> Option<Arc<TraceContext>> {
        let waited = state.trace.as_deref().and_then(|text| TraceContext::read(text, None));
        let trace = named.or_else(|| waited.clone()).map(Arc::new);
        let Some(begins) = message.begins.clone() else { return trace };
        let trace = trace.unwrap_or(begins);
        let rule = what.rule().cloned();
        self.tell(Report::Traced(Box::new(Traced { receipt, trace: Arc::clone(&trace), waited, rule })));
        Some(trace)
    }

    /// The trace of an event that is held, for its requests.
    #[must_use]
    pub fn trace(&self, event: EventId) -> Option<Arc<TraceContext>> {
        self.held.get(event)?.context.trace.clone()
    }
}
