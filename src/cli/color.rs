//! Colour on a terminal, and none anywhere else.
//!
//! Not here: what is written in it.

use crate::telemetry::is_coloured;

/// What is put around a text to colour it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Color {
    pub(super) good: &'static str,
    pub(super) bad: &'static str,
    pub(super) bold: &'static str,
    pub(super) plain: &'static str,
}

impl Color {
    /// With colour where `is_terminal`, unless its user wants none.
    pub(super) fn on(is_terminal: bool) -> Self {
        if is_coloured(is_terminal) {
            Self { good: "\x1b[32m", bad: "\x1b[31m", bold: "\x1b[1m", plain: "\x1b[0m" }
        } else {
            Self { good: "", bad: "", bold: "", plain: "" }
        }
    }
}
