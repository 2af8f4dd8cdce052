//! What is told of photos: how many are up, what could not be had, and hosts that fail.
//!
//! Not here: which of it happens (`core::delivery`). A link is told to nobody: its query may be a signature.

use super::{Reporter, text};
use crate::clock::seconds;
use crate::core::delivery::PhotoReport;

impl Reporter {
    pub(super) fn photo_told(&self, report: &PhotoReport) {
        match report {
            PhotoReport::Tried { outcome, bytes, took } => self.metrics.photo(outcome, *bytes, *took),
            PhotoReport::LeftOut { key, rule, trace, photo, host, reason } => {
                let (key, rule, host) = (text(key.as_ref()), rule.as_deref().unwrap_or_default(), host.as_deref());
                self.metrics.photo_left_out(rule, reason);
                tracing::warn!(
                    key,
                    rule,
                    photo = &**photo,
                    host,
                    reason,
                    trace_id = trace.map(tracing::field::display),
                    "photo left out: its picture cannot be had, and the process is created without it, as the rule says"
                );
            }
            PhotoReport::SourceShut { host, why, status, detail, wait, probes } => {
                self.metrics.photo_source(host, true);
                tracing::warn!(
                    %host,
                    why,
                    status,
                    detail = detail.as_deref(),
                    probes,
                    probe_in_s = seconds(*wait),
                    "photo source shut: this host of pictures fails; events that need it wait, and one asks at a time"
                );
            }
            PhotoReport::SourceOpened { host, after } => {
                self.metrics.photo_source(host, false);
                tracing::info!(%host, after_s = seconds(*after), "photo source open: this host of pictures answers again");
            }
        }
    }
}
