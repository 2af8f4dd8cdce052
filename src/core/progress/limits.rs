//! What a dead letter says whose event came to one of its limits.
//!
//! Not here: the limits, and when they are reached (`progress`).

use std::time::Duration;

use super::Refused;
use crate::core::reason::{Fault, Reason};

/// What the text of a dead letter ends with where an earlier create may have been applied.
pub const CONFESSION: &str = "An earlier create of it lost its answer: it may be a process all the same.";

pub(super) fn unknown(cause: &str, sent: u32) -> Fault {
    let text = format!(
        "{sent} create(s) were sent and the last answer was lost ({cause}): it may be a process or not. \
         Look for it in ChakraHQ before sending it again."
    );
    Fault::new(Reason::Unknown, text)
}

pub(super) fn absent(sent: u32, window: Duration) -> Fault {
    let text = format!(
        "{sent} create(s) of it lost their answers, and for {} s no lookup found it. Look for it in ChakraHQ before \
         sending it again.",
        window.as_secs()
    );
    Fault::new(Reason::Unknown, text)
}

pub(super) fn given_up(cause: &str, age: Duration, unsure_creates: u32) -> Fault {
    if unsure_creates > 0 {
        return unknown(cause, unsure_creates);
    }
    let hours = age.as_secs_f64() / 3600.0;
    Fault::new(Reason::Exhausted, format!("failed for {hours:.1} h of open gate, last by {cause}"))
}

pub(super) fn blocked(refusals: u32, age: Duration) -> Fault {
    let hours = age.as_secs_f64() / 3600.0;
    let text = format!(
        "what answered in the API's place refused it {refusals} times in {hours:.1} h, and let other events of its procedure \
         pass between: a firewall or proxy may dislike its content. Ask whoever runs it, then retry this dead letter."
    );
    Fault::new(Reason::Blocked, text)
}

pub(super) fn error_reply(refused: &Refused) -> Fault {
    let (status, error_text) = (refused.status, refused.error_text.as_deref().unwrap_or("no words given"));
    Fault::new(
        Reason::Refused,
        format!("the API answered {status}: {error_text}. Look whether the process exists already."),
    )
}
