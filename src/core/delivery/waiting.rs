//! Messages that wait here to be opened again, since there is no delay queue for them: those whose mapping was rejected while
//! their rule is held, and those whose handling crashed before they were events.
//!
//! Not here: events that have a request, which wait in `held`, and waits in delay queues (`delay`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::context::Context;
use super::report::Ended;
use super::{Machine, ReceiptId};
use crate::core::gate::Moment;
use crate::core::message::Message;
use crate::core::progress::Progress;

/// What a message waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WaitsFor {
    /// Until its rule goes on, or asks by it.
    Rule(Arc<str>),
    Moment(Moment),
}

#[derive(Debug)]
struct Waiting {
    /// With packed headers: what is held of an event is bytes.
    message: Message,
    context: Context,
    waits_for: WaitsFor,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct WaitingMessages {
    messages: BTreeMap<ReceiptId, Waiting>,
    of_rules: BTreeMap<Arc<str>, BTreeSet<ReceiptId>>,
    due: BTreeSet<(Moment, ReceiptId)>,
}

impl WaitingMessages {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    fn add(&mut self, waiting: Waiting) {
        let receipt = waiting.context.receipt;
        match &waiting.waits_for {
            WaitsFor::Rule(rule) => drop(self.of_rules.entry(Arc::clone(rule)).or_default().insert(receipt)),
            WaitsFor::Moment(at) => drop(self.due.insert((*at, receipt))),
        }
        self.messages.insert(receipt, waiting);
    }

    fn take(&mut self, receipt: ReceiptId) -> Option<Waiting> {
        let waiting = self.messages.remove(&receipt)?;
        match &waiting.waits_for {
            WaitsFor::Moment(at) => drop(self.due.remove(&(*at, receipt))),
            WaitsFor::Rule(rule) => {
                if let Some(others) = self.of_rules.get_mut(rule) {
                    others.remove(&receipt);
                }
                self.of_rules.retain(|_, others| !others.is_empty());
            }
        }
        Some(waiting)
    }
}

impl Machine {
    /// A message waits here.
    pub(super) fn wait_unopened(&mut self, context: Context, mut message: Message, waits_for: WaitsFor) {
        if !context.is_live {
            return self.settle(context, Ended::ConnectionLost, &Progress::default());
        }
        message.headers = message.headers.packed();
        self.waiting.add(Waiting { message, context, waits_for });
    }

    /// Opens again what has waited long enough, by the rules of now; answers when to look next.
    pub(super) fn reopen_what_may(&mut self) -> Option<Moment> {
        while let Some(waiting) = self.next_to_reopen().and_then(|receipt| self.waiting.take(receipt)) {
            let Context { receipt, is_live, received, .. } = waiting.context;
            self.opened(receipt, waiting.message, is_live, Some(received));
        }
        let probes = self.waiting.of_rules.keys().filter_map(|rule| self.brakes.reopens(rule));
        probes.chain(self.waiting.due.first().map(|(at, _)| *at)).min()
    }

    fn next_to_reopen(&self) -> Option<ReceiptId> {
        let now = self.now.moment;
        let due = self.waiting.due.first().filter(|(at, _)| *at <= now).map(|(_, receipt)| *receipt);
        due.or_else(|| {
            let is_due = |rule: &str| self.brakes.reopens(rule).is_some_and(|at| at <= now);
            let of_rule = self.waiting.of_rules.iter().find(|(rule, _)| is_due(rule));
            of_rule.and_then(|(_, receipts)| receipts.first().copied())
        })
    }

    /// Gives all of them back: nothing was sent for them here.
    pub(super) fn give_waiting_back(&mut self, ended: fn() -> Ended) {
        while let Some((receipt, _)) = self.waiting.messages.first_key_value()
            && let Some(Waiting { context, .. }) = self.waiting.take(*receipt)
        {
            self.settle(context, ended(), &Progress::default());
        }
    }
}
