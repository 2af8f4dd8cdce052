//! What is asked of the machine beside the events: pause and resume, new tokens, certificates and rules, and the end.
//!
//! Not here: who may ask (`admin`), how a change of a file is noticed, and what each does to the gate (`gate`).

use std::sync::Arc;

use super::others::Reused;
use super::report::{GateReport, Report};
use super::{Command, Machine};
use crate::core::gate::Change;
use crate::core::mapping::rules::{Rule, Rules};
use crate::core::reply::Reply;

impl Machine {
    pub(super) fn command(&mut self, command: Command) {
        let now = self.now.moment;
        let changes = match command {
            Command::Pause => self.gate.pause(now).into_iter().collect(),
            Command::Resume => self.gate.resume(now).into_iter().collect(),
            Command::NewToken => self.gate.token_changed(now),
            Command::NewCertificates => self.gate.certificates_changed(now),
            Command::NewRules(rules) => return self.renew_rules(rules),
            Command::ResumeRule(rule) => return self.release_rule(&rule),
            Command::Drain => {
                self.is_draining = true;
                return;
            }
            Command::CutOff => {
                self.is_draining = true;
                return self.cut_off();
            }
        };
        self.tell_gate(changes, None);
    }

    /// Maps by other rules from now on. What is held keeps the request that it was mapped to.
    fn renew_rules(&mut self, rules: Arc<Rules>) {
        let replaced = self.lookup_checks.replace(rules.iter().filter_map(Rule::lookup_target));
        self.has_procedures = rules.has_procedures();
        for (rule, after) in self.brakes.renew(self.now.moment) {
            self.tell(Report::RuleReleased { rule, after });
        }
        self.reused = Reused::default();
        self.setup.rules = Arc::clone(&rules);
        self.tell(Report::Rules(rules, replaced));
    }

    /// Tells what became of the gate, if anything did, by this reply.
    pub(super) fn tell_gate(&mut self, changes: Vec<Change>, reply: Option<&Reply>) {
        if changes.is_empty() {
            return;
        }
        let shut = self.gate.shut().map(|(scope, why)| (scope.to_owned(), why)).collect();
        let detail = reply.and_then(Reply::detail).map(str::to_owned);
        let redirects_to = reply.and_then(Reply::redirects_to).map(str::to_owned);
        let status = reply.and_then(Reply::status);
        let body = reply.and_then(Reply::body_kind);
        self.tell(Report::Gate(Box::new(GateReport { changes, shut, detail, status, body, redirects_to })));
    }
}
