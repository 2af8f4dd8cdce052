//! Asking the lookups that prove themselves, beside the path: no event waits for them.
//!
//! Not here: when one is due and what it proves (`core::lookup_check`).

use std::sync::Arc;

use tokio::task::JoinError;

use super::dispatcher::Dispatcher;
use crate::core::gate::{Moment, Pass, Probe};
use crate::core::lookup::{Lookup, judge_lookup};
use crate::core::reply::Reply;
use crate::core::request_limits::Try;

/// A lookup that was asked to prove itself, and its reply.
pub(super) struct Asked {
    rule: Arc<str>,
    lookup: Arc<Lookup>,
    reply: Reply,
}

/// How one ended: with a reply, or a panic.
pub(super) type Ended = Result<Asked, JoinError>;

impl Dispatcher {
    /// Asks the lookups that are due, as far as gate and pace let them; never as a probe, since no event is behind them.
    /// Answers when to look again.
    pub(super) fn prove_what_may(&mut self, now: Moment) -> Option<Moment> {
        while let Some((rule, lookup)) = self.lookup_checks.due(now) {
            let pass = self.gate.pass(&lookup.procedure, now);
            if !matches!(self.request_limits.pass(pass, 1, now), Pass::Go) {
                return None;
            }
            // Through an open gate it asks no breaker.
            let _: Probe = self.gate.begun(&lookup.procedure, now);
            self.request_limits.take(Try::Again, now);
            self.lookup_checks.asked(&rule);
            let client = self.bridge.client.clone();
            self.checking.spawn(async move {
                let reply = client.look_up(&lookup).await;
                Asked { rule, lookup, reply }
            });
        }
        self.lookup_checks.wake()
    }

    /// Takes the answer in: the gate hears of it as of any other.
    pub(super) fn check_result(&mut self, ended: Ended) {
        // A panic in the client: the event is settled already, and the rule stays unverified.
        let Ok(Asked { rule, lookup, reply }) = ended else { return };
        let (now, outcome) = (self.clock.now(), judge_lookup(&reply, &lookup));
        let changes = self.gate.observe(&lookup.procedure, &outcome, Probe::default(), now, fastrand::f64());
        self.reporter.gate(&self.gate, &changes, reply.detail());
        if !self.lookup_checks.waits_for(&rule, &lookup) {
            // Other rules came meanwhile.
            return;
        }
        if let Some(check_result) = self.lookup_checks.answered(&rule, Some(&outcome), now, &self.bridge.policy) {
            self.reporter.check_result(&rule, check_result);
        }
    }
}
