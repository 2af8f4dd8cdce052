//! What rules make of an event: a request, nothing, or the reason why neither.
//!
//! Not here: making it (`rules`).

use std::sync::Arc;

use super::content::Content;
use crate::core::process::CreateProcess;
use crate::core::reason::Fault;

/// What the rules made of an event.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made once an event and taken apart at once")]
pub enum Mapped {
    /// A process is to be created.
    Create {
        /// The name of the rule that matched.
        rule: Arc<str>,
        /// The request.
        request: CreateProcess,
        /// What it says, for who wants to read it: nobody should hold it.
        content: Content,
    },
    /// The event is to be acknowledged and counted.
    Skip {
        /// The name of the rule that matched.
        rule: Arc<str>,
    },
}

/// Why an event is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmapped {
    /// The name of the rule that took the event and could not be applied, or whose `when` could not be told; none where no
    /// rule matches.
    pub rule: Option<Arc<str>>,
    /// Why.
    pub fault: Fault,
}

impl From<Unmapped> for Fault {
    fn from(unmapped: Unmapped) -> Self {
        unmapped.fault
    }
}
