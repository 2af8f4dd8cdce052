//! What the delivery machine is built of.
//!
//! Not here: reading it (`config`), and the machine itself.

use std::sync::Arc;

use crate::core::decode::Limits;
use crate::core::ledger::LedgerPolicy;
use crate::core::mapping::rules::Rules;
use crate::core::outcome::OutcomePolicy;
use crate::core::policy::{GatePolicy, PhotoPolicy, Policy, RepeatPolicy, RequestLimitPolicy};

/// What the machine is built of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What an event may be.
    pub limits: Limits,
    /// What becomes of it, until other rules come.
    pub rules: Arc<Rules>,
    /// How it is retried.
    pub policy: Policy,
    /// How the gate shuts and opens.
    pub gate: GatePolicy,
    /// How much is sent.
    pub request_limits: RequestLimitPolicy,
    /// What is made of a producer that repeats itself.
    pub repeats: RepeatPolicy,
    /// The ledger, if there is one: asked before each create of an event that its key identifies, and told what came of it.
    pub ledger: Option<LedgerPolicy>,
    /// How pictures are fetched.
    pub photos: PhotoPolicy,
    /// Which outcomes are told to producers, if any are.
    pub outcomes: Option<OutcomePolicy>,
    /// How many events may be held: the broker's prefetch.
    pub places: usize,
}
