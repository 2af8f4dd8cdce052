//! What is told of shut gates to whoever asks for them: kept from one change to the next.
//!
//! Not here: the log lines and the metrics of a gate (`report`).

use tokio::sync::watch;

use crate::clock::{epoch_ms, millis};
use crate::core::delivery::GateReport;
use crate::core::gate::{Change, Why};
use crate::core::next_step::next_step;
use crate::core::reason::HaltReason;
use crate::states::gates::{Answered, ShutGate};

/// See the head of this file.
pub(in crate::dispatch) struct Gates {
    /// Whom we ask, as it is configured.
    host: String,
    told: watch::Sender<Vec<ShutGate>>,
}

impl Gates {
    pub(in crate::dispatch) fn new(host: String, told: watch::Sender<Vec<ShutGate>>) -> Self {
        Self { host, told }
    }

    /// Takes a change in.
    pub(super) fn tell(&self, report: &GateReport) {
        let now_ms = epoch_ms();
        self.told.send_modify(|told| {
            let before = std::mem::take(told);
            let of = |(scope, why): &(String, Why)| {
                let known = before.iter().find(|gate| gate.scope == *scope && gate.why == why.as_str());
                self.gate(scope, *why, report, known, now_ms)
            };
            *told = report.shut.iter().map(of).collect();
        });
    }

    /// One that this change is about, or else as it was.
    fn gate(&self, scope: &str, why: Why, report: &GateReport, known: Option<&ShutGate>, now_ms: u64) -> ShutGate {
        let change = report.changes.iter().find_map(|change| match change {
            Change::Shut { why: for_this, scope: of, wait, probes, .. } if of == scope && *for_this == why => {
                Some((*wait, *probes))
            }
            _ => None,
        });
        let base = ShutGate { scope: scope.to_owned(), why: why.as_str(), since_ms: now_ms, ..ShutGate::default() };
        let mut gate = known.cloned().unwrap_or(base);
        if let Some((wait, probes)) = change {
            gate.asks_again_ms = Some(now_ms.saturating_add(millis(wait)));
            gate.probes = probes;
            gate.answered = self.answered(report).or(gate.answered);
        }
        if change.is_some() || known.is_none() {
            gate.what = self.what(why, report, scope);
        }
        gate
    }

    fn answered(&self, report: &GateReport) -> Option<Answered> {
        let GateReport { status, body, detail, .. } = report;
        let is_known = status.is_some() || detail.is_some();
        is_known.then(|| Answered { host: self.host.clone(), status: *status, body: *body, detail: detail.clone() })
    }

    fn what(&self, why: Why, report: &GateReport, scope: &str) -> String {
        match why {
            Why::Halt(reason) => {
                let own = (reason != HaltReason::Redirected).then_some(self.host.as_str());
                next_step(reason, report.status, report.redirects_to.as_deref().or(own))
            }
            Why::Failing(cause) => format!(
                "{} fails one request after the other ({}); ask those who run it, or look at the way there. It is asked again by \
                 itself",
                self.host,
                cause.as_str()
            ),
            Why::Paused => format!("an operator paused {scope}; `chakra-bridge resume` ends that"),
        }
    }
}
