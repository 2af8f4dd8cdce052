//! Asking the looks that prove themselves, beside the path: no event waits for them.
//!
//! Not here: when one is due and what it proves (`core::lookup_check`).

use std::sync::Arc;

use tokio::task::JoinError;

use super::dispatch::Dispatcher;
use crate::core::gate::{Moment, Pass, Probe};
use crate::core::lookup::{Look, judge_look};
use crate::core::reply::Reply;
use crate::core::request_limits::Try;

/// A look that was asked to prove itself, and its reply.
pub(super) struct Asked {
    rule: Arc<str>,
    look: Arc<Look>,
    reply: Reply,
}

/// How one ended: with a reply, or a panic.
pub(super) type Ended = Result<Asked, JoinError>;

impl Dispatcher {
    /// Asks the looks that are due, as far as gate and pace let them; never as a probe, since no event is behind them.
    /// Answers when to look again.
    pub(super) fn prove_what_may(&mut self, now: Moment) -> Option<Moment> {
        while let Some((rule, look)) = self.proofs.due(now) {
            let pass = self.gate.pass(&look.procedure, now);
            if !matches!(self.pace.pass(pass, 1, now), Pass::Go) {
                return None;
            }
            // Through an open gate it asks no door.
            let _: Probe = self.gate.begun(&look.procedure, now);
            self.pace.take(Try::Again, now);
            self.proofs.asked(&rule);
            let client = self.bridge.client.clone();
            self.proving.spawn(async move {
                let reply = client.look(&look).await;
                Asked { rule, look, reply }
            });
        }
        self.proofs.wake()
    }

    /// Takes the answer in: the gate hears of it as of any other.
    pub(super) fn proved(&mut self, ended: Ended) {
        // A panic in the client: the event is settled already, and the rule stays unproved.
        let Ok(Asked { rule, look, reply }) = ended else { return };
        let (now, outcome) = (self.clock.now(), judge_look(&reply, &look));
        let changes = self.gate.observe(&look.procedure, &outcome, Probe::default(), now, fastrand::f64());
        self.teller.gate(&self.gate, &changes, reply.detail());
        if !self.proofs.waits_for(&rule, &look) {
            // Other rules came meanwhile.
            return;
        }
        if let Some(proved) = self.proofs.answered(&rule, Some(&outcome), now, &self.bridge.policy) {
            self.teller.proved(&rule, proved);
        }
    }
}
