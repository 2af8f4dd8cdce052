//! What reaches the dispatcher beside the path: an operator's wish to pause, word of a new token or new certificates, and
//! other rules.
//!
//! Not here: who may wish (`admin`), how tokens and certificates are noticed (`chakra::token`, `chakra::trust`), what either
//! does (`core::gate`), and where other rules come from (`reload`).

use std::sync::Arc;

use tokio::sync::watch;

use super::dispatch::Dispatcher;
use crate::core::lookup_check::Followed;
use crate::core::mapping::rules::{Rule, Rules};

/// Where wishes come in. A sender that is gone wishes nothing more.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// Whether to pause.
    pub paused: watch::Receiver<bool>,
    /// Counts the tokens since the start.
    pub token: watch::Receiver<u64>,
    /// The rules to map by from now on.
    pub rules: watch::Receiver<Arc<Rules>>,
    /// Counts the changes of certificates since the start.
    pub certificates: watch::Receiver<u64>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Pause,
    Resume,
    NewToken,
    NewRules,
    NewCertificates,
}

impl Wishes {
    /// The next one. Loses none if it is dropped while it waits.
    pub(super) async fn next(&mut self) -> Wish {
        tokio::select! {
            () = changed(&mut self.paused) => {
                if *self.paused.borrow_and_update() { Wish::Pause } else { Wish::Resume }
            }
            () = changed(&mut self.token) => Wish::NewToken,
            () = changed(&mut self.rules) => Wish::NewRules,
            () = changed(&mut self.certificates) => Wish::NewCertificates,
        }
    }
}

async fn changed<T>(wish: &mut watch::Receiver<T>) {
    if wish.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Dispatcher {
    /// Does as was wished.
    pub(super) fn wished(&mut self, wish: Wish) {
        let now = self.clock.now();
        let changes = match wish {
            Wish::Pause => self.gate.pause(now).into_iter().collect(),
            Wish::Resume => self.gate.resume(now).into_iter().collect(),
            Wish::NewToken => self.gate.token_changed(now),
            Wish::NewRules => return self.renew_rules(),
            Wish::NewCertificates => self.gate.certificates_changed(now),
        };
        self.teller.gate(&self.gate, &changes, None);
    }

    /// Maps by other rules from now on. What is in hand keeps the request that it was mapped to.
    fn renew_rules(&mut self) {
        self.bridge.rules = Arc::clone(&self.bridge.wishes.rules.borrow());
        let rules = &self.bridge.rules;
        let Followed { begun, gone } = self.proofs.follow(rules.iter().filter_map(Rule::sought));
        begun.iter().for_each(|rule| self.bridge.metrics.look_proved(rule, None));
        gone.iter().for_each(|rule| self.bridge.metrics.look_gone(rule));
        rules.names().for_each(|rule| self.bridge.metrics.foresee_settled("created", rule, ""));
    }
}
