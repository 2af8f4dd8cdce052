//! What reaches the dispatcher beside the path: an operator's wish to pause, word of a new token or new certificates, and
//! other rules.
//!
//! Not here: who may command (`admin`), how tokens and certificates are noticed (`chakra::token`, `chakra::trust`), what either
//! does (`core::gate`), and where other rules come from (`reload`).

use std::sync::Arc;

use tokio::sync::watch;

use super::dispatcher::Dispatcher;
use crate::core::lookup_check::Replaced;
use crate::core::mapping::rules::{Rule, Rules};

/// Where wishes come in. A sender that is gone wishes nothing more.
#[derive(Clone, Debug)]
pub struct Commands {
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
pub(super) enum Command {
    Pause,
    Resume,
    NewToken,
    NewRules,
    NewCertificates,
}

impl Commands {
    /// The next one. Loses none if it is dropped while it waits.
    pub(super) async fn next(&mut self) -> Command {
        tokio::select! {
            () = changed(&mut self.paused) => {
                if *self.paused.borrow_and_update() { Command::Pause } else { Command::Resume }
            }
            () = changed(&mut self.token) => Command::NewToken,
            () = changed(&mut self.rules) => Command::NewRules,
            () = changed(&mut self.certificates) => Command::NewCertificates,
        }
    }
}

async fn changed<T>(command: &mut watch::Receiver<T>) {
    if command.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Dispatcher {
    /// Does as was wished.
    pub(super) fn commanded(&mut self, command: Command) {
        let now = self.clock.now();
        let changes = match command {
            Command::Pause => self.gate.pause(now).into_iter().collect(),
            Command::Resume => self.gate.resume(now).into_iter().collect(),
            Command::NewToken => self.gate.token_changed(now),
            Command::NewRules => return self.renew_rules(),
            Command::NewCertificates => self.gate.certificates_changed(now),
        };
        self.reporter.gate(&self.gate, &changes, None);
    }

    /// Maps by other rules from now on. What is unacknowledged keeps the request that it was mapped to.
    fn renew_rules(&mut self) {
        self.bridge.rules = Arc::clone(&self.bridge.commands.rules.borrow());
        let rules = &self.bridge.rules;
        let Replaced { begun, gone } = self.lookup_checks.replace(rules.iter().filter_map(Rule::lookup_target));
        begun.iter().for_each(|rule| self.bridge.metrics.lookup_verified(rule, None));
        gone.iter().for_each(|rule| self.bridge.metrics.lookup_gone(rule));
        rules.names().for_each(|rule| self.bridge.metrics.foresee_settled("created", rule, ""));
    }
}
