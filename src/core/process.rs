//! The request that creates a process, ready to be sent.
//!
//! Not here: how a rule makes one (`mapping`), or how it is sent (`chakra`).

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::core::lookup::Lookup;
use crate::core::photo::{PhotoId, Photos, without};

pub use crate::core::procedure::{PROCEDURE_BYTES_MAX, Procedure};

/// The three statuses the API documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// `OPEN`
    Open,
    /// `COMPLETED`
    Completed,
    /// `CANCELLED`
    Cancelled,
}

impl Status {
    /// All of them, as the API spells them.
    pub const NAMES: [&'static str; 3] = ["OPEN", "COMPLETED", "CANCELLED"];

    /// The status of this name, exactly as the API spells it.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        match text {
            "OPEN" => Some(Self::Open),
            "COMPLETED" => Some(Self::Completed),
            "CANCELLED" => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// One create, as it is held and sent: `POST /v1/ext/procedure/{procedure}/process`. Its body is bytes, since as a tree of
/// values it would take many times their length for as long as the event is held.
#[derive(Clone, PartialEq)]
pub struct CreateProcess {
    /// The procedure, in the path.
    pub procedure: Procedure,
    /// Whether the rule names the procedure itself; otherwise the event does, and a 404 is the event's fault.
    pub procedure_is_literal: bool,
    /// How to look it up; none where the rule has no `reconcile_by`.
    pub lookup: Option<Lookup>,
    /// The body: a JSON object of what the API documents, in its types.
    pub body: Arc<[u8]>,
    /// The photos that its body names, which must be up before it is sent.
    pub photos: Photos,
}

impl CreateProcess {
    /// The same without this photo. What it is told by stays: it is the same event.
    #[must_use]
    pub fn without(&self, id: PhotoId) -> Self {
        Self { body: without(&self.body, id), ..self.clone() }
    }
}

impl fmt::Debug for CreateProcess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CreateProcess").field("procedure", &self.procedure).finish_non_exhaustive()
    }
}
