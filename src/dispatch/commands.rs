//! What reaches the dispatcher beside the events: an operator's pause and resume, a held rule that is to go on, a new token, new
//! certificates, and other rules.
//!
//! Not here: who may command (`admin`), how tokens and certificates are noticed (`chakra::token`, `chakra::trust`), what each
//! does (`core::delivery`), and where other rules come from (`reload`).

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::admin::resume::ResumeRule;
use crate::core::delivery::Command;
use crate::core::mapping::rules::Rules;

/// Where commands come in. A sender that is gone commands nothing more.
#[derive(Debug)]
pub struct Commands {
    /// Whether to pause.
    pub paused: watch::Receiver<bool>,
    /// Rules that are to go on; each is answered.
    pub resumed_rules: mpsc::Receiver<ResumeRule>,
    /// Counts the tokens since the start.
    pub token: watch::Receiver<u64>,
    /// The rules to map by from now on.
    pub rules: watch::Receiver<Arc<Rules>>,
    /// Counts the changes of certificates since the start.
    pub certificates: watch::Receiver<u64>,
}

/// One of them.
#[derive(Debug)]
pub(super) enum Next {
    /// For the machine as it is.
    Command(Command),
    /// For a rule, with an answer.
    ResumeRule(ResumeRule),
}

impl Commands {
    /// The next one. Loses none if it is dropped while it waits.
    pub(super) async fn next(&mut self) -> Next {
        Next::Command(tokio::select! {
            Some(asked) = self.resumed_rules.recv() => return Next::ResumeRule(asked),
            () = changed(&mut self.paused) => {
                if *self.paused.borrow_and_update() { Command::Pause } else { Command::Resume }
            }
            () = changed(&mut self.token) => Command::NewToken,
            () = changed(&mut self.rules) => Command::NewRules(Arc::clone(&self.rules.borrow_and_update())),
            () = changed(&mut self.certificates) => Command::NewCertificates,
        })
    }

    /// Takes no more of what wants an answer, so that nobody waits for one.
    pub(super) fn end(&mut self) {
        self.resumed_rules.close();
        while self.resumed_rules.try_recv().is_ok() {}
    }
}

async fn changed<T>(command: &mut watch::Receiver<T>) {
    if command.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
