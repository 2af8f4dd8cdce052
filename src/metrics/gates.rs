//! What is shut, and why.
//!
//! Not here: who shuts it.

use super::{Gated, Metrics};
use crate::core::gate::EVERYTHING;

impl Metrics {
    /// What is shut now, and for which reason: [`EVERYTHING`] or the short ids of procedures. What is open leaves the text, since
    /// events may name procedures and there is no end of names; for everything there is a line at nought from the start.
    pub fn gates<'g>(&self, shut: impl IntoIterator<Item = (&'g str, &'static str)>) {
        self.gate.clear();
        self.gate.get_or_create(&Gated { scope: EVERYTHING.to_owned(), reason: "" }).set(0);
        for (scope, reason) in shut {
            self.gate.get_or_create(&Gated { scope: scope.to_owned(), reason }).set(1);
        }
    }
}
